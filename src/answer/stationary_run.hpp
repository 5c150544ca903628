// The run that every stationary answer rests on.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "answer/relaxation.hpp"
#include "answer/stationary_plan.hpp"
#include "answer/stationary_samples.hpp"
#include "answer/stationary_step_bias.hpp"
#include "answer/time_step.hpp"
#include "divker/plan.hpp"
#include "divker/study.hpp"

namespace divker {

// What is asked, before anything is simulated. Error(usage) for another estimator and for fewer
// than 64 paths; the refusal of noise that is missing.
void check_stationary(const Model& model, const StationaryOptions& options);

// Error(usage) for an observable that has no stationary mean: one of the time, or of functionals of
// the path. `text` is what it is called.
void require_stationary(const Observable& phi, const Model& model, const std::string& text);

// A planned stationary run: the model on its grid, and what is known of its law.
struct StationaryRun {
  StationaryRun(const Model& model_, const StationaryOptions& options, StationaryPlan plan_);

  // The pilot's paths end where half of the longest window lies behind them.
  void go(Asked asked, const StationaryOptions& options, const Tuning& tuning,
          StationaryCollector& collector, const std::string& what);

  // Afterwards some paths in pairs at dt and dt/2, counted in the record; null where they are not
  // asked for, where there is no dt, or where some of them do not finish.
  template <class Samples, class... More>
  std::unique_ptr<AtBothSteps<Samples>> go_in_pairs(const AnswerOptions& options,
                                                    const More&... more) {
    if (options.time_step == TimeStep::ignored || !study->plan().has_time_step) return nullptr;
    auto pairs = std::make_unique<AtBothSteps<Samples>>(plan, functions, more...);
    const Sampling fine = sampling_of_pairs(study->sampling());
    const auto finishes = [&](const Model& at, const Sampling& sampling, Collector& collector) {
      study->set_model(at);
      study->use(sampling);
      study->use(options.session.aside());
      record.effort.pair_runs += sampling.paths;
      return study->run(collector, "paths in pairs").paths == sampling.paths;
    };
    if (!finishes(model, at_both_increments(fine), pairs->coarse)) return nullptr;
    if (!finishes(at_half_the_step(model), fine, pairs->fine)) return nullptr;
    return pairs;
  }

  StationaryPlan plan;
  Model model;
  Matrix reference;  // states after the spin-up
  BoundedFunctions functions;
  std::optional<Study> study;  // once it has gone
  RunRecord record;
};

}  // namespace divker
