// Likelihood ratios and finite differences against closed forms, the Fokker-Planck equation and the
// divergence kernel.
#include "divker/estimator.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "answer/finite_difference.hpp"
#include "divker/error.hpp"
#include "divker/exact_density.hpp"
#include "divker/language.hpp"
#include "support/errors.hpp"
#include "support/statistics.hpp"

namespace divker {
namespace {

using test::consistent;

constexpr const char* divergence_kernel = "divergence-kernel";
constexpr const char* likelihood_ratio = "likelihood-ratio";
constexpr const char* finite_difference = "finite-difference";

AnswerOptions options_with(const std::string& method, std::size_t paths) {
  AnswerOptions options;
  options.method.estimator = method;
  options.sampling.paths = paths;
  options.method.damping = parse_damping("4");
  options.time_step = TimeStep::ignored;  // what follows is compared with the Euler chain
  return options;
}

// Ornstein-Uhlenbeck with parameters of drift, noise and initial law; E[x^2] of its Euler chain.
Model process() {
  return parse_model(
      "model process\nparam a = 1\nparam m = 0.3\nparam s = 0.8 in (0, inf)\nparam m0 = 0.5\n"
      "param s0 = 1.2 in (0, inf)\nstate x\ndx = -a*(x - m) dt + s dW\ninit x ~ normal(m0, s0)\n"
      "time 0 : 0.02 : 1\n");
}

double second_moment(const std::vector<double>& g) {
  double mean = g[3];
  double variance = g[4] * g[4];
  for (int n = 0; n < 50; ++n) {
    mean -= 0.02 * g[0] * (mean - g[1]);
    variance = variance * std::pow(1.0 - 0.02 * g[0], 2) + g[2] * g[2] * 0.02;
  }
  return mean * mean + variance;
}

double second_moment_derivative(std::size_t p) {
  std::vector<double> above{1.0, 0.3, 0.8, 0.5, 1.2};
  std::vector<double> below = above;
  above[p] += 1e-5;
  below[p] -= 1e-5;
  return (second_moment(above) - second_moment(below)) / 2e-5;
}

TEST(Estimators, EveryMethodGivesTheResponsesOfAMean) {
  const Model model = process();
  for (const std::string method : {divergence_kernel, likelihood_ratio, finite_difference}) {
    SCOPED_TRACE(method);
    const ObservableAnswer answer =
        observable_response(model, model.free_parameters(), "x^2", options_with(method, 20'000));
    // The divergence form of the step adds a bias of the order of dt.
    const double bias = method == divergence_kernel ? 0.02 : 0.0;
    EXPECT_TRUE(consistent(answer.value, second_moment({1.0, 0.3, 0.8, 0.5, 1.2})));
    for (std::size_t p = 0; p < 5; ++p) {
      EXPECT_TRUE(consistent(answer.response[p], second_moment_derivative(p), bias))
          << answer.names[p];
    }
    const std::size_t runs = method == finite_difference ? 11 : 1;
    EXPECT_EQ(answer.record.effort.path_runs, runs * 20'000);
  }
}

// One parameter, one mean, no chaos: here finite differences are at their best.
TEST(Estimators, FiniteDifferencesHaveSmallErrorsWherePathsAreSmooth) {
  const Model model = process();
  const auto error = [&](const std::string& method) {
    return observable_response(model, {1}, "x", options_with(method, 10'000))
        .response.front()
        .standard_error;
  };
  const double difference = error(finite_difference);
  EXPECT_LT(difference, 0.05 * error(divergence_kernel));
  EXPECT_LT(difference, 0.05 * error(likelihood_ratio));
}

TEST(Estimators, WarnsOfLikelihoodRatiosOfTheNoise) {
  const Model model = process();
  const ObservableAnswer answer = observable_response(model, model.free_parameters(), "x",
                                                      options_with(likelihood_ratio, 1000));
  ASSERT_EQ(answer.record.warnings.size(), 1U);
  EXPECT_EQ(answer.record.warnings.front().what, "variance");
  EXPECT_EQ(answer.record.warnings.front().sentence,
            "The noise depends on s: the variance of its likelihood ratio grows like 1/dt.");
  // And so it does: halving dt four times makes the error four times as large.
  const auto error = [&](double dt) {
    return observable_response(model.with_value("dt", dt), model.parameter_indices("s"), "x^2",
                               options_with(likelihood_ratio, 4000))
        .response.front()
        .standard_error;
  };
  EXPECT_NEAR(error(0.00125) / error(0.02), 4.0, 0.8);
}

// Coefficients and observables that mention t see the time of the SDE, not the number of the step.
TEST(Estimators, TimesOfTheChainAreThoseOfTheEquation) {
  const Model model = parse_model(
      "model seasons\nparam c = 1\nstate x\ndx = (c*cos(3*t) - x) dt + 0.3 dW\n"
      "init x ~ normal(0, 1)\ntime 0.5 : 0.01 : 1.5\n");
  const auto ratio = observable_response(model, {0}, "x*t", options_with(likelihood_ratio, 20'000));
  const auto difference =
      observable_response(model, {0}, "x*t", options_with(finite_difference, 20'000));
  EXPECT_NEAR(ratio.value.value, difference.value.value, 1e-9);
  const Estimate& truth = difference.response.front();
  EXPECT_LT(truth.standard_error, 1e-6);
  EXPECT_TRUE(consistent(ratio.response.front(), truth.value, 1e-5));
}

// --- densities --------------------------------------------------------------------------------

// Independent noises of one state are one noise.
TEST(Estimators, TheExactDensityTakesNoisesTogether) {
  const auto solved = [](const std::string& noise) {
    return exact_density(parse_model("model m\nstate x\ndx = -x dt + " + noise +
                                     "\ninit x ~ normal(0, 0.5)\ntime 0 : 0.05 : 1\n"),
                         {}, {-0.4, 0.7}, -4.0, 4.0);
  };
  const ExactDensity together = solved("0.5 dW");
  const ExactDensity apart = solved("0.3 dW - 0.4 dV");
  for (std::size_t k = 0; k < 2; ++k) {
    EXPECT_NEAR(apart.log_density[k], together.log_density[k], 1e-9);
    EXPECT_NEAR(apart.score[k], together.score[k], 1e-9);
  }
}

// Of a stationary process at least six standard deviations, and no more than twelve: its extremes
// are beyond seven in one of 200,000 runs, and a third of their distance is added.
TEST(Estimators, TheIntervalOfADensityHoldsIt) {
  const Model model = parse_model(
      "model m\nstate x\ndx = (3 - x) dt + dW\ninit x ~ normal(3, 0.5^0.5)\ntime 0 : 0.05 : 2\n");
  const double sd = std::sqrt(0.5);
  const Interval interval = density_interval(model, {});
  EXPECT_LT(interval.lower, 3.0 - 6.0 * sd);
  EXPECT_GT(interval.lower, 3.0 - 12.0 * sd);
  EXPECT_GT(interval.upper, 3.0 + 6.0 * sd);
  EXPECT_LT(interval.upper, 3.0 + 12.0 * sd);
  EXPECT_GT(density_interval(model, {40.0}).upper, 40.0) << "the points are within it";
}

TEST(Estimators, TheIntervalOfAPositiveStateIsPositive) {
  const Interval interval = density_interval(
      parse_model("model m\nstate x\ndx = 0.1*x dt + 0.3*x dW\ninit x ~ lognormal(0, 0.2)\n"
                  "time 0 : 0.01 : 1\n"),
      {});
  EXPECT_EQ(interval.lower, 0.0);
  EXPECT_GT(interval.upper, 1.0);
}

TEST(Estimators, TheEquationOfDensitiesIsOfOneState) {
  test::expect_error(ErrorKind::usage,
                     "The Fokker-Planck equation is solved for SDEs of one state with a normal or "
                     "lognormal initial law; model lorenz63 is none.",
                     [] { (void)density_interval(load_model("lorenz63"), {}); });
}

TEST(Estimators, EveryMethodGivesTheResponsesOfADensity) {
  const Model model = load_model("bumpy");
  const std::vector<std::size_t> parameters{0, 3};  // a and s: each costs two solutions
  Matrix points(3, 1);
  points.data = {-1.2, 0.1, 0.9};
  const ExactDensity exact = exact_density(model, parameters, points.data, -5.0, 5.0);
  for (const std::string method : {likelihood_ratio, finite_difference}) {
    SCOPED_TRACE(method);
    const PointAnswer answer = response_at(model, parameters, points, options_with(method, 40'000));
    for (std::size_t r = 0; r < 3; ++r) {
      for (std::size_t p = 0; p < 2; ++p) {
        const Prediction& found = answer.prediction;
        const double truth = exact.response(r, p);
        // The Euler chain is not its limit: 5 dt of the drift's fast bumps.
        EXPECT_TRUE(consistent({found.value(r, p), found.standard_error(r, p)}, truth,
                               0.025 * (1.0 + std::fabs(truth))))
            << answer.names[p] << " at " << points(r, 0);
      }
      if (method != finite_difference) continue;
      EXPECT_TRUE(consistent(answer.record.effort.log_density[r], exact.log_density[r], 0.025));
    }
  }
}

// --- the step ---------------------------------------------------------------------------------

TEST(Estimators, TheStepBalancesNoiseAndTruncation) {
  // x^3 at a start that is known but for its mean: D(h) = 3 (m0^2 + 1) + h^2, with noise.
  const Model model = parse_model(
      "model cubic\nparam m0 = 1\nstate x\ndx = dW\ninit x ~ normal(m0, 1)\ntime 0 : 0.5 : 0.5\n");
  AnswerOptions options = options_with(finite_difference, 20'000);
  const ObservableAnswer chosen = observable_response(model, {0}, "x^3", options);
  EXPECT_LT(chosen.record.effort.steps.front(), 0.2);
  EXPECT_TRUE(consistent(chosen.response.front(), 3.0 * (1.0 + 1.5)));
  options.difference_step = 0.8;
  const ObservableAnswer given = observable_response(model, {0}, "x^3", options);
  EXPECT_EQ(given.record.effort.steps.front(), 0.8);
  EXPECT_NEAR(given.record.effort.truncation.front(), 0.64, 0.05);
  EXPECT_TRUE(consistent(given.response.front(), 7.5));
}

TEST(Estimators, PairsSurviveFailedPaths) {
  // Paths that start below -2 overflow; the others move by m.
  const Model model = parse_model(
      "model fragile\nparam m = 1\nstate x\ndx = (m - exp(-20000*(x + 2))) dt + 0.01 dW\n"
      "init x ~ normal(0, 1)\ntime 0 : 0.1 : 1\n");
  AnswerOptions options = options_with(finite_difference, 2000);
  options.sampling.failed_share = 0.2;
  const ObservableAnswer answer = observable_response(model, {0}, "x", options);
  EXPECT_GT(answer.record.summary.failed, 100U);
  EXPECT_NEAR(answer.response.front().value, 1.0, 1e-6);
  EXPECT_LT(answer.response.front().standard_error, 1e-6);
  options.sampling.failed_share = 1e-3;
  try {
    (void)observable_response(model, {0}, "x", options);
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::numerical);
    EXPECT_NE(std::string(error.what()).find("paths failed, more than the allowed share 0.001"),
              std::string::npos)
        << error.what();
  }
}

TEST(Estimators, StandardErrorsOfDifferencesCover) {
  constexpr int seeds = 200;
  const Model model = process();
  AnswerOptions options = options_with(finite_difference, 400);
  options.difference_step = 0.01;
  int covered = 0;
  for (int seed = 0; seed < seeds; ++seed) {
    options.sampling.seed = 1 + static_cast<std::uint64_t>(seed);
    const auto answer = observable_response(model, {0}, "x^2", options);
    const Estimate& found = answer.response.front();
    covered +=
        std::fabs(found.value - second_moment_derivative(0)) < 1.96 * found.standard_error ? 1 : 0;
  }
  EXPECT_GE(covered, 176);  // binomial (200, 0.95): below with probability 1e-4
  EXPECT_LT(covered, seeds);
}

// --- refusals ---------------------------------------------------------------------------------

template <class Call>
std::string refusal(const Call& call, ErrorKind kind) {
  try {
    call();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), kind);
    return error.what();
  }
  ADD_FAILURE() << "was not refused";
  return {};
}

TEST(Estimators, Refuses) {
  const Model langevin = load_model("langevin");
  EXPECT_EQ(refusal(
                [&] {
                  (void)response_at(langevin, {0}, Matrix(1, 2),
                                    options_with(finite_difference, 100));
                },
                ErrorKind::usage),
            "Finite differences of densities are for models of one state; model langevin has 2: "
            "ask for the mean of an observable.");
  AnswerOptions far = options_with(finite_difference, 100);
  far.difference_step = 3.0;
  EXPECT_EQ(refusal([&] { (void)observable_response(load_model("ou"), {2}, "x", far); },
                    ErrorKind::usage),
            "The step 3 of the finite difference takes s = 1 outside its bounds (0, inf).");
  EXPECT_EQ(refusal([] { (void)estimator("magic"); }, ErrorKind::usage),
            "There is no method 'magic'; the methods are divergence-kernel, likelihood-ratio, "
            "finite-difference, path-kernel.");
}

}  // namespace
}  // namespace divker
