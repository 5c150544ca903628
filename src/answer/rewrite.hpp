// Models made from a model: the same states and initial law under another equation.
#pragma once

#include <span>

#include "divker/model.hpp"

namespace divker {

// The model with its parameters on the straight line gamma(u) = (1 - u) from + u to: u is the only
// parameter, between -0.01 and 1.01, and has the value `u`; the others live on as `let`s, so that
// observables may still mention them. `from` and `to` have a value for every parameter.
[[nodiscard]] Model line_between(const Model& model, std::span<const double> from,
                                 std::span<const double> to, double u);

}  // namespace divker
