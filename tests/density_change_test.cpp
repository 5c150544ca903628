// Changes of densities and means over a finite way, against closed forms, the Fokker-Planck
// equation and direct simulation.
#include "divker/density_change.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "answer/rewrite.hpp"
#include "divker/error.hpp"
#include "divker/exact_density.hpp"
#include "divker/language.hpp"
#include "support/asked.hpp"
#include "support/statistics.hpp"

namespace divker {
namespace {

using test::column;
using test::consistent;

Estimate estimate(const Change& change) { return {change.value, change.standard_error}; }

ChangeOptions options_with(std::size_t paths, const std::string& alpha, std::size_t nodes = 0) {
  ChangeOptions options;
  options.answer.sampling.paths = paths;
  options.answer.method.damping = parse_damping(alpha);
  options.answer.method.order = InverseOrder::second;
  options.nodes = nodes;
  return options;
}

TEST(DensityChange, GaussLegendreIsExactForPolynomials) {
  for (const std::size_t n : {2U, 3U, 5U, 8U, 17U, 64U}) {
    const Quadrature rule = gauss_legendre(n);
    for (std::size_t degree = 0; degree < 2 * n; ++degree) {
      double sum = 0.0, lower = 0.0;
      for (std::size_t k = 0; k < n; ++k) {
        const double power = std::pow(rule.nodes[k], static_cast<double>(degree));
        sum += rule.weights[k] * power;
        lower += rule.lower_weights[k] * power;
      }
      const double exact = 1.0 / (static_cast<double>(degree) + 1.0);
      EXPECT_NEAR(sum, exact, 1e-13) << n << ", degree " << degree;
      if (n <= 17 && degree < (n + 1) / 2) {
        EXPECT_NEAR(lower, exact, 1e-9) << n;
      }
    }
  }
}

// Mean and variance of the Euler chain of ou after one unit of time from N(0, 2).
double log_normal_density(double a, double m, double s, double x) {
  double mean = 0.0, variance = 4.0;
  for (int n = 0; n < 100; ++n) {
    mean -= 0.01 * a * (mean - m);
    variance = variance * std::pow(1.0 - 0.01 * a, 2) + s * s * 0.01;
  }
  return -0.5 * (x - mean) * (x - mean) / variance - 0.5 * std::log(variance);
}

TEST(DensityChange, OrnsteinUhlenbeckHasAClosedForm) {
  const Model model = load_model("ou");
  const std::vector<double> points{-1.5, 0.0, 0.8};
  const std::vector<double> target{1.6, 0.7, 1.5};
  const ChangeAnswer answer =
      log_density_change(model, target, column(points), options_with(20'000, "gaussian"));
  for (std::size_t r = 0; r < points.size(); ++r) {
    const double expected =
        log_normal_density(1.6, 0.7, 1.5, points[r]) - log_normal_density(1.0, 0.0, 1.0, points[r]);
    EXPECT_TRUE(consistent(estimate(answer.change[r]), expected, 0.01)) << points[r];
    EXPECT_LT(answer.change[r].standard_error, 0.05);
  }
  EXPECT_EQ(answer.path_runs, answer.nodes * 20'000);
}

TEST(DensityChange, GeometricBrownianMotionHasAClosedForm) {
  const Model model = parse_model(
      "model gbm1\nparam mu = 0.1\nparam v = 0.4 in (0, inf)\nparam s0 = 0.3 in (0, inf)\n"
      "state x\ndx = mu*x dt + v*x dW\ninit x ~ lognormal(0, s0)\ntime 0 : 0.01 : 1\n");
  const auto log_density = [](double mu, double v, double s0, double x) {
    const double variance = s0 * s0 + v * v;
    const double z = std::log(x) - (mu - 0.5 * v * v);
    return -0.5 * z * z / variance - 0.5 * std::log(variance);
  };
  const std::vector<double> points{0.7, 1.1, 1.6};
  const std::vector<double> target{0.3, 0.6, 0.4};
  const ChangeAnswer answer =
      log_density_change(model, target, column(points), options_with(40'000, "4"));
  for (std::size_t r = 0; r < points.size(); ++r) {
    const double expected =
        log_density(0.3, 0.6, 0.4, points[r]) - log_density(0.1, 0.4, 0.3, points[r]);
    EXPECT_TRUE(consistent(estimate(answer.change[r]), expected, 0.01)) << points[r];
  }
}

TEST(DensityChange, BumpyAgreesWithFokkerPlanck) {
  const Model model = load_model("bumpy");
  const std::vector<double> points{-1.2, 0.1, 0.9};
  std::vector<double> target = model.parameter_values();
  target[model.parameter_index("a")] = 1.2;
  target[model.parameter_index("s")] = 0.9;
  const ChangeAnswer answer =
      log_density_change(model, target, column(points), options_with(40'000, "10"));
  const ExactDensity before = exact_density(model, {}, points, -5.0, 5.0);
  const ExactDensity after = exact_density(model.with_parameters(target), {}, points, -5.0, 5.0);
  for (std::size_t r = 0; r < points.size(); ++r) {
    EXPECT_TRUE(
        consistent(estimate(answer.change[r]), after.log_density[r] - before.log_density[r], 0.02))
        << points[r];
  }
}

TEST(DensityChange, MeansAgreeWithDirectSimulation) {
  const Model model = load_model("lorenz63").with_value("T", 0.5);
  std::vector<double> target = model.parameter_values();
  target[model.parameter_index("rho")] = 24.0;
  target[model.parameter_index("s")] = 3.0;
  // It mentions a parameter that changes.
  const std::string observable = "z + x^2/rho";
  const ChangeAnswer answer =
      observable_change(model, target, observable, options_with(10'000, "auto"));
  AnswerOptions direct;
  direct.sampling.paths = 20'000;
  direct.method.damping = parse_damping("10");
  const auto mean = [&](const Model& m) {
    return observable_response(m, {0}, observable, direct).value;
  };
  const Estimate before = mean(model);
  const Estimate after = mean(model.with_parameters(target));
  const double error = std::hypot(answer.change.front().standard_error,
                                  std::hypot(before.standard_error, after.standard_error));
  EXPECT_TRUE(consistent({answer.change.front().value, error}, after.value - before.value, 0.02));
}

TEST(DensityChange, TheNodesAreRaisedWhereTheyLimit) {
  const Model model = load_model("ou");
  // log h changes like 1/s^2 in the tail: five nodes are too few for this way.
  const std::vector<double> target{1.0, 0.0, 6.0};
  const ChangeAnswer few =
      log_density_change(model, target, column({1.9}), options_with(20'000, "gaussian", 3));
  const ChangeAnswer chosen =
      log_density_change(model, target, column({1.9}), options_with(20'000, "gaussian"));
  EXPECT_EQ(few.nodes, 3U);
  EXPECT_GT(few.change.front().quadrature, 3.0 * few.change.front().deviation);
  EXPECT_GE(chosen.nodes, 5U);
  EXPECT_LT(chosen.change.front().quadrature, few.change.front().quadrature);
  const double expected =
      log_normal_density(1.0, 0.0, 6.0, 1.9) - log_normal_density(1.0, 0.0, 1.0, 1.9);
  EXPECT_TRUE(consistent(estimate(chosen.change.front()), expected, 0.02));
}

TEST(DensityChange, TheWayBackIsTheWayThere) {
  const Model model = load_model("ou");
  const std::vector<double> here = model.parameter_values();
  const std::vector<double> there{1.5, 0.2, 1.2};
  const ChangeOptions options = options_with(10'000, "gaussian", 3);
  const Change forth = log_density_change(model, there, column({0.5}), options).change.front();
  const Change back =
      log_density_change(model.with_parameters(there), here, column({0.5}), options).change.front();
  EXPECT_TRUE(
      consistent({forth.value + back.value, std::hypot(forth.standard_error, back.standard_error)},
                 0.0, 1e-6));
}

TEST(DensityChange, TheLineKeepsNamesForObservables) {
  const Model model = load_model("ou_coupled");
  std::vector<double> to = model.parameter_values();
  to[2] = 3.0;
  const Model line = line_between(model, model.parameter_values(), to, 0.5);
  EXPECT_EQ(line.parameters().size(), 1U);
  EXPECT_EQ(line.parameters().front().name, "u");
  Graph graph(*line.graph());
  const Expression a2 = parse_expression("a[2] + k", line, graph);
  const std::vector<double> inputs =
      line.input_values(std::vector<double>(line.dimension(), 0.0), 0.0);
  EXPECT_DOUBLE_EQ(evaluate(a2, inputs), 2.2 + 0.5);
}

std::string refusal(const std::vector<double>& target, std::size_t nodes, ErrorKind kind) {
  try {
    (void)log_density_change(load_model("ou"), target, column({0.0}),
                             options_with(100, "4", nodes));
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), kind);
    return error.what();
  }
  ADD_FAILURE() << "was not refused";
  return {};
}

TEST(DensityChange, Refuses) {
  EXPECT_EQ(refusal({1.0, 0.0, 1.0}, 0, ErrorKind::usage),
            "The target has the same parameters as the model ou: nothing changes.");
  EXPECT_EQ(refusal({1.0, 0.0, -1.0}, 0, ErrorKind::model),
            "The parameter s = -1 is outside its bounds (0, inf).");
  EXPECT_EQ(refusal({1.0, 0.0, 2.0}, 1, ErrorKind::usage),
            "The number of nodes of the quadrature is 1; it must be from 2 to 64.");
}

}  // namespace
}  // namespace divker
