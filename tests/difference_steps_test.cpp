// The steps of finite differences where the size of a parameter says nothing about what it does,
// and where something jumps: truths in closed form.
#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "divker/answer.hpp"
#include "divker/language.hpp"
#include "support/errors.hpp"

namespace divker {
namespace {

constexpr double kSpread = 0.6;

ObservableAnswer differences(const std::string& text, const std::string& observable,
                             std::uint64_t seed) {
  const Model model = parse_model(text);
  AnswerOptions options;
  options.method.estimator = "finite-difference";
  options.sampling.paths = 4000;
  options.sampling.seed = seed;
  options.time_step = TimeStep::ignored;
  return observable_response(model, model.free_parameters(), observable, options);
}

double bars(const Estimate& estimate, double truth) {
  return std::fabs(estimate.value - truth) / estimate.standard_error;
}

// x_T is normal(m, 0.6): the time does nothing.
std::string still(double m, double b) {
  return "model still\nparam m = " + std::to_string(m) + "\nparam b = " + std::to_string(b) +
         "\nstate x\ndx = 0.00001 dW\ninit x ~ normal(m, 0.6)\ntime 0 : 0.5 : 1\n";
}

double density(double distance) {
  const double u = distance / kSpread;
  return std::exp(-0.5 * u * u) / (kSpread * std::sqrt(2.0 * std::acos(-1.0)));
}

TEST(DifferenceSteps, OfAJumpFarFromZero) {
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    const ObservableAnswer answer = differences(still(300.0, 300.2), "step(x, b)", seed);
    EXPECT_LT(bars(answer.response[0], density(0.2)), 4.5) << seed;
    EXPECT_LT(bars(answer.response[1], -density(0.2)), 4.5) << seed;
    EXPECT_LT(answer.response[1].standard_error, 0.3 * density(0.2)) << seed;
  }
}

// E exp(-(x - b)^2 / 2) is the density of a normal law with the variance 1 + 0.36, but for 1/sqrt(2
// pi).
TEST(DifferenceSteps, OfASmoothObservableFarFromZero) {
  const double variance = 1.0 + kSpread * kSpread;
  const double slope = 0.5 / variance * std::exp(-0.125 / variance) / std::sqrt(variance);
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    const ObservableAnswer answer = differences(still(300.0, 300.5), "exp(-0.5*(x - b)^2)", seed);
    EXPECT_LT(bars(answer.response[0], slope), 4.5) << seed;
    EXPECT_LT(bars(answer.response[1], -slope), 4.5) << seed;
    EXPECT_LT(answer.response[1].standard_error, 0.3 * slope) << seed;
  }
}

// The steps that are relative to a small parameter carry hardly a path over the jump.
TEST(DifferenceSteps, OfAJumpMovedByASmallParameter) {
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    const ObservableAnswer answer = differences(still(0.02, 0.05), "if(x > 0.4, x, 0)", seed);
    const double z = (0.4 - 0.02) / kSpread;
    const double truth = 0.4 * density(0.38) + 0.5 * std::erfc(z / std::sqrt(2.0));
    EXPECT_LT(bars(answer.response[0], truth), 4.5) << seed;
    EXPECT_LT(answer.response[0].standard_error, 0.3 * truth) << seed;
    EXPECT_EQ(answer.response[1].value, 0.0);  // b does nothing
  }
}

// x_T = the time during which the force acts, in whole steps of the chain.
TEST(DifferenceSteps, OfTheTimeOfAJump) {
  const auto text = [](const std::string& time, const std::string& rest) {
    return "model pulse\nparam a = " + time + rest +
           "\nstate x\ndx = if(t < a, 1, 0) dt + 0.1 dW\ninit x = 0\ntime 0 : 0.05 : 1\n";
  };
  for (const char* time : {"0.39", "0.41", "0.425"}) {
    EXPECT_NEAR(differences(text(time, " in (0, inf)"), "x", 1).response[0].value, 1.0, 1e-9);
  }
  // The density of the chain is normal(0.4, 0.1).
  Matrix point(1, 1);
  point.data = {0.45};
  AnswerOptions options;
  options.method.estimator = "finite-difference";
  options.sampling.paths = 4000;
  const PointAnswer answer = response_at(parse_model(text("0.4", "")), {0}, point, options);
  EXPECT_LT(bars({answer.prediction.value(0, 0), answer.prediction.standard_error(0, 0)}, 5.0),
            4.5);
  EXPECT_GT(answer.prediction.value(0, 0), 1.0);
  test::expect_error(
      ErrorKind::model,
      "The time of a jump moves with a = 0.39, which is too close to its bounds (0.38, inf) to be "
      "moved by two time steps of 0.05.",
      [&] { (void)differences(text("0.39", " in (0.38, inf)"), "x", 1); });
}

}  // namespace
}  // namespace divker
