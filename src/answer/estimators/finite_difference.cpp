// {E[Phi](gamma + h) - E[Phi](gamma - h)} / (2h) with common random numbers, h by a pilot.
#include "answer/finite_difference.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>

#include "answer/estimators/density_difference.hpp"
#include "answer/estimators/estimators.hpp"
#include "answer/observable.hpp"
#include "answer/paired_differences.hpp"
#include "answer/questions.hpp"
#include "answer/tails.hpp"
#include "divker/error.hpp"
#include "divker/language.hpp"
#include "divker/model_kinks.hpp"
#include "divker/tail_index.hpp"

namespace divker {
namespace {

void check_difference_step(double step) {
  if (std::isfinite(step) && step >= 0.0) return;
  throw Error(ErrorKind::usage,
              fmt::format("The step of the finite difference is {}; it must be positive.", step));
}

Estimate mean_of_sound(const std::vector<double>& values) {
  Moments moments(1);
  for (const double value : values) {
    if (!std::isnan(value)) moments.add(std::span(&value, 1));
  }
  return moments.estimate(0);
}

// Where a path's number jumps with the states or the time, by the equations or the observable.
std::vector<ModelKink> jumps_of(const Model& model, const std::string& observable) {
  Graph graph(*model.graph());
  std::vector<ModelKink> kinks = model_kinks(model);
  std::ranges::move(observable_kinks(model, observable, parse_expression(observable, model, graph)),
                    std::back_inserter(kinks));
  std::erase_if(kinks, [](const ModelKink& kink) { return kink.kind != KinkKind::jump; });
  return kinks;
}

// How the steps for a parameter are chosen.
StepRequest request_for(const Model& model, std::size_t parameter,
                        const std::vector<ModelKink>& jumps, const AnswerOptions& options) {
  StepRequest request{parameter, options.difference_step, options.sampling.paths, 1, {}};
  request.has_jumps = !jumps.empty();
  request.moved_in_time = step_of_moved_jump(model, parameter);
  return request;
}

// A pilot meets too few jumps to tell the bias of a step, of which the whole run then sees more.
bool is_to_be_halved(const StepRequest& request) {
  return request.has_jumps && request.fixed == 0.0 && request.moved_in_time == 0.0;
}

Differences difference(ShiftedRuns& runs, std::size_t parameter, double h, std::size_t paths) {
  return mean_difference(runs.at(parameter, h, paths), runs.at(parameter, -h, paths), h);
}

class FiniteDifference : public Estimator {
 public:
  [[nodiscard]] std::string_view name() const override { return "finite-difference"; }

  [[nodiscard]] ObservableAnswer observable_response(const Model& model,
                                                     const std::vector<std::size_t>& parameters,
                                                     const std::string& observable,
                                                     const AnswerOptions& options) const override {
    check_difference_step(options.difference_step);
    const std::size_t paths = options.sampling.paths;
    const double time = model.time().snapshot_times(options.sampling.snapshots).back();
    const std::vector<std::size_t> functionals = Observable(model, {}, observable).functionals();
    const PathFunction function = [&](const Model& shifted, const Snapshot& of) {
      return Observable(shifted, {}, observable)(of, time).phi;
    };
    ShiftedRuns runs(model, options.sampling, options.session, function, functionals);
    const std::vector<double> unshifted = runs.at(parameters.front(), 0.0, paths);
    require_paths(runs.record().summary);
    ObservableAnswer answer;
    answer.value = mean_of_sound(unshifted);
    answer.names = parameter_names(model, parameters);
    Effort effort;
    const std::vector<ModelKink> jumps = jumps_of(model, observable);
    for (const std::size_t p : parameters) {
      const StepRequest request = request_for(model, p, jumps, options);
      const StepChoice choice = choose_step(model, runs, mean_difference, request);
      const Differences found = difference(runs, p, choice.h, paths);
      double truncation = choice.truncation[0];
      if (is_to_be_halved(request)) {
        const Differences at_half = difference(runs, p, choice.h / 2.0, paths);
        truncation = std::max(truncation, truncation_seen(found, at_half, 0));
      }
      answer.response.push_back({found.value[0], std::hypot(found.error(0), truncation)});
      answer.tail_index.push_back(tail_indices(found.influence).front());
      effort.steps.push_back(choice.h);
      effort.truncation.push_back(truncation);
    }
    answer.record = runs.record();
    answer.record.method.estimator = name();
    answer.record.effort.steps = effort.steps;
    answer.record.effort.truncation = effort.truncation;
    if (options.time_step != TimeStep::ignored && runs.has_time_step()) {
      PairedDifferences pairs(model, options.sampling, options.session, function, functionals);
      std::vector<StepBias> biases{pairs.of_mean()};
      for (std::size_t k = 0; k < parameters.size(); ++k) {
        biases.push_back(pairs.of(mean_difference, parameters[k], effort.steps[k]).front());
      }
      answer.record.effort.pair_runs = pairs.paths_run();
      add_step_biases(answer, biases, options.time_step, model.time().step);
    }
    warn_of_tails(answer, TailAdvice::of_mean(answer.record));
    return answer;
  }

  [[nodiscard]] PointAnswer response_at(const Model& model,
                                        const std::vector<std::size_t>& parameters,
                                        const Matrix& points,
                                        const AnswerOptions& options) const override {
    check_difference_step(options.difference_step);
    PointAnswer answer = density_difference(model, parameters, points, options);
    answer.record.method.estimator = name();
    return answer;
  }
};

}  // namespace

const Estimator& finite_difference_estimator() {
  static const FiniteDifference instance;
  return instance;
}

}  // namespace divker
