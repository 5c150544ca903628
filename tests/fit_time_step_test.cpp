// What dt does to the estimates of a fit is in their bars: Ornstein-Uhlenbeck in ten steps, of
// which the chain and the SDE have closed forms.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "divker/fit.hpp"
#include "divker/language.hpp"
#include "support/statistics.hpp"

namespace divker {
namespace {

using test::consistent;

constexpr double start_variance = 0.25;

Model relaxation() {
  return parse_model(
      "model relaxation\nparam m = 1\nparam s = 1 in (0, inf)\nstate x\ndx = (m - x) dt + s dW\n"
      "init x ~ normal(0, 0.5)\ntime 0 : 0.1 : 1\n");
}

// The law at T = 1 for m = s = 1: mean m (1 - d), variance start_variance d^2 + s^2 v.
struct Law {
  double d = 0.0, v = 0.0;
  [[nodiscard]] double mean() const { return 1.0 - d; }
  [[nodiscard]] double variance() const { return start_variance * d * d + v; }
};
Law of_sde() { return {std::exp(-1.0), -std::expm1(-2.0) / 2.0}; }
Law of_chain() {
  const double kept = 0.9, d = std::pow(kept, 10);
  return {d, 0.1 * (1.0 - d * d) / (1.0 - kept * kept)};
}
// Where the chain has the mean and the variance of the SDE, less 1.
double bias_of_m() { return of_sde().mean() / of_chain().mean() - 1.0; }
double bias_of_s() {
  const double d = of_chain().d;
  return std::sqrt((of_sde().variance() - start_variance * d * d) / of_chain().v) - 1.0;
}

FitResult fit_to_sde(std::size_t rows, std::uint64_t seed, TimeStep policy) {
  std::mt19937_64 random(seed);
  std::normal_distribution<double> normal(of_sde().mean(), std::sqrt(of_sde().variance()));
  Matrix y(rows, 1);
  for (double& value : y.data) value = normal(random);
  const Model model = relaxation();
  FitOptions options;
  options.sampling.paths = 10'000;
  options.sampling.seed = seed;
  options.time_step = policy;
  return fit_parameters(model, match_data(model, {{"data", {}, y, {}}}, {}), options);
}

TEST(FitTimeStep, TheBiasIsThatOfTheChain) {
  const FitResult in_bar = fit_to_sde(20'000, 1, TimeStep::in_bar);
  const FitResult plain = fit_to_sde(20'000, 1, TimeStep::ignored);
  const FitResult off = fit_to_sde(20'000, 1, TimeStep::extrapolated);
  ASSERT_EQ(in_bar.time_step.size(), 2U);
  EXPECT_TRUE(plain.time_step.empty());
  EXPECT_EQ(in_bar.estimate, plain.estimate);
  EXPECT_GT(in_bar.record.effort.pair_runs, 0U);
  const double bias[] = {bias_of_m(), bias_of_s()};
  for (std::size_t p = 0; p < 2; ++p) {
    SCOPED_TRACE(in_bar.names[p]);
    EXPECT_NEAR(in_bar.standard_error[p], std::hypot(plain.standard_error[p], in_bar.time_step[p]),
                1e-12);
    // Its measurement leaves an error; O(dt^2) is below a tenth of it.
    EXPECT_NEAR(in_bar.time_step[p], std::fabs(bias[p]),
                0.1 * std::fabs(bias[p]) + 4.5 * off.time_step[p]);
    EXPECT_LT(off.time_step[p], 0.5 * std::fabs(bias[p]));
    EXPECT_TRUE(consistent({plain.estimate[p], plain.standard_error[p]}, 1.0 + bias[p]));
    EXPECT_TRUE(consistent({off.estimate[p], off.standard_error[p]}, 1.0));
  }
  EXPECT_EQ(off.model.parameter_values(), off.estimate);
}

// Of 60 intervals that hold the truth with probability 0.95 fewer than 49 do so with probability
// 1e-4.
TEST(FitTimeStep, BarsHoldTheTruthOfTheSde) {
  std::size_t with = 0, without = 0;
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    const FitResult found = fit_to_sde(20'000, seed, TimeStep::in_bar);
    for (std::size_t p = 0; p < 2; ++p) {
      const double distance = std::fabs(found.estimate[p] - 1.0) / 1.96;
      const double plain =
          std::sqrt(std::pow(found.standard_error[p], 2) - std::pow(found.time_step[p], 2));
      with += distance <= found.standard_error[p] ? 1 : 0;
      without += distance <= plain ? 1 : 0;
    }
  }
  std::printf("held by %zu of 60, without dt by %zu\n", with, without);
  EXPECT_GE(with, 49U);
  EXPECT_LT(without, 30U);
}

}  // namespace
}  // namespace divker
