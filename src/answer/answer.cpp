#include "divker/answer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "answer/observable.hpp"
#include "answer/questions.hpp"
#include "divker/error.hpp"
#include "divker/local_sums.hpp"
#include "march/checkpoint.hpp"

namespace divker {
namespace {

// A derived, compiled and damped model, ready to run.
struct Prepared {
  Ensemble ensemble;
  RunOptions run;
  Checkpoint checkpoint;
  Effective effective;
};

Prepared prepare(const Model& model, StepOptions step, const AnswerOptions& options,
                 const DampingRequest& damping, const VarianceMeasure& measure) {
  const double compiled_before = Kernel::total_compile_seconds();
  Effective effective;
  effective.choice = choose_damping(model, damping, step, options.run, measure);
  effective.choice.damping.shape(step);
  RunOptions run = options.run;
  run.damping = effective.choice.damping;
  effective.alpha = effective.choice.damping.text();
  Ensemble ensemble(model, step);
  effective.compile_seconds = Kernel::total_compile_seconds() - compiled_before;
  return {std::move(ensemble), std::move(run), options.checkpoint, std::move(effective)};
}

// End points of at most 4096 of the paths.
Matrix small_sample(const Model& model, const RunOptions& run) {
  StepOptions states_only;
  states_only.score = false;
  RunOptions small = run;
  small.paths = std::min<std::size_t>(run.paths, 4096);
  small.progress = nullptr;
  return Ensemble(model, states_only).run(small).snapshots.back().x;
}

// Sums around the points instead of the paths themselves.
class LocalSumsCollector : public Collector {
 public:
  explicit LocalSumsCollector(const LocalSums& empty) : empty_(empty), sums_(empty) {}

  [[nodiscard]] std::unique_ptr<Part> reduce(PathGroup group) const override {
    auto part = std::make_unique<Sums>(empty_);
    const Matrix& y = group.responses.empty() ? group.nu.back() : group.responses.back();
    part->sums.add(group.x.back(), y, group.index);
    return part;
  }
  void absorb(std::unique_ptr<Part> part) override {
    sums_.merge(static_cast<const Sums&>(*part).sums);
  }
  [[nodiscard]] std::unique_ptr<Part> empty_part() const override {
    return std::make_unique<Sums>(empty_);
  }
  void transfer(Archive& archive) override { sums_.transfer(archive); }
  [[nodiscard]] const LocalSums& sums() const { return sums_; }

 private:
  struct Sums : Part {
    explicit Sums(const LocalSums& empty) : sums(empty) {}
    void transfer(Archive& archive) override { sums.transfer(archive); }
    LocalSums sums;
  };
  LocalSums empty_;
  LocalSums sums_;
};

// The regressor asked for; by default sums alone where the paths would fill gigabytes.
std::string chosen_regressor(const Model& model, std::size_t outputs,
                             const AnswerOptions& options) {
  if (!options.regressor.empty()) return options.regressor;
  constexpr double largest = 2.0 * 1024 * 1024 * 1024;
  const std::size_t columns = 2 * model.dimension() + outputs;
  const double bytes =
      static_cast<double>(columns * sizeof(double)) * static_cast<double>(options.run.paths);
  if (bytes > largest && model.dimension() <= LocalSums::largest_dimension) {
    return local_sums_regressor;
  }
  return default_regressor(model.dimension(), options.run.paths);
}

Prediction predict_from_sums(const Model& model, const Matrix& points, std::size_t outputs,
                             const Prepared& prepared, RunSummary& summary) {
  std::vector<double> scales = column_variances(small_sample(model, prepared.run));
  for (double& scale : scales) scale = std::sqrt(scale);
  LocalSumsCollector collector(LocalSums(points, scales, outputs, prepared.run.paths));
  const std::string kept = fmt::format("local sums around {} points with the hash {}", points.rows,
                                       march::hash_of(points.data));
  summary = prepared.ensemble.run(prepared.run, collector, prepared.checkpoint.of(kept));
  require_paths(summary);
  return collector.sums().result();
}

PointAnswer conditional_answer(const Model& model, const StepOptions& step, const Matrix& points,
                               const AnswerOptions& options, std::vector<std::string> names) {
  check_points(model, points);
  const bool wants_response = !step.responses.empty();
  const VarianceMeasure measure = [wants_response](const Snapshot& snapshot) {
    return unexplained_variances(snapshot.x, wants_response ? snapshot.responses : snapshot.nu);
  };
  const std::size_t outputs = wants_response ? step.responses.size() : model.dimension();
  Prepared prepared = prepare(model, step, options, options.damping, measure);
  PointAnswer answer;
  answer.points = points;
  answer.names = std::move(names);
  answer.effective = prepared.effective;
  answer.effective.regressor = chosen_regressor(model, outputs, options);
  if (answer.effective.regressor == local_sums_regressor) {
    answer.prediction =
        predict_from_sums(model, points, outputs, prepared, answer.effective.summary);
    return answer;
  }
  const Paths paths = prepared.ensemble.run(prepared.run, prepared.checkpoint);
  require_paths(paths.summary);
  answer.effective.summary = paths.summary;
  const Snapshot& last = paths.snapshots.back();
  if (options.regressor.empty()) {
    answer.effective.regressor = default_regressor(model.dimension(), last.x.rows);
  }
  RegressorOptions regressor_options = options.regressor_options;
  regressor_options.threads = options.run.threads;
  const auto regressor = make_regressor(answer.effective.regressor, regressor_options);
  regressor->fit(last.x, wants_response ? last.responses : last.nu);
  answer.prediction = regressor->predict(points);
  return answer;
}

class MomentsCollector : public Collector {
 public:
  MomentsCollector(std::size_t dimension, std::size_t snapshots)
      : moments_(snapshots, Moments(dimension)) {}

  [[nodiscard]] std::unique_ptr<Part> reduce(PathGroup group) const override {
    auto part = std::make_unique<Sums>();
    for (const Matrix& x : group.x) {
      part->moments.emplace_back(moments_.front().size());
      part->moments.back().add(x);
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
  std::vector<Moments> moments_;
};

}  // namespace

PointAnswer score_at(const Model& model, const Matrix& points, const AnswerOptions& options) {
  StepOptions step;
  step.order = options.order;
  step.scheme = options.scheme;
  return conditional_answer(model, step, points, options, state_names(model));
}

PointAnswer response_at(const Model& model, const std::vector<std::size_t>& parameters,
                        const Matrix& points, const AnswerOptions& options) {
  require_parameters(model, parameters);
  StepOptions step;
  step.order = options.order;
  step.scheme = options.scheme;
  step.responses = parameters;
  return conditional_answer(model, step, points, options, parameter_names(model, parameters));
}

ObservableAnswer observable_response(const Model& model, const std::vector<std::size_t>& parameters,
                                     const std::string& observable, const AnswerOptions& options) {
  require_parameters(model, parameters);
  const Observable phi(model, parameters, observable);
  const double time = snapshot_times(model, options.run).back();
  StepOptions step;
  step.order = options.order;
  step.scheme = options.scheme;
  step.responses = parameters;
  const VarianceMeasure measure = [&phi](const Snapshot& snapshot) {
    const Observable::Values values = phi(snapshot.x, snapshot.time);
    ResponseAccumulator sums(snapshot.responses.cols);
    sums.add(values.phi, snapshot.responses, values.explicit_part);
    std::vector<double> variances;
    for (const Estimate& response : sums.result().response) {
      variances.push_back(std::pow(response.standard_error, 2));
    }
    return variances;
  };
  Prepared prepared = prepare(model, step, options, options.damping.without_learning(), measure);
  ObservableCollector collector(phi, parameters.size(), time);
  prepared.effective.summary = prepared.ensemble.run(
      prepared.run, collector, prepared.checkpoint.of("response of the mean of " + observable));
  require_paths(prepared.effective.summary);

  const ObservableResponse result = collector.result();
  ObservableAnswer answer;
  answer.value = result.value;
  answer.response = result.response;
  answer.names = parameter_names(model, parameters);
  answer.effective = std::move(prepared.effective);
  return answer;
}

MomentsAnswer simulate_moments(const Model& model, const RunOptions& run,
                               const Checkpoint& checkpoint) {
  StepOptions states_only;
  states_only.score = false;
  const Ensemble ensemble(model, states_only);
  const std::vector<double> times = snapshot_times(model, run);
  MomentsCollector collector(model.dimension(), times.size());
  MomentsAnswer answer;
  answer.effective.compile_seconds = ensemble.compile_seconds();
  answer.effective.summary = ensemble.run(run, collector, checkpoint.of("means and deviations"));
  require_paths(answer.effective.summary);
  for (std::size_t k = 0; k < times.size(); ++k) {
    answer.snapshots.push_back({times[k], collector.moments()[k]});
  }
  return answer;
}

Matrix default_points(const Model& model, const RunOptions& run, std::size_t count) {
  require_default_grid(model);
  return quantile_grid(model, small_sample(model, run), count);
}

}  // namespace divker
