// Models and observables with kinks and jumps are answered by a method that is right there, and the
// answer says so; or they are refused. The truths are closed forms of the SDE, most of them of its
// stationary law; a bias bound of each comparison is that of the Euler step at a kink.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <string>
#include <utility>
#include <vector>

#include "answer/places_met.hpp"
#include "divker/answer.hpp"
#include "divker/ensemble.hpp"
#include "divker/fit.hpp"
#include "divker/language.hpp"
#include "divker/stationary.hpp"
#include "support/asked.hpp"
#include "support/errors.hpp"
#include "support/statistics.hpp"

namespace divker {
namespace {

using test::column;
using test::consistent;
using test::message_of;
using test::with_paths;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// dx = -k sign(x) dt + s dW: the stationary density is (k/s^2) exp(-2 k |x| / s^2).
Model friction() {
  return parse_model(
      "model friction\nparam k = 1 in (0, inf)\nparam s = 1 in (0, inf)\nstate x\n"
      "dx = -k*sign(x) dt + s dW\ninit x ~ normal(0, 0.7)\ntime 0 : 0.005 : 12\n");
}

// A harvest above L. The stationary density falls like exp(2r(x - L)/s^2) below L and like
// exp(-2(h - r)(x - L)/s^2) above it, so that E[x] = L + s^2/(2(h - r)) - s^2/(2r).
Model threshold() {
  return parse_model(
      "model threshold\nparam r = 1\nparam h = 2\nparam L = 1\nparam s = 0.5 in (0, inf)\nstate x\n"
      "dx = (r - h*step(x, L)) dt + s dW\ninit x ~ normal(1, 0.3)\ntime 0 : 0.002 : 5\n");
}

// Two springs that meet at L: on each side a Gaussian of the variance s^2/(2a) or s^2/(2b), with
// one height at L.
Model springs() {
  return parse_model(
      "model springs\nparam a = 0.5 in (0, inf)\nparam b = 4 in (0, inf)\nparam L = 0.3\n"
      "param s = 0.7 in (0, inf)\nstate x\ndx = (-a*min(x - L, 0) - b*max(x - L, 0)) dt + s dW\n"
      "init x ~ normal(0, 0.5)\ntime 0 : 0.005 : 10\n");
}

double mean_of_springs(double a, double b, double level, double s) {
  // Half-Gaussians of the masses 1/sqrt(a) and 1/sqrt(b), whose means are s/sqrt(pi a) from L.
  const double below = 1.0 / std::sqrt(a), above = 1.0 / std::sqrt(b);
  return level +
         s / std::sqrt(std::numbers::pi) * (above * above - below * below) / (above + below);
}

Model digital() {
  return parse_model(
      "model digital\nparam S0 = 100 in (0, inf)\nparam r = 0.05\nparam v = 0.2 in (0, inf)\n"
      "param K = 100\nstate S positive\ndS = r*S dt + v*S dW\ninit S = S0\ntime 0 : 0.01 : 1\n");
}

AnswerOptions by(const std::string& method, std::size_t paths) {
  AnswerOptions options = with_paths(paths);
  options.method.estimator = method;
  return options;
}

std::string warning_of(const RunRecord& record, const std::string& what) {
  for (const Warning& warning : record.warnings) {
    if (warning.what == what) return warning.sentence;
  }
  return "no warning " + what;
}

std::string damping_of(const RunRecord& record) { return record.method.damping.text(); }

// --- means ---------------------------------------------------------------------------------------

TEST(KinksMet, DryFriction) {
  const ObservableAnswer answer =
      observable_response(friction(), {0, 1}, "abs(x)", with_paths(40'000));
  EXPECT_TRUE(consistent(answer.value, 0.5, 0.01));
  EXPECT_TRUE(consistent(answer.response[0], -0.5, 0.02));
  EXPECT_TRUE(consistent(answer.response[1], 1.0, 0.02));
  EXPECT_EQ(answer.record.method.estimator, "finite-difference");
  EXPECT_THAT(warning_of(answer.record, "method"),
              HasSubstr("The drift of x jumps where x = 0 (sign)"));
}

TEST(KinksMet, PlaceOfAJump) {
  const ObservableAnswer answer =
      observable_response(threshold(), {0, 1, 2}, "x", with_paths(20'000));
  EXPECT_TRUE(consistent(answer.response[0], 0.25, 0.01));
  EXPECT_TRUE(consistent(answer.response[1], -0.125, 0.005));
  EXPECT_TRUE(consistent(answer.response[2], 1.0, 0.001));
  EXPECT_THAT(warning_of(answer.record, "method"), HasSubstr("The place moves with L"));
}

TEST(KinksMet, Springs) {
  const ObservableAnswer answer = observable_response(springs(), {0, 2}, "x^2", with_paths(40'000));
  const double mean = mean_of_springs(0.5, 4.0, 0.3, 0.7);
  EXPECT_TRUE(consistent(answer.response[1], 2.0 * mean, 0.02));
  EXPECT_EQ(answer.record.method.estimator, "finite-difference");
}

TEST(KinksMet, RootOfASize) {
  const Model m = parse_model(
      "model cirabs\nparam a = 0.1 in (0, inf)\nparam b = 0.1 in (0, inf)\n"
      "param s = 0.5 in (0, inf)\nstate r\ndr = a*(b - r) dt + s*sqrt(abs(r)) dW\ninit r = 0.05\n"
      "time 0 : 0.01 : 5\n");
  const ObservableAnswer answer = observable_response(m, {0, 1, 2}, "r", with_paths(50'000));
  EXPECT_TRUE(consistent(answer.response[0], 0.25 * std::exp(-0.5), 0.0));
  EXPECT_TRUE(consistent(answer.response[1], 1.0 - std::exp(-0.5), 0.0));
  EXPECT_TRUE(consistent(answer.response[2], 0.0, 0.0));
}

// Heston's variance with a floor: the digital's derivatives by Fourier inversion.
TEST(KinksMet, FloorUnderARoot) {
  const Model m = parse_model(
      "model heston\nparam kappa = 2 in (0, inf)\nparam theta = 0.05 in (0, inf)\n"
      "param xi = 0.4 in (0, inf)\nparam rho = -0.6 in (-1, 1)\nstate y, v\n"
      "let w = sqrt(max(v, 0.0001))\ndy = (0.02 - v/2) dt + w dU\n"
      "dv = kappa*(theta - v) dt + xi*w*rho dU + xi*w*sqrt(1 - rho^2) dW\n"
      "init y = log(100)\ninit v = 0.04\ntime 0 : 0.01 : 1\n");
  const ObservableAnswer answer =
      observable_response(m, {1, 2}, "exp(-0.02)*step(exp(y), 100)", with_paths(100'000));
  EXPECT_TRUE(consistent(answer.response[0], -0.976, 0.0));
  EXPECT_TRUE(consistent(answer.response[1], 0.152, 0.0));
}

// Black and Scholes: exp(-rT) times the density of S at the strike.
TEST(KinksMet, JumpOfAnObservable) {
  const std::string paid = "exp(-r*t)*step(S, K)";
  const double d2 = (0.05 - 0.02) / 0.2;
  const double density = std::exp(-0.5 * d2 * d2) / std::sqrt(2.0 * std::numbers::pi) / 20.0;
  const ObservableAnswer answer = observable_response(digital(), {3}, paid, with_paths(100'000));
  EXPECT_TRUE(consistent(answer.response[0], -std::exp(-0.05) * density, 0.0));
  EXPECT_THAT(warning_of(answer.record, "method"), HasSubstr("jumps where S = K (step)"));
  // Only the strike moves the jump: the kernel answers for the others.
  const ObservableAnswer others = observable_response(digital(), {1, 2}, paid, with_paths(20'000));
  EXPECT_EQ(others.record.method.estimator, "divergence-kernel");
  EXPECT_THAT(others.record.warnings, IsEmpty());
  for (const char* method : {"divergence-kernel", "likelihood-ratio"}) {
    EXPECT_THAT(message_of([&] {
                  (void)observable_response(digital(), {1, 3}, paid, by(method, 1000));
                }),
                HasSubstr("The place moves with K. The method finite-difference sees"));
  }
}

// --- densities -----------------------------------------------------------------------------------

TEST(KinksMet, ScoreAndResponseBesideAJump) {
  const Matrix points = column({-1.0, -0.4, 0.4, 1.0});
  const PointAnswer score = score_at(friction(), points, with_paths(100'000));
  const PointAnswer response = response_at(friction(), {0}, points, with_paths(100'000));
  for (std::size_t r = 0; r < points.rows; ++r) {
    const double x = points.data[r];
    const auto at = [r](const PointAnswer& answer) {
      return Estimate{answer.prediction.value(r, 0), answer.prediction.standard_error(r, 0)};
    };
    EXPECT_TRUE(consistent(at(score), x > 0.0 ? -2.0 : 2.0, 0.05)) << x;
    EXPECT_TRUE(consistent(at(response), 1.0 - 2.0 * std::fabs(x), 0.05)) << x;
  }
  EXPECT_EQ(damping_of(score.record), "kernel");
  EXPECT_THAT(warning_of(response.record, "kinks"),
              HasSubstr("Exact steps with the damping 'kernel' were taken"));
}

TEST(KinksMet, StationaryScoreBesideAKink) {
  StationaryOptions options;
  options.answer.sampling.paths = 1024;
  const Matrix points = column({-0.5, 0.5});
  const StationaryPointAnswer found = stationary_score_at(springs(), points, options);
  const Prediction& score = found.answer.prediction;
  // -2 a (x - L) / s^2 below L, with b above it.
  EXPECT_TRUE(consistent({score.value(0, 0), score.standard_error(0, 0)}, 0.8 / 0.49, 0.05));
  EXPECT_TRUE(consistent({score.value(1, 0), score.standard_error(1, 0)}, -1.6 / 0.49, 0.15));
}

TEST(KinksMet, DensityWhereAParameterMovesTheJump) {
  const Matrix points = column({0.9, 1.1});
  const PointAnswer answer = response_at(threshold(), {2}, points, with_paths(100'000));
  EXPECT_EQ(answer.record.method.estimator, "finite-difference");
  // d log h / dL = -d log h / dx = -8 below, 8 above.
  EXPECT_TRUE(consistent({answer.prediction.value(0, 0), answer.prediction.standard_error(0, 0)},
                         -8.0, 0.2));
  EXPECT_TRUE(consistent({answer.prediction.value(1, 0), answer.prediction.standard_error(1, 0)},
                         8.0, 0.2));
}

// --- what is not answered ------------------------------------------------------------------------

TEST(KinksMet, RefusesWhatWouldBeWrong) {
  AnswerOptions damped = with_paths(2000);
  damped.method.damping = constant_damping(1.0);
  EXPECT_THAT(message_of([&] { (void)score_at(friction(), column({0.5}), damped); }),
              HasSubstr("Right there are exact steps with the damping 'kernel'"));
  EXPECT_THAT(message_of([&] {
                (void)observable_response(threshold(), {2}, "x", by("likelihood-ratio", 2000));
              }),
              HasSubstr("The place moves with L: the method finite-difference sees that"));
  // The likelihood ratio of a parameter that leaves the jump where it is, is right.
  const ObservableAnswer told =
      observable_response(threshold(), {1}, "x", by("likelihood-ratio", 40'000));
  EXPECT_TRUE(consistent(told.response[0], -0.125, 0.01));
  StationaryOptions stationary;
  stationary.answer.sampling.paths = 512;
  EXPECT_THAT(message_of([&] {
                (void)stationary_observable_response(friction(), {0}, "step(x, k)", stationary);
              }),
              HasSubstr("The observable step(x, k) jumps where x = k (step)"));
}

TEST(KinksMet, AGuardThatNoPathComesNearCostsNothing) {
  const Model m = parse_model(
      "model guarded\nparam a = 1 in (0, inf)\nparam s = 0.5 in (0, inf)\nstate x\n"
      "dx = -a*max(x, -50) dt + s*min(1, abs(x - 40)) dW\ninit x ~ normal(0, 0.3)\n"
      "time 0 : 0.02 : 1\n");
  EXPECT_EQ(model_kinks(m).size(), 3U);
  EXPECT_THAT(kinks_met(m, {}, {}).kinks, IsEmpty());
  const ObservableAnswer answer = observable_response(m, {0, 1}, "x^2", with_paths(20'000));
  EXPECT_EQ(answer.record.method.estimator, "divergence-kernel");
  EXPECT_THAT(answer.record.warnings, IsEmpty());
}

// A kink in time alone is none for the covector; a jump in time that a parameter moves is one.
TEST(KinksMet, KinksInTime) {
  const Model m = parse_model(
      "model forced\nparam tau = 0.5\nparam a = 1\nstate x\n"
      "dx = (a*step(t, tau) + abs(t - 0.3) - x) dt + dW\ninit x ~ normal(0, 1)\n"
      "time 0 : 0.01 : 1\n");
  const ObservableAnswer strength = observable_response(m, {1}, "x", with_paths(20'000));
  EXPECT_EQ(strength.record.method.estimator, "divergence-kernel");
  EXPECT_TRUE(consistent(strength.response[0], 1.0 - std::exp(-0.5), 0.005));
  const ObservableAnswer onset = observable_response(m, {0}, "x", with_paths(20'000));
  EXPECT_EQ(onset.record.method.estimator, "finite-difference");
  EXPECT_TRUE(consistent(onset.response[0], -std::exp(-0.5), 0.02));
}

// --- fits ----------------------------------------------------------------------------------------

// Data are the chain's own: the estimates have no bias of dt.
TEST(KinksMet, FitsOfKinks) {
  const Model free_place = threshold().with_time({0.0, 0.01, 1.0, 0.0});
  Sampling sampling;
  sampling.paths = 3000;
  sampling.seed = 21;
  const Matrix y = Ensemble(free_place, {}, Asked::states()).run(sampling).snapshots.back().x();
  FitOptions options;
  options.sampling.paths = 20'000;
  EXPECT_THAT(message_of([&] {
                (void)fit_parameters(free_place, match_data(free_place, {{"data", {}, y, {}}}, {}),
                                     options);
              }),
              HasSubstr("For a fit, declare L fixed"));
  const Model model = parse_model(
      "model threshold\nparam r = 1 fixed\nparam h = 1.6\nparam L = 1 fixed\n"
      "param s = 0.6 in (0, inf)\nstate x\ndx = (r - h*step(x, L)) dt + s dW\n"
      "init x ~ normal(1, 0.3)\ntime 0 : 0.01 : 1\n");
  const FitResult fit =
      fit_parameters(model, match_data(model, {{"data", {}, y, {}}}, {}), options);
  EXPECT_TRUE(fit.state.converged);
  EXPECT_TRUE(consistent({fit.estimate[0], fit.standard_error[0]}, 2.0, 0.0));
  EXPECT_TRUE(consistent({fit.estimate[1], fit.standard_error[1]}, 0.5, 0.0));
  EXPECT_THAT(warning_of(fit.record, "kinks"), HasSubstr("jumps where x = L (step)"));
}

// The equations of a fit hold whatever the responses miss at a kink that few states lie beyond.
TEST(KinksMet, FitsKeepTheCovectorWhereFewStatesLieBeyond) {
  const Model model = parse_model(
      "model guarded\nparam a = 1 in (0, inf)\nparam s = 0.5 in (0, inf)\nstate x\n"
      "dx = -a*max(x, -0.6) dt + s dW\ninit x ~ normal(0.5, 0.1)\ntime 0 : 0.02 : 1\n");
  Sampling sampling;
  sampling.paths = 2000;
  sampling.seed = 5;
  const Matrix y = Ensemble(model, {}, Asked::states()).run(sampling).snapshots.back().x();
  FitOptions options;
  options.sampling.paths = 10'000;
  const FitResult fit = fit_parameters(model.with_value("a", 1.5).with_value("s", 0.6),
                                       match_data(model, {{"data", {}, y, {}}}, {}), options);
  EXPECT_TRUE(fit.state.converged);
  EXPECT_TRUE(consistent({fit.estimate[0], fit.standard_error[0]}, 1.0));
  EXPECT_TRUE(consistent({fit.estimate[1], fit.standard_error[1]}, 0.5));
  EXPECT_NE(damping_of(fit.record), "kernel");
  EXPECT_THAT(warning_of(fit.record, "kinks"), HasSubstr("Less than 20% of the states lie beyond"));
}

}  // namespace
}  // namespace divker
