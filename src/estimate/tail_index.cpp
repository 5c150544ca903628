#include "divker/tail_index.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>

#include "divker/error.hpp"

namespace divker {
namespace {

constexpr std::size_t most_excesses = 512;
constexpr std::size_t kept = most_excesses + 1;  // the threshold is one of them
constexpr std::size_t fewest_excesses = 5;
constexpr double unreliable = 0.7;

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

double magnitude(double value) {
  return std::isnan(value) ? std::numeric_limits<double>::infinity() : std::abs(value);
}

void check_absolute(std::span<const double> values) {
  for (const double value : values) {
    if (value >= 0.0) continue;
    throw Error(ErrorKind::usage,
                fmt::format("a tail index is of absolute values; one of them is {}", value));
  }
}

// In ascending order and in units of the largest, because k has no unit and squares may overflow.
std::vector<double> excesses_over_smallest(std::span<const double> largest) {
  std::vector<double> x(largest.begin(), largest.end());
  std::sort(x.begin(), x.end());
  const double threshold = x.front();
  const double longest = x.back() - threshold;
  if (longest == 0.0) return {};
  for (double& value : x) value = (value - threshold) / longest;
  x.erase(x.begin(), std::upper_bound(x.begin(), x.end(), 0.0));
  return x;
}

// The k of greatest likelihood for theta = -k / sigma.
double shape_at(double theta, std::span<const double> x) {
  double sum = 0.0;
  for (const double value : x) sum += std::log1p(-theta * value);
  return sum / static_cast<double>(x.size());
}

double log_likelihood(double theta, std::span<const double> x) {
  const auto n = static_cast<double>(x.size());
  if (theta == 0.0) return -n * (std::log(std::accumulate(x.begin(), x.end(), 0.0) / n) + 1.0);
  const double shape = shape_at(theta, x);
  return n * (std::log(-theta / shape) - shape - 1.0);
}

// The mean of theta over a grid that the prior of Zhang and Stephens makes of the largest excess,
// which is 1, and of the lower quartile.
double posterior_theta(std::span<const double> x) {
  const auto n = static_cast<double>(x.size());
  const auto points = static_cast<std::size_t>(30.0 + std::floor(std::sqrt(n)));
  const double quartile = std::max(1e-300, x[(x.size() + 2) / 4 - 1]);
  std::vector<double> theta(points);
  std::vector<double> log_weight(points);
  for (std::size_t j = 0; j < points; ++j) {
    const double root = std::sqrt(static_cast<double>(points) / (static_cast<double>(j) + 0.5));
    theta[j] = 1.0 + (1.0 - root) / (3.0 * quartile);
    log_weight[j] = log_likelihood(theta[j], x);
  }
  const double top = *std::max_element(log_weight.begin(), log_weight.end());
  double sum = 0.0;
  double total = 0.0;
  for (std::size_t j = 0; j < points; ++j) {
    const double weight = std::exp(log_weight[j] - top);
    sum += weight * theta[j];
    total += weight;
  }
  return sum / total;
}

// Of those that are not NaN, which have no place in an order.
double median(std::vector<double> values) {
  std::erase_if(values, [](double value) { return std::isnan(value); });
  if (values.empty()) return nan;
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::ranges::nth_element(values, middle);
  return *middle;
}

}  // namespace

double pareto_k(std::span<const double> largest) {
  check_absolute(largest);
  if (largest.size() <= fewest_excesses) return nan;
  if (std::isinf(*std::max_element(largest.begin(), largest.end()))) {
    return std::numeric_limits<double>::infinity();
  }
  const std::vector<double> x = excesses_over_smallest(largest);
  if (x.size() < fewest_excesses) return nan;
  constexpr double prior_values = 10.0;
  constexpr double prior_k = 0.5;
  const auto n = static_cast<double>(x.size());
  const double k = shape_at(posterior_theta(x), x);
  return (n * k + prior_values * prior_k) / (n + prior_values);
}

void TailSample::add(std::span<const double> values) {
  count_ += values.size();
  keep(values);
}

void TailSample::merge(const TailSample& other) {
  count_ += other.count_;
  keep(other.largest_);
}

void TailSample::keep(std::span<const double> values) {
  const std::greater<> smallest_first;
  const auto room = values.first(std::min(values.size(), kept - largest_.size()));
  largest_.resize(largest_.size() + room.size());
  std::ranges::transform(room, largest_.end() - static_cast<std::ptrdiff_t>(room.size()),
                         magnitude);
  if (largest_.size() < kept) return;
  if (!room.empty()) std::ranges::make_heap(largest_, smallest_first);
  double threshold = largest_.front();
  for (const double value : values.subspan(room.size())) {
    if (std::abs(value) <= threshold) continue;
    std::ranges::pop_heap(largest_, smallest_first);
    largest_.back() = magnitude(value);
    std::ranges::push_heap(largest_, smallest_first);
    threshold = largest_.front();
  }
}

TailIndex TailSample::index() const {
  const auto n = static_cast<double>(count_);
  const auto wanted = static_cast<std::size_t>(std::ceil(std::min(n / 5.0, 3.0 * std::sqrt(n))));
  std::vector<double> values = largest_;
  std::sort(values.begin(), values.end(), std::greater<>());
  values.resize(std::min({values.size(), wanted + 1, kept}));
  return {pareto_k(values), values.empty() ? 0 : values.size() - 1};
}

std::vector<double> tail_indices(const Matrix& y) {
  std::vector<double> k;
  for (std::size_t c = 0; c < y.cols; ++c) {
    std::vector<double> values = y.column(c);
    const double centre = median(values);
    for (double& value : values) value -= centre;
    TailSample sample;
    sample.add(values);
    k.push_back(sample.index().k);
  }
  return k;
}

std::optional<std::string> tail_warning(const std::string& name, double k) {
  if (!(k > unreliable)) return std::nullopt;
  return fmt::format(
      "The error bar of {} means little: the tail index of its summands is {:.2f}; above 0.5 their "
      "variance does not exist, and above {} more paths hardly help.",
      name, k, unreliable);
}

}  // namespace divker
