#include "answer/stationary_run.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "answer/questions.hpp"
#include "divker/error.hpp"
#include "estimate/half_samples.hpp"

namespace divker {
namespace {

constexpr std::size_t reference_paths = 4096;

void require_enough_paths(std::size_t paths) {
  constexpr std::size_t fewest = 2 * half_sample_groups;
  if (paths >= fewest) return;
  throw Error(ErrorKind::usage,
              fmt::format("A stationary answer takes at least {} paths, whose differences are its "
                          "standard error; {} were asked for.",
                          fewest, paths));
}

}  // namespace

void check_stationary(const Model& model, const StationaryOptions& options) {
  require_divergence_kernel(options.answer.method, "Stationary answers");
  require_enough_paths(options.answer.sampling.paths);
  if (const auto why = refusal_for_noise(model, options.answer.method, {})) throw Error(*why);
}

void require_stationary(const Observable& phi, const Model& model, const std::string& text) {
  if (!phi.functionals().empty()) {
    throw Error(ErrorKind::usage,
                fmt::format("{} is a functional of the path from its start on, and has no "
                            "stationary mean: ask without stationary, at a time.",
                            model.functionals()[phi.functionals().front()].name));
  }
  if (phi.depends_on_time()) {
    throw Error(ErrorKind::usage,
                fmt::format("The observable {} mentions the time t, so that it has no stationary "
                            "mean.",
                            text));
  }
}

StationaryRun::StationaryRun(const Model& model_, const StationaryOptions& options,
                             StationaryPlan plan_)
    : plan(std::move(plan_)),
      model(plan.on_grid(model_)),
      reference(states_after(model, options.answer.sampling, options.answer.session,
                             static_cast<double>(plan.spinup) * model.time().step,
                             reference_paths)),
      functions(reference) {}

void StationaryRun::go(Asked asked, const StationaryOptions& options, const Tuning& tuning,
                       StationaryCollector& collector, const std::string& what) {
  asked.long_paths = true;
  TimeGrid horizon = model.time();
  const std::size_t window = plan.windows.empty() ? plan.length / 4 : plan.windows.back() / 2;
  horizon.end = horizon.time(plan.spinup + std::max<std::size_t>(window, 1));
  Sampling sampling = options.answer.sampling;
  sampling.snapshots.clear();
  study.emplace(model.with_time(horizon), options.answer.method, asked, sampling,
                options.answer.session, tuning);
  study->set_model(model);
  sampling.snapshots = plan.times(model.time());
  study->use(sampling);
  const RunSummary& summary =
      study->run(collector, fmt::format("{}, windows of {} steps, from sample {} on", what,
                                        fmt::join(plan.windows, " "), plan.first_sample));
  require_enough_paths(summary.paths);
  collector.require_still(model);
  record = study->record();
}

}  // namespace divker
