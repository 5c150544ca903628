#include "divker/answer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "divker/error.hpp"
#include "divker/language.hpp"
#include "divker/observable_response.hpp"

namespace divker {
namespace {

void check_points(const Model& model, const Matrix& points) {
  if (points.cols != model.dimension()) {
    throw Error(ErrorKind::usage,
                fmt::format("The points have {} columns, but model {} has {} states.", points.cols,
                            model.name(), model.dimension()));
  }
  if (points.rows == 0) throw Error(ErrorKind::usage, "No points were given.");
  for (std::size_t r = 0; r < points.rows; ++r) {
    for (std::size_t c = 0; c < points.cols; ++c) {
      if (std::isfinite(points(r, c))) continue;
      throw Error(ErrorKind::model, fmt::format("Point number {} has the value {} for state {}.", r,
                                                points(r, c), model.states()[c].name));
    }
  }
}

std::vector<std::string> parameter_names(const Model& model,
                                         const std::vector<std::size_t>& parameters) {
  std::vector<std::string> names;
  for (const std::size_t p : parameters) names.push_back(model.parameters().at(p).name);
  return names;
}

void require_parameters(const Model& model, const std::vector<std::size_t>& parameters) {
  if (parameters.empty()) {
    throw Error(ErrorKind::usage, "Model " + model.name() +
                                      " has no parameter to differentiate (all are fixed, or none "
                                      "was asked for).");
  }
}

// A derived, compiled and damped model, ready to run.
struct Prepared {
  Ensemble ensemble;
  RunOptions run;
  Effective effective;
};

Prepared prepare(const Model& model, StepOptions step, const AnswerOptions& options,
                 const VarianceMeasure& measure) {
  const double compiled_before = Kernel::total_compile_seconds();
  Effective effective;
  effective.choice = choose_damping(model, options.damping, step, options.run, measure);
  step.damping = effective.choice.damping.form;
  RunOptions run = options.run;
  run.damping = effective.choice.damping;
  effective.alpha = effective.choice.damping.text();
  Ensemble ensemble(model, step);
  effective.compile_seconds = Kernel::total_compile_seconds() - compiled_before;
  return {std::move(ensemble), std::move(run), std::move(effective)};
}

void require_paths(const RunSummary& summary) {
  if (summary.paths < 2) {
    throw Error(ErrorKind::numerical,
                fmt::format("Only {} of {} paths finished: too few for an answer.", summary.paths,
                            summary.requested));
  }
}

PointAnswer conditional_answer(const Model& model, const StepOptions& step, const Matrix& points,
                               const AnswerOptions& options, std::vector<std::string> names) {
  check_points(model, points);
  const bool wants_response = !step.responses.empty();
  const VarianceMeasure measure = [wants_response](const Snapshot& snapshot) {
    Moments moments(wants_response ? snapshot.responses.cols : snapshot.nu.cols);
    moments.add(wants_response ? snapshot.responses : snapshot.nu);
    std::vector<double> variances;
    for (std::size_t i = 0; i < moments.size(); ++i) variances.push_back(moments.variance(i));
    return variances;
  };
  Prepared prepared = prepare(model, step, options, measure);
  Paths paths = prepared.ensemble.run(prepared.run);
  require_paths(paths.summary);
  const Snapshot& last = paths.snapshots.back();

  PointAnswer answer;
  answer.points = points;
  answer.names = std::move(names);
  answer.effective = std::move(prepared.effective);
  answer.effective.summary = paths.summary;
  answer.effective.regressor = options.regressor.empty()
                                   ? default_regressor(model.dimension(), last.x.rows)
                                   : options.regressor;
  RegressorOptions regressor_options = options.regressor_options;
  regressor_options.threads = options.run.threads;
  const auto regressor = make_regressor(answer.effective.regressor, regressor_options);
  regressor->fit(last.x, wants_response ? last.responses : last.nu);
  answer.prediction = regressor->predict(points);
  return answer;
}

// Phi and its derivatives with respect to the parameters, as functions of the paths.
class Observable {
 public:
  Observable(const Model& model, const std::vector<std::size_t>& parameters,
             const std::string& text)
      : model_(model), graph_(*model.graph()) {
    const Expression phi = parse_expression(text, model, graph_);
    std::vector<Expression> gamma;
    for (const std::size_t p : parameters) gamma.push_back(graph_.at(model.parameters()[p].node));
    roots_.push_back(phi.id());
    for (const Expression& part : gradient(phi, gamma)) {
      explicit_part_ = explicit_part_ || !part.is_zero();
      roots_.push_back(part.id());
    }
  }

  struct Values {
    std::vector<double> phi;
    Matrix explicit_part;  // empty if Phi does not mention the parameters
  };

  [[nodiscard]] Values operator()(const Matrix& x, double time) const {
    std::vector<std::vector<double>> storage;
    std::vector<std::span<const double>> columns(graph_.input_count());
    storage.reserve(model_.dimension());
    const std::vector<double> parameters = model_.parameter_values();
    for (std::size_t i = 0; i < model_.dimension(); ++i) {
      storage.push_back(x.column(i));
      columns[graph_.node(model_.states()[i].node).a] = storage.back();
    }
    for (std::size_t p = 0; p < parameters.size(); ++p) {
      columns[graph_.node(model_.parameters()[p].node).a] = {&parameters[p], 1};
    }
    columns[graph_.node(model_.time_input()).a] = {&time, 1};
    const auto values = evaluate_columns(graph_, roots_, columns, x.rows);
    Values result{values.front(), {}};
    if (explicit_part_) {
      result.explicit_part = Matrix(x.rows, values.size() - 1);
      for (std::size_t p = 1; p < values.size(); ++p) {
        for (std::size_t r = 0; r < x.rows; ++r) result.explicit_part(r, p - 1) = values[p][r];
      }
    }
    return result;
  }

 private:
  const Model& model_;
  Graph graph_;
  std::vector<NodeId> roots_;
  bool explicit_part_ = false;
};

class ObservableCollector : public Collector {
 public:
  ObservableCollector(const Observable& observable, std::size_t parameters, double time)
      : observable_(observable), time_(time), sums_(parameters) {}

  [[nodiscard]] std::unique_ptr<Part> reduce(PathGroup group) const override {
    auto part = std::make_unique<Sums>();
    part->sums = ResponseAccumulator(sums_.parameters());
    const Matrix& x = group.x.back();
    if (x.rows != 0) {
      const Observable::Values values = observable_(x, time_);
      part->sums.add(values.phi, group.responses.back(), values.explicit_part);
    }
    return part;
  }
  void absorb(std::unique_ptr<Part> part) override {
    sums_.merge(static_cast<const Sums&>(*part).sums);
  }
  [[nodiscard]] ObservableResponse result() const { return sums_.result(); }

 private:
  struct Sums : Part {
    ResponseAccumulator sums;
  };
  const Observable& observable_;
  double time_;
  ResponseAccumulator sums_;
};

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
  [[nodiscard]] const std::vector<Moments>& moments() const { return moments_; }

 private:
  struct Sums : Part {
    std::vector<Moments> moments;
  };
  std::vector<Moments> moments_;
};

std::vector<double> snapshot_times(const Model& model, const RunOptions& run) {
  std::vector<double> times;
  for (const std::size_t step : snapshot_steps(model.time(), run.snapshots)) {
    times.push_back(model.time().time(step));
  }
  return times;
}

}  // namespace

PointAnswer score_at(const Model& model, const Matrix& points, const AnswerOptions& options) {
  StepOptions step;
  step.order = options.order;
  step.scheme = options.scheme;
  std::vector<std::string> names;
  for (const State& state : model.states()) names.push_back(state.name);
  return conditional_answer(model, step, points, options, std::move(names));
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
  Prepared prepared = prepare(model, step, options, measure);
  ObservableCollector collector(phi, parameters.size(), time);
  prepared.effective.summary = prepared.ensemble.run(prepared.run, collector);
  require_paths(prepared.effective.summary);

  const ObservableResponse result = collector.result();
  ObservableAnswer answer;
  answer.value = result.value;
  answer.response = result.response;
  answer.names = parameter_names(model, parameters);
  answer.effective = std::move(prepared.effective);
  return answer;
}

MomentsAnswer simulate_moments(const Model& model, const RunOptions& run) {
  StepOptions states_only;
  states_only.score = false;
  const Ensemble ensemble(model, states_only);
  const std::vector<double> times = snapshot_times(model, run);
  MomentsCollector collector(model.dimension(), times.size());
  MomentsAnswer answer;
  answer.effective.compile_seconds = ensemble.compile_seconds();
  answer.effective.summary = ensemble.run(run, collector);
  require_paths(answer.effective.summary);
  for (std::size_t k = 0; k < times.size(); ++k) {
    answer.snapshots.push_back({times[k], collector.moments()[k]});
  }
  return answer;
}

Matrix default_points(const Model& model, const RunOptions& run, std::size_t count) {
  if (model.dimension() != 1) {
    throw Error(ErrorKind::usage,
                fmt::format("Model {} has {} states, so there is no default grid of points: give "
                            "the points with --at.",
                            model.name(), model.dimension()));
  }
  StepOptions states_only;
  states_only.score = false;
  RunOptions small = run;
  small.paths = std::min<std::size_t>(run.paths, 4096);
  small.progress = nullptr;
  std::vector<double> x = Ensemble(model, states_only).run(small).snapshots.back().x.data;
  if (x.empty()) throw Error(ErrorKind::numerical, "No path finished: there is nothing to grid.");
  std::sort(x.begin(), x.end());
  const auto last = static_cast<double>(x.size() - 1);
  const double low = x[static_cast<std::size_t>(0.02 * last)];
  const double high = x[static_cast<std::size_t>(0.98 * last)];
  Matrix points(count, 1);
  for (std::size_t k = 0; k < count; ++k) {
    const double u = count == 1 ? 0.5 : static_cast<double>(k) / static_cast<double>(count - 1);
    points(k, 0) = low + u * (high - low);
  }
  return points;
}

}  // namespace divker
