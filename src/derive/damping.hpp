// nu' = nu_div - dt A^T ( nu_div + S^{-T} db / dt ): how the noise corrects the covector.
#pragma once

#include "derive/symbols.hpp"

namespace divker::derive {

// The damped covector (untouched in the kernel form, which has a step of its own), and the damping
// values that the step takes as an argument.
struct Damped {
  Vector nu;
  Vector arguments;
};

// `arrival` is x', where the Jacobian form looks at the drift, and the learned one at C.
[[nodiscard]] Damped damp(const Symbols& s, const StepOptions& options, const Vector& nu_div,
                          const Vector& arrival);

}  // namespace divker::derive
