// Statistical assertions: a mean with its standard error against what it should be.
//
// One tolerance for the whole suite: z_limit standard errors plus a bias bound that the test
// states. A normal mean leaves 5 standard errors with probability 5.7e-7, so that the suite's few
// thousand comparisons raise a false alarm with probability below 0.3 per cent, once and for all:
// the seeds are fixed.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <functional>
#include <span>
#include <vector>

#include "divker/moments.hpp"

namespace divker::test {

inline constexpr double z_limit = 5.0;

using divker::Estimate;

// A mean of independent values, and their mean square.
class Mean {
 public:
  void add(double value) {
    ++count_;
    sum_ += value;
    squares_ += value * value;
  }
  [[nodiscard]] Estimate estimate() const {
    const auto n = static_cast<double>(count_);
    const double mean = sum_ / n;
    return {mean, std::sqrt(std::max(squares_ / n - mean * mean, 0.0) / n)};
  }
  [[nodiscard]] double root_mean_square() const {
    return std::sqrt(squares_ / static_cast<double>(count_));
  }

 private:
  std::size_t count_ = 0;
  double sum_ = 0.0;
  double squares_ = 0.0;
};

[[nodiscard]] inline Estimate mean(std::span<const double> values) {
  Mean sum;
  for (const double value : values) sum.add(value);
  return sum.estimate();
}

// How far the comparisons of a test program went, printed when it ends.
class Ledger {
 public:
  Ledger() = default;
  Ledger(const Ledger&) = delete;
  Ledger& operator=(const Ledger&) = delete;
  ~Ledger() {
    if (count_ == 0) return;
    std::printf("%zu statistical comparisons; largest |z| %.2f, beyond the bias bounds %.2f\n",
                count_, largest_, largest_beyond_bias_);
  }
  void record(double z, double beyond_bias) {
    ++count_;
    largest_ = std::max(largest_, z);
    largest_beyond_bias_ = std::max(largest_beyond_bias_, beyond_bias);
  }

 private:
  std::size_t count_ = 0;
  double largest_ = 0.0;
  double largest_beyond_bias_ = 0.0;
};
inline Ledger ledger;

// |estimate - expected| <= z_limit standard errors + bias_bound.
[[nodiscard]] inline ::testing::AssertionResult consistent(const Estimate& estimate,
                                                           double expected,
                                                           double bias_bound = 0.0) {
  const double difference = std::fabs(estimate.value - expected);
  const double error = estimate.standard_error;
  const bool holds = difference <= z_limit * error + bias_bound;
  if (error > 0.0) {
    ledger.record(difference / error, std::max(difference - bias_bound, 0.0) / error);
  }
  auto result = holds ? ::testing::AssertionSuccess() : ::testing::AssertionFailure();
  return result << estimate.value << " +- " << error << " against " << expected
                << ", z = " << difference / error << ", bias bound " << bias_bound;
}

// A power law y = c h^slope through estimates of y, each weighed by its own error.
struct Slope {
  double value = 0.0;
  double standard_error = 0.0;
};
[[nodiscard]] inline Slope log_slope(std::span<const double> h, std::span<const Estimate> y) {
  double weights = 0.0, mean_h = 0.0, mean_y = 0.0;
  std::vector<double> weight;
  for (std::size_t i = 0; i < h.size(); ++i) {
    const double relative = y[i].standard_error / y[i].value;
    weight.push_back(1.0 / (relative * relative));
    weights += weight[i];
    mean_h += weight[i] * std::log(h[i]);
    mean_y += weight[i] * std::log(std::fabs(y[i].value));
  }
  mean_h /= weights;
  mean_y /= weights;
  double above = 0.0, below = 0.0;
  for (std::size_t i = 0; i < h.size(); ++i) {
    const double distance = std::log(h[i]) - mean_h;
    above += weight[i] * distance * (std::log(std::fabs(y[i].value)) - mean_y);
    below += weight[i] * distance * distance;
  }
  return {above / below, 1.0 / std::sqrt(below)};
}

}  // namespace divker::test
