#include "divker/density_change.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <numbers>

#include "answer/questions.hpp"
#include "answer/rewrite.hpp"
#include "answer/tails.hpp"
#include "divker/error.hpp"

namespace divker {
namespace {

// Legendre's polynomial of degree n and its derivative at x in (-1, 1).
std::pair<double, double> legendre(std::size_t n, double x) {
  double before = 1.0;
  double here = x;
  for (std::size_t k = 2; k <= n; ++k) {
    const auto degree = static_cast<double>(k);
    const double next = ((2.0 * degree - 1.0) * x * here - (degree - 1.0) * before) / degree;
    before = here;
    here = next;
  }
  return {here, static_cast<double>(n) * (x * here - before) / (x * x - 1.0)};
}

// The integrals of Lagrange's polynomials through every second node, by the whole rule: exact.
std::vector<double> weights_of_every_second(const Quadrature& rule) {
  std::vector<double> result(rule.nodes.size(), 0.0);
  for (std::size_t i = 0; i < rule.nodes.size(); i += 2) {
    for (std::size_t q = 0; q < rule.nodes.size(); ++q) {
      double polynomial = 1.0;
      for (std::size_t j = 0; j < rule.nodes.size(); j += 2) {
        if (j == i) continue;
        polynomial *= (rule.nodes[q] - rule.nodes[j]) / (rule.nodes[i] - rule.nodes[j]);
      }
      result[i] += rule.weights[q] * polynomial;
    }
  }
  return result;
}

// Values with independent errors at one node of the line.
struct NodeAnswer {
  std::vector<double> value, deviation, bias, tail_index;
  std::vector<bool> outside;
  RunRecord record;
};
using AskNode = std::function<NodeAnswer(const Model&, const AnswerOptions&)>;

std::vector<double> checked_target(const Model& model, std::span<const double> target) {
  std::vector<double> values(target.begin(), target.end());
  (void)model.with_parameters(values);
  if (values == model.parameter_values()) {
    throw Error(ErrorKind::usage,
                fmt::format("The target has the same parameters as the model {}: nothing changes.",
                            model.name()));
  }
  return values;
}

void add_summary(RunSummary& sum, const RunSummary& more) {
  sum.paths += more.paths;
  sum.requested += more.requested;
  sum.failed += more.failed;
  sum.interrupted = sum.interrupted || more.interrupted;
  sum.steps = more.steps;
  sum.seconds += more.seconds;
  for (const FailedPath& failure : more.first_failures) {
    if (sum.first_failures.size() < 3) sum.first_failures.push_back(failure);
  }
}

void combine(const Quadrature& rule, const std::vector<NodeAnswer>& nodes, ChangeAnswer& answer) {
  const std::size_t quantities = nodes.front().value.size();
  answer.change.assign(quantities, {});
  answer.outside.assign(quantities, false);
  for (std::size_t q = 0; q < quantities; ++q) {
    Change& change = answer.change[q];
    change.tail_index = nodes.front().tail_index[q];
    double lower = 0.0, variance = 0.0, difference_variance = 0.0;
    for (std::size_t k = 0; k < nodes.size(); ++k) {
      const double square = std::pow(nodes[k].deviation[q], 2);
      change.value += rule.weights[k] * nodes[k].value[q];
      // Biases of one regression are alike at all nodes: they add up.
      change.bias += rule.weights[k] * nodes[k].bias[q];
      lower += rule.lower_weights[k] * nodes[k].value[q];
      variance += std::pow(rule.weights[k], 2) * square;
      difference_variance += std::pow(rule.weights[k] - rule.lower_weights[k], 2) * square;
      change.tail_index = std::fmax(change.tail_index, nodes[k].tail_index[q]);
      if (nodes[k].outside[q]) answer.outside[q] = true;
    }
    change.deviation = std::sqrt(variance);
    change.quadrature = std::fabs(change.value - lower);
    const double systematic =
        std::max(0.0, change.quadrature * change.quadrature - difference_variance);
    change.standard_error = std::sqrt(variance + change.bias * change.bias + systematic);
  }
}

// Is the quadrature, and not the noise, what most limits some quantity?
bool quadrature_limits(const ChangeAnswer& answer) {
  return std::ranges::any_of(answer.change, [](const Change& change) {
    const double noise = std::hypot(change.deviation, change.bias);
    return change.standard_error > std::numbers::sqrt2 * noise;
  });
}

ChangeAnswer integrate(const Model& model, std::span<const double> target, const AskNode& ask,
                       const ChangeOptions& options) {
  const std::vector<double> to = checked_target(model, target);
  const std::vector<double> from = model.parameter_values();
  ChangeAnswer answer;
  RunSummary total;
  double compile_seconds = 0.0;
  double pilot_seconds = 0.0;
  std::uint64_t first_path = options.answer.sampling.first_path;
  const auto attempt = [&](std::size_t count) {
    const Quadrature rule = gauss_legendre(count);
    std::vector<NodeAnswer> nodes;
    for (const double u : rule.nodes) {
      AnswerOptions at_node = options.answer;
      at_node.sampling.first_path = first_path;  // other paths at every node: independent
      first_path += at_node.sampling.paths;
      nodes.push_back(ask(line_between(model, from, to, u), at_node));
      const RunRecord& record = nodes.back().record;
      add_summary(total, record.summary);
      compile_seconds += record.compile_seconds;
      pilot_seconds += record.choice.seconds;
      if (total.interrupted) {
        throw Error(ErrorKind::numerical,
                    "The change was interrupted before all nodes of the quadrature were done.");
      }
    }
    combine(rule, nodes, answer);
    answer.nodes = count;
    answer.record = nodes.back().record;
  };
  if (options.nodes > 0) {
    attempt(options.nodes);
  } else {
    for (const std::size_t count : {5, 9, 17}) {
      attempt(count);
      if (!quadrature_limits(answer)) break;
    }
  }
  answer.path_runs = total.requested;
  answer.record.summary = total;
  answer.record.compile_seconds = compile_seconds;
  answer.record.choice.seconds = pilot_seconds;
  // Those of the nodes are about responses; the change has its own.
  std::erase_if(answer.record.warnings, [](const Warning& one) { return one.what == "tail"; });
  return answer;
}

}  // namespace

Quadrature gauss_legendre(std::size_t nodes) {
  if (nodes < 2 || nodes > 64) {
    throw Error(ErrorKind::usage,
                fmt::format("The number of nodes of the quadrature is {}; it must be from 2 to 64.",
                            nodes));
  }
  Quadrature rule;
  const auto n = static_cast<double>(nodes);
  for (std::size_t k = 0; k < nodes; ++k) {
    // Newton's method from Chebyshev's approximation; -cos ascends.
    double x = -std::cos(std::numbers::pi * (static_cast<double>(k) + 0.75) / (n + 0.5));
    double slope = 0.0;
    for (int iteration = 0; iteration < 20; ++iteration) {
      const auto [value, derivative] = legendre(nodes, x);
      x -= value / derivative;
      slope = legendre(nodes, x).second;
      if (std::fabs(value / derivative) < 1e-15) break;
    }
    rule.nodes.push_back(0.5 * (1.0 + x));
    rule.weights.push_back(1.0 / ((1.0 - x * x) * slope * slope));
  }
  rule.lower_weights = weights_of_every_second(rule);
  return rule;
}

ChangeAnswer log_density_change(const Model& model, std::span<const double> target,
                                const Matrix& points, const ChangeOptions& options) {
  check_points(model, points);
  const AskNode ask = [&points](const Model& at_node, const AnswerOptions& how) {
    PointAnswer found = response_at(at_node, {0}, points, how);
    std::vector<double> bias = found.prediction.bias.data;
    for (std::size_t r = 0; r < found.time_step.data.size(); ++r) {
      bias[r] = std::hypot(bias[r], found.time_step.data[r]);
    }
    return NodeAnswer{
        found.prediction.value.data,      found.prediction.deviation.data, std::move(bias),
        found.prediction.tail_index.data, found.prediction.outside,        std::move(found.record)};
  };
  ChangeAnswer answer = integrate(model, target, ask, options);
  std::vector<double> indices;
  for (const Change& change : answer.change) indices.push_back(change.tail_index);
  warn_of_tails("the change of the log density", indices, answer.outside, answer.record);
  return answer;
}

ChangeAnswer observable_change(const Model& model, std::span<const double> target,
                               const std::string& observable, const ChangeOptions& options) {
  const AskNode ask = [&observable](const Model& at_node, const AnswerOptions& how) {
    ObservableAnswer found = observable_response(at_node, {0}, observable, how);
    const Estimate& response = found.response.front();
    const bool measured = !found.time_step.empty();
    const double bias = measured ? found.time_step.back() : 0.0;
    const double sampling = measured ? found.deviation.back() : response.standard_error;
    return NodeAnswer{{response.value}, {sampling}, {bias},
                      found.tail_index, {false},    std::move(found.record)};
  };
  ChangeAnswer answer = integrate(model, target, ask, options);
  warn_of_tail("the change of the mean", answer.change.front().tail_index,
               TailAdvice::of_damping(answer.record), answer.record);
  return answer;
}

}  // namespace divker
