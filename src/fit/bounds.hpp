// Bounded parameters as unbounded numbers, in which steps are taken.
#pragma once

#include "divker/model.hpp"

namespace divker::fit {

// gamma in (a, inf): u = log(gamma - a). In (-inf, b): u = -log(b - gamma). In (a, b):
// u = log((gamma - a) / (b - gamma)). Without bounds: u = gamma.
[[nodiscard]] double to_free(const Parameter& parameter, double value);
// The inverse, kept off the bounds by what rounding would lose.
[[nodiscard]] double from_free(const Parameter& parameter, double u);
// d gamma / d u at gamma.
[[nodiscard]] double slope(const Parameter& parameter, double value);
// Is a step in u a relative one?
[[nodiscard]] bool is_bounded(const Parameter& parameter);

}  // namespace divker::fit
