// Exponents of power tails, beside the Pareto k of tail_index.cpp.
#include <algorithm>
#include <cmath>
#include <functional>
#include <vector>

#include "divker/tail_index.hpp"

namespace divker {
namespace {

// log(z_i / z_m) of the largest z = |y - median|, z_m the largest that is not among them.
std::vector<double> log_excesses(std::span<const double> y) {
  constexpr std::size_t fewest = 10;
  std::vector<double> z(y.begin(), y.end());
  const std::size_t n = z.size();
  const std::size_t m =
      std::min({n / 5, static_cast<std::size_t>(std::ceil(3.0 * std::sqrt(static_cast<double>(n)))),
                std::size_t{512}});
  if (m < fewest) return {};
  std::ranges::nth_element(z, z.begin() + static_cast<std::ptrdiff_t>(n / 2));
  const double median = z[n / 2];
  for (double& value : z) value = std::fabs(value - median);
  std::ranges::partial_sort(z, z.begin() + static_cast<std::ptrdiff_t>(m + 1), std::greater<>());
  const double threshold = z[m];
  z.resize(m);
  if (!(threshold > 0.0) || !std::isfinite(z.front())) return {};
  for (double& value : z) value = std::log(value / threshold);
  return z;
}

double mean_power(const std::vector<double>& values, int power) {
  double sum = 0.0;
  for (const double value : values) sum += std::pow(value, power);
  return sum / static_cast<double>(values.size());
}

}  // namespace

TailExponent hill_exponent(std::span<const double> y) {
  const std::vector<double> logs = log_excesses(y);
  if (logs.empty()) return {};
  const double mean = mean_power(logs, 1);
  if (!(mean > 0.0)) return {};
  const double root = std::sqrt(static_cast<double>(logs.size()));
  return {1.0 / mean, 1.0 / mean / root, logs.size()};
}

TailExponent moment_exponent(std::span<const double> y) {
  const std::vector<double> logs = log_excesses(y);
  if (logs.empty()) return {};
  const double first = mean_power(logs, 1), second = mean_power(logs, 2);
  const double k = first + 1.0 - 0.5 / (1.0 - first * first / second);
  TailExponent result;
  result.values = logs.size();
  if (!(k > 0.0)) return result;
  result.value = 1.0 / k;
  result.standard_error =
      std::sqrt(1.0 + k * k) / (k * k) / std::sqrt(static_cast<double>(logs.size()));
  return result;
}

}  // namespace divker
