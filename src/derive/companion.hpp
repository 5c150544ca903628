// The linearised companion of a model: the path without noise, and how small deviations from it
// move.
#pragma once

#include "divker/model.hpp"
#include "divker/program.hpp"

namespace divker::derive {

// Names of the arrays of a companion's program, beside the state.
inline constexpr const char* jacobian_array = "jacobian";
inline constexpr const char* amplitude_array = "amplitude";

// One step of the path without noise, with J = d mean(x')/dx and S sqrt(dt) there, so that a
// deviation e follows e' = J e + S db, and its covariance P' = J P J^T + S S^T dt. Both are in
// coordinates (Symbols): the logarithm of a positive state. `beyond_boundaries`: as in Asked.
//   arguments  x[M], time t[1], parameters[P], step size dt[1]
//   results    x[M], jacobian[M * M] and amplitude[M * K], row after row
[[nodiscard]] Program derive_companion(const Model& model, bool beyond_boundaries);

}  // namespace divker::derive
