#include "divker/answer.hpp"

#include <fmt/format.h>

#include <cmath>

#include "answer/method_choice.hpp"
#include "answer/observable.hpp"
#include "answer/places_met.hpp"
#include "answer/point_answer.hpp"
#include "answer/questions.hpp"
#include "divker/error.hpp"
#include "divker/estimator.hpp"
#include "divker/plan.hpp"
#include "divker/state_coordinates.hpp"
#include "divker/study.hpp"

namespace divker {
namespace {

class MomentsCollector : public Collector {
 public:
  MomentsCollector(const Model& model, std::size_t snapshots)
      : model_(model),
        moments_(snapshots, Moments(model.dimension() + model.functionals().size())) {}

  [[nodiscard]] std::unique_ptr<Part> reduce(PathGroup group) const override {
    auto part = std::make_unique<Sums>();
    for (const Snapshot& snapshot : group.snapshots) {
      part->moments.emplace_back(moments_.front().size());
      part->moments.back().add(averaged(snapshot));
    }
    return part;
  }
  void absorb(std::unique_ptr<Part> part) override {
    const auto& from = static_cast<const Sums&>(*part).moments;
    for (std::size_t k = 0; k < moments_.size(); ++k) moments_[k].merge(from[k]);
  }
  [[nodiscard]] std::unique_ptr<Part> empty_part() const override {
    return std::make_unique<Sums>();
  }
  void transfer(Archive& archive) override { archive(moments_); }
  [[nodiscard]] const std::vector<Moments>& moments() const { return moments_; }

 private:
  struct Sums : Part {
    void transfer(Archive& archive) override { archive(moments); }
    std::vector<Moments> moments;
  };
  // A passage by whether it has happened, for its time may be infinite.
  [[nodiscard]] Matrix averaged(const Snapshot& snapshot) const {
    Matrix values = snapshot.x_and_functionals();
    for (std::size_t c = 0; c < model_.functionals().size(); ++c) {
      if (!is_passage(model_.functionals()[c])) continue;
      for (std::size_t r = 0; r < values.rows; ++r) {
        double& time = values(r, model_.dimension() + c);
        time = std::isinf(time) ? 0.0 : 1.0;
      }
    }
    return values;
  }
  const Model& model_;
  std::vector<Moments> moments_;
};

// Is the method left open, and nothing else asked for that belongs to one method alone?
bool is_open(const AnswerOptions& options) {
  return options.method.estimator.empty() && steps_are_open(options.method) &&
         !options.session.checkpoint.save;
}

// Why the divergence kernel has no answer, or none that is right, and another method has.
std::optional<Error> why_not_carried(const Model& model, const std::vector<std::size_t>& parameters,
                                     const std::string& observable, const AnswerOptions& options) {
  const Asked asked = Asked::responses_to(parameters);
  if (auto why = refusal_for_noise(model, options.method, asked)) return why;
  if (auto why = refusal_for_jumps(model, parameters, observable)) return why;
  const Sampling& sampling = options.sampling;
  const BoundariesMet boundaries = boundaries_met(model, sampling, options.session);
  if (auto why = refusal_for_boundaries(boundaries, sampling)) return why;
  if (const auto faint = faint_noise(boundaries.in_roots ? model.stepped_in_roots() : model)) {
    return Error(ErrorKind::model, *faint);
  }
  return refusal_for_kinks(model, options.method, asked,
                           kinks_met(model, sampling, options.session).kinks);
}

constexpr const char* the_other_method = "finite-difference";

// Why the state at the end does not tell what the observable is.
std::optional<Error> why_not_at_the_end(const Model& model, const std::string& observable) {
  const std::vector<std::size_t> functionals = Observable(model, {}, observable).functionals();
  if (functionals.empty()) return std::nullopt;
  return refusal(model, {}, Asked{}.with(functionals));
}

// Who left the method open gets the estimator that has an answer.
template <class Answer>
Answer with_reason(Answer answer, const Error& why) {
  answer.record.warnings.push_back(
      {"method",
       fmt::format("The method {} was taken. {}", answer.record.method.estimator, why.what())});
  return answer;
}

// Densities of one state have differences, where a parameter moves a jump.
std::optional<Error> why_not_told(const Model& model, const std::vector<std::size_t>& parameters,
                                  const AnswerOptions& options) {
  if (model.dimension() != 1) return std::nullopt;
  return refusal_for_kinks(model, options.method, Asked::likelihood_ratios_of(parameters),
                           kinks_met(model, options.sampling, options.session).kinks);
}

}  // namespace

bool is_passage(const PathFunctional& functional) { return functional.kind->takes_condition(); }

PointAnswer score_at(const Model& model, const Matrix& points, const AnswerOptions& options) {
  require_divergence_kernel(options.method, "Scores");
  check_points(model, points);
  Study study(model, options.method, Asked{}, options.sampling, options.session,
              tuning_at_points());
  return conditional_means(study, points, options);
}

PointAnswer response_at(const Model& model, const std::vector<std::size_t>& parameters,
                        const Matrix& points, const AnswerOptions& options) {
  require_parameters(model, parameters);
  check_points(model, points);
  if (options.method.estimator == automatic_method) {
    AnswerOptions open = options;
    open.method.estimator.clear();
    return response_at(model, parameters, points, open);
  }
  if (is_open(options)) {
    if (const auto why = why_not_told(model, parameters, options)) {
      return with_reason(
          estimator(the_other_method).response_at(model, parameters, points, options), *why);
    }
  }
  return estimator(options.method.estimator).response_at(model, parameters, points, options);
}

ObservableAnswer observable_response(const Model& model, const std::vector<std::size_t>& parameters,
                                     const std::string& observable, const AnswerOptions& options) {
  require_parameters(model, parameters);
  if (options.method.estimator == automatic_method) {
    return response_by_choice(model, parameters, observable, options);
  }
  if (is_open(options)) {
    if (auto why = why_not_at_the_end(model, observable)) {
      return with_reason(response_by_choice(model, parameters, observable, options), *why);
    }
    if (const auto why = why_not_carried(model, parameters, observable, options)) {
      return with_reason(
          estimator(the_other_method).observable_response(model, parameters, observable, options),
          *why);
    }
  }
  return estimator(options.method.estimator)
      .observable_response(model, parameters, observable, options);
}

MomentsAnswer simulate_moments(const Model& model, const Sampling& sampling,
                               const Session& session) {
  Study study(model, {}, states_and_functionals(model), sampling, session);
  const std::vector<double> times = model.time().snapshot_times(sampling.snapshots);
  MomentsCollector collector(model, times.size());
  require_paths(study.run(collector, "means and deviations"));
  MomentsAnswer answer;
  for (std::size_t k = 0; k < times.size(); ++k) {
    answer.snapshots.push_back({times[k], collector.moments()[k]});
  }
  answer.record = study.record();
  return answer;
}

Matrix default_points(const Model& model, const Sampling& sampling, const Session& session,
                      std::size_t count) {
  require_default_grid(model);
  return quantile_grid(model, small_sample(model, sampling, session), count);
}

}  // namespace divker
