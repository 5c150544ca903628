// Parameters that the data do not determine have no standard error; what they determine has one.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "divker/ensemble.hpp"
#include "divker/fit.hpp"
#include "divker/language.hpp"
#include "fit/combination.hpp"
#include "fit/spectrum.hpp"
#include "support/statistics.hpp"

namespace divker {
namespace {

using ::testing::HasSubstr;
using Words = std::vector<std::string>;

Matrix sample(const Model& model, std::size_t count, std::uint64_t seed) {
  Sampling sampling;
  sampling.paths = count;
  sampling.seed = seed;
  return Ensemble(model, {}, Asked::states()).run(sampling).snapshots.back().x();
}

std::string with_parameters(const std::string& parameters, const std::string& equation) {
  return "model m\n" + parameters + "state x\n" + equation +
         "init x ~ normal(0.5, 0.2)\ntime 0 : 0.02 : 1\n";
}

FitOptions quick(std::size_t paths = 8'000) {
  FitOptions options;
  options.sampling.paths = paths;
  return options;
}

FitResult fit_sample(const Model& truth, const Model& start, const FitOptions& options) {
  const Matrix y = sample(truth, 1000, 77);
  return fit_parameters(start, match_data(start, {{"data", {}, y, {}}}, {}), options);
}

test::Estimate of(const DeterminedCombination& one) { return {one.value, one.standard_error}; }

// Whatever follows psi leaves the ratio of the factors where it was.
TEST(Undetermined, FactorsOfAProductHaveNoStandardError) {
  const Model truth =
      parse_model(with_parameters("param m = 1\nparam a = 1 in (0, inf)\nparam b = 1 in (0, inf)\n",
                                  "dx = (m - x) dt + a*b dW\n"));
  const Model start = truth.with_value("a", 3.0).with_value("b", 0.5);
  for (const std::string& optimizer : optimizer_names()) {
    FitOptions options = quick();
    options.optimizer = optimizer;
    const FitResult result = fit_sample(truth, start, options);
    EXPECT_NEAR(result.estimate[1] / result.estimate[2], 6.0, 1e-6) << optimizer;
    EXPECT_EQ(result.undetermined, (Words{"a", "b"})) << optimizer;
    if (optimizer != "newton") continue;
    EXPECT_TRUE(result.state.converged) << result.state.reason;
    EXPECT_TRUE(std::isnan(result.standard_error[1]) && std::isnan(result.simulation_error[2]));
    EXPECT_TRUE(std::isnan(result.correlation(1, 2)) && std::isnan(result.correlation(0, 1)));
    EXPECT_EQ(result.correlation(0, 0), 1.0);
    ASSERT_EQ(result.determined.size(), 1U);
    const DeterminedCombination& found = result.determined.front();
    EXPECT_EQ(found.expression, "a*b");
    EXPECT_EQ(found.parameters, (Words{"a", "b"}));
    EXPECT_TRUE(test::consistent(of(found), 1.0, 0.002));
    EXPECT_THAT(fitted_text(result), HasSubstr(" undetermined (only " + in_words(found) + " is)"));
    // The same as with one of the factors given.
    const Model fixed = parse_model(
        with_parameters("param m = 1\nparam a = 1 in (0, inf)\n", "dx = (m - x) dt + a dW\n"));
    const FitResult other = fit_sample(fixed, fixed.with_value("a", 1.5), quick());
    EXPECT_NEAR(found.value, other.estimate[1], 0.1 * other.standard_error[1]);
    EXPECT_NEAR(found.standard_error / other.standard_error[1], 1.0, 0.05);
    EXPECT_NEAR(result.standard_error[0] / other.standard_error[0], 1.0, 0.02);
  }
}

// Equal values do not tell a product from a sum; the law near them does.
TEST(Undetermined, EqualValuesArePartsOfAProductOrASum) {
  const std::string parameters = "param a = 1 in (0, inf)\nparam b = 1 in (0, inf)\n";
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"dx = -x dt + a*b dW\n", "a*b"},
      {"dx = -x dt + (a + b) dW\n", "a + b"},
      {"dx = (a - b - x) dt + 0.5 dW\n", "a - b"},
      {"dx = -x dt + a/b dW\n", "a/b"}};
  for (const auto& [equation, name] : cases) {
    const Model truth = parse_model(with_parameters(parameters, equation));
    const FitResult result = fit_sample(truth, truth, quick(4'000));
    EXPECT_EQ(result.undetermined, (Words{"a", "b"})) << name;
    ASSERT_EQ(result.determined.size(), 1U) << name;
    EXPECT_EQ(result.determined.front().expression, name);
  }
}

TEST(Undetermined, OneProductOfThreeFactors) {
  const Model truth = parse_model(with_parameters(
      "param a = 1 in (0, inf)\nparam b = 2 in (0, inf)\nparam c = 0.5 in (0, inf)\n",
      "dx = -x dt + a*sqrt(b)/c^2 dW\n"));
  const FitResult result = fit_sample(truth, truth.with_value("a", 1.3), quick(4'000));
  EXPECT_EQ(result.undetermined, (Words{"a", "b", "c"}));
  ASSERT_EQ(result.determined.size(), 1U);
  EXPECT_EQ(result.determined.front().expression, "a^2*b/c^4");
}

// Each path knows the rate and the noise apart, the stationary law does not.
TEST(Undetermined, AStationaryLawDoesNotKnowTheScaleOfTime) {
  const Model truth = parse_model(
      "model m\nparam m = 0.5\nparam k = 2 in (0, inf)\nparam s = 1 in (0, inf)\nstate x\n"
      "dx = k*(m - x) dt + s dW\ninit x ~ normal(0.5, 0.5)\ntime 0 : 0.02 : 4\n");
  DataOptions stationary;
  stationary.stationary = true;
  const FitData data = match_data(truth, {{"data", {}, sample(truth, 2000, 78), {}}}, stationary);
  const FitResult result = fit_parameters(truth.with_value("s", 1.5), data, quick(20'000));
  EXPECT_TRUE(result.state.converged) << result.state.reason;
  EXPECT_EQ(result.undetermined, (Words{"k", "s"}));
  ASSERT_EQ(result.determined.size(), 1U);
  const DeterminedCombination& found = result.determined.front();
  EXPECT_EQ(found.expression, "k/s^2");
  // The Euler chain has the variance s^2 / (2 k - k^2 dt).
  EXPECT_TRUE(test::consistent(of(found), 2.0, 0.05));
  EXPECT_FALSE(std::isnan(result.standard_error[0]));
}

TEST(Undetermined, EverythingDeterminedStaysSo) {
  const Model truth = parse_model(
      with_parameters("param m = 1\nparam s = 1 in (0, inf)\n", "dx = (m - x) dt + s dW\n"));
  const FitResult result = fit_sample(truth, truth.with_value("s", 1.5), quick(4'000));
  EXPECT_TRUE(result.undetermined.empty());
  EXPECT_TRUE(result.determined.empty());
}

// Three positive parameters and one without bounds, each known to one per cent by itself.
fit::Standing standing(const Eigen::Vector4d& values) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  fit::Standing at;
  at.values = values;
  at.scale = Eigen::Vector4d(1.0, 10.0, 0.1, 2.0);
  at.slopes = values;
  at.slopes[3] = 1.0;
  at.covariance = (0.01 * values).array().square().matrix().asDiagonal();
  for (const std::string name : {"a", "b", "c", "d"}) {
    const double lower = name == "d" ? -infinity : 0.0;
    at.parameters.push_back({name, 1.0, lower, infinity, false, 0});
  }
  return at;
}

// From directions in free coordinates.
Words words_of(const fit::Standing& at, const Eigen::MatrixXd& directions, double tolerance = 1e-6,
               bool all = true) {
  const Eigen::MatrixXd scaled = at.scale.cwiseInverse().asDiagonal() * directions;
  Words words;
  for (const DeterminedCombination& one :
       fit::determined_combinations(at, scaled.colwise().normalized(), tolerance, all)) {
    words.push_back(in_words(one));
  }
  return words;
}

TEST(Combinations, AreProductsSumsOrNearThem) {
  fit::Standing at = standing({2.0, 3.0, 5.0, 7.0});
  using Direction = Eigen::Vector4d;
  EXPECT_EQ(words_of(at, Direction(1.0, -1.0, 0.0, 0.0)), Words{"a*b = 6 +- 0.085"});
  EXPECT_EQ(words_of(at, Direction(2.0, 1.0, 0.0, 0.0)), Words{"a/b^2 = 0.222222 +- 0.005"});
  EXPECT_EQ(words_of(at, Direction(1.0, 1.0, -1.0, 0.0)),
            (Words{"a*c = 10 +- 0.14", "b*c = 15 +- 0.21"}));
  // As d gamma the direction is (1, -1, 0, 0), then (2, 0, 0, 1).
  at = standing({2.0, 3.1, 5.0, 7.0});
  EXPECT_EQ(words_of(at, Direction(0.5, -1.0 / 3.1, 0.0, 0.0)), Words{"a + b = 5.1 +- 0.037"});
  EXPECT_EQ(words_of(at, Direction(1.0, 0.0, 0.0, 1.0)), Words{"a - 2*d = -12 +- 0.14"});
  EXPECT_EQ(words_of(at, Direction(0.5, 0.0, 0.0, 0.77)), Words{"a - 1.299*d = -7.09091 +- 0.093"});
}

TEST(Combinations, OfNoisyDirectionsAreSaidWhereTheyAreNearlyWhole) {
  fit::Standing at = standing({2.0, 3.0, 5.0, 7.0});
  at.scale.setOnes();
  const Eigen::Vector4d nearly(1.0, -1.05, 0.0, 0.0);
  const Eigen::Vector4d far(1.0, -1.7, 0.0, 0.0);
  EXPECT_EQ(words_of(at, nearly, 0.15, false), Words{"a*b = 6 +- 0.085"});
  EXPECT_EQ(words_of(at, far, 0.02, false), Words{});
}

// An eigenvalue drowns if both measures of its noise say so.
TEST(Drowned, IsWhatNeitherMeasureTellsFromZero) {
  const auto count = [](double asymmetry, double scatter) {
    fit::Matching matching;
    matching.information = Eigen::Matrix2d{{1.0, 0.99}, {0.99, 1.0}};
    matching.effect = Eigen::Vector2d::Constant(1000.0);
    matching.asymmetry = Eigen::Matrix2d{{0.0, asymmetry}, {-asymmetry, 0.0}};
    const Eigen::Matrix2d away = scatter * Eigen::Matrix2d::Identity();
    matching.information_parts = {matching.information + away, matching.information - away};
    return fit::drowned(matching, fit::spectrum_of(matching)).size();
  };
  EXPECT_EQ(count(0.02, 0.02), 1U);
  EXPECT_EQ(count(0.001, 0.02), 0U);
  EXPECT_EQ(count(0.02, 0.001), 0U);
}

}  // namespace
}  // namespace divker
