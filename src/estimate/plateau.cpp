#include "estimate/plateau.hpp"

#include <algorithm>
#include <cmath>

namespace divker {
namespace {

// Lengths are multiples of a time step and agree to rounding.
constexpr double slack = 1e-9;

bool at_least_twice(double longer, double shorter) {
  return longer >= 2.0 * shorter * (1.0 - slack);
}

}  // namespace

double WindowEstimates::difference_error(std::size_t i, std::size_t j) const {
  return std::sqrt(std::max(0.0, covariance(i, i) + covariance(j, j) - 2.0 * covariance(i, j)));
}

bool agrees_with_longer(std::span<const WindowEstimates> quantities, std::size_t i) {
  const double limit = std::sqrt(6.25 + 2.0 * std::log(static_cast<double>(quantities.size())));
  for (const WindowEstimates& quantity : quantities) {
    for (std::size_t j = i + 1; j < quantity.value.size(); ++j) {
      if (std::fabs(quantity.difference(i, j)) > limit * quantity.difference_error(i, j)) {
        return false;
      }
    }
  }
  return true;
}

Plateau find_plateau(std::span<const WindowEstimates> quantities, std::span<const double> windows) {
  const std::size_t last = windows.size() - 1;
  for (std::size_t i = 0; i < last && at_least_twice(windows[last], windows[i]); ++i) {
    if (agrees_with_longer(quantities, i)) return {i, true};
  }
  return {last, false};
}

double window_error(const WindowEstimates& quantity, std::span<const double> windows,
                    std::size_t chosen) {
  const std::size_t last = windows.size() - 1;
  if (last == 0) return 0.0;
  std::size_t other = last;
  for (std::size_t j = last; j > chosen; --j) {
    if (at_least_twice(windows[j], windows[chosen])) other = j;
  }
  if (chosen == last) {
    other = 0;
    for (std::size_t j = 0; j < last; ++j) {
      if (at_least_twice(windows[last], windows[j])) other = j;
    }
  }
  return std::max(std::fabs(quantity.difference(chosen, other)),
                  quantity.difference_error(chosen, other));
}

}  // namespace divker
