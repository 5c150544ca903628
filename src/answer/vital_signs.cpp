#include "answer/vital_signs.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "answer/drift_rates.hpp"
#include "answer/path_checks.hpp"
#include "divker/plan.hpp"

namespace divker {
namespace {

void speak_up(const Check& check, RunRecord& record) {
  if (check.verdict != Verdict::bad) return;
  record.warnings.push_back(
      {"check", fmt::format("{}: {}; {}.", check.name, check.finding, check.advice)});
}

// What an input does between the steps, which the steps do not see, against what they see: the root
// mean square over some steps of its mean there less that of the steps' values, in standard
// deviations of these.
double unseen_of(const Input& input, const TimeGrid& grid, std::size_t steps) {
  constexpr std::size_t most_looks = 1000;
  constexpr int parts = 8;
  const std::size_t stride = (steps + most_looks - 1) / most_looks;
  Moments values(1);
  double squares = 0.0;
  for (std::size_t n = 0; n < steps; n += stride) {
    const double here = input.at(grid.time(n));
    const double next = input.at(grid.time(n + 1));
    double mean = 0.0;
    for (int part = 0; part < parts; ++part) {
      mean += input.at(grid.time(n) + grid.step * (part + 0.5) / parts) / parts;
    }
    const bool is_step = input.interpolation == Interpolation::step;
    const double unseen = mean - (is_step ? here : 0.5 * (here + next));
    squares += unseen * unseen;
    values.add({&here, 1});
  }
  const auto count = static_cast<double>(values.count());
  const double deviation = count > 1.0 ? std::sqrt(values.variance(0)) : 0.0;
  const double rounding = 1e-9 * std::fabs(values.mean()[0]);
  return squares > 0.0 ? std::sqrt(squares / count) / (deviation + rounding) : 0.0;
}

}  // namespace

std::vector<Warning> warnings_of_inputs(const Model& model, const Sampling& sampling) {
  constexpr double much = 0.1;
  std::vector<Warning> warnings;
  if (!has_time_step(model)) return warnings;
  const TimeGrid& grid = model.time();
  const std::size_t steps = grid.snapshot_steps(sampling.snapshots).back();
  for (const Input& input : model.inputs()) {
    input.require(grid.start, grid.time(steps));
    if (steps == 0) continue;
    const std::vector<double>& times = input.knots->times();
    const auto first = std::ranges::lower_bound(times, grid.start);
    const auto last = std::ranges::upper_bound(times, grid.time(steps));
    const double per_step = static_cast<double>(last - first - 1) / static_cast<double>(steps);
    if (per_step < 2.0 || unseen_of(input, grid, steps) < much) continue;
    warnings.push_back(
        {"input", fmt::format("The input {} has {:.3g} knots to a step of dt = {:.4g} and changes "
                              "between them: paths see it at the steps alone. Use its means over "
                              "the steps, or a dt of about {:.2g}.",
                              input.name, per_step, grid.step, grid.step / per_step)});
  }
  return warnings;
}

std::vector<Warning> warnings_of_steps(const Model& model, const Sampling& sampling,
                                       const Session& session) {
  constexpr std::size_t numbers = 4000;
  constexpr double unstable = 0.01;
  constexpr double tamed = 0.05;
  std::vector<Warning> warnings;
  if (!has_time_step(model)) return warnings;
  const DriftRates rates = drift_rates(model, sampling, session, numbers);
  if (rates.share_unstable >= unstable) {
    const std::string advice =
        rates.parts == 0 ? ""
                         : fmt::format(" Steps of {:.4g} are stable there.",
                                       model.time().step / static_cast<double>(rates.parts));
    warnings.push_back(
        {"step",
         fmt::format("dt = {:.4g} is too large for the drift: at {:.3g}% of some places on "
                     "paths a step makes differences grow that the SDE lets die out (dt "
                     "times the rate of the drift is up to {:.2g}), so that these are not "
                     "paths of the SDE.{}",
                     model.time().step, 100.0 * rates.share_unstable, rates.largest, advice)});
  }
  if (rates.share_tamed >= tamed) {
    warnings.push_back(
        {"taming", fmt::format("Taming weakens the drift by a tenth or more at {:.3g}% of some "
                               "places on paths: the answer is that of another drift. A smaller "
                               "dt, or a larger limit (`--set tamed=...`), tames less.",
                               100.0 * rates.share_tamed)});
  }
  return warnings;
}

void warn_of_mass(const std::vector<std::string>& names, const std::vector<Estimate>& masses,
                  RunRecord& record) {
  if (!names.empty()) speak_up(check_mass(names, masses, record.summary.paths), record);
}

void warn_of_identities(const std::vector<std::string>& parameters, const Snapshot& snapshot,
                        RunRecord& record) {
  if (parameters.empty()) return speak_up(check_score_identity(snapshot), record);
  warn_of_mass(parameters, masses_of(snapshot), record);
}

}  // namespace divker
