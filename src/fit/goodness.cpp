#include "fit/goodness.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <random>
#include <utility>

namespace divker::fit {
namespace {

// P(sup |Brownian bridge| > x).
double kolmogorov_tail(double x) {
  if (x < 0.2) return 1.0;
  double sum = 0.0;
  for (int k = 1; k <= 100; ++k) {
    sum += (k % 2 == 1 ? 2.0 : -2.0) * std::exp(-2.0 * k * k * x * x);
  }
  return std::clamp(sum, 0.0, 1.0);
}

// Two samples as one, in ascending order, with labels.
class Pooled {
 public:
  Pooled(std::span<const double> a, std::span<const double> b)
      : n_(static_cast<double>(a.size())), m_(static_cast<double>(b.size())) {
    std::vector<std::pair<double, bool>> all;
    all.reserve(a.size() + b.size());
    for (const double x : a) all.emplace_back(x, true);
    for (const double x : b) all.emplace_back(x, false);
    std::sort(all.begin(), all.end());
    for (const auto& [value, first] : all) {
      values_.push_back(value);
      first_.push_back(first);
    }
  }

  // 2 integral (F - G)^2.
  [[nodiscard]] double energy() const {
    double difference = 0.0;
    double integral = 0.0;
    for (std::size_t k = 0; k + 1 < values_.size(); ++k) {
      difference += first_[k] ? 1.0 / n_ : -1.0 / m_;
      integral += difference * difference * (values_[k + 1] - values_[k]);
    }
    return 2.0 * integral;
  }

  void exchange_labels(std::mt19937_64& random) {
    for (std::size_t i = first_.size() - 1; i > 0; --i) {
      const std::size_t j = random() % (i + 1);
      const bool label = first_[i];
      first_[i] = first_[j];
      first_[j] = label;
    }
  }

 private:
  double n_;
  double m_;
  std::vector<double> values_;
  std::vector<bool> first_;
};

double deviation(const std::vector<double>& sorted) {
  double mean = 0.0;
  double squares = 0.0;
  const auto n = static_cast<double>(sorted.size());
  for (const double x : sorted) mean += x / n;
  for (const double x : sorted) squares += (x - mean) * (x - mean) / n;
  return std::sqrt(squares);
}

}  // namespace

TestResult kolmogorov_smirnov(std::vector<double> a, std::vector<double> b) {
  std::sort(a.begin(), a.end());
  std::sort(b.begin(), b.end());
  const auto n = static_cast<double>(a.size());
  const auto m = static_cast<double>(b.size());
  TestResult result;
  for (std::size_t i = 0, j = 0; i < a.size() && j < b.size();) {
    const double x = std::min(a[i], b[j]);
    while (i < a.size() && a[i] <= x) ++i;
    while (j < b.size() && b[j] <= x) ++j;
    const double distance = std::fabs(static_cast<double>(i) / n - static_cast<double>(j) / m);
    result.statistic = std::max(result.statistic, distance);
  }
  const double root = std::sqrt(n * m / (n + m));
  result.p = kolmogorov_tail((root + 0.12 + 0.11 / root) * result.statistic);
  return result;
}

double energy_statistic(std::span<const double> a, std::span<const double> b) {
  return Pooled(a, b).energy();
}

TestResult energy_distance(std::span<const double> a, std::span<const double> b,
                           std::uint64_t seed) {
  Pooled pooled(a, b);
  TestResult result;
  result.statistic = pooled.energy();
  std::mt19937_64 random(seed);
  constexpr int exchanges = 199;
  int larger = 0;
  for (int k = 0; k < exchanges; ++k) {
    pooled.exchange_labels(random);
    if (pooled.energy() >= result.statistic) ++larger;
  }
  result.p = (1.0 + larger) / (1.0 + exchanges);
  return result;
}

double mean_log_density(std::vector<double> sample, std::span<const double> points) {
  std::sort(sample.begin(), sample.end());
  const auto n = static_cast<double>(sample.size());
  const double quartiles = sample[sample.size() * 3 / 4] - sample[sample.size() / 4];
  const double spread = std::min(deviation(sample), quartiles / 1.34);
  const double bandwidth = 0.9 * std::max(spread, 1e-300) * std::pow(n, -0.2);
  const double constant = -std::log(n * bandwidth * std::sqrt(2.0 * std::numbers::pi));
  constexpr double reach = 8.0;
  double total = 0.0;
  for (const double y : points) {
    auto near = std::lower_bound(sample.begin(), sample.end(), y - reach * bandwidth);
    double sum = 0.0;
    for (; near != sample.end() && *near <= y + reach * bandwidth; ++near) {
      sum += std::exp(-0.5 * std::pow((y - *near) / bandwidth, 2));
    }
    // Beyond the sample: the tail of its nearest kernel.
    const double edge = std::clamp(y, sample.front(), sample.back());
    const double tail = -0.5 * std::pow((y - edge) / bandwidth, 2);
    total += constant + (sum > 0.0 ? std::log(sum) : tail);
  }
  return total / static_cast<double>(points.size());
}

}  // namespace divker::fit
