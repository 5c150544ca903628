// A row with missing values counts for those it has: the estimate and its errors are those of the
// likelihood of what was observed.
#include <gtest/gtest.h>

#include <Eigen/Dense>
#include <cmath>
#include <limits>

#include "divker/fit.hpp"
#include "divker/language.hpp"
#include "fit/marginals.hpp"
#include "support/statistics.hpp"

namespace divker {
namespace {

using Eigen::Matrix2d;
using Eigen::Vector2d;

// Correlated at all times, and normal.
const char* const pair = R"(model pair
param a = 1
param b = -1
state x, y
dx = (a - x) dt + dW
dy = (b - y) dt + 0.8 dW + 0.6 dV
init x ~ normal(0, 0.5)
init y ~ normal(0, 0.5)
time 0 : 0.02 : 1
)";
constexpr double missing = std::numeric_limits<double>::quiet_NaN();

// Of the Euler chain at time 1: the mean is `of_parameters` times (a, b).
struct Law {
  double of_parameters = 0.0;
  Matrix2d covariance;
};
Law law_at_end() {
  const double decay = std::pow(0.98, 50);
  const double noise = 0.02 * (1.0 - decay * decay) / (1.0 - 0.98 * 0.98);
  Law law;
  law.of_parameters = 1.0 - decay;
  law.covariance << noise, 0.8 * noise, 0.8 * noise, noise;
  law.covariance += 0.25 * decay * decay * Matrix2d::Identity();
  return law;
}

// Rows of x and y: the first have both, the next x alone, then y alone, then neither.
constexpr std::size_t rows_with_both = 150;
constexpr std::size_t rows_with_x = 400;
constexpr std::size_t rows_with_y = 60;
constexpr std::size_t rows_with_none = 7;

Matrix drawn() {
  const Law law = law_at_end();
  const Matrix2d root = law.covariance.llt().matrixL();
  const NormalSource normals(4711);
  Matrix rows(rows_with_both + rows_with_x + rows_with_y + rows_with_none, 2);
  for (std::size_t r = 0; r < rows.rows; ++r) {
    const Vector2d z(normals.normal(r, 0, 0, 2), normals.normal(r, 0, 1, 2));
    const Vector2d row = law.of_parameters * Vector2d(1.2, -0.7) + root * z;
    const bool has_x = r < rows_with_both + rows_with_x;
    const bool has_y = r < rows_with_both || !has_x;
    const bool has_any = r < rows_with_both + rows_with_x + rows_with_y;
    rows(r, 0) = has_x ? row[0] : missing;
    rows(r, 1) = has_y && has_any ? row[1] : missing;
  }
  return rows;
}

// The maximum of the likelihood of what was observed, and the inverse of its information.
struct Exact {
  Vector2d estimate;
  Matrix2d covariance;
};
Exact exact_estimate(const Matrix& rows) {
  const Law law = law_at_end();
  Matrix2d information = Matrix2d::Zero();
  Vector2d score = Vector2d::Zero();
  for (std::size_t r = 0; r < rows.rows; ++r) {
    const Vector2d row(rows(r, 0), rows(r, 1));
    Matrix2d precision = Matrix2d::Zero();
    if (row.allFinite()) precision = law.covariance.inverse();
    if (!row.allFinite() && std::isfinite(row[0])) precision(0, 0) = 1.0 / law.covariance(0, 0);
    if (!row.allFinite() && std::isfinite(row[1])) precision(1, 1) = 1.0 / law.covariance(1, 1);
    information += precision;
    score += precision * row.unaryExpr([](double v) { return std::isnan(v) ? 0.0 : v; });
  }
  const Matrix2d inverse = information.inverse();
  return {inverse * score / law.of_parameters, inverse / (law.of_parameters * law.of_parameters)};
}

TEST(MissingValues, LeaveTheLikelihoodOfTheOthers) {
  const Model model = parse_model(pair);
  const Matrix rows = drawn();
  const FitData data = match_data(model, {{"d.csv", {"x", "y"}, rows, {}}}, {});
  ASSERT_EQ(data.blocks.size(), 3U);
  FitOptions options;
  options.sampling.paths = 40'000;
  options.session.threads = 1;
  const FitResult result = fit_parameters(model, data, options);
  EXPECT_TRUE(result.state.converged) << result.state.reason;
  const Exact exact = exact_estimate(rows);
  for (std::size_t i = 0; i < 2; ++i) {
    const auto at = static_cast<Eigen::Index>(i);
    const double error = std::sqrt(exact.covariance(at, at));
    // The iterations end within a tenth of a standard error of the root, times sqrt(2) at most.
    EXPECT_TRUE(test::consistent({result.estimate[i], result.simulation_error[i]},
                                 exact.estimate[at], 0.15 * error));
    EXPECT_NEAR(result.standard_error[i] / error, 1.0, 0.15);
  }
  // x and y are judged by all rows that have them.
  ASSERT_EQ(result.goodness.size(), 2U);
  EXPECT_EQ(result.goodness[0].rows, rows_with_both + rows_with_x);
  EXPECT_EQ(result.goodness[1].rows, rows_with_both + rows_with_y);
  ASSERT_EQ(result.joint.size(), 1U);
  EXPECT_EQ(result.joint[0].rows, rows_with_both);
  EXPECT_TRUE(result.rejected.empty());
  ASSERT_EQ(result.remarks.size(), 2U);
  EXPECT_EQ(result.remarks[0].find("d.csv: 7 of 617 rows have no value of x and y"), 0U)
      << result.remarks[0];
  EXPECT_EQ(result.remarks[1].find("d.csv: 460 of 617 rows lack some values"), 0U)
      << result.remarks[1];
}

TEST(MissingValues, MarginalsAreOfAllRows) {
  FitData data;
  const auto add = [&](double time, std::vector<std::size_t> observed, std::vector<double> values) {
    DataBlock block;
    block.time = time;
    block.observed = std::move(observed);
    block.values = Matrix(values.size() / block.observed.size(), block.observed.size());
    block.values.data = std::move(values);
    data.blocks.push_back(std::move(block));
  };
  add(1.0, {0}, {1});
  add(1.0, {0, 1}, {2, 3, 4, 5});
  add(2.0, {0}, {6});
  const std::vector<fit::Marginal> marginals = fit::marginals_of(data);
  ASSERT_EQ(marginals.size(), 3U);
  EXPECT_EQ(marginals[0].values, (std::vector<double>{1, 2, 4}));
  EXPECT_EQ(marginals[1].values, (std::vector<double>{3, 5}));
  EXPECT_EQ(marginals[1].block, 1U);
  EXPECT_EQ(marginals[1].column, 1U);
  EXPECT_EQ(marginals[2].values, std::vector<double>{6});
}

}  // namespace
}  // namespace divker
