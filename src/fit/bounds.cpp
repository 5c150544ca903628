#include "fit/bounds.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace divker::fit {

double to_free(const Parameter& p, double value) {
  const bool below = std::isfinite(p.lower);
  const bool above = std::isfinite(p.upper);
  if (below && above) return std::log((value - p.lower) / (p.upper - value));
  if (below) return std::log(value - p.lower);
  if (above) return -std::log(p.upper - value);
  return value;
}

double from_free(const Parameter& p, double u) {
  const bool below = std::isfinite(p.lower);
  const bool above = std::isfinite(p.upper);
  double value = u;
  if (below && above) {
    value = p.lower + (p.upper - p.lower) / (1.0 + std::exp(-u));
  } else if (below) {
    value = p.lower + std::exp(u);
  } else if (above) {
    value = p.upper - std::exp(-u);
  }
  constexpr double infinity = std::numeric_limits<double>::infinity();
  if (below) value = std::max(value, std::nextafter(p.lower, infinity));
  if (above) value = std::min(value, std::nextafter(p.upper, -infinity));
  constexpr double largest = std::numeric_limits<double>::max();
  return std::clamp(value, -largest, largest);
}

double slope(const Parameter& p, double value) {
  const bool below = std::isfinite(p.lower);
  const bool above = std::isfinite(p.upper);
  if (below && above) return (value - p.lower) * (p.upper - value) / (p.upper - p.lower);
  if (below) return value - p.lower;
  if (above) return p.upper - value;
  return 1.0;
}

bool is_bounded(const Parameter& p) { return std::isfinite(p.lower) || std::isfinite(p.upper); }

}  // namespace divker::fit
