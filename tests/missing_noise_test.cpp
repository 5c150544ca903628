// What needs no inverse of the noise is answered where there is none: states, finite differences of
// means, and likelihood ratios of parameters that move noisy states alone. The truths are moments
// of linear Euler chains by their recursions, or finite differences.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <Eigen/Dense>
#include <cmath>
#include <complex>
#include <functional>
#include <string>
#include <vector>

#include "divker/answer.hpp"
#include "divker/ensemble.hpp"
#include "divker/error.hpp"
#include "divker/exact_density.hpp"
#include "divker/language.hpp"
#include "divker/plan.hpp"
#include "divker/stationary.hpp"
#include "support/errors.hpp"
#include "support/statistics.hpp"

namespace divker {
namespace {

using test::consistent;
using test::expect_error;
using test::message_of;
using ::testing::HasSubstr;
using ::testing::StartsWith;

AnswerOptions options_of(const std::string& method, std::size_t paths) {
  AnswerOptions options;
  options.method.estimator = method;
  options.sampling.paths = paths;
  return options;
}

AnswerOptions likelihood_ratio(std::size_t paths) { return options_of("likelihood-ratio", paths); }
AnswerOptions finite_difference(std::size_t paths) {
  return options_of("finite-difference", paths);
}

double derivative(const std::function<double(double)>& f, double at) {
  constexpr double h = 1e-5;
  return (f(at + h) - f(at - h)) / (2.0 * h);
}

// Mean and covariance of x' = A x + B xi.
struct Gaussian {
  Eigen::VectorXd mean;
  Eigen::MatrixXd covariance;
  void step(const Eigen::MatrixXd& a, const Eigen::MatrixXd& b) {
    mean = a * mean;
    covariance = a * covariance * a.transpose() + b * b.transpose();
  }
  [[nodiscard]] double second_moment(Eigen::Index i) const {
    return mean[i] * mean[i] + covariance(i, i);
  }
};

// --- a conserved sum: the noise of the states is linearly dependent ----------------------------

// X1 <-> X2 by chemical Langevin equations.
Model isomer() {
  return parse_model(
      "model iso\nparam k1 = 0.1 in (0, inf)\nparam k2 = 0.1 in (0, inf)\nstate X1, X2\n"
      "dX1 = (k2*X2 - k1*X1) dt - sqrt(k1*X1) dU + sqrt(k2*X2) dV\n"
      "dX2 = (k1*X1 - k2*X2) dt + sqrt(k1*X1) dU - sqrt(k2*X2) dV\n"
      "init X1 = 100\ninit X2 = 100\ntime 0 : 0.1 : 5\n");
}

// With X2 = 200 - X1 the drift and the variance of a step are linear in X1.
Estimate isomer_moments(double k1, double k2) {
  double mean = 100.0;
  double variance = 0.0;
  for (int n = 0; n < 50; ++n) {
    variance =
        variance * std::pow(1.0 - 0.1 * (k1 + k2), 2) + 0.1 * (k1 * mean + k2 * (200.0 - mean));
    mean += 0.1 * (k2 * (200.0 - mean) - k1 * mean);
  }
  return {mean, std::sqrt(variance)};
}

TEST(ConservedSum, IsSimulated) {
  Sampling sampling;
  sampling.paths = 20'000;
  const Moments x = simulate_moments(isomer(), sampling).snapshots.back().x;
  const Estimate truth = isomer_moments(0.1, 0.1);
  EXPECT_TRUE(consistent(x.estimate(0), truth.value));
  // The standard error of a Gaussian deviation.
  const double error = truth.standard_error / std::sqrt(2.0 * 20'000);
  EXPECT_TRUE(consistent({std::sqrt(x.variance(0)), error}, truth.standard_error));
  EXPECT_NEAR(x.estimate(0).value + x.estimate(1).value, 200.0, 1e-9);
}

TEST(ConservedSum, FiniteDifferencesGiveTheResponsesOfAMean) {
  const ObservableAnswer answer =
      observable_response(isomer(), {0, 1}, "X1", finite_difference(4000));
  EXPECT_TRUE(consistent(answer.response[0],
                         derivative([](double k) { return isomer_moments(k, 0.1).value; }, 0.1)));
  EXPECT_TRUE(consistent(answer.response[1],
                         derivative([](double k) { return isomer_moments(0.1, k).value; }, 0.1)));
}

TEST(ConservedSum, HasNoScore) {
  const std::string sentence =
      "The noise of X1 and X2 is linearly dependent at the start: a combination of these states "
      "has no noise at all, so that their joint density has no score. Simulations need no score, "
      "nor do responses of means by the method finite-difference.";
  expect_error(ErrorKind::model, sentence,
               [] { (void)score_at(isomer(), Matrix(1, 2), options_of("", 100)); });
  for (const char* method : {"divergence-kernel", "likelihood-ratio"}) {
    expect_error(ErrorKind::model, sentence, [method] {
      (void)observable_response(isomer(), {0}, "X1", options_of(method, 100));
    });
  }
  StationaryOptions stationary;
  expect_error(ErrorKind::model, sentence,
               [&] { (void)stationary_observable_response(isomer(), {0}, "X1", stationary); });
}

// --- one Brownian motion for all states --------------------------------------------------------

// A qubit under one real noise, real and imaginary parts.
Model qubit() {
  return parse_model(
      "model qubit\nstate ar, ai, br, bi\nparam g = 0.5 in (0, inf)\n"
      "dar = (0.5*bi - g^2/2*ar) dt + g*ai dW\ndai = (-0.5*br - g^2/2*ai) dt - g*ar dW\n"
      "dbr = (0.5*ai - g^2/2*br) dt - g*bi dW\ndbi = (-0.5*ar - g^2/2*bi) dt + g*br dW\n"
      "init ar ~ normal(0, 0.01)\ninit ai ~ normal(0, 0.01)\ninit br ~ normal(1, 0.01)\n"
      "init bi ~ normal(0, 0.01)\ntime 0 : 0.01 : 2\n");
}

// E[br - i ai] is multiplied by the same number in each step.
double qubit_mean(double g) {
  return std::pow(std::complex<double>(1.0 - 0.01 * g * g / 2.0, 0.01 * 0.5), 200).real();
}

TEST(SharedMotion, IsSimulatedAndDifferenced) {
  const ObservableAnswer answer =
      observable_response(qubit(), {0}, "br", finite_difference(20'000));
  EXPECT_TRUE(consistent(answer.value, qubit_mean(0.5)));
  EXPECT_TRUE(consistent(answer.response[0], derivative(qubit_mean, 0.5)));
}

TEST(SharedMotion, HasNoScore) {
  EXPECT_THAT(
      message_of([] { (void)score_at(qubit(), Matrix(1, 4), options_of("", 100)); }),
      StartsWith("The noise of ar, ai, br and bi is one and the same Brownian motion W, so that "
                 "their joint density has no score"));
}

// --- a silent state that starts from a point ---------------------------------------------------

// Noise of rate lam and strength D drives x, which has no white noise.
Model coloured() {
  return parse_model(
      "model coloured\nparam a = 1 in (0, inf)\nparam lam = 2 in (0, inf)\n"
      "param D = 0.5 in (0, inf)\nstate x, e\ndx = (-a*x + e) dt\n"
      "de = -lam*e dt + lam*sqrt(2*D) dW\ninit x = 1\ninit e ~ normal(0, sqrt(lam*D))\n"
      "time 0 : 0.01 : 2\n");
}

double coloured_second_moment(double a, double lam, double d) {
  Gaussian law{Eigen::Vector2d(1.0, 0.0), Eigen::Matrix2d::Zero()};
  law.covariance(1, 1) = lam * d;
  Eigen::Matrix2d step;
  step << 1.0 - 0.01 * a, 0.01, 0.0, 1.0 - 0.01 * lam;
  const Eigen::Vector2d noise(0.0, lam * std::sqrt(2.0 * d * 0.01));
  for (int n = 0; n < 200; ++n) law.step(step, noise);
  return law.second_moment(0);
}

TEST(ColouredNoise, LikelihoodRatiosAndFiniteDifferencesAgreeWithTheClosedForm) {
  const Model model = coloured();
  const ObservableAnswer by_ratio =
      observable_response(model, {1, 2}, "x^2", likelihood_ratio(200'000));
  const ObservableAnswer by_difference =
      observable_response(model, {0, 1, 2}, "x^2", finite_difference(20'000));
  const double of_a = derivative([](double a) { return coloured_second_moment(a, 2.0, 0.5); }, 1.0);
  const double of_lam =
      derivative([](double lam) { return coloured_second_moment(1.0, lam, 0.5); }, 2.0);
  const double of_d = derivative([](double d) { return coloured_second_moment(1.0, 2.0, d); }, 0.5);
  EXPECT_TRUE(consistent(by_ratio.value, coloured_second_moment(1.0, 2.0, 0.5)));
  EXPECT_TRUE(consistent(by_ratio.response[0], of_lam));
  EXPECT_TRUE(consistent(by_ratio.response[1], of_d));
  EXPECT_TRUE(consistent(by_difference.response[0], of_a));
  EXPECT_TRUE(consistent(by_difference.response[1], of_lam));
  EXPECT_TRUE(consistent(by_difference.response[2], of_d));
}

TEST(ColouredNoise, ParametersOfSilentStatesHaveNoLikelihoodRatio) {
  expect_error(ErrorKind::model,
               "The likelihood ratio needs noise wherever a parameter acts: a moves the state x of "
               "model coloured, which has none. Simulations need no score, nor do responses of "
               "means by the method finite-difference.",
               [] {
                 (void)observable_response(coloured(), {1, 0}, "x", likelihood_ratio(100));
               });
}

TEST(ColouredNoise, HasNoScoreFromAPoint) {
  const std::string sentence =
      "State x of model coloured carries no noise, so a step cannot forget where it started: this "
      "needs noise on every state, or an initial law with a density on every state. Simulations "
      "need no score, nor do responses of means by the method finite-difference, or by "
      "likelihood-ratio for parameters that move noisy states alone.";
  expect_error(ErrorKind::model, sentence,
               [] { (void)score_at(coloured(), Matrix(1, 2), options_of("", 100)); });
  expect_error(ErrorKind::model, sentence, [] {
    (void)observable_response(coloured(), {1}, "x", options_of("divergence-kernel", 100));
  });
}

// --- who asks for no method --------------------------------------------------------------------

TEST(OpenMethod, TakesFiniteDifferencesAndSaysSo) {
  const ObservableAnswer open = observable_response(coloured(), {0}, "x", options_of("", 1000));
  const ObservableAnswer asked = observable_response(coloured(), {0}, "x", finite_difference(1000));
  EXPECT_EQ(open.response[0].value, asked.response[0].value);
  EXPECT_EQ(open.record.method.estimator, "finite-difference");
  ASSERT_EQ(open.record.warnings.size(), 1U);
  EXPECT_EQ(open.record.warnings[0].what, "method");
  EXPECT_THAT(open.record.warnings[0].sentence,
              StartsWith("The method finite-difference was taken. State x of model coloured "
                         "carries no noise"));
  EXPECT_TRUE(asked.record.warnings.empty());
}

TEST(OpenMethod, IsNotOpenWhereADampingIsAskedFor) {
  AnswerOptions options = options_of("", 1000);
  options.method.damping = parse_damping("2");
  EXPECT_THAT(message_of([&] { (void)observable_response(coloured(), {0}, "x", options); }),
              StartsWith("State x of model coloured carries no noise"));
}

// --- silent states with a density --------------------------------------------------------------

TEST(SilentStates, LikelihoodRatiosAndFiniteDifferencesAgreeOnANonlinearModel) {
  const Model langevin = load_model("langevin").with_value("T", 1.0);
  const std::vector<std::size_t> drift_parameters{0, 1, 2};
  const ObservableAnswer by_ratio =
      observable_response(langevin, drift_parameters, "q^2", likelihood_ratio(100'000));
  AnswerOptions others = finite_difference(100'000);
  others.sampling.seed = 7;
  const ObservableAnswer by_difference =
      observable_response(langevin, drift_parameters, "q^2", others);
  for (std::size_t p = 0; p < drift_parameters.size(); ++p) {
    SCOPED_TRACE(by_ratio.names[p]);
    const Estimate& ratio = by_ratio.response[p];
    const Estimate& difference = by_difference.response[p];
    EXPECT_GT(std::fabs(difference.value), 10.0 * difference.standard_error);
    EXPECT_TRUE(
        consistent({ratio.value, std::hypot(ratio.standard_error, difference.standard_error)},
                   difference.value));
  }
}

// y and z are noisy and x integrates y: the point z0 moves z, and y only by noisy steps.
Model chain_from_points(const std::string& y0) {
  return parse_model(
      "model chain\nparam z0 = 0.7\nparam c = 1\nstate x, y, z\ndx = y dt\n"
      "dy = (z - c*y) dt + 1 dV\ndz = -z dt + 1 dW\ninit x = 0\ninit y = " +
      y0 + "\ninit z = z0\ntime 0 : 0.05 : 1\n");
}

double chain_second_moment(double z0, double c) {
  Gaussian law{Eigen::Vector3d(0.0, 0.0, z0), Eigen::Matrix3d::Zero()};
  Eigen::Matrix3d step;
  step << 1.0, 0.05, 0.0, 0.0, 1.0 - 0.05 * c, 0.05, 0.0, 0.0, 0.95;
  Eigen::Matrix<double, 3, 2> noise = Eigen::Matrix<double, 3, 2>::Zero();
  noise(1, 0) = noise(2, 1) = std::sqrt(0.05);
  for (int n = 0; n < 20; ++n) law.step(step, noise);
  return law.second_moment(0);
}

TEST(SilentStates, TheFirstStepCoversPointsOfNoisyStates) {
  const ObservableAnswer answer =
      observable_response(chain_from_points("0"), {0, 1}, "x^2", likelihood_ratio(200'000));
  EXPECT_TRUE(consistent(answer.response[0],
                         derivative([](double z) { return chain_second_moment(z, 1.0); }, 0.7)));
  EXPECT_TRUE(consistent(answer.response[1],
                         derivative([](double c) { return chain_second_moment(0.7, c); }, 1.0)));
}

TEST(SilentStates, AreMovedByPointsOfTheStatesInTheirEquations) {
  EXPECT_THAT(message_of([] {
                (void)observable_response(chain_from_points("z0"), {0}, "x", likelihood_ratio(100));
              }),
              HasSubstr("z0 moves the state x of model chain, which has none."));
  const ObservableAnswer other =
      observable_response(chain_from_points("z0"), {1}, "x", likelihood_ratio(100));
  EXPECT_EQ(other.names, std::vector<std::string>{"c"});
}

// --- no noise, and noise that vanishes ---------------------------------------------------------

TEST(NoNoise, PathsAreThoseOfTheEquation) {
  const Model model = parse_model(
      "model decay\nparam a = 1\nstate x\ndx = -a*x dt\ninit x = 1\ntime 0 : 0.01 : 1\n");
  const Moments x = simulate_moments(model, {}).snapshots.back().x;
  EXPECT_NEAR(x.estimate(0).value, std::pow(0.99, 100), 1e-12);
  EXPECT_EQ(x.variance(0), 0.0);
  const ObservableAnswer answer = observable_response(model, {0}, "x", finite_difference(100));
  EXPECT_TRUE(consistent(answer.response[0], -std::pow(0.99, 99), 1e-9));
  EXPECT_THAT(message_of([&] { (void)score_at(model, Matrix(1, 1), options_of("", 100)); }),
              StartsWith("The model decay has no noise"));
}

Model ornstein_uhlenbeck() {
  return parse_model(
      "model ou\nparam s = 1\nstate x\ndx = -x dt + s dW\ninit x ~ normal(3, 1)\n"
      "time 0 : 0.01 : 1\n");
}

constexpr const char* vanished =
    "The noise of x vanishes at the start, where x = 3; a score needs noise that a state has "
    "everywhere or, if no term with noise is written for it, nowhere.";

TEST(VanishingNoise, IsRefusedByWhatWasCompiledWithNoise) {
  const Model model = ornstein_uhlenbeck();
  const Model cold = model.with_value("s", 0.0);
  EXPECT_EQ(cold.singular_noise(), vanished);
  Ensemble states(model, {}, Asked::states());
  states.set_model(cold);
  Ensemble scores(model, {}, {});
  EXPECT_THAT(message_of([&] { scores.set_model(cold); }), StartsWith(vanished));
  scores.set_model(model.with_value("s", 0.5));
}

TEST(VanishingNoise, HasNoFokkerPlanckEquation) {
  expect_error(ErrorKind::model, vanished, [] {
    (void)exact_density(ornstein_uhlenbeck().with_value("s", 0.0), {}, {0.0}, -1.0, 1.0);
  });
}

}  // namespace
}  // namespace divker
