#include "answer/observable.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "answer/questions.hpp"
#include "answer/tails.hpp"
#include "answer/time_step.hpp"
#include "answer/vital_signs.hpp"
#include "divker/language.hpp"
#include "divker/model_kinks.hpp"
#include "divker/step.hpp"

namespace divker {

namespace {

constexpr const char* finite_difference_sees_it =
    "The method finite-difference sees what happens there.";

// Phi, and its derivatives if any of them is not zero.
ModelFunction function_of(const Model& model, const std::vector<std::size_t>& parameters,
                          const std::string& text) {
  const auto graph = std::make_shared<Graph>(*model.graph());
  const Expression phi = parse_expression(text, model, *graph);
  std::vector<Expression> gamma;
  gamma.reserve(parameters.size());
  for (const std::size_t p : parameters) gamma.push_back(graph->at(model.parameters()[p].node));
  std::vector<NodeId> roots{phi.id()};
  bool explicit_part = false;
  for (const Expression& part : gradient(phi, gamma)) {
    explicit_part = explicit_part || !part.is_zero();
    roots.push_back(part.id());
  }
  if (!explicit_part) roots.resize(1);
  return {model, graph, std::move(roots)};
}

ModelFunction gradient_of(const Model& model, const std::string& text, bool by_states,
                          const std::vector<PathFunctional>& functionals) {
  const auto graph = std::make_shared<Graph>(*model.graph());
  std::vector<Expression> variables;
  for (const State& state : model.states()) {
    if (by_states) variables.push_back(graph->at(state.node));
  }
  for (const PathFunctional& one : functionals) variables.push_back(graph->at(one.node));
  std::vector<NodeId> roots;
  for (const Expression& part : gradient(parse_expression(text, model, *graph), variables)) {
    roots.push_back(part.id());
  }
  return {model, graph, std::move(roots)};
}

std::vector<std::size_t> functionals_in(const Model& model, const std::string& text) {
  std::vector<std::size_t> found;
  if (model.functionals().empty()) return found;
  Graph graph(*model.graph());
  const Expression phi = parse_expression(text, model, graph);
  for (std::size_t q = 0; q < model.functionals().size(); ++q) {
    const Expression node = graph.at(model.functionals()[q].node);
    if (depends_on(phi, {&node, 1})) found.push_back(q);
  }
  return found;
}

std::vector<PathFunctional> those_of(const Model& model, const std::vector<std::size_t>& numbers) {
  std::vector<PathFunctional> result;
  result.reserve(numbers.size());
  for (const std::size_t q : numbers) result.push_back(model.functionals()[q]);
  return result;
}

}  // namespace

// The columns of the functionals of some paths.
class Observable::PathValues {
 public:
  PathValues() = default;
  PathValues(const std::vector<PathFunctional>& functionals, const Matrix& table) {
    for (std::size_t q = 0; q < functionals.size(); ++q) {
      values_.push_back(table.column(q));
    }
    for (std::size_t q = 0; q < functionals.size(); ++q) {
      columns_.push_back({functionals[q].node, values_[q]});
    }
  }
  [[nodiscard]] std::span<const ModelFunction::Column> columns() const { return columns_; }
  // The first that is infinite on some path.
  [[nodiscard]] std::optional<std::size_t> first_infinite() const {
    for (std::size_t q = 0; q < values_.size(); ++q) {
      if (std::ranges::any_of(values_[q], [](double v) { return std::isinf(v); })) return q;
    }
    return std::nullopt;
  }

 private:
  std::vector<std::vector<double>> values_;
  std::vector<ModelFunction::Column> columns_;
};

Observable::Observable(const Model& model, const std::vector<std::size_t>& parameters,
                       const std::string& text, Gradient gradient)
    : functionals_(functionals_in(model, text)),
      text_(text),
      function_(function_of(model, parameters, text)),
      parameters_(parameters.size()),
      by_states_(gradient == Gradient::in_states) {
  known_ = those_of(model, functionals_);
  if (by_states_ || !known_.empty()) gradient_ = gradient_of(model, text, by_states_, known_);
  if (const auto why = refusal_for_jumps(model, parameters, text)) throw Error(*why);
}

std::optional<Error> refusal_for_jumps(const Model& model,
                                       const std::vector<std::size_t>& parameters,
                                       const std::string& text) {
  if (parameters.empty()) return std::nullopt;
  Graph graph(*model.graph());
  const Expression phi = parse_expression(text, model, graph);
  for (const ModelKink& kink : observable_kinks(model, text, phi)) {
    if (kink.kind != KinkKind::jump) continue;
    for (const std::size_t p : parameters) {
      if (!kink.is_moved_by(p)) continue;
      return Error(ErrorKind::model,
                   fmt::format("{} The place moves with {}. {}", kink.sentence(),
                               model.parameters()[p].name, finite_difference_sees_it));
    }
  }
  return std::nullopt;
}

Observable::Values Observable::operator()(const Matrix& x, double time) const {
  if (!known_.empty()) {
    throw Error(ErrorKind::usage,
                fmt::format("{} is a functional of the path, and only the states at one time are "
                            "known here.",
                            known_.front().name));
  }
  return of(x, time, {});
}

Observable::Values Observable::operator()(const Snapshot& paths, double time) const {
  const PathValues path(known_, paths.functionals());
  Values values = of(paths.x(), time, path);
  const auto missing = path.first_infinite();
  const bool is_finite =
      std::ranges::all_of(values.phi, [](double phi) { return std::isfinite(phi); });
  if (missing && !is_finite) {
    throw Error(ErrorKind::usage,
                fmt::format("{0} has not happened by t = {1} on some paths, where it is infinite, "
                            "and so is {2}: ask for min({0}, {1}), for if({0} < {1}, 1, 0), or "
                            "for another function that is finite there.",
                            known_[*missing].name, time, text_));
  }
  return values;
}

Observable::Values Observable::of(const Matrix& x, double time, const PathValues& path) const {
  const auto values = function_.at_rows({&time, 1}, x, path.columns());
  Values result{values.front(), {}};
  if (values.size() > 1) {
    result.explicit_part = Matrix(x.rows, values.size() - 1);
    for (std::size_t p = 1; p < values.size(); ++p) {
      for (std::size_t r = 0; r < x.rows; ++r) result.explicit_part(r, p - 1) = values[p][r];
    }
  }
  return result;
}

Observable::Summands Observable::summands(const Snapshot& paths, double time) const {
  const Matrix& x = paths.x();
  const Matrix& v = paths.tangents();
  const Matrix& path_v = paths[functional_tangent_array];
  Values values = (*this)(paths, time);
  Summands result{std::move(values.phi), paths.responses(), std::move(values.explicit_part)};
  if (v.cols == 0 && path_v.cols == 0) return result;
  if (result.integral.cols == 0) result.integral = Matrix(x.rows, parameters_);  // nothing handed
  if (result.explicit_part.rows == 0) result.explicit_part = Matrix(x.rows, parameters_);
  const PathValues path(known_, paths.functionals());
  const auto slopes = gradient_->at_rows({&time, 1}, x, path.columns());
  // `moved`: a column of derivatives for each parameter.
  const auto add = [&](const std::vector<double>& slope, const Matrix& moved, std::size_t column,
                       std::size_t p) {
    for (std::size_t r = 0; r < x.rows; ++r) {
      result.explicit_part(r, p) += slope[r] * moved(r, column);
    }
  };
  for (std::size_t p = 0; p < parameters_; ++p) {
    for (std::size_t i = 0; i < v.cols / parameters_; ++i) add(slopes[i], v, p * x.cols + i, p);
    for (std::size_t q = 0; q < known_.size(); ++q) {
      if (!known_[q].kind->is_smooth()) continue;
      add(slopes[(by_states_ ? x.cols : 0) + q], path_v, q * parameters_ + p, p);
    }
  }
  return result;
}

std::unique_ptr<Collector::Part> ObservableCollector::empty_part() const {
  auto part = std::make_unique<Sums>();
  part->sums = ResponseAccumulator(sums_.parameters());
  return part;
}

std::unique_ptr<Collector::Part> ObservableCollector::reduce(PathGroup group) const {
  auto part = std::make_unique<Sums>();
  part->sums = ResponseAccumulator(sums_.parameters());
  const Snapshot& last = group.snapshots.back();
  if (last.x().rows != 0) {
    const Observable::Summands of = observable_.summands(last, time_);
    part->sums.add(of.phi, of.integral, of.explicit_part);
  }
  return part;
}

void ObservableCollector::absorb(std::unique_ptr<Part> part) {
  sums_.merge(static_cast<const Sums&>(*part).sums);
}

namespace {

// What each path of a pair has to say of the mean and of its responses: the influences of
// ResponseAccumulator, with the coefficients of the control variate from the coarse paths.
Matrix influences(const Observable::Summands& values, const std::vector<double>& control) {
  const Matrix& integrals = values.integral;
  Matrix result(integrals.rows, 1 + integrals.cols);
  double mean = 0.0;
  for (const double phi : values.phi) mean += phi / static_cast<double>(integrals.rows);
  for (std::size_t r = 0; r < result.rows; ++r) {
    result(r, 0) = values.phi[r];
    for (std::size_t p = 0; p < integrals.cols; ++p) {
      result(r, 1 + p) = (values.phi[r] - mean - control[p]) * integrals(r, p);
      if (values.explicit_part.rows != 0) result(r, 1 + p) += values.explicit_part(r, p);
    }
  }
  return result;
}

// c_p = Cov(z_p, I_p) / Var(I_p).
std::vector<double> control_of(const Matrix& plain, const Matrix& integrals) {
  std::vector<double> control;
  for (std::size_t p = 0; p < integrals.cols; ++p) {
    CovarianceMoments joint(2);
    for (std::size_t r = 0; r < integrals.rows; ++r) {
      joint.add(std::vector<double>{plain(r, 1 + p), integrals(r, p)});
    }
    const Matrix covariance = joint.covariance();
    control.push_back(covariance(1, 1) > 0.0 ? covariance(0, 1) / covariance(1, 1) : 0.0);
  }
  return control;
}

}  // namespace

std::vector<StepBias> step_biases(const Observable::Summands& coarse,
                                  const Observable::Summands& fine) {
  const std::vector<double> none(coarse.integral.cols, 0.0);
  const std::vector<double> control = control_of(influences(coarse, none), coarse.integral);
  const Matrix at_dt = influences(coarse, control);
  const Matrix at_half = influences(fine, control);
  Moments differences(at_dt.cols);
  std::vector<double> difference(at_dt.cols);
  for (std::size_t r = 0; r < at_dt.rows; ++r) {
    for (std::size_t q = 0; q < at_dt.cols; ++q) {
      difference[q] = 2.0 * (at_dt(r, q) - at_half(r, q));
    }
    differences.add(difference);
  }
  std::vector<StepBias> biases;
  for (std::size_t q = 0; q < at_dt.cols; ++q) {
    const Estimate bias = differences.estimate(q);
    biases.push_back({bias.value, bias.standard_error});
  }
  return biases;
}

ObservableAnswer response_of_mean(Study& study, const Observable& phi, const std::string& text,
                                  TimeStep policy) {
  const std::vector<std::size_t>& parameters = study.plan().asked.wrt;
  const double time = study.model().time().snapshot_times(study.sampling().snapshots).back();
  ObservableCollector collector(phi, parameters.size(), time);
  require_paths(study.run(collector, "response of the mean of " + text));
  ObservableResponse result = collector.result();
  ObservableAnswer answer;
  answer.value = result.value;
  answer.names = parameter_names(study.model(), parameters);
  answer.response = std::move(result.response);
  answer.tail_index = collector.tail_indices();
  const auto pairs = policy == TimeStep::ignored ? std::nullopt : step_pairs(study);
  answer.record = study.record();
  if (pairs) {
    const double end = pairs->coarse.time;
    add_step_biases(answer,
                    step_biases(phi.summands(pairs->coarse, end), phi.summands(pairs->fine, end)),
                    policy, study.model().time().step);
  }
  warn_of_mass(answer.names, result.mass, answer.record);
  warn_of_tails(answer, TailAdvice::of_mean(answer.record));
  return answer;
}

namespace {

ResponseAccumulator sums_of(const Observable& phi, const Snapshot& snapshot) {
  const Observable::Summands of = phi.summands(snapshot, snapshot.time);
  ResponseAccumulator sums(of.integral.cols);
  sums.add(of.phi, of.integral, of.explicit_part);
  return sums;
}

}  // namespace

namespace {

// The variance of a column's mean, and two standard errors of this variance.
double upper_variance(const std::vector<double>& column) {
  const auto n = static_cast<double>(column.size());
  double mean = 0.0;
  for (const double z : column) mean += z / n;
  double squares = 0.0, fourth_powers = 0.0;
  for (const double z : column) {
    const double square = (z - mean) * (z - mean);
    squares += square;
    fourth_powers += square * square;
  }
  return (squares + 2.0 * std::sqrt(fourth_powers)) / (n * n);
}

}  // namespace

Tuning tuning_of_tangents(const Observable& phi) {
  Tuning tuning = tuning_of_mean(phi);
  tuning.measure = [&phi](const Snapshot& snapshot) {
    const Observable::Summands of = phi.summands(snapshot, snapshot.time);
    const std::vector<double> none(of.integral.cols, 0.0);
    const Matrix z = influences(of, control_of(influences(of, none), of.integral));
    std::vector<double> variances;
    for (std::size_t p = 1; p < z.cols; ++p) variances.push_back(upper_variance(z.column(p)));
    return variances;
  };
  return tuning;
}

Tuning tuning_of_mean(const Observable& phi) {
  Tuning tuning;
  tuning.may_learn = false;
  tuning.measure = [&phi](const Snapshot& snapshot) {
    std::vector<double> variances;
    for (const Estimate& response : sums_of(phi, snapshot).result().response) {
      variances.push_back(std::pow(response.standard_error, 2));
    }
    return variances;
  };
  tuning.tails = [&phi](const Snapshot& snapshot) { return sums_of(phi, snapshot).tail_indices(); };
  return tuning;
}

}  // namespace divker
