// Standard errors where every time has few rows, down to one: destructive sampling.
#include <gtest/gtest.h>

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "divker/fit.hpp"
#include "divker/language.hpp"
#include "support/statistics.hpp"

namespace divker {
namespace {

// All marginals of its Euler chain are normal.
const char* const relaxation = R"(model relaxation
param theta = 1.5 in (0, inf)
param mu = 2
param s = 0.7 in (0, inf)
state x
dx = theta*(mu - x) dt + s dW
init x = 0.5
time 0 : 0.05 : 4
)";
constexpr std::size_t times = 80;
constexpr double dt = 0.05;
const Eigen::Vector3d truth{1.5, 2.0, 0.7};

// Mean and standard deviation of the Euler chain after so many steps.
std::pair<double, double> law_after(std::size_t steps, const Eigen::Vector3d& gamma) {
  double mean = 0.5;
  double variance = 0.0;
  for (std::size_t k = 0; k < steps; ++k) {
    mean += gamma[0] * (gamma[1] - mean) * dt;
    variance = std::pow(1.0 - gamma[0] * dt, 2) * variance + gamma[2] * gamma[2] * dt;
  }
  return {mean, std::sqrt(variance)};
}

// Fisher's information of a normal law, (dm dm^T + 2 dsd dsd^T) / sd^2, over the rows of all times.
Eigen::Vector3d fisher_errors(std::size_t rows_per_time) {
  constexpr double h = 1e-5;
  Eigen::Matrix3d information = Eigen::Matrix3d::Zero();
  for (std::size_t k = 1; k <= times; ++k) {
    Eigen::Vector3d of_mean, of_deviation;
    for (Eigen::Index i = 0; i < 3; ++i) {
      Eigen::Vector3d step = Eigen::Vector3d::Zero();
      step[i] = h;
      const auto [mean_up, deviation_up] = law_after(k, truth + step);
      const auto [mean_down, deviation_down] = law_after(k, truth - step);
      of_mean[i] = (mean_up - mean_down) / (2.0 * h);
      of_deviation[i] = (deviation_up - deviation_down) / (2.0 * h);
    }
    const double deviation = law_after(k, truth).second;
    information += (of_mean * of_mean.transpose() + 2.0 * of_deviation * of_deviation.transpose()) *
                   (static_cast<double>(rows_per_time) / (deviation * deviation));
  }
  return information.inverse().diagonal().cwiseSqrt();
}

// Every row is another individual, or has the number of an individual in a third column.
FitResult fit_rows(const Matrix& rows, bool grouped, std::uint64_t seed, std::size_t paths) {
  const Model model = parse_model(relaxation).with_value("theta", 1.0).with_value("s", 1.0);
  DataTable table{"rows", {"t", "x"}, rows, {}};
  DataOptions columns;
  columns.time_column = "t";
  if (grouped) {
    table.columns.emplace_back("animal");
    columns.group_column = "animal";
  }
  FitOptions options;
  options.sampling.paths = paths;
  options.sampling.seed = seed;
  options.session.threads = 1;
  options.method.damping = parse_damping("jacobian:1,1");
  return fit_parameters(model, match_data(model, {table}, columns), options);
}

// One row after the other at each time; `scores`: standard normal.
Matrix rows_of(const std::vector<double>& scores) {
  const std::size_t rows_per_time = scores.size() / times;
  Matrix rows(scores.size(), 2);
  for (std::size_t r = 0; r < rows.rows; ++r) {
    const std::size_t step = 1 + r / rows_per_time;
    const auto [mean, deviation] = law_after(step, truth);
    rows(r, 0) = dt * static_cast<double>(step);
    rows(r, 1) = mean + deviation * scores[r];
  }
  return rows;
}

Matrix drawn(std::size_t rows_per_time, std::uint64_t seed) {
  const NormalSource normals(9000 + seed);
  std::vector<double> scores;
  for (std::size_t r = 0; r < times * rows_per_time; ++r) {
    scores.push_back(normals.normal(r, 0, 0, 1));
  }
  return rows_of(scores);
}

// By bisection.
double normal_quantile(double p) {
  double low = -10.0, high = 10.0;
  while (high - low > 1e-12) {
    const double middle = 0.5 * (low + high);
    (0.5 * std::erfc(-middle / std::sqrt(2.0)) < p ? low : high) = middle;
  }
  return low;
}

// Quantiles, so mixed that rows of any few times in a row are spread like all of them: a sample
// whose standard errors are as they are on average.
Matrix evenly_spread(std::size_t rows_per_time) {
  const std::size_t count = times * rows_per_time;
  std::vector<double> scores(count);
  std::vector<std::pair<double, std::size_t>> order;
  for (std::size_t r = 0; r < count; ++r) {
    order.emplace_back(std::fmod(static_cast<double>(r + 1) * 0.6180339887498949, 1.0), r);
  }
  std::sort(order.begin(), order.end());
  for (std::size_t k = 0; k < count; ++k) {
    const double p = (static_cast<double>(k) + 0.5) / static_cast<double>(count);
    scores[order[k].second] = normal_quantile(p);
  }
  return rows_of(scores);
}

// Of the data alone, without the parts of the paths and of the time step.
TEST(FewRows, StandardErrorsAreThoseOfFishersInformation) {
  for (const std::size_t rows : {1U, 2U, 5U}) {
    const FitResult result = fit_rows(evenly_spread(rows), false, 1, 8'000);
    EXPECT_TRUE(result.state.converged) << result.state.reason;
    const Eigen::Vector3d fisher = fisher_errors(rows);
    for (std::size_t i = 0; i < 3; ++i) {
      const double of_data =
          std::sqrt(std::pow(result.standard_error[i], 2) -
                    std::pow(result.simulation_error[i], 2) - std::pow(result.time_step[i], 2));
      EXPECT_NEAR(of_data / fisher[static_cast<Eigen::Index>(i)], 1.0, 0.15)
          << rows << " rows, " << result.names[i];
    }
  }
}

// The squared error in the metric of the covariance, over the number of parameters: chi-square,
// with mean 1. The long run is in docs/fit.md.
double squared_error(const FitResult& result) {
  Eigen::Matrix3d correlation;
  Eigen::Vector3d z;
  for (std::size_t i = 0; i < 3; ++i) {
    const auto row = static_cast<Eigen::Index>(i);
    z[row] = (result.estimate[i] - truth[row]) / result.standard_error[i];
    for (std::size_t j = 0; j < 3; ++j) {
      correlation(row, static_cast<Eigen::Index>(j)) = result.correlation(i, j);
    }
  }
  return z.dot(correlation.inverse() * z) / 3.0;
}

TEST(FewRows, StandardErrorsCover) {
  constexpr std::size_t repetitions = 8;
  test::Mean squares;
  for (std::size_t k = 0; k < repetitions; ++k) {
    const FitResult result = fit_rows(drawn(1, 500 + k), false, k, 3'000);
    EXPECT_TRUE(result.state.converged) << result.state.reason;
    squares.add(squared_error(result));
  }
  const double error = std::sqrt(2.0 / (3.0 * repetitions));
  EXPECT_TRUE(test::consistent({squares.estimate().value, error}, 1.0));
}

// Two rows of a time that belong to one individual say nothing about each other's spread: two equal
// rows of each individual have the standard error of one.
TEST(FewRows, IndividualsCountNotRows) {
  const Matrix once = evenly_spread(1);
  Matrix twice(2 * once.rows, 3);
  for (std::size_t r = 0; r < twice.rows; ++r) {
    twice(r, 0) = once(r / 2, 0);
    twice(r, 1) = once(r / 2, 1);
    const std::size_t individual = r / 2;  // has both rows
    twice(r, 2) = static_cast<double>(individual);
  }
  const FitResult one = fit_rows(once, false, 1, 3'000);
  const FitResult two = fit_rows(twice, true, 1, 3'000);
  EXPECT_EQ(two.individuals, once.rows);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_NEAR(two.estimate[i], one.estimate[i], 0.01 * one.standard_error[i]);
    EXPECT_NEAR(two.standard_error[i] / one.standard_error[i], 1.0, 1e-3);
  }
}

}  // namespace
}  // namespace divker
