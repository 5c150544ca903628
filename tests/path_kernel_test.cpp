// The path kernel against closed forms of the chain, finite differences with common noise, and the
// divergence kernel.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include "divker/answer.hpp"
#include "divker/ensemble.hpp"
#include "divker/error.hpp"
#include "divker/estimator.hpp"
#include "divker/language.hpp"
#include "divker/plan.hpp"
#include "support/errors.hpp"
#include "support/statistics.hpp"

namespace divker {
namespace {

using test::consistent;
using test::expect_error;
using test::message_of;
using ::testing::HasSubstr;

AnswerOptions path_kernel(const std::string& damping, std::size_t paths) {
  AnswerOptions options;
  options.method.estimator = "path-kernel";
  options.method.damping = parse_damping(damping);
  options.sampling.paths = paths;
  options.time_step = TimeStep::ignored;  // what follows is compared with the Euler chain
  return options;
}

// The central derivative of an exact answer, by parameter p.
double slope(const std::function<double(const std::vector<double>&)>& answer,
             std::vector<double> at, std::size_t p) {
  constexpr double h = 1e-5;
  at[p] += h;
  const double above = answer(at);
  at[p] -= 2.0 * h;
  return (above - answer(at)) / (2.0 * h);
}

// Of such a derivative.
constexpr double rounding = 1e-8;

using Closed = std::function<double(const std::vector<double>&)>;

// All responses, for every damping, against the closed form of the chain.
void expect_closed_form(const Model& model, const std::string& observable, const Closed& closed,
                        const std::vector<std::string>& dampings, std::size_t paths) {
  for (const std::string& damping : dampings) {
    SCOPED_TRACE(observable + " with the damping " + damping);
    const ObservableAnswer answer = observable_response(model, model.free_parameters(), observable,
                                                        path_kernel(damping, paths));
    const std::vector<double> at = model.parameter_values();
    EXPECT_EQ(answer.record.method.estimator, "path-kernel");
    EXPECT_TRUE(consistent(answer.value, closed(at)));
    for (std::size_t p = 0; p < at.size(); ++p) {
      EXPECT_TRUE(consistent(answer.response[p], slope(closed, at, p), rounding))
          << answer.names[p];
    }
  }
}

// --- Ornstein-Uhlenbeck with parameters of drift, noise and initial law -----------------------

Model process() {
  return parse_model(
      "model process\nparam a = 1\nparam m = 0.3\nparam s = 0.8 in (0, inf)\nparam m0 = 0.5\n"
      "param s0 = 1.2 in (0, inf)\nstate x\ndx = -a*(x - m) dt + s dW\ninit x ~ normal(m0, s0)\n"
      "time 0 : 0.02 : 1\n");
}

struct Normal {
  double mean;
  double variance;
};
Normal law_of_process(const std::vector<double>& g, int steps = 50) {
  Normal law{g[3], g[4] * g[4]};
  for (int n = 0; n < steps; ++n) {
    law.mean -= 0.02 * g[0] * (law.mean - g[1]);
    law.variance = law.variance * std::pow(1.0 - 0.02 * g[0], 2) + g[2] * g[2] * 0.02;
  }
  return law;
}
double probability_above(double level, const Normal& law) {
  return 0.5 * std::erfc((level - law.mean) / std::sqrt(2.0 * law.variance));
}

TEST(PathKernel, HasTheResponsesOfTheChainWhateverTheDamping) {
  const std::vector<std::string> dampings{"off",         "0.5",    "3", "early:1",
                                          "until:3,0.4", "late:2", "50"};
  expect_closed_form(
      process(), "x", [](const auto& g) { return law_of_process(g).mean; }, dampings, 5000);
  expect_closed_form(
      process(), "x^2",
      [](const auto& g) {
        const Normal law = law_of_process(g);
        return law.mean * law.mean + law.variance;
      },
      dampings, 5000);
}

TEST(PathKernel, HandsJumpsOfTheObservableToTheNoise) {
  const auto closed = [](const std::vector<double>& g) {
    return probability_above(0.7, law_of_process(g));
  };
  expect_closed_form(process(), "if(x > 0.7, 1, 0)", closed, {"late:0", "late:4", "auto", "50"},
                     20'000);
}

TEST(PathKernel, CountsTheTimeFromTheLastSnapshot) {
  AnswerOptions options = path_kernel("late:1", 20'000);
  options.sampling.snapshots = {0.5};
  const ObservableAnswer answer =
      observable_response(process(), {0, 1, 2}, "if(x > 0.7, 1, 0)", options);
  const auto closed = [](const std::vector<double>& g) {
    return probability_above(0.7, law_of_process(g, 25));
  };
  for (std::size_t p = 0; p < 3; ++p) {
    EXPECT_TRUE(consistent(answer.response[p], slope(closed, process().parameter_values(), p)));
  }
}

TEST(PathKernel, TakesParametersThatTheObservableMentions) {
  const Closed closed = [](const std::vector<double>& g) {
    const Normal law = law_of_process(g);
    return g[0] * (law.mean * law.mean + law.variance) + std::sin(g[1]);
  };
  expect_closed_form(process(), "a*x^2 + sin(m)", closed, {"off", "2"}, 5000);
}

TEST(PathKernel, CarriesTheBiasOfTheStepInItsBar) {
  AnswerOptions options = path_kernel("1", 20'000);
  options.time_step = TimeStep::in_bar;
  const Model coarse = process().with_value("dt", 0.1);
  const ObservableAnswer answer = observable_response(coarse, {0}, "x^2", options);
  ASSERT_EQ(answer.time_step.size(), 2U);
  EXPECT_GT(answer.time_step[1], 0.0);
  // d/da of E[x^2] of the SDE itself: its mean is m + (m0 - m) e^-a, its variance
  // s0^2 e^-2a + s^2 (1 - e^-2a)/(2a).
  const auto exact = [](double a) {
    const double mean = 0.3 + 0.2 * std::exp(-a);
    return mean * mean + 1.44 * std::exp(-2.0 * a) + 0.32 * (1.0 - std::exp(-2.0 * a)) / a;
  };
  EXPECT_TRUE(consistent(answer.response[0], (exact(1.0001) - exact(0.9999)) / 0.0002));
}

// --- noise that depends on the state: the trace of the handed share ----------------------------

TEST(PathKernel, HasTheResponsesOfGeometricBrownianMotion) {
  const Model model = parse_model(
      "model gbm\nparam mu = 0.3\nparam s = 0.5 in (0, inf)\nparam x0 = 1.5\nstate x\n"
      "dx = mu*x dt + s*x dW\ninit x = x0\ntime 0 : 0.05 : 1\n");
  const std::vector<std::string> dampings{"off", "1", "4", "late:1", "20"};
  expect_closed_form(
      model, "x", [](const auto& g) { return g[2] * std::pow(1.0 + 0.05 * g[0], 20); }, dampings,
      20'000);
  expect_closed_form(
      model, "x^2",
      [](const auto& g) {
        return g[2] * g[2] * std::pow(std::pow(1.0 + 0.05 * g[0], 2) + 0.05 * g[1] * g[1], 20);
      },
      dampings, 20'000);
}

TEST(PathKernel, StepsPositiveStatesInTheirLogarithms) {
  const Model model = parse_model(
      "model gbm\nparam mu = 0.3\nparam s = 0.5 in (0, inf)\nparam x0 = 1.5 in (0, inf)\n"
      "state x positive\ndx = mu*x dt + s*x dW\ninit x ~ lognormal(log(x0), 0.2)\n"
      "time 0 : 0.05 : 1\n");
  expect_closed_form(
      model, "x", [](const auto& g) { return g[2] * std::exp(g[0] + 0.02); },
      {"off", "1", "late:1"}, 20'000);
  expect_closed_form(
      model, "if(x > 2, 1, 0)",
      [](const auto& g) {
        return probability_above(std::log(2.0),
                                 {std::log(g[2]) + g[0] - 0.5 * g[1] * g[1], 0.04 + g[1] * g[1]});
      },
      {"late:1"}, 20'000);
}

// Two states, a full noise matrix that varies with both, three Brownian motions.
Model full_noise() {
  return parse_model(
      "model full\nparam a = 1\nparam b = 0.4\nparam s = 0.6\nstate x, y\n"
      "dx = (-a*x + b*sin(y)) dt + s*(1 + 0.3*sin(y)) dV + 0.3*cos(x) dW + 0.1 dU\n"
      "dy = (x - a*y) dt + 0.2*b*x dV + (s + 0.2*sin(x*y)) dW\n"
      "init x ~ normal(0.5, 0.4)\ninit y = b\ntime 0 : 0.05 : 1\n");
}

ObservableAnswer by_differences(const Model& model, const std::vector<std::size_t>& parameters,
                                const std::string& observable, std::size_t paths) {
  AnswerOptions options = path_kernel("auto", paths);
  options.method = {};
  options.method.estimator = "finite-difference";
  return observable_response(model, parameters, observable, options);
}

void expect_agreement(const ObservableAnswer& found, const ObservableAnswer& reference) {
  for (std::size_t p = 0; p < found.response.size(); ++p) {
    const Estimate& a = found.response[p];
    const Estimate& b = reference.response[p];
    EXPECT_TRUE(consistent({a.value - b.value, std::hypot(a.standard_error, b.standard_error)}, 0))
        << found.names[p];
  }
}

TEST(PathKernel, HandsOverToFullNoiseThatVariesWithTheState) {
  const Model model = full_noise();
  const std::string observable = "x*y + cos(x)";
  const ObservableAnswer reference =
      by_differences(model, model.free_parameters(), observable, 100'000);
  for (const std::string damping : {"off", "2", "10", "20", "late:1"}) {
    SCOPED_TRACE(damping);
    const ObservableAnswer answer = observable_response(model, model.free_parameters(), observable,
                                                        path_kernel(damping, 100'000));
    expect_agreement(answer, reference);
  }
}

TEST(PathKernel, AgreesWithTheDivergenceKernel) {
  const Model model = full_noise();
  const std::string observable = "if(x + y > 0.5, 1, 0)";
  AnswerOptions other = path_kernel("3", 100'000);
  other.method.estimator = "divergence-kernel";
  other.method.scheme = Scheme::exact;
  const Model smooth = model.with_value("dt", 0.02);
  const ObservableAnswer answer =
      observable_response(smooth, {0, 2}, observable, path_kernel("late:2", 100'000));
  expect_agreement(answer, observable_response(smooth, {0, 2}, observable, other));
}

// --- noise that is missing ----------------------------------------------------------------------

// Linear, driven in p alone; Gaussian, with the moments of its Euler chain.
Model oscillator() {
  return parse_model(
      "model oscillator\nparam k = 1.5\nparam g = 0.8\nparam s = 0.7 in (0, inf)\nparam w = 0.9\n"
      "state q, p\ndq = w*p dt\ndp = (-k*q - g*p) dt + s dW\ninit q = w\n"
      "init p ~ normal(0, 0.5)\ntime 0 : 0.02 : 1\n");
}
struct Moments2 {
  double q, p, qq, qp, pp;
};
Moments2 law_of_oscillator(const std::vector<double>& g) {
  Moments2 m{g[3], 0.0, 0.0, 0.0, 0.25};  // means and covariances
  const double dt = 0.02;
  for (int n = 0; n < 50; ++n) {
    const double a = g[3] * dt, b = -g[0] * dt, c = 1.0 - g[1] * dt;
    m = {m.q + a * m.p, b * m.q + c * m.p, m.qq + 2.0 * a * m.qp + a * a * m.pp,
         b * m.qq + (c + a * b) * m.qp + a * c * m.pp,
         b * b * m.qq + 2.0 * b * c * m.qp + c * c * m.pp + g[2] * g[2] * dt};
  }
  return m;
}

TEST(PathKernel, KeepsWhatTheNoiseDoesNotReach) {
  expect_closed_form(
      oscillator(), "q^2",
      [](const auto& g) {
        const Moments2 m = law_of_oscillator(g);
        return m.q * m.q + m.qq;
      },
      {"off", "2", "10", "until:5,0.5", "auto"}, 10'000);
  expect_closed_form(
      oscillator(), "if(p > 0.2, 1, 0)",
      [](const auto& g) {
        const Moments2 m = law_of_oscillator(g);
        return probability_above(0.2, {m.p, m.pp});
      },
      {"late:2"}, 20'000);
}

TEST(PathKernel, NeedsNoNoiseAtAllWithoutDamping) {
  // The noise of both states is one and the same: its matrix is singular.
  const Model model = parse_model(
      "model bound\nparam a = 1\nparam s = 0.5\nstate x, y\ndx = -a*x dt + s dW\n"
      "dy = (x - y) dt + s dW\ninit x ~ normal(1, 0.3)\ninit y = 0\ntime 0 : 0.05 : 1\n");
  const ObservableAnswer answer =
      observable_response(model, {0, 1}, "x*y", path_kernel("auto", 20'000));
  EXPECT_EQ(answer.record.alpha, "off");
  expect_agreement(answer, by_differences(model, {0, 1}, "x*y", 20'000));
  EXPECT_THAT(message_of([&] {
                (void)observable_response(model, {0, 1}, "x*y", path_kernel("1", 100));
              }),
              HasSubstr("one and the same Brownian motion"));
}

// --- maps, kinks, samples -----------------------------------------------------------------------

TEST(PathKernel, FollowsMapsOfAnyStep) {
  const Model model = parse_model(
      "model folded\nparam r = 1.8\nparam s = 0.3 in (0, inf)\nstate x\n"
      "x' = r*sin(2*x) + s*(1 + 0.5*cos(x))*xi\ninit x ~ normal(0.4, 0.5)\ntime 0 : 1 : 4\n");
  const ObservableAnswer reference = by_differences(model, {0, 1}, "cos(x)", 400'000);
  for (const std::string damping : {"0.3", "0.9", "1", "late:0.2", "auto"}) {
    SCOPED_TRACE(damping);
    expect_agreement(observable_response(model, {0, 1}, "cos(x)", path_kernel(damping, 100'000)),
                     reference);
  }
}

TEST(PathKernel, SeesKinksOfTheDriftAndOfTheObservable) {
  const Model model = parse_model(
      "model bent\nparam a = 2\nparam s = 0.6 in (0, inf)\nstate x\n"
      "dx = -a*abs(x - 0.2) dt + s*(1 + abs(x)) dW\ninit x ~ normal(0.4, 0.5)\n"
      "time 0 : 0.02 : 0.6\n");
  const ObservableAnswer reference = by_differences(model, {0, 1}, "max(x, 0.1)", 40'000);
  for (const std::string damping : {"off", "3"}) {
    SCOPED_TRACE(damping);
    expect_agreement(
        observable_response(model, {0, 1}, "max(x, 0.1)", path_kernel(damping, 40'000)), reference);
  }
}

TEST(PathKernel, StartsFromSamples) {
  Model model = parse_model(
      "model sampled\nparam a = 1\nstate x\ndx = -a*x^3 dt + 0.5 dW\n"
      "init x ~ samples(\"none.npy\")\ntime 0 : 0.05 : 0.5\n");
  auto samples = std::make_shared<Matrix>(3, 1);
  samples->data = {-1.0, 0.5, 1.5};
  model = model.with_samples(samples);
  const ObservableAnswer reference = by_differences(model, {0}, "x^2", 20'000);
  for (const std::string damping : {"off", "2"}) {
    expect_agreement(observable_response(model, {0}, "x^2", path_kernel(damping, 20'000)),
                     reference);
  }
}

// --- the choice of the damping ------------------------------------------------------------------

double geometric_error(const ObservableAnswer& answer) {
  double logs = 0.0;
  for (const Estimate& e : answer.response) logs += std::log(e.standard_error);
  return std::exp(logs / static_cast<double>(answer.response.size()));
}

TEST(PathKernel, LearnsFromAPilotHowMuchToHandOver) {
  struct Case {
    Model model;
    std::string observable;
    std::string good;
  };
  const std::vector<Case> cases{
      {load_model("ou"), "x", "off"},
      {load_model("lorenz63").with_value("T", 5.0), "z", "5"},
      {process(), "if(x > 0.7, 1, 0)", "late:0"},
  };
  for (const Case& one : cases) {
    SCOPED_TRACE(one.observable);
    const std::vector<std::size_t> parameters = one.model.free_parameters();
    const AnswerOptions open = path_kernel("auto", 10'000);
    const ObservableAnswer chosen =
        observable_response(one.model, parameters, one.observable, open);
    const DampingChoice& choice = chosen.record.choice;
    EXPECT_LE(choice.candidates.size() * choice.paths, 2000U);  // a fifth of the run
    const ObservableAnswer good =
        observable_response(one.model, parameters, one.observable, path_kernel(one.good, 10'000));
    EXPECT_LT(geometric_error(chosen), 1.1 * geometric_error(good));
  }
}

TEST(PathKernel, HandsTimesOfTheDampingToOtherQuestionsToo) {
  // A that depends on the time alone is right for the divergence kernel as well.
  for (const std::string damping : {"off", "until:2,0.4", "late:1"}) {
    SCOPED_TRACE(damping);
    AnswerOptions options = path_kernel(damping, 20'000);
    options.method.estimator = "divergence-kernel";
    options.method.scheme = Scheme::exact;
    const ObservableAnswer answer = observable_response(process(), {0, 1}, "x^2", options);
    const auto closed = [](const std::vector<double>& g) {
      const Normal law = law_of_process(g);
      return law.mean * law.mean + law.variance;
    };
    for (std::size_t p = 0; p < 2; ++p) {
      EXPECT_TRUE(consistent(answer.response[p], slope(closed, process().parameter_values(), p)));
    }
  }
}

// --- refusals -----------------------------------------------------------------------------------

TEST(PathKernel, RefusesWhatItDoesNotSee) {
  const auto ask = [](const Model& model, const std::string& observable,
                      const std::string& damping) {
    return [=] { (void)observable_response(model, {0}, observable, path_kernel(damping, 100)); };
  };
  const std::string jump =
      "The observable if(x > 0.7, 1, 0) jumps where x = 0.7 (step): derivatives miss what happens "
      "there. ";
  expect_error(ErrorKind::usage,
               jump +
                   "The damping '3' leaves derivatives of the paths to the end, which miss it: "
                   "'late:3' hands all of them to the noise before.",
               ask(process(), "if(x > 0.7, 1, 0)", "3"));
  EXPECT_THAT(message_of(ask(oscillator(), "if(q > 1, 1, 0)", "auto")),
              HasSubstr("State q carries no noise to which its derivative could be handed. The "
                        "methods divergence-kernel and finite-difference see what happens there."));
  expect_error(ErrorKind::usage,
               "The damping 'jacobian:4,0.5' is none of derivatives of paths, which are damped at "
               "one rate that depends on the time alone.",
               ask(process(), "x", "jacobian:4,0.5"));
  const Model jumping = parse_model(
      "model dry\nparam a = 1\nparam s = 1\nstate v\ndv = -a*sign(v) dt + s dW\n"
      "init v ~ normal(0, 1)\ntime 0 : 0.05 : 1\n");
  EXPECT_THAT(message_of(ask(jumping, "v^2", "auto")), HasSubstr("The drift of v jumps"));
  AnswerOptions second = path_kernel("1", 100);
  second.method.order = InverseOrder::second;
  expect_error(ErrorKind::usage, "Derivatives of paths need no inverse: there is no order in it.",
               [&] { (void)observable_response(process(), {0}, "x", second); });
  EXPECT_THAT(
      message_of([] { (void)response_at(process(), {0}, Matrix(1, 1), path_kernel("1", 100)); }),
      HasSubstr("a density has none"));
  AnswerOptions at_start = path_kernel("auto", 100);
  at_start.sampling.snapshots = {0.0};
  EXPECT_THAT(
      message_of([&] { (void)observable_response(process(), {3}, "if(x > 0.7, 1, 0)", at_start); }),
      HasSubstr("No step comes before the snapshot"));
}

}  // namespace
}  // namespace divker
