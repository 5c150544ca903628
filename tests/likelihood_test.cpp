// Log-likelihoods of snapshots against closed forms, and what is said of models by them.
#include "divker/likelihood.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numbers>
#include <string>

#include "divker/error.hpp"
#include "divker/language.hpp"
#include "divker/random.hpp"

namespace divker {
namespace {

using ::testing::HasSubstr;

double log_normal_density(double y, double mean, double variance) {
  return -0.5 * (y - mean) * (y - mean) / variance -
         0.5 * std::log(2.0 * std::numbers::pi * variance);
}

// x_T is normal(mu, 1) whatever dt.
const std::string brownian = R"(model brownian
param mu = 0
state x
dx = mu dt + dW
init x = 0
observe y ~ normal(x, 0.5)
time 0 : 0.25 : 1
)";

// rows x columns of standard normals, scaled.
DataTable normals(std::size_t rows, std::vector<std::string> columns, double deviation,
                  std::uint64_t seed = 5) {
  const NormalSource source(seed);
  DataTable table{"data", std::move(columns), {}, {}};
  table.values = Matrix(rows, table.columns.size());
  for (std::size_t r = 0; r < rows; ++r) {
    for (std::size_t c = 0; c < table.values.cols; ++c) {
      table.values(r, c) = deviation * source.normal(r, 0, c, table.values.cols);
    }
  }
  return table;
}

Likelihood likelihood(const Model& model, const DataTable& table, std::size_t paths = 10'000,
                      std::uint64_t seed = 1) {
  LikelihoodOptions options;
  options.sampling.paths = paths;
  options.sampling.seed = seed;
  return log_likelihood(model, match_data(model, {table}, {}), options);
}

std::string refusal_of(const std::string& text, const DataTable& table) {
  try {
    (void)likelihood(parse_model(text), table, 500);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

// value +- 1.96 bars, over seeds.
TEST(Likelihood, OfNoisyObservationsHoldsTheTruth) {
  const Model model = parse_model(brownian);
  const DataTable data = normals(100, {"y"}, std::sqrt(1.25));
  double truth = 0.0;
  for (const double y : data.values.data) truth += log_normal_density(y, 0.0, 1.25);
  std::size_t held = 0;
  double sum = 0.0, error = 0.0;
  constexpr std::size_t seeds = 40;
  for (std::size_t seed = 1; seed <= seeds; ++seed) {
    const Likelihood found = likelihood(model, data, 1000, seed);
    held += std::fabs(found.value - truth) < 1.96 * found.standard_error;
    sum += found.value / seeds;
    error += found.standard_error / seeds;
  }
  EXPECT_GE(held, 34U);  // 95% of 40, less three deviations
  EXPECT_NEAR(sum, truth, 4.0 * error / std::sqrt(double{seeds}));
}

TEST(Likelihood, RanksByTheNumberOfParameters) {
  const Model model = parse_model(brownian);
  const Likelihood found = likelihood(model, normals(100, {"y"}, 1.0));
  EXPECT_EQ(found.parameters, 1U);
  EXPECT_DOUBLE_EQ(found.aic, 2.0 - 2.0 * found.value);
  EXPECT_DOUBLE_EQ(found.bic, std::log(100.0) - 2.0 * found.value);
  EXPECT_EQ(found.each.size(), 100U);
  EXPECT_GT(found.fewest_paths, 30.0);
  EXPECT_TRUE(found.remarks.empty());
}

// Two channels, of which a row may lack one; the states are correlated.
TEST(Likelihood, OfRowsWithMissingValues) {
  const Model model = parse_model(
      "model two\nstate x, v\ndx = dW\ndv = 0.5 dW + 0.5 dV\ninit x = 0\ninit v = 0\n"
      "observe y ~ normal(x, 0.5)\nobserve u ~ normal(v, 0.5)\ntime 0 : 0.5 : 1\n");
  DataTable data = normals(60, {"y", "u"}, 0.8);
  const double none = std::numeric_limits<double>::quiet_NaN();
  for (std::size_t r = 0; r < 20; ++r) data.values(r, r % 2) = none;
  // Covariance [1.25 0.5; 0.5 0.75].
  double truth = 0.0;
  for (std::size_t r = 0; r < 60; ++r) {
    const double y = data.values(r, 0), u = data.values(r, 1);
    if (std::isnan(y)) {
      truth += log_normal_density(u, 0.0, 0.75);
    } else if (std::isnan(u)) {
      truth += log_normal_density(y, 0.0, 1.25);
    } else {
      truth +=
          log_normal_density(y, 0.0, 1.25) + log_normal_density(u, 0.4 * y, 0.75 - 0.25 / 1.25);
    }
  }
  const Likelihood found = likelihood(model, data, 20'000);
  EXPECT_NEAR(found.value, truth, 4.0 * found.standard_error);
  EXPECT_LT(found.standard_error, 0.6);
}

// States without noise, by the density of divker: of one and of two.
TEST(Likelihood, OfStatesIsThatOfTheirDensity) {
  const std::string walk =
      "model walk\nstate x, v\ndx = dW\ndv = dV\ninit x ~ normal(0, 1)\ninit v ~ normal(0, 1)\n"
      "time 0 : 0.5 : 1\n";
  const Model model = parse_model(walk);
  DataTable one = normals(40, {"x"}, 1.0);
  DataTable two = normals(20, {"x", "v"}, 1.0);
  double of_one = 0.0, of_two = 0.0;
  for (const double x : one.values.data) of_one += log_normal_density(x, 0.0, 2.0);
  for (const double x : two.values.data) of_two += log_normal_density(x, 0.0, 2.0);
  const Likelihood first = likelihood(model, one, 20'000);
  EXPECT_NEAR(first.value, of_one, 4.0 * first.standard_error);
  EXPECT_LT(first.standard_error, 0.5);
  const Likelihood second = likelihood(model, two, 20'000);
  EXPECT_NEAR(second.value, of_two, 4.0 * second.standard_error);
  EXPECT_LT(second.standard_error, 2.0);
}

// Ten channels with as much noise as spread: unbiased, a few hundredths of a nat a row. With less
// noise fewer paths come near a row, which is said.
TEST(Likelihood, OfTenChannels) {
  const auto text = [](const std::string& noise) {
    return "model ten\nstate x[10]\ndx[i] = dW[i]\ninit x = 0\nobserve y[i, 0:9] ~ normal(x[i], " +
           noise + ")\ntime 0 : 0.5 : 1\n";
  };
  std::vector<std::string> names;
  for (int c = 0; c < 10; ++c) names.push_back("y[" + std::to_string(c) + "]");
  const DataTable data = normals(20, names, std::sqrt(2.0));
  double truth = 0.0;
  for (const double y : data.values.data) truth += log_normal_density(y, 0.0, 2.0);
  const Likelihood found = likelihood(parse_model(text("1")), data, 50'000);
  EXPECT_NEAR(found.value, truth, 4.0 * found.standard_error);
  EXPECT_LT(found.standard_error / 20.0, 0.05);
  const Likelihood narrow = likelihood(parse_model(text("0.2")), data, 5'000);
  ASSERT_FALSE(narrow.remarks.empty());
  EXPECT_THAT(narrow.remarks.front(), HasSubstr("alone"));
}

TEST(Likelihood, WhatIsNotKnownIsRefused) {
  const std::string walk =
      "model walk\nstate x[3]\ndx[i] = dW[i]\ninit x ~ normal(0, 1)\ntime 0 : 0.5 : 1\n";
  EXPECT_THAT(refusal_of(walk, normals(5, {"x[0]", "x[1]", "x[2]"}, 1.0)),
              HasSubstr("densities are known of one or two"));
  EXPECT_THAT(refusal_of(walk + "observe y = x[0]^2\n", normals(5, {"y"}, 1.0)),
              HasSubstr("is no state"));
  EXPECT_THAT(refusal_of(walk + "observe y ~ normal(x[0], 1)\n", normals(5, {"y", "x[1]"}, 1.0)),
              HasSubstr("stand in one row"));
  DataTable far = normals(5, {"y"}, 1.0);
  far.values(3, 0) = 1e6;
  const Likelihood lost = likelihood(parse_model(brownian), far);
  EXPECT_LT(lost.fewest_paths, 2.0);
  EXPECT_THAT(lost.remarks.front(), HasSubstr("row 4 of data rests on"));
  far.columns = {"x[0]"};
  far.values(3, 0) = 50.0;
  EXPECT_THAT(refusal_of(walk, far), HasSubstr("not above its bar"));
}

// The closed form of the gain: rows of mean 0.5 under mu = 0 and mu = 0.5.
TEST(Likelihood, ComparesModels) {
  DataTable data = normals(200, {"y"}, std::sqrt(1.25));
  double mean = 0.0;
  for (double& y : data.values.data) mean += (y += 0.5) / 200.0;
  const Model small = parse_model(
      "model small\nstate x\ndx = 0 dt + dW\ninit x = 0\nobserve y ~ normal(x, 0.5)\n"
      "time 0 : 0.25 : 1\n");
  const Likelihood without = likelihood(small, data, 40'000);
  const Likelihood with = likelihood(parse_model(brownian).with_value("mu", mean), data, 40'000);
  const LikelihoodRatioTest test = likelihood_ratio_test(without, with);
  const double expected = 200.0 * mean * mean / 1.25;
  EXPECT_NEAR(test.statistic, expected, 4.0 * test.standard_error);
  EXPECT_EQ(test.freedom, 1U);
  EXPECT_LT(test.p, 1e-4);
  EXPECT_THROW((void)likelihood_ratio_test(with, without), Error);
  const LikelihoodComparison between = compare_likelihoods(with, without);
  EXPECT_NEAR(between.difference, 0.5 * expected, 2.0 * test.standard_error);
  EXPECT_LT(between.p, 0.05);
  const LikelihoodComparison same = compare_likelihoods(with, with);
  EXPECT_EQ(same.difference, 0.0);
  EXPECT_EQ(same.p, 1.0);
}

}  // namespace
}  // namespace divker
