// What the maximum and the minimum of a path share.
#pragma once

#include "model/functionals/functionals.hpp"

namespace divker {

// How far the maximum of a bridge from a to b lies above both, and its minimum below, together with
// the distance of a and b: P(max > y) = exp(-2 (y - a)(y - b)/v) gives
//   max = ( a + b + sqrt((b - a)^2 + 2 v E) ) / 2
// (the reflection principle). Its derivative at v = 0, a = b is taken as zero.
[[nodiscard]] inline Expression spread_of_bridge(const PathStep& step) {
  constexpr double tiny = 1e-290;  // a root of zero has no derivative
  const Expression moved = step.after - step.before;
  return sqrt(moved * moved + 2.0 * step.variance * exponential_of(step) + tiny);
}

// With y the extreme, d log p(y) / d log v = 2 (y - a)(y - b)/v - 1 = E - 1.
[[nodiscard]] inline Expression told_by_bridge(const PathStep& step) {
  return step.normals.empty() ? zero_of(step) : exponential_of(step) - 1.0;
}

}  // namespace divker
