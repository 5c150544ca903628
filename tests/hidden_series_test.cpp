// Fits to series with hidden states and with noise of measurement: against the Kalman filter, and
// what they refuse.
#include "divker/hidden_series.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <Eigen/Dense>
#include <cmath>
#include <functional>
#include <limits>
#include <numbers>
#include <random>

#include "divker/error.hpp"
#include "divker/language.hpp"

namespace divker {
namespace {

using Eigen::Matrix2d;
using Eigen::Matrix4d;
using Eigen::Vector2d;
using Eigen::VectorXd;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

const char* const driven = R"(model driven
param a = 1 in (0, inf)
param s = 0.5 in (0, inf)
param r = 1 in (0, inf)
state x, z
dx = (z - a*x) dt + s dW
dz = -0.5*z dt + r dV
init x ~ normal(0, 1)
init z ~ normal(0, 1)
time 0 : 0.01 : 1
)";

const char* const measured = R"(model measured
param a = 1 in (0, inf)
param s = 1 in (0, inf)
param m = 0.3 in (0, inf)
state x
dx = -a*x dt + s dW
init x ~ normal(0, 1)
observe y ~ normal(x, m)
time 0 : 0.01 : 1
)";

// dx = A x dt + noise of covariance Q dt; of x the first component is seen, with noise R.
struct Linear {
  Matrix2d a = Matrix2d::Zero();
  Matrix2d q = Matrix2d::Zero();
  double r = 0.0;
  Vector2d start_variance = Vector2d::Zero();
};

// Flow and covariance over a time, by the block exponential of C. Van Loan (1978).
struct Transition {
  Matrix2d flow, covariance;
};
Transition transition(const Linear& law, double time) {
  Matrix4d block = Matrix4d::Zero();
  block.topLeftCorner<2, 2>() = -law.a * time;
  block.topRightCorner<2, 2>() = law.q * time;
  block.bottomRightCorner<2, 2>() = law.a.transpose() * time;
  Matrix4d power = Matrix4d::Identity();
  Matrix4d sum = power;
  for (int k = 1; k < 40; ++k) {
    power = (power * block / k).eval();
    sum += power;
  }
  const Matrix2d flow = sum.bottomRightCorner<2, 2>().transpose();
  return {flow, flow * sum.topRightCorner<2, 2>()};
}

struct Seen {
  double time = 0.0, y = 0.0;
};
using Series = std::vector<Seen>;

Series simulated(const Linear& law, std::size_t rows, double interval, std::uint64_t seed,
                 bool irregular = false) {
  std::mt19937_64 random(seed);
  std::normal_distribution<double> normal;
  Vector2d x(std::sqrt(law.start_variance[0]) * normal(random),
             std::sqrt(law.start_variance[1]) * normal(random));
  Series series;
  double time = 0.0;
  for (std::size_t i = 0; i < rows; ++i) {
    if (i > 0) {
      const double step =
          irregular ? interval * (0.4 + 1.2 * static_cast<double>(i % 3) / 2.0) : interval;
      const Transition to = transition(law, step);
      const Eigen::LLT<Matrix2d> root(to.covariance + 1e-14 * Matrix2d::Identity());
      x = to.flow * x + root.matrixL() * Vector2d(normal(random), normal(random));
      time += step;
    }
    series.push_back({time, x[0] + std::sqrt(law.r) * normal(random)});
  }
  return series;
}

// Without noise of measurement the first row is given.
double kalman(const Linear& law, const Series& series) {
  Vector2d mean(0.0, 0.0);
  Matrix2d covariance = law.start_variance.asDiagonal();
  double total = 0.0;
  for (std::size_t i = 0; i < series.size(); ++i) {
    if (i == 0 && law.r == 0.0) {
      mean[0] = series[0].y;
      covariance(0, 0) = 0.0;
      continue;
    }
    if (i > 0) {
      const Transition to = transition(law, series[i].time - series[i - 1].time);
      mean = to.flow * mean;
      covariance = (to.flow * covariance * to.flow.transpose() + to.covariance).eval();
    }
    const double variance = covariance(0, 0) + law.r;
    const double error = series[i].y - mean[0];
    total -= 0.5 * (error * error / variance + std::log(2.0 * std::numbers::pi * variance));
    const Vector2d gain = covariance.col(0) / variance;
    mean += gain * error;
    covariance -= (gain * covariance.row(0)).eval();
  }
  return total;
}

Linear driven_law(const std::vector<double>& p) {
  Linear law;
  law.a << -p[0], 1.0, 0.0, -0.5;
  law.q.diagonal() << p[1] * p[1], p[2] * p[2];
  law.start_variance << 1.0, 1.0;
  return law;
}

Linear measured_law(const std::vector<double>& p) {
  Linear law;
  law.a(0, 0) = -p[0];
  law.a(1, 1) = -1.0;
  law.q.diagonal() << p[1] * p[1], 1.0;
  law.r = p[2] * p[2];
  law.start_variance << 1.0, 1.0;
  return law;
}

DataTable table_of(const std::vector<Series>& series, const std::string& column) {
  std::size_t rows = 0;
  for (const Series& one : series) rows += one.size();
  DataTable table{"series.csv", {"id", "t", column}, Matrix(rows, 3), {}};
  std::size_t r = 0;
  for (std::size_t i = 0; i < series.size(); ++i) {
    for (const Seen& seen : series[i]) {
      table.values(r, 0) = static_cast<double>(i);
      table.values(r, 1) = seen.time;
      table.values(r++, 2) = seen.y;
    }
  }
  return table;
}

DataOptions timed(const std::string& column) {
  DataOptions options;
  options.time_column = "t";
  options.group_column = "id";
  options.names = {{column, column}};
  return options;
}

FitResult fit(const Model& model, const std::vector<Series>& series, const std::string& column) {
  const HiddenSeries data = match_hidden_series(model, {table_of(series, column)}, timed(column));
  return fit_hidden_series(model, data);
}

// The exact log likelihood in the logarithms of the parameters, its slope and its curvature by
// differences, against what a fit says.
void expect_exact(const FitResult& result,
                  const std::function<double(const std::vector<double>&)>& exact) {
  const auto at = [&](const VectorXd& change) {
    std::vector<double> p = result.estimate;
    for (std::size_t i = 0; i < p.size(); ++i) {
      p[i] *= std::exp(change[static_cast<Eigen::Index>(i)]);
    }
    return exact(p);
  };
  const auto count = static_cast<Eigen::Index>(result.estimate.size());
  constexpr double h = 1e-2;
  VectorXd slope(count);
  Eigen::MatrixXd bend(count, count);
  const auto unit = [&](Eigen::Index i) -> VectorXd { return h * VectorXd::Unit(count, i); };
  for (Eigen::Index i = 0; i < count; ++i) {
    slope[i] = (at(unit(i)) - at(-unit(i))) / (2.0 * h);
    for (Eigen::Index j = 0; j < count; ++j) {
      bend(i, j) = -(at(unit(i) + unit(j)) - at(unit(i) - unit(j)) - at(unit(j) - unit(i)) +
                     at(-unit(i) - unit(j))) /
                   (4.0 * h * h);
    }
  }
  const Eigen::MatrixXd inverse = bend.inverse();
  const VectorXd distance = inverse * slope;
  for (Eigen::Index i = 0; i < count; ++i) {
    const auto p = static_cast<std::size_t>(i);
    const double error = std::sqrt(inverse(i, i));
    EXPECT_LT(std::fabs(distance[i]), 0.15 * error) << result.names[p];
    EXPECT_NEAR(result.standard_error[p] / (result.estimate[p] * error), 1.0, 0.15)
        << result.names[p];
  }
  // Steps of second order, extrapolated: what is left of their bias is below a hundredth.
  ASSERT_TRUE(result.log_likelihood && result.log_likelihood_error);
  EXPECT_NEAR(*result.log_likelihood, exact(result.estimate),
              0.02 + 4.5 * *result.log_likelihood_error);
}

TEST(HiddenSeries, HiddenComponentIsFittedAsByTheKalmanFilter) {
  const Model model = parse_model(driven);
  const Series series = simulated(driven_law({1.0, 0.5, 1.0}), 300, 0.5, 3);
  const FitResult result = fit(model, {series}, "x");
  EXPECT_TRUE(result.state.converged) << result.state.reason;
  EXPECT_THAT(result.remarks.front(), HasSubstr("z is hidden: fitted by the likelihood"));
  // Of a linear model all paths have one weight.
  EXPECT_GT(*result.series->smallest_sample, 0.999);
  EXPECT_LT(*result.log_likelihood_error, 1e-6);
  expect_exact(result, [&](const std::vector<double>& p) { return kalman(driven_law(p), series); });
}

TEST(HiddenSeries, NoiseOfMeasurementAndIrregularIntervals) {
  const Model model = parse_model(measured);
  const std::vector<double> truth{1.0, 1.0, 0.3};
  const std::vector<Series> series{simulated(measured_law(truth), 150, 0.4, 5, true),
                                   simulated(measured_law(truth), 120, 0.3, 6)};
  const FitResult result = fit(model, series, "y");
  EXPECT_TRUE(result.state.converged) << result.state.reason;
  EXPECT_EQ(result.individuals, 2U);
  expect_exact(result, [&](const std::vector<double>& p) {
    return kalman(measured_law(p), series[0]) + kalman(measured_law(p), series[1]);
  });
}

// The mean square of deviations from the truth in standard errors is 1.
TEST(HiddenSeries, StandardErrorsHold) {
  const Model model = parse_model(measured);
  const std::vector<double> truth{1.0, 1.0, 0.8};
  constexpr std::size_t fits = 12;
  double squares = 0.0;
  for (std::size_t k = 0; k < fits; ++k) {
    const FitResult result = fit(model, {simulated(measured_law(truth), 300, 0.5, 100 + k)}, "y");
    for (std::size_t p = 0; p < truth.size(); ++p) {
      const double z =
          std::log(result.estimate[p] / truth[p]) * result.estimate[p] / result.standard_error[p];
      squares += z * z;
    }
  }
  const double count = static_cast<double>(fits * truth.size());
  EXPECT_NEAR(squares / count, 1.0, 4.5 * std::sqrt(2.0 / count));
}

TEST(HiddenSeries, AnEstimateAtItsBoundIsWarnedOf) {
  const Model model = parse_model(measured);
  const FitResult known =
      fit(model, {simulated(measured_law({1.0, 1.0, 0.8}), 300, 0.5, 100)}, "y");
  EXPECT_TRUE(known.record.warnings.empty());
  const FitResult none = fit(model, {simulated(measured_law({1.0, 1.0, 0.01}), 100, 0.5, 7)}, "y");
  ASSERT_FALSE(none.record.warnings.empty());
  EXPECT_EQ(none.record.warnings.front().what, "bound");
  EXPECT_THAT(none.record.warnings.front().sentence, HasSubstr("m = "));
}

TEST(HiddenSeries, ParametersThatNothingTells) {
  // Only the product of both is seen.
  const Model twice = parse_model(R"(model twice
param s = 0.5 in (0, inf)
param c = 1 in (0, inf)
param r = 1 in (0, inf)
param unused = 1
state x, z
dx = (c*r*z - x) dt + s dW
dz = -0.5*z dt + 1 dV
init x ~ normal(0, 1)
init z ~ normal(0, 1)
time 0 : 0.01 : 1
)");
  const FitResult result = fit(twice, {simulated(driven_law({1.0, 0.5, 1.0}), 60, 0.5, 4)}, "x");
  EXPECT_THAT(result.inactive, ElementsAre("unused"));
  EXPECT_THAT(result.undetermined, ElementsAre("c", "r"));
  EXPECT_TRUE(std::isnan(result.standard_error[1]));
  EXPECT_FALSE(std::isnan(result.standard_error[0]));
}

std::string refusal(const std::string& text, const std::string& column, std::size_t rows) {
  try {
    (void)fit(parse_model(text), {simulated(driven_law({1.0, 0.5, 1.0}), rows, 0.5, 4)}, column);
  } catch (const Error& error) {
    return error.what();
  }
  return "nothing";
}

TEST(HiddenSeries, Refusals) {
  EXPECT_THAT(refusal(driven, "x", 4),
              HasSubstr("hold 3 values after first rows for 3 parameters"));
  std::string expression = driven;
  expression += "observe y = x + z\n";
  EXPECT_THAT(refusal(expression, "y", 20),
              HasSubstr("The observation y of model driven is an expression without noise"));
  std::string from_file = driven;
  from_file.replace(from_file.find("init z ~ normal(0, 1)"), 21, "init z ~ samples(\"z.npy\")");
  EXPECT_THAT(refusal(from_file, "x", 20), HasSubstr("starts from samples"));
  std::string of_states = driven;
  of_states.replace(of_states.find("+ s dW"), 6, "+ s*x dW");
  EXPECT_THAT(refusal(of_states, "x", 20), HasSubstr("depends on its states"));
}

TEST(HiddenSeries, AnObservationThatIsAState) {
  std::string named = driven;
  named += "observe position = x\n";
  const Model model = parse_model(named);
  const Series series = simulated(driven_law({1.0, 0.5, 1.0}), 20, 0.5, 4);
  const HiddenSeries data =
      match_hidden_series(model, {table_of({series}, "position")}, timed("position"));
  EXPECT_TRUE(data.needs_likelihood());
  EXPECT_THAT(data.unseen, ElementsAre(1U));
  EXPECT_DOUBLE_EQ(data.individuals.front().states(3, 0), series[3].y);
}

}  // namespace
}  // namespace divker
