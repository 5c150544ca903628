// Numbers that read well in a report.
#pragma once

#include <cmath>
#include <cstdlib>

namespace divker {

// The nearest number to a positive one that has three digits.
[[nodiscard]] inline double rounded(double value) {
  const int digits = 2 - static_cast<int>(std::floor(std::log10(value)));
  const double scale = std::pow(10.0, std::abs(digits));
  return digits >= 0 ? std::round(value * scale) / scale : std::round(value / scale) * scale;
}

}  // namespace divker
