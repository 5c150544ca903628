// Is the model wrong, and where: tests of two samples, exponents of tails, rows that estimates hang
// on, and errors of expressions of parameters.
#include "fit/goodness.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <random>
#include <vector>

#include "divker/error.hpp"
#include "divker/fit.hpp"
#include "divker/language.hpp"
#include "divker/tail_index.hpp"

namespace divker {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

std::vector<double> normals(std::size_t count, std::mt19937_64& random) {
  std::normal_distribution<double> normal;
  std::vector<double> values(count);
  for (double& value : values) value = normal(random);
  return values;
}

Matrix normal_points(std::size_t rows, std::size_t cols, double correlation,
                     std::mt19937_64& random) {
  Matrix points(rows, cols);
  points.data = normals(rows * cols, random);
  for (std::size_t r = 0; r < rows; ++r) {
    points(r, 1) =
        correlation * points(r, 0) + std::sqrt(1.0 - correlation * correlation) * points(r, 1);
  }
  return points;
}

TEST(Goodness, AndersonAndDarlingByHand) {
  // One of four below, then one, then two: (4 + 0 + 4)/3 over 2 * 2.
  EXPECT_NEAR(fit::anderson_darling({1.0, 3.0}, {2.0, 4.0}).statistic, 2.0 / 3.0, 1e-14);
  EXPECT_NEAR(fit::anderson_darling({3.0, 1.0}, {4.0, 2.0}).statistic, 2.0 / 3.0, 1e-14);
  // Equal values are spread evenly: nothing tells the samples apart.
  EXPECT_NEAR(fit::anderson_darling({1.0, 1.0}, {1.0, 1.0}).statistic, 0.0, 1e-14);
}

TEST(Goodness, AndersonAndDarlingRejectsAtItsLevelAndSeesTails) {
  std::mt19937_64 random(5);
  constexpr int draws = 600;
  constexpr double level = 0.1;
  int rejected = 0, of_tails = 0, of_tails_by_distance = 0;
  std::student_t_distribution<double> student(3.0);
  for (int draw = 0; draw < draws; ++draw) {
    const std::vector<double> a = normals(80, random), b = normals(300, random);
    rejected += fit::anderson_darling(a, b).p < level ? 1 : 0;
    if (draw % 4 != 0) continue;
    std::vector<double> c(400), d(2000);
    for (double& value : c) value = student(random) * 0.83;  // the quartiles of the normal law
    d = normals(2000, random);
    of_tails += fit::anderson_darling(c, d).p < level ? 1 : 0;
    of_tails_by_distance += fit::kolmogorov_smirnov(c, d).p < level ? 1 : 0;
  }
  EXPECT_NEAR(rejected, level * draws, 3.5 * std::sqrt(level * (1.0 - level) * draws));
  EXPECT_GT(of_tails, of_tails_by_distance + 10);
}

TEST(Goodness, EnergyOfSeveralCoordinatesIsThatOfOneInUnitsOfItsDeviation) {
  std::mt19937_64 random(7);
  const std::vector<double> a = normals(50, random);
  std::vector<double> b = normals(70, random);
  for (double& value : b) value = 0.5 + 2.0 * value;
  std::vector<double> both = a;
  both.insert(both.end(), b.begin(), b.end());
  double mean = 0.0, squares = 0.0;
  for (const double value : both) mean += value / 120.0;
  for (const double value : both) squares += (value - mean) * (value - mean) / 120.0;
  Matrix first(50, 1), second(70, 1);
  first.data = a;
  second.data = b;
  EXPECT_NEAR(fit::energy_distance(first, second, 1000, 1).statistic,
              fit::energy_statistic(a, b) / std::sqrt(squares), 1e-6);
}

TEST(Goodness, EnergySeesWhatNoCoordinateShows) {
  std::mt19937_64 random(9);
  constexpr int draws = 200;
  int rejected = 0;
  for (int draw = 0; draw < draws; ++draw) {
    const Matrix a = normal_points(40, 3, 0.4, random), b = normal_points(80, 3, 0.4, random);
    rejected += fit::energy_distance(a, b, 1000, 3).p <= 0.1 ? 1 : 0;
  }
  EXPECT_NEAR(rejected, 0.1 * draws, 3.5 * std::sqrt(0.09 * draws));
  const Matrix a = normal_points(400, 2, 0.8, random), b = normal_points(800, 2, 0.0, random);
  EXPECT_LE(fit::energy_distance(a, b, 1000, 3).p, 0.005);
  EXPECT_GT(fit::energy_distance(a.column(0), b.column(0), 3).p, 0.005);
}

// P(|y| > u) = (1 + u)^-alpha, of either sign.
std::vector<double> power_tailed(std::size_t count, double alpha, std::mt19937_64& random) {
  std::uniform_real_distribution<double> uniform(0.0, 1.0);
  std::vector<double> values(count);
  for (std::size_t i = 0; i < count; ++i) {
    values[i] = (i % 2 == 0 ? 1.0 : -1.0) * (std::pow(1.0 - uniform(random), -1.0 / alpha) - 1.0);
  }
  return values;
}

TEST(TailExponent, HillsIsTheMeanExcessOfTheLogarithm) {
  constexpr std::size_t n = 10'000, m = 300;
  constexpr double alpha = 3.0;
  constexpr int draws = 40;
  // E[log(z/u) | z > u] = integral ((1 + s)/(1 + u))^-alpha ds/s over s > u, u where m of n are
  // beyond, by the substitution s = u/v.
  const double u = std::pow(static_cast<double>(m) / n, -1.0 / alpha) - 1.0;
  double expected = 0.0;
  constexpr int cells = 20'000;
  for (int k = 0; k < cells; ++k) {
    const double v = (k + 0.5) / cells;
    expected += std::pow((1.0 + u / v) / (1.0 + u), -alpha) / v / cells;
  }
  std::mt19937_64 random(21);
  double hill = 0.0, moment = 0.0;
  for (int draw = 0; draw < draws; ++draw) {
    const std::vector<double> y = power_tailed(n, alpha, random);
    const TailExponent one = hill_exponent(y);
    EXPECT_EQ(one.values, m);
    EXPECT_NEAR(one.standard_error, one.value / std::sqrt(static_cast<double>(m)), 1e-12);
    hill += 1.0 / one.value / draws;
    moment += 1.0 / moment_exponent(y).value / draws;
  }
  const double error = expected / std::sqrt(static_cast<double>(m) * draws);
  EXPECT_NEAR(hill, expected, 4.5 * error);
  // Moments see through the shift that biases Hill's: k = 1/3 but for what its expansion leaves.
  EXPECT_NEAR(moment, 1.0 / alpha, 0.03 + 4.5 * std::sqrt((1.0 + 1.0 / 9.0) / m / draws));
  EXPECT_LT(std::fabs(moment - 1.0 / alpha), std::fabs(hill - 1.0 / alpha));
}

TEST(TailExponent, IsInfiniteOfTailsThatAreNoPowers) {
  std::mt19937_64 random(2);
  std::uniform_real_distribution<double> uniform(-1.0, 1.0);
  std::vector<double> y(5000);
  for (double& value : y) value = uniform(random);
  EXPECT_TRUE(std::isinf(moment_exponent(y).value));
  EXPECT_TRUE(std::isinf(hill_exponent(std::vector<double>(30, 1.0)).value));  // too few
}

const char* const relaxing = R"(model relaxing
param m = 1
param s = 1 in (0, inf)
state x
dx = (m - x) dt + s dW
init x ~ normal(0, 0.5)
time 0 : 0.05 : 1
)";

FitResult fitted(const Matrix& values) {
  const Model model = parse_model(relaxing, "relaxing.sde");
  FitOptions options;
  options.sampling.paths = 20'000;
  options.tolerance = 0.002;
  options.time_step = TimeStep::ignored;
  const DataTable table{"y.csv", {"x"}, values, {}};
  return fit_parameters(model, match_data(model, {table}, {}), options);
}

Matrix without_row(const Matrix& values, std::size_t row) {
  Matrix less(values.rows - 1, 1);
  for (std::size_t r = 0, to = 0; r < values.rows; ++r) {
    if (r != row) less(to++, 0) = values(r, 0);
  }
  return less;
}

TEST(Influence, IsWhatTheEstimateLosesWithTheRow) {
  std::mt19937_64 random(13);
  Matrix values(300, 1);
  values.data = normals(300, random);
  for (double& value : values.data) value = 0.6 + 0.68 * value;
  const FitResult whole = fitted(values);
  ASSERT_EQ(whole.influence.size(), 10U);
  for (const std::size_t place : {0, 4}) {
    const RowInfluence& one = whole.influence[place];
    EXPECT_THAT(one.beyond, IsEmpty());
    const FitResult less = fitted(without_row(values, one.row - 1));
    const auto p = static_cast<std::size_t>(std::ranges::find(whole.names, one.parameter) -
                                            whole.names.begin());
    const double lost = (whole.estimate[p] - less.estimate[p]) / whole.standard_error[p];
    // First order, and the root to a fiftieth of its noise.
    EXPECT_NEAR(lost, one.shift, 0.1 * std::fabs(one.shift) + 0.02) << one.parameter;
    EXPECT_GT(std::fabs(one.shift), 0.1);
  }
}

TEST(Influence, NamesARowBeyondAllPaths) {
  std::mt19937_64 random(13);
  Matrix values(300, 1);
  values.data = normals(300, random);
  for (double& value : values.data) value = 0.6 + 0.68 * value;
  values(17, 0) = 7.5;
  const FitResult result = fitted(values);
  EXPECT_EQ(result.influence.front().row, 18U);
  EXPECT_THAT(result.influence.front().beyond, ::testing::ElementsAre("x = 7.5"));
  EXPECT_THAT(result.influence[1].beyond, IsEmpty());
  EXPECT_THAT(result.remarks,
              ::testing::Contains(
                  HasSubstr("Beyond all paths of the fitted model: row 18 of y.csv (x = 7.5)")));
}

TEST(Derived, HasTheErrorThatItsGradientGives) {
  std::mt19937_64 random(4);
  Matrix values(400, 1);
  values.data = normals(400, random);
  for (double& value : values.data) value = 0.6 + 0.68 * value;
  const FitResult result = fitted(values);
  const double m = result.estimate[0], s = result.estimate[1];
  const DerivedQuantity one = derived_quantity(result, " ratio = m/s^2 ");
  EXPECT_EQ(one.name, "ratio");
  EXPECT_EQ(one.expression, "m/s^2");
  EXPECT_NEAR(one.value, m / (s * s), 1e-12);
  const double of_m = result.standard_error[0] / (s * s);
  const double of_s = -2.0 * m / (s * s * s) * result.standard_error[1];
  const double variance = of_m * of_m + of_s * of_s + 2.0 * result.correlation(0, 1) * of_m * of_s;
  EXPECT_NEAR(one.standard_error, std::sqrt(variance), 1e-12);
  EXPECT_EQ(derived_quantity(result, "m").name, "m");
  EXPECT_NEAR(derived_quantity(result, "2").standard_error, 0.0, 1e-300);
  for (const char* const wrong : {"m*x", "t + m", "m +", "nothing"}) {
    EXPECT_THROW((void)derived_quantity(result, wrong), Error) << wrong;
  }
}

}  // namespace
}  // namespace divker
