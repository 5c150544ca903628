// Errors of a regression whose samples are correlated within groups.
#include "estimate/half_samples.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <vector>

#include "divker/error.hpp"

namespace divker {
namespace {

struct Sample {
  Matrix x, y;
  std::vector<std::size_t> boundaries;
};

// 32 groups of 5 paths of 40 samples: y = x^2 + an error common to the path + an own one.
Sample draw(unsigned seed) {
  constexpr std::size_t paths = 5, each = 40;
  std::mt19937_64 generator(seed);
  std::normal_distribution<double> normal;
  Sample s{Matrix(half_sample_groups * paths * each, 1), {}, {}};
  s.y = Matrix(s.x.rows, 2);
  std::size_t row = 0;
  for (std::size_t g = 0; g < half_sample_groups; ++g) {
    s.boundaries.push_back(row);
    for (std::size_t path = 0; path < paths; ++path) {
      const double common = normal(generator);
      for (std::size_t k = 0; k < each; ++k, ++row) {
        const double x = normal(generator);
        s.x(row, 0) = x;
        s.y(row, 0) = x * x + common + 0.3 * normal(generator);
        s.y(row, 1) = 0.5 * common + normal(generator);
      }
    }
  }
  s.boundaries.push_back(row);
  return s;
}

TEST(HalfSamples, StandardErrorsCoverCorrelatedSamples) {
  constexpr int seeds = 150;
  RegressorOptions options;
  options.neighbours = 1000;
  Matrix point(1, 1);
  point(0, 0) = 0.4;
  int covered = 0, covered_sum = 0, covered_if_independent = 0;
  for (int seed = 0; seed < seeds; ++seed) {
    const Sample s = draw(static_cast<unsigned>(seed));
    const HalfSamplePrediction found =
        predict_with_halves("local-linear", options, s.x, s.y, s.boundaries, point);
    const Matrix covariance = found.covariance_of_sums(0, 0, 2);
    const double bias = found.prediction.bias(0, 0);
    const double error = found.prediction.value(0, 0) - 0.16;
    const double sum = error + found.prediction.value(0, 1);
    const auto covers = [bias](double miss, double variance) {
      return std::fabs(miss) < 1.96 * std::sqrt(variance + bias * bias) ? 1 : 0;
    };
    covered += covers(error, covariance(0, 0));
    covered_sum += covers(sum, covariance(1, 1));
    covered_if_independent += covers(error, std::pow(found.prediction.deviation(0, 0), 2));
  }
  // Binomial (150, 0.95): below 130 with probability 1e-4.
  EXPECT_GE(covered, 130);
  EXPECT_GE(covered_sum, 130);
  EXPECT_LT(covered_if_independent, 130) << "or the test would not tell the difference";
}

TEST(HalfSamples, RefusesOtherNumbersOfGroups) {
  const Sample s = draw(1);
  const std::vector<std::size_t> few{0, 100, 200};
  try {
    (void)predict_with_halves("local-linear", {}, s.x, s.y, few, Matrix(1, 1));
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "half samples take 33 boundaries of groups; got 3");
  }
}

}  // namespace
}  // namespace divker
