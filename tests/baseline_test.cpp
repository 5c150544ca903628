// Likelihood ratios and finite differences against closed forms, the Fokker-Planck equation and the
// divergence kernel.
#include "divker/baseline.hpp"

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

test::Estimate estimate(const divker::Estimate& e) { return {e.value, e.standard_error}; }

BaselineOptions options_with(Method method, std::size_t paths) {
  BaselineOptions options;
  options.method = method;
  options.answer.run.paths = paths;
  options.answer.damping = parse_damping("4");
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

TEST(Baseline, EveryMethodGivesTheResponsesOfAMean) {
  const Model model = process();
  for (const Method method :
       {Method::divergence_kernel, Method::likelihood_ratio, Method::finite_difference}) {
    SCOPED_TRACE(name_of(method));
    const BaselineAnswer answer =
        baseline_response(model, model.free_parameters(), "x^2", options_with(method, 20'000));
    // The divergence form of the step adds a bias of the order of dt.
    const double bias = method == Method::divergence_kernel ? 0.02 : 0.0;
    EXPECT_TRUE(
        consistent(estimate(answer.answer.value), second_moment({1.0, 0.3, 0.8, 0.5, 1.2})));
    for (std::size_t p = 0; p < 5; ++p) {
      EXPECT_TRUE(
          consistent(estimate(answer.answer.response[p]), second_moment_derivative(p), bias))
          << answer.answer.names[p];
    }
    const std::size_t runs = method == Method::finite_difference ? 11 : 1;
    EXPECT_EQ(answer.baseline.path_runs, runs * 20'000);
  }
}

// One parameter, one mean, no chaos: here finite differences are at their best.
TEST(Baseline, FiniteDifferencesHaveSmallErrorsWherePathsAreSmooth) {
  const Model model = process();
  const auto error = [&](Method method) {
    return baseline_response(model, {1}, "x", options_with(method, 10'000))
        .answer.response.front()
        .standard_error;
  };
  const double difference = error(Method::finite_difference);
  EXPECT_LT(difference, 0.05 * error(Method::divergence_kernel));
  EXPECT_LT(difference, 0.05 * error(Method::likelihood_ratio));
}

TEST(Baseline, WarnsOfLikelihoodRatiosOfTheNoise) {
  const Model model = process();
  const BaselineAnswer answer = baseline_response(model, model.free_parameters(), "x",
                                                  options_with(Method::likelihood_ratio, 1000));
  ASSERT_EQ(answer.baseline.warnings.size(), 1U);
  EXPECT_EQ(answer.baseline.warnings.front(),
            "The noise depends on s: the variance of its likelihood ratio grows like 1/dt.");
  // And so it does: halving dt four times makes the error four times as large.
  const auto error = [&](double dt) {
    return baseline_response(model.with_value("dt", dt), model.parameter_indices("s"), "x^2",
                             options_with(Method::likelihood_ratio, 4000))
        .answer.response.front()
        .standard_error;
  };
  EXPECT_NEAR(error(0.00125) / error(0.02), 4.0, 0.8);
}

// Coefficients and observables that mention t see the time of the SDE, not the number of the step.
TEST(Baseline, TimesOfTheChainAreThoseOfTheEquation) {
  const Model model = parse_model(
      "model seasons\nparam c = 1\nstate x\ndx = (c*cos(3*t) - x) dt + 0.3 dW\n"
      "init x ~ normal(0, 1)\ntime 0.5 : 0.01 : 1.5\n");
  const auto ratio =
      baseline_response(model, {0}, "x*t", options_with(Method::likelihood_ratio, 20'000));
  const auto difference =
      baseline_response(model, {0}, "x*t", options_with(Method::finite_difference, 20'000));
  EXPECT_NEAR(ratio.answer.value.value, difference.answer.value.value, 1e-9);
  const divker::Estimate& truth = difference.answer.response.front();
  EXPECT_LT(truth.standard_error, 1e-6);
  EXPECT_TRUE(consistent(estimate(ratio.answer.response.front()), truth.value, 1e-5));
}

// --- densities --------------------------------------------------------------------------------

// Independent noises of one state are one noise.
TEST(Baseline, TheExactDensityTakesNoisesTogether) {
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
TEST(Baseline, TheIntervalOfADensityHoldsIt) {
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

TEST(Baseline, TheIntervalOfAPositiveStateIsPositive) {
  const Interval interval = density_interval(
      parse_model("model m\nstate x\ndx = 0.1*x dt + 0.3*x dW\ninit x ~ lognormal(0, 0.2)\n"
                  "time 0 : 0.01 : 1\n"),
      {});
  EXPECT_EQ(interval.lower, 0.0);
  EXPECT_GT(interval.upper, 1.0);
}

TEST(Baseline, TheEquationOfDensitiesIsOfOneState) {
  test::expect_error(ErrorKind::usage,
                     "The Fokker-Planck equation is solved for SDEs of one state with a normal or "
                     "lognormal initial law; model lorenz63 is none.",
                     [] { (void)density_interval(load_model("lorenz63"), {}); });
}

TEST(Baseline, EveryMethodGivesTheResponsesOfADensity) {
  const Model model = load_model("bumpy");
  const std::vector<std::size_t> parameters{0, 3};  // a and s: each costs two solutions
  Matrix points(3, 1);
  points.data = {-1.2, 0.1, 0.9};
  const ExactDensity exact = exact_density(model, parameters, points.data, -5.0, 5.0);
  for (const Method method : {Method::likelihood_ratio, Method::finite_difference}) {
    SCOPED_TRACE(name_of(method));
    const BaselinePointAnswer answer =
        baseline_response_at(model, parameters, points, options_with(method, 40'000));
    for (std::size_t r = 0; r < 3; ++r) {
      for (std::size_t p = 0; p < 2; ++p) {
        const Prediction& found = answer.answer.prediction;
        const double truth = exact.response(r, p);
        // The Euler chain is not its limit: 5 dt of the drift's fast bumps.
        EXPECT_TRUE(consistent({found.value(r, p), found.standard_error(r, p)}, truth,
                               0.025 * (1.0 + std::fabs(truth))))
            << answer.answer.names[p] << " at " << points(r, 0);
      }
      if (method != Method::finite_difference) continue;
      EXPECT_TRUE(consistent(estimate(answer.log_density[r]), exact.log_density[r], 0.025));
    }
  }
}

// --- the step ---------------------------------------------------------------------------------

TEST(Baseline, TheStepBalancesNoiseAndTruncation) {
  // x^3 at a start that is known but for its mean: D(h) = 3 (m0^2 + 1) + h^2, with noise.
  const Model model = parse_model(
      "model cubic\nparam m0 = 1\nstate x\ndx = dW\ninit x ~ normal(m0, 1)\ntime 0 : 0.5 : 0.5\n");
  BaselineOptions options = options_with(Method::finite_difference, 20'000);
  const BaselineAnswer chosen = baseline_response(model, {0}, "x^3", options);
  EXPECT_LT(chosen.baseline.steps.front(), 0.2);
  EXPECT_TRUE(consistent(estimate(chosen.answer.response.front()), 3.0 * (1.0 + 1.5)));
  options.step = 0.8;
  const BaselineAnswer given = baseline_response(model, {0}, "x^3", options);
  EXPECT_EQ(given.baseline.steps.front(), 0.8);
  EXPECT_NEAR(given.baseline.truncation.front(), 0.64, 0.05);
  EXPECT_TRUE(consistent(estimate(given.answer.response.front()), 7.5));
}

TEST(Baseline, PairsSurviveFailedPaths) {
  // Paths that start below -2 overflow; the others move by m.
  const Model model = parse_model(
      "model fragile\nparam m = 1\nstate x\ndx = (m - exp(-20000*(x + 2))) dt + 0.01 dW\n"
      "init x ~ normal(0, 1)\ntime 0 : 0.1 : 1\n");
  BaselineOptions options = options_with(Method::finite_difference, 2000);
  options.answer.run.failed_share = 0.2;
  const BaselineAnswer answer = baseline_response(model, {0}, "x", options);
  EXPECT_GT(answer.answer.effective.summary.failed, 100U);
  EXPECT_NEAR(answer.answer.response.front().value, 1.0, 1e-6);
  EXPECT_LT(answer.answer.response.front().standard_error, 1e-6);
  options.answer.run.failed_share = 1e-3;
  try {
    (void)baseline_response(model, {0}, "x", options);
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::numerical);
    EXPECT_NE(std::string(error.what()).find("paths failed, more than the allowed share 0.001"),
              std::string::npos)
        << error.what();
  }
}

TEST(Baseline, StandardErrorsOfDifferencesCover) {
  constexpr int seeds = 200;
  const Model model = process();
  BaselineOptions options = options_with(Method::finite_difference, 400);
  options.step = 0.01;
  int covered = 0;
  for (int seed = 0; seed < seeds; ++seed) {
    options.answer.run.seed = 1 + static_cast<std::uint64_t>(seed);
    const auto answer = baseline_response(model, {0}, "x^2", options);
    const divker::Estimate& found = answer.answer.response.front();
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

TEST(Baseline, Refuses) {
  const Model langevin = load_model("langevin");
  EXPECT_EQ(refusal(
                [&] {
                  (void)baseline_response(langevin, {0}, "q",
                                          options_with(Method::likelihood_ratio, 100));
                },
                ErrorKind::model),
            "The likelihood ratio is taken of the density of a step, which needs noise on every "
            "state; q of model langevin has none.");
  EXPECT_EQ(refusal(
                [&] {
                  (void)baseline_response_at(langevin, {0}, Matrix(1, 2),
                                             options_with(Method::finite_difference, 100));
                },
                ErrorKind::usage),
            "Finite differences of densities are for models of one state; model langevin has 2: "
            "ask for the mean of an observable.");
  BaselineOptions far = options_with(Method::finite_difference, 100);
  far.step = 3.0;
  EXPECT_EQ(
      refusal([&] { (void)baseline_response(load_model("ou"), {2}, "x", far); }, ErrorKind::usage),
      "The step 3 of the finite difference takes s = 1 outside its bounds (0, inf).");
  EXPECT_EQ(refusal([] { (void)parse_method("magic"); }, ErrorKind::usage),
            "There is no method 'magic'; the methods are divergence-kernel, likelihood-ratio, "
            "finite-difference.");
}

}  // namespace
}  // namespace divker
