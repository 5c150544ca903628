#include "answer/vital_signs.hpp"

#include <fmt/format.h>

#include "answer/drift_rates.hpp"
#include "answer/path_checks.hpp"

namespace divker {
namespace {

void speak_up(const Check& check, RunRecord& record) {
  if (check.verdict != Verdict::bad) return;
  record.warnings.push_back(
      {"check", fmt::format("{}: {}; {}.", check.name, check.finding, check.advice)});
}

}  // namespace

std::vector<Warning> warnings_of_steps(const Model& model, const Sampling& sampling,
                                       const Session& session) {
  constexpr std::size_t numbers = 4000;
  constexpr double unstable = 0.01;
  constexpr double tamed = 0.05;
  std::vector<Warning> warnings;
  if (model.dynamics() == Dynamics::map) return warnings;
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
