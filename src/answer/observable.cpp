#include "answer/observable.hpp"

#include <fmt/format.h>

#include <cmath>
#include <utility>

#include "answer/questions.hpp"
#include "answer/tails.hpp"
#include "answer/time_step.hpp"
#include "answer/vital_signs.hpp"
#include "divker/language.hpp"
#include "divker/model_kinks.hpp"

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

ModelFunction gradient_of(const Model& model, const std::string& text) {
  const auto graph = std::make_shared<Graph>(*model.graph());
  std::vector<Expression> x;
  for (const State& state : model.states()) x.push_back(graph->at(state.node));
  std::vector<NodeId> roots;
  for (const Expression& part : gradient(parse_expression(text, model, *graph), x)) {
    roots.push_back(part.id());
  }
  return {model, graph, std::move(roots)};
}

}  // namespace

Observable::Observable(const Model& model, const std::vector<std::size_t>& parameters,
                       const std::string& text, Gradient gradient)
    : function_(function_of(model, parameters, text)), parameters_(parameters.size()) {
  if (gradient == Gradient::in_states) gradient_ = gradient_of(model, text);
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
  const auto values = function_.at_rows({&time, 1}, x);
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
  Values values = (*this)(x, time);
  Summands result{std::move(values.phi), paths.responses(), std::move(values.explicit_part)};
  if (v.cols == 0) return result;
  if (result.integral.cols == 0) result.integral = Matrix(x.rows, parameters_);  // nothing handed
  if (result.explicit_part.rows == 0) result.explicit_part = Matrix(x.rows, parameters_);
  const auto slopes = gradient_->at_rows({&time, 1}, x);
  for (std::size_t p = 0; p < parameters_; ++p) {
    for (std::size_t i = 0; i < x.cols; ++i) {
      for (std::size_t r = 0; r < x.rows; ++r) {
        result.explicit_part(r, p) += slopes[i][r] * v(r, p * x.cols + i);
      }
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
