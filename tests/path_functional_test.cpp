// Functionals of the path against closed forms: Brownian motion with drift (the reflection
// principle), geometric Brownian motion, time averages of the Ornstein-Uhlenbeck process.
#include "divker/path_functional.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "divker/answer.hpp"
#include "divker/density_change.hpp"
#include "divker/ensemble.hpp"
#include "divker/error.hpp"
#include "divker/estimator.hpp"
#include "divker/language.hpp"
#include "divker/plan.hpp"
#include "divker/stationary.hpp"
#include "divker/step.hpp"
#include "support/errors.hpp"
#include "support/statistics.hpp"
#include "toys/interpreter.hpp"

namespace divker {
namespace {

using test::consistent;
using test::expect_error;
using test::message_of;
using ::testing::AllOf;
using ::testing::HasSubstr;

using Closed = std::function<double(const std::vector<double>&)>;

// The central derivative of an exact answer, by parameter p, and what it is known to.
double slope(const Closed& answer, std::vector<double> at, std::size_t p) {
  constexpr double h = 1e-4;
  at[p] += h;
  const double above = answer(at);
  at[p] -= 2.0 * h;
  return (above - answer(at)) / (2.0 * h);
}
constexpr double rounding = 1e-6;

double normal_cdf(double z) { return 0.5 * std::erfc(-z / std::sqrt(2.0)); }

// Simpson's rule.
double integral(const std::function<double(double)>& f, double a, double b) {
  constexpr int n = 4000;
  const double h = (b - a) / n;
  double sum = f(a) + f(b);
  for (int i = 1; i < n; ++i) sum += (i % 2 == 0 ? 2.0 : 4.0) * f(a + i * h);
  return sum * h / 3.0;
}

AnswerOptions by(const std::string& method, std::size_t paths) {
  AnswerOptions options;
  options.method.estimator = method;
  options.sampling.paths = paths;
  options.time_step = TimeStep::ignored;
  return options;
}

struct Question {
  std::string observable;
  Closed closed;
  std::vector<std::string> methods;
  double bias = 0.0;  // bound of what dt does to the mean and the responses
};

const std::vector<std::string> all_methods{"likelihood-ratio", "path-kernel", "finite-difference"};
// Of what jumps along the path.
const std::vector<std::string> of_jumps{"likelihood-ratio", "finite-difference"};

void expect_closed_form(const Model& model, const Question& question, std::size_t paths) {
  const std::vector<double> at = model.parameter_values();
  for (const std::string& method : question.methods) {
    SCOPED_TRACE(question.observable + " by " + method);
    const ObservableAnswer answer =
        observable_response(model, model.free_parameters(), question.observable, by(method, paths));
    EXPECT_EQ(answer.record.method.estimator, method);
    EXPECT_TRUE(consistent(answer.value, question.closed(at), question.bias));
    for (std::size_t p = 0; p < answer.response.size(); ++p) {
      EXPECT_TRUE(
          consistent(answer.response[p], slope(question.closed, at, p), question.bias + rounding))
          << answer.names[p];
    }
  }
}

// --- Brownian motion with drift, whose chain with its bridges is exact at any dt ---------------

Model brownian() {
  return parse_model(
      "model brownian\nparam m = 0.3\nparam s = 0.8 in (0, inf)\nstate x\ndx = m dt + s dW\n"
      "init x = 0\npath high = max(x)\npath low = min(x)\npath tau = first(x > 0.5)\n"
      "path under = first(x < -0.4)\ntime 0 : 0.125 : 1\n");
}

// P(max of m t + s W up to t > b), b >= 0.
double passed(double m, double s, double b, double t) {
  const double root = s * std::sqrt(t);
  return normal_cdf((m * t - b) / root) +
         std::exp(2.0 * m * b / (s * s)) * normal_cdf((-b - m * t) / root);
}
double mean_maximum(double m, double s) {
  return integral([&](double b) { return passed(m, s, b, 1.0); }, 0.0, 10.0);
}

TEST(PathFunctional, ExtremesOfBrownianMotionFollowTheReflectionPrinciple) {
  const Model model = brownian();
  const auto mean_high = [](const auto& at) { return mean_maximum(at[0], at[1]); };
  const auto mean_low = [](const auto& at) { return -mean_maximum(-at[0], at[1]); };
  expect_closed_form(model, {"high", mean_high, all_methods}, 20'000);
  expect_closed_form(model, {"low", mean_low, all_methods}, 20'000);
  const auto option = [](const auto& at) {
    return integral([&](double b) { return passed(at[0], at[1], b, 1.0); }, 0.6, 10.0);
  };
  expect_closed_form(model, {"max(high - 0.6, 0)", option, all_methods}, 20'000);
}

TEST(PathFunctional, ExceedanceAndSurvivalFollowTheReflectionPrinciple) {
  const Model model = brownian();
  const auto above = [](const auto& at) { return passed(at[0], at[1], 0.6, 1.0); };
  expect_closed_form(model, {"if(high > 0.6, 1, 0)", above, of_jumps}, 20'000);
  const auto survives = [](const auto& at) { return 1.0 - passed(-at[0], at[1], 0.4, 1.0); };
  expect_closed_form(model, {"if(under > 1, 1, 0)", survives, of_jumps}, 20'000);
}

TEST(PathFunctional, FirstPassageTimesFollowTheirLawInsideTheSteps) {
  const Model model = brownian();
  const auto waited = [](const auto& at) {
    return integral([&](double t) { return 1.0 - passed(at[0], at[1], 0.5, std::max(t, 1e-12)); },
                    0.0, 1.0);
  };
  expect_closed_form(model, {"min(tau, 1)", waited, of_jumps}, 40'000);
  // A time inside the third step of eight.
  const auto early = [](const auto& at) { return passed(at[0], at[1], 0.5, 0.3); };
  expect_closed_form(model, {"if(tau < 0.3, 1, 0)", early, of_jumps}, 40'000);
  const auto before_below = [](const auto& at) { return passed(-at[0], at[1], 0.4, 0.3); };
  expect_closed_form(model, {"if(under < 0.3, 1, 0)", before_below, of_jumps}, 40'000);
}

// The share of the derivatives that the noise makes changes no mean.
TEST(PathFunctional, EveryDampingOfThePathKernelIsRight) {
  const Model model = parse_model(
      "model curved\nparam m = 0.3\nparam s = 0.5 in (0, inf)\nparam x0 = 0.4\nstate x\n"
      "dx = (m - x) dt + s*(1 + 0.3*sin(x)) dW\ninit x = x0\npath high = max(x + 0.2*x^2)\n"
      "path a = integral(x^2)\ntime 0 : 0.125 : 1\n");
  for (const char* observable : {"high", "a*x", "exp(high - a)"}) {
    const ObservableAnswer reference =
        observable_response(model, {0, 1, 2}, observable, by("finite-difference", 40'000));
    for (const char* damping : {"off", "2", "until:3,0.25", "late:1", "8"}) {
      AnswerOptions options = by("path-kernel", 40'000);
      options.method.damping = parse_damping(damping);
      options.sampling.seed = 5;
      const ObservableAnswer answer = observable_response(model, {0, 1, 2}, observable, options);
      EXPECT_EQ(answer.record.method.damping.text(), damping);
      for (std::size_t p = 0; p < 3; ++p) {
        const Estimate gap{
            answer.response[p].value - reference.response[p].value,
            std::hypot(answer.response[p].standard_error, reference.response[p].standard_error)};
        EXPECT_TRUE(consistent(gap, 0.0)) << observable << " " << damping << " " << p;
      }
    }
    const ObservableAnswer told =
        observable_response(model, {0, 1, 2}, observable, by("likelihood-ratio", 40'000));
    for (std::size_t p = 0; p < 3; ++p) {
      const Estimate gap{
          told.response[p].value - reference.response[p].value,
          std::hypot(told.response[p].standard_error, reference.response[p].standard_error)};
      EXPECT_TRUE(consistent(gap, 0.0)) << observable << " likelihood ratio " << p;
    }
  }
}

TEST(PathFunctional, ALevelThatIsAParameterMovesThePassage) {
  const Model model = parse_model(
      "model level\nparam m = 0.3\nparam b = 0.6\nstate x\ndx = m dt + 0.8 dW\ninit x = 0\n"
      "path high = max(x - b)\npath tau = first(x > b)\ntime 0 : 0.125 : 1\n");
  const auto above = [](const auto& at) { return passed(at[0], 0.8, at[1], 1.0); };
  expect_closed_form(model, {"if(tau < 1, 1, 0)", above, {"finite-difference"}}, 20'000);
  const auto mean = [](const auto& at) { return mean_maximum(at[0], 0.8) - at[1]; };
  expect_closed_form(model, {"high", mean, all_methods}, 10'000);
  for (const char* observable : {"if(tau < 1, 1, 0)", "if(high > 0, 1, 0)"}) {
    EXPECT_THAT(message_of([&] {
                  (void)observable_response(model, {1}, observable, by("likelihood-ratio", 500));
                }),
                AllOf(HasSubstr("The place moves with b."), HasSubstr("finite-difference")));
    EXPECT_NO_THROW((void)observable_response(model, {0}, observable, by("likelihood-ratio", 500)));
  }
}

TEST(PathFunctional, AStartThatMovesIsPartOfTheResponse) {
  const Model model = parse_model(
      "model moved\nparam x0 = 0.2\nparam s = 0.8 in (0, inf)\nstate x\ndx = 0.3 dt + s dW\n"
      "init x = x0\npath high = max(x)\npath a = integral(x*x)\ntime 0 : 0.125 : 1\n");
  const auto high = [](const auto& at) { return at[0] + mean_maximum(0.3, at[1]); };
  expect_closed_form(model, {"high", high, all_methods}, 20'000);
  // The trapezoid is 1/8 wide: sum of its weights times E[x^2] at its times.
  const auto mean_square = [](const auto& at) {
    double sum = 0.0;
    for (int n = 0; n <= 8; ++n) {
      const double t = n / 8.0;
      const double weight = n == 0 || n == 8 ? 1.0 / 16.0 : 1.0 / 8.0;
      sum += weight * (std::pow(at[0] + 0.3 * t, 2) + at[1] * at[1] * t);
    }
    return sum;
  };
  expect_closed_form(model, {"a", mean_square, all_methods}, 20'000);
}

// --- geometric Brownian motion: its logarithm is stepped, and followed ---------------------------

Model market() {
  return parse_model(
      "model market\nparam r = 0.05\nparam v = 0.3 in (0, inf)\nstate S positive\n"
      "dS = r*S dt + v*S dW\ninit S = 1\npath low = min(log(S))\npath mean = integral(log(S))\n"
      "path hit = first(S < 0.85)\ntime 0 : 0.0625 : 1\n");
}

// exp(-r) E[(S - K)+; min S > B] with B <= K, by R. Merton, Bell J. Economics 4 (1973) 141.
double down_and_out(double r, double v, double k, double b) {
  const auto call = [&](double spot) {
    const double d = (std::log(spot / k) + r + 0.5 * v * v) / v;
    return spot * normal_cdf(d) - k * std::exp(-r) * normal_cdf(d - v);
  };
  return call(1.0) - std::pow(b, 2.0 * r / (v * v) - 1.0) * call(b * b);
}

TEST(PathFunctional, BarrierAndAsianOptionsHaveTheirPrices) {
  const Model model = market();
  const auto out = [](const auto& at) { return down_and_out(at[0], at[1], 1.0, 0.85); };
  expect_closed_form(model, {"exp(-r)*if(low > log(0.85), max(S - 1, 0), 0)", out, of_jumps},
                     40'000);
  // Geometric Asian, of the mean of the trapezoid over 16 steps: normal with the variance
  // v^2 (1/3 + 1/(6 n^2)).
  const auto asian = [](const auto& at) {
    const double mean = 0.5 * (at[0] - 0.5 * at[1] * at[1]);
    const double deviation = at[1] * std::sqrt(1.0 / 3.0 + 1.0 / (6.0 * 256.0));
    const double d = mean / deviation;
    return std::exp(-at[0]) *
           (std::exp(mean + 0.5 * deviation * deviation) * normal_cdf(d + deviation) -
            normal_cdf(d));
  };
  expect_closed_form(model, {"exp(-r)*max(exp(mean) - 1, 0)", asian, all_methods}, 40'000);
}

// In S itself the bridge has the noise of where the step begins: the error is of the order of dt,
// where that of the grid alone would be 0.58 v sqrt(dt) of the level.
TEST(PathFunctional, ACurvedNoiseLeavesAnErrorOfTheOrderOfDt) {
  const auto touched = [](const auto& at) {
    return passed(-(at[0] - 0.5 * at[1] * at[1]), at[1], -std::log(0.85), 1.0);
  };
  const std::vector<double> at = market().parameter_values();
  std::vector<double> bias;
  for (const double dt : {0.125, 0.03125}) {
    const Model model = market().with_value("dt", dt);
    const ObservableAnswer answer =
        observable_response(model, {0}, "if(hit < 1, 1, 0)", by("likelihood-ratio", 400'000));
    EXPECT_TRUE(consistent(answer.value, touched(at), 0.13 * dt)) << dt;
    bias.push_back(answer.value.value - touched(at));
  }
  // A fourth of the step: a fourth of the bias, within five errors of 8e-4 each.
  EXPECT_NEAR(bias[0], 4.0 * bias[1], 5.0 * std::hypot(1.0, 4.0) * 8e-4);
}

// --- the Ornstein-Uhlenbeck process --------------------------------------------------------------

TEST(PathFunctional, TimeAveragesOfARelaxationHaveTheirMeans) {
  const Model model = parse_model(
      "model relaxing\nparam a = 1.2 in (0, inf)\nparam m = 0.3\nparam s = 0.7 in (0, inf)\n"
      "state x\ndx = -a*(x - m) dt + s dW\ninit x ~ normal(1, 0.4)\npath mean = integral(x)\n"
      "path square = integral((x - m)^2)\npath above = integral(if(x > 0, 1, 0))\n"
      "time 0 : 0.02 : 2\n");
  const auto mean = [](const auto& at) {
    return 2.0 * at[1] + (1.0 - at[1]) * (1.0 - std::exp(-2.0 * at[0])) / at[0];
  };
  expect_closed_form(model, {"mean", mean, all_methods, 0.01}, 20'000);
  const auto square = [](const auto& at) {
    const double stationary = at[2] * at[2] / (2.0 * at[0]);
    const double start = 0.16 + (1.0 - at[1]) * (1.0 - at[1]);
    return 2.0 * stationary + (start - stationary) * (1.0 - std::exp(-4.0 * at[0])) / (2.0 * at[0]);
  };
  expect_closed_form(model, {"square", square, all_methods, 0.02}, 20'000);
  const auto persistence = [](const auto& at) {
    return integral(
        [&](double t) {
          const double decay = std::exp(-at[0] * t);
          const double centre = at[1] + (1.0 - at[1]) * decay;
          const double variance =
              0.16 * decay * decay + at[2] * at[2] * (1.0 - decay * decay) / (2.0 * at[0]);
          return normal_cdf(centre / std::sqrt(variance));
        },
        0.0, 2.0);
  };
  expect_closed_form(model, {"above", persistence, of_jumps, 0.02}, 20'000);
}

TEST(PathFunctional, WithoutNoiseTheFormulasAreThoseOfACurve) {
  const Model model = parse_model(
      "model falling\nparam g = 2\nstate q, p\ndq = p dt\ndp = -g dt\ninit q = 0\ninit p = 1\n"
      "path high = max(q)\npath back = first(q < -0.01)\ntime 0 : 0.001 : 2\n");
  AnswerOptions options = by("path-kernel", 64);
  const ObservableAnswer high = observable_response(model, {0}, "high", options);
  EXPECT_NEAR(high.value.value, 0.25, 1e-3);          // 1/(2 g)
  EXPECT_NEAR(high.response[0].value, -0.125, 1e-3);  // -1/(2 g^2)
  options = by("finite-difference", 64);
  const ObservableAnswer back = observable_response(model, {0}, "back", options);
  EXPECT_NEAR(back.value.value, 0.5 + std::sqrt(0.25 + 0.01), 3e-3);
}

// --- the step, and what is known beside it -------------------------------------------------------

TEST(PathFunctional, DtIsMeasuredAndPartOfTheBar) {
  AnswerOptions options = by("path-kernel", 20'000);
  options.time_step = TimeStep::in_bar;
  const ObservableAnswer answer = observable_response(brownian(), {0, 1}, "high", options);
  ASSERT_EQ(answer.time_step.size(), 3U);
  EXPECT_GT(answer.record.effort.pair_runs, 0U);
  EXPECT_TRUE(consistent(answer.value, mean_maximum(0.3, 0.8)));
}

// What follows the same on the same side has drawn the same extreme.
TEST(PathFunctional, AMaximumIsAboveALevelIfAndOnlyIfItWasPassed) {
  const Model model = brownian();
  for (const char* never : {"abs(if(high > 0.5, 1, 0) - if(tau < 1, 1, 0))",
                            "abs(if(low < -0.4, 1, 0) - if(under < 1, 1, 0))"}) {
    const ObservableAnswer answer =
        observable_response(model, {0}, never, by("finite-difference", 20'000));
    EXPECT_EQ(answer.value.value, 0.0) << never;
  }
  // Where in its step a passage is, the likelihood ratio then leaves out: 0.3 dt of the response.
  const Model fine = model.with_value("dt", 0.015625);
  const char* joint = "if(tau < 0.5, high, 0)";
  const ObservableAnswer reference =
      observable_response(fine, {0, 1}, joint, by("finite-difference", 40'000));
  const ObservableAnswer told =
      observable_response(fine, {0, 1}, joint, by("likelihood-ratio", 40'000));
  for (std::size_t p = 0; p < 2; ++p) {
    const Estimate gap{
        told.response[p].value - reference.response[p].value,
        std::hypot(told.response[p].standard_error, reference.response[p].standard_error)};
    EXPECT_TRUE(consistent(gap, 0.0, 0.3 * 0.015625)) << p;
  }
}

TEST(PathFunctional, AChangeOfParametersIsFollowedAllTheWay) {
  const std::vector<double> target{0.1, 1.1};
  ChangeOptions options;
  options.answer = by("path-kernel", 20'000);
  options.nodes = 4;
  const ChangeAnswer answer = observable_change(brownian(), target, "high", options);
  const double exact = mean_maximum(0.1, 1.1) - mean_maximum(0.3, 0.8);
  EXPECT_TRUE(consistent({answer.change[0].value, answer.change[0].standard_error}, exact));
}

// Square-root noise that is stepped in its root, or beyond the boundary with zero in its place.
TEST(PathFunctional, ExtremesOfStatesWithAnEndStayOnItsSide) {
  for (const char* declared : {"state r", "state r positive"}) {
    for (const double s : {0.4, 1.2}) {
      const Model model =
          parse_model(std::string("model root\nparam s = 0.4 in (0, inf)\n") + declared +
                      "\ndr = (0.6 - r) dt + s*sqrt(r) dW\ninit r = 0.5\npath low = min(r)\n"
                      "path high = max(r)\npath a = integral(r)\ntime 0 : 0.01 : 1\n");
      const Model here = model.with_value("s", s);
      const MomentsAnswer answer = simulate_moments(here, by("", 4'000).sampling);
      const Moments& x = answer.snapshots[0].x;
      EXPECT_EQ(answer.record.summary.failed, 0U);
      EXPECT_LT(x.mean()[1], 0.5) << declared << s;
      EXPECT_GT(x.mean()[1], s < 1.0 ? 0.2 : -0.05) << declared << s;
      EXPECT_GT(x.mean()[2], 0.55) << declared << s;
      // 0.6 - 0.1 (1 - exp(-1)).
      EXPECT_TRUE(consistent(x.estimate(3), 0.6 - 0.1 * (1.0 - std::exp(-1.0)), 0.002))
          << declared << s;
    }
  }
}

TEST(PathFunctional, StatesAreThoseOfTheModelWithoutFunctionals) {
  const Model model = brownian();
  Sampling sampling;
  sampling.paths = 300;
  const Paths plain = Ensemble(model, {}, Asked::states()).run(sampling);
  const Paths followed = Ensemble(model, {}, states_and_functionals(model)).run(sampling);
  for (std::size_t r = 0; r < sampling.paths; ++r) {
    EXPECT_NEAR(plain.snapshots[0].x()(r, 0), followed.snapshots[0].x()(r, 0), 1e-12);
  }
  const Matrix values = followed.snapshots[0].functionals();
  ASSERT_EQ(values.cols, 4U);
  for (std::size_t r = 0; r < values.rows; ++r) {
    const double x = followed.snapshots[0].x()(r, 0);
    EXPECT_GE(values(r, 0), std::max(x, 0.0));
    EXPECT_LE(values(r, 1), std::min(x, 0.0));
    EXPECT_TRUE(x <= 0.5 || values(r, 2) < 1.0);
    EXPECT_TRUE(std::isinf(values(r, 3)) || values(r, 3) < 1.0);
  }
}

TEST(PathFunctional, VectorsAndInterpreterMakeTheSameNumbers) {
  const Model model = parse_model(
      "model two\nparam a = 1\nparam s = 0.6\nparam x0 = 1.3\nstate x positive\nstate y\n"
      "dx = a*(2 - x) dt + s*x dV + 0.1*x dW\ndy = (x - a*y) dt + s*(1 + 0.2*sin(x)) dW\n"
      "init x = x0\ninit y = s\npath m = max(x + y)\npath l = min(x*y)\npath c = integral(a*x*y)\n"
      "path tau = first(y + 0.2*t > 0.9)\ntime 0 : 0.01 : 0.13\n");
  const test::Interpreter interpreter;
  Sampling sampling;
  sampling.paths = 40;
  sampling.snapshots = {0.0, 0.05, 0.13};
  sampling.resolution = Resolution::full;
  const std::vector<std::size_t> all{0, 1, 2, 3};
  Method method;
  method.damping = constant_damping(3.0);
  const auto compare = [&](const Asked& asked) {
    const Paths vectors = Ensemble(model, method, asked).run(sampling);
    const Paths reference = Ensemble(model, method, asked, &interpreter).run(sampling);
    ASSERT_EQ(vectors.numbers, reference.numbers);
    bool has_passed = false;
    for (std::size_t k = 0; k < vectors.snapshots.size(); ++k) {
      for (const auto& [name, table] : reference.snapshots[k].tables()) {
        const Matrix& found = vectors.snapshots[k][name];
        ASSERT_EQ(found.data.size(), table.data.size());
        for (std::size_t i = 0; i < table.data.size(); ++i) {
          const double tolerance = 1e-9 * std::max(1.0, std::fabs(table.data[i]));
          ASSERT_NEAR(found.data[i], table.data[i], tolerance) << name << " " << i;
          has_passed = has_passed || (name == functional_array && i % 4 == 3 &&
                                      table.data[i] < 0.13 && table.data[i] > 0.0);
        }
      }
    }
    EXPECT_TRUE(has_passed);
  };
  compare(Asked::states().with(all));
  sampling.snapshots = {0.05, 0.13};
  compare(Asked::tangents_by({0, 1, 2}).with(all));
  compare(Asked::likelihood_ratios_of({0, 1, 2}).with(all));
  sampling.increments_per_step = 2;
  compare(Asked::states().with(all));
}

TEST(PathFunctional, TheDrawnPartsHaveLikelihoodRatiosOfMeanZero) {
  const Model model = brownian();
  Sampling sampling;
  sampling.paths = 40'000;
  const Paths paths =
      Ensemble(model, {}, Asked::likelihood_ratios_of({0, 1}).with({0, 2, 3})).run(sampling);
  for (std::size_t p = 0; p < 2; ++p) {
    EXPECT_TRUE(consistent(test::mean(paths.snapshots[0].responses().column(p)), 0.0)) << p;
  }
}

TEST(PathFunctional, MapsFollowTheirTimes) {
  const Model model = parse_model(
      "model steps\nparam s = 1\nstate x\nx' = x + s*xi\ninit x = 0\npath m = max(abs(x))\n"
      "path tau = first(x > 0)\ntime 0 : 1 : 3\n");
  const ObservableAnswer answer =
      observable_response(model, {0}, "if(tau < 3.5, 1, 0)", by("finite-difference", 40'000));
  // A random walk of three symmetric steps stays below zero with the probability 5/16.
  EXPECT_TRUE(consistent(answer.value, 11.0 / 16.0));
  const ObservableAnswer m = observable_response(model, {0}, "m", by("path-kernel", 10'000));
  // m is proportional to s.
  EXPECT_TRUE(consistent({m.response[0].value - m.value.value, m.response[0].standard_error}, 0.0));
}

// --- the statement -------------------------------------------------------------------------------

std::string fault_of(const std::string& statements) {
  try {
    (void)parse_model(
        "model m\nparam a = 1\nstate x, y[3]\ndx = -a*x dt + dW\ndy[i] = dV[i]\n"
        "init x = 0\ninit y = 0\ntime 0 : 0.1 : 1\n" +
        statements);
  } catch (const LanguageError& error) {
    const std::string text = error.what();
    const std::string begin = fmt::format("<text>:{}:{}: ", error.line(), error.column());
    EXPECT_TRUE(text.starts_with(begin)) << text;
    const std::string sentence = text.substr(begin.size(), text.find('\n') - begin.size());
    return fmt::format("{}:{} {}", error.line(), error.column(), sentence);
  }
  return "";
}

TEST(PathFunctional, FaultsOfTheStatementAreFoundWhereTheyStand) {
  EXPECT_EQ(fault_of("path m = maximum(x)\n"),
            "9:10 A functional of the path was expected (max(x), min(x), integral(x), first(x > "
            "level)), but 'maximum' was found.");
  EXPECT_EQ(fault_of("path m = max(x, 0)\n"),
            "9:15 ')' was expected after what is followed, but ',' was found.");
  EXPECT_EQ(fault_of("path tau = first(x)\n"),
            "9:18 'first' waits for a state to pass a level: a condition x > level or x < level "
            "was expected, as in first(x > level).");
  EXPECT_EQ(fault_of("path m = max(x > 1)\n"),
            "9:16 A comparison is no number; it is the condition of an if, as in if(x > 0, 1, 0).");
  EXPECT_EQ(fault_of("path m = max(abs(x))\n"),
            "9:1 The functional m follows an expression with a kink (abs), which is not known "
            "between the times of the grid: follow its smooth parts one by one, and put them "
            "together in the observable, as max(high, -low) for the largest |x|.");
  EXPECT_EQ(fault_of("path m = max(x)\npath n = integral(m)\n"),
            "10:19 'm' is a functional of the path, which observables alone know.");
  EXPECT_EQ(fault_of("path x = max(y[0])\n"),
            "9:6 'x' is declared twice; line 3 declares it already.");
  EXPECT_EQ(fault_of("path m[1] = max(x)\n"),
            "9:1 The components of the functional m are given in their order: m[0] was expected, "
            "but m[1] was found.");
  EXPECT_EQ(fault_of("path m = max(x)\nlet c = 2*m\n"),
            "10:11 'm' is a functional of the path, which observables alone know.");
  EXPECT_THAT(
      message_of([] {
        (void)parse_model(
            "model k\nstate x\nx' = x + xi\ninit x = 0\n"
            "path c = integral(x)\ntime 0 : 1 : 3\n");
      }),
      HasSubstr("The model k is a map, whose time has no inside: integral(x) is for SDEs."));
}

TEST(PathFunctional, TextsAndBuildersMakeEqualModels) {
  const Model parsed = parse_model(
      "model m\nparam a = 1\nstate y[2]\ndy[i] = -a*y[i] dt + dV[i]\ninit y = 0\n"
      "path high[i] = max(y[i])\npath tau = first(y[0] < -a)\ntime 0 : 0.1 : 1\n");
  EXPECT_THAT(parsed.text(), HasSubstr("path tau = first(y[0] < -a)\n"));
  EXPECT_EQ(parse_model(parsed.text()).hash(), parsed.hash());
  ModelBuilder b("m");
  const Expression a = b.parameter("a", 1.0);
  const std::vector<Expression> y = b.states("y", 2);
  for (std::size_t i = 0; i < 2; ++i) {
    b.drift(y[i], -a * y[i]);
    b.noise(y[i], fmt::format("V[{}]", i), b.graph().constant(1.0));
    b.initial_point(y[i], 0.0);
    b.path(fmt::format("high[{}]", i), *find_path_functional_kind("max"), y[i]);
  }
  b.path("tau", *find_path_functional_kind("first"), -a - y[0]);
  b.time(0.0, 0.1, 1.0);
  const Model built = b.build();
  EXPECT_EQ(built.hash(), parsed.hash());
  EXPECT_EQ(parse_model(built.text()).hash(), parsed.hash());
  EXPECT_NE(parse_model("model m\nparam a = 1\nstate y[2]\ndy[i] = -a*y[i] dt + dV[i]\n"
                        "init y = 0\ntime 0 : 0.1 : 1\n")
                .hash(),
            parsed.hash());
  Graph graph(*parsed.graph());
  EXPECT_EQ(parse_expression("high[1]", parsed, graph).id(), parsed.functionals()[1].node);
  EXPECT_THAT(latex(parsed), AllOf(HasSubstr("\\max_{s \\le t} y_{i}"), HasSubstr("\\inf")));
}

// --- what is refused, and what is chosen ---------------------------------------------------------

TEST(PathFunctional, MethodsThatAreNotRightAreRefused) {
  const Model model = brownian();
  const auto ask = [&](const std::string& observable, const std::string& method) {
    return message_of([&] {
      (void)observable_response(model, {0, 1}, observable, by(method, 500));
    });
  };
  EXPECT_EQ(ask("max(high, x)", "divergence-kernel"),
            "The divergence kernel is about the state where a path ends, and high is a functional "
            "of the whole path: the methods likelihood-ratio, path-kernel and finite-difference "
            "follow it.");
  EXPECT_EQ(ask("if(high > 0.6, 1, 0)", "path-kernel"),
            "The observable if(high > 0.6, 1, 0) jumps where high = 0.6 (step): derivatives miss "
            "what happens there. The methods likelihood-ratio and finite-difference see what "
            "happens there.");
  EXPECT_EQ(ask("min(tau, 1)", "path-kernel"),
            "The functional tau jumps where x = 0.5 (step): derivatives miss what happens there. "
            "The methods likelihood-ratio and finite-difference see what happens there.");
  EXPECT_EQ(ask("tau", "likelihood-ratio"),
            "tau has not happened by t = 1 on some paths, where it is infinite, and so is tau: ask "
            "for min(tau, 1), for if(tau < 1, 1, 0), or for another function that is finite "
            "there.");
  EXPECT_THAT(message_of([&] {
                StationaryOptions options;
                (void)stationary_observable_response(model, {0}, "high", options);
              }),
              HasSubstr("high is a functional of the path from its start on"));
}

TEST(PathFunctional, AnOpenMethodIsChosenAmongThoseThatAreRight) {
  const Model model = brownian();
  const auto name_of_chosen = [&](const std::string& observable, std::size_t paths,
                                  const char* method) {
    const ObservableAnswer answer =
        observable_response(model, {0, 1}, observable, by(method, paths));
    return answer.record.method.estimator;
  };
  for (const char* method : {"", "auto"}) {
    EXPECT_EQ(name_of_chosen("high", 2'000, method), "path-kernel");
    EXPECT_EQ(name_of_chosen("if(high > 0.6, 1, 0)", 2'000, method), "finite-difference");
    EXPECT_NE(name_of_chosen("if(high > 0.6, 1, 0)", 40'000, method), "path-kernel");
  }
}

TEST(PathFunctional, ScoresAndDensitiesLeaveThemAside) {
  const Model model = brownian();
  Matrix point(1, 1, 0.3);
  EXPECT_NEAR(score_at(model, point, by("", 4'000)).prediction.value(0, 0), 0.0, 0.3);
}

}  // namespace
}  // namespace divker
