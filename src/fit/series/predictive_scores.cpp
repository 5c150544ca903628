#include "fit/series/predictive_scores.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "fit/goodness.hpp"

namespace divker::fit {
namespace {

double mean_of_all(const Sequences& all, double& count) {
  double sum = 0.0;
  count = 0.0;
  for (const auto& one : all) {
    for (const double z : one) sum += z;
    count += static_cast<double>(one.size());
  }
  return sum / count;
}

// sum of (z_j - mean)(z_{j+lag} - mean), and the number of these products.
double lagged_sum(const Sequences& all, double mean, std::size_t lag, double* pairs = nullptr) {
  double sum = 0.0;
  for (const auto& one : all) {
    for (std::size_t j = 0; j + lag < one.size(); ++j)
      sum += (one[j] - mean) * (one[j + lag] - mean);
    if (pairs != nullptr && one.size() > lag) *pairs += static_cast<double>(one.size() - lag);
  }
  return sum;
}

}  // namespace

PredictedValue::PredictedValue(std::vector<double> sample) : sample_(std::move(sample)) {
  std::erase_if(sample_, [](double x) { return !std::isfinite(x); });
  std::ranges::sort(sample_);
  const auto n = static_cast<double>(sample_.size());
  sums_.reserve(sample_.size() + 1);
  sums_.push_back(0.0);
  double spread = 0.0;  // sum over pairs of |X - X'|
  for (std::size_t j = 0; j < sample_.size(); ++j) {
    spread += static_cast<double>(j) * sample_[j] - sums_.back();
    sums_.push_back(sums_.back() + sample_[j]);
  }
  mean_ = sums_.back() / n;
  expected_ = spread / (n * (n - 1.0));
}

double PredictedValue::distribution(double y, double tie) const {
  const auto [first, last] = std::equal_range(sample_.begin(), sample_.end(), y);
  const auto below = static_cast<double>(first - sample_.begin());
  const auto equal = static_cast<double>(last - first);
  return (below + tie * (equal + 1.0)) / (static_cast<double>(sample_.size()) + 1.0);
}

double PredictedValue::score(double y) const {
  const auto n = static_cast<double>(sample_.size());
  const auto place =
      static_cast<std::size_t>(std::ranges::lower_bound(sample_, y) - sample_.begin());
  const double below = static_cast<double>(place) * y - sums_[place];
  const double above = sums_.back() - sums_[place] - (n - static_cast<double>(place)) * y;
  return (below + above) / n - expected_;
}

double PredictedValue::member(double place) const {
  const double last = static_cast<double>(sample_.size()) - 1.0;
  const double at = std::clamp(place, 0.0, last);
  const double below = std::floor(at);
  const auto j = static_cast<std::size_t>(below);
  const double next = sample_[std::min(j + 1, sample_.size() - 1)];
  return sample_[j] + (at - below) * (next - sample_[j]);
}

Estimate PredictedValue::quantile(double level) const {
  const auto n = static_cast<double>(sample_.size());
  const double place = level * n - 0.5;
  const double error = std::sqrt(n * level * (1.0 - level));
  return {member(place), 0.5 * (member(place + error) - member(place - error))};
}

Estimate PredictedValue::mean_estimate() const {
  double squares = 0.0;
  for (const double x : sample_) squares += (x - mean_) * (x - mean_);
  const auto n = static_cast<double>(sample_.size());
  return {mean_, std::sqrt(squares / (n * (n - 1.0)))};
}

Estimate sequence_mean(const Sequences& all, std::size_t lag) {
  double count = 0.0;
  const double mean = mean_of_all(all, count);
  double variance = lagged_sum(all, mean, 0);
  for (std::size_t k = 1; k <= lag; ++k) {
    const double weight = 1.0 - static_cast<double>(k) / (static_cast<double>(lag) + 1.0);
    variance += 2.0 * weight * lagged_sum(all, mean, k);
  }
  return {mean, std::sqrt(std::max(0.0, variance)) / count};
}

PortmanteauTest ljung_box(const Sequences& all, std::size_t lags) {
  double n = 0.0;
  const double mean = mean_of_all(all, n);
  const double variance = lagged_sum(all, mean, 0);
  PortmanteauTest test;
  std::size_t freedom = 0;
  for (std::size_t k = 1; k <= lags; ++k) {
    double pairs = 0.0;
    const double correlation = lagged_sum(all, mean, k, &pairs) / variance;
    if (pairs < 1.0) break;
    test.statistic += n * (n + 2.0) * correlation * correlation / pairs;
    ++freedom;
  }
  if (freedom > 0) test.p = chi_square_tail(test.statistic, static_cast<double>(freedom));
  return test;
}

}  // namespace divker::fit
