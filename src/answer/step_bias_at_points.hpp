// What dt adds to an answer at points, from paths in pairs at dt and at dt/2.
#pragma once

#include <cstddef>

#include "divker/matrix.hpp"

namespace divker {

// States and what is regressed on them: `rows_of_path` successive rows for each path, which are not
// independent of each other.
struct PairedSide {
  const Matrix& x;
  const Matrix& y;
  std::size_t rows_of_path = 1;
};

// Biases of dt with the standard errors of their measurement, points x columns of y.
struct StepBiases {
  Matrix value;
  Matrix error;
};

// 2 (A(dt) - A(dt/2)) at the points, A(y) = E[y | x]. Row j of both sides is one Brownian path.
//
// With m near A(dt) and the residuals r = y - m(x), the change d of A from dt to dt/2 has
// E[d(x') g(x')] = E[r' g(x') - r g(x)] for every g, x' and r' being those of dt/2. Both terms are
// of one path and nearly equal. Up to three states, g is a Gaussian around a point times 1 and the
// offset from it, m is quadratic there and d linear: on a flank of the density, where a mean over
// neighbours is one over its denser side, d is still that of the point. The width is the largest
// whose d agrees with those of narrower ones within 2.5 errors (O. Lepski, Theory Probab. Appl. 35
// (1990) 454), and errors are widened as Student's t. With more states, m and d are linear on all
// of space. Cost: points x paths x (states + columns), on `threads`.
[[nodiscard]] StepBiases step_bias_at_points(const PairedSide& coarse, const PairedSide& fine,
                                             const Matrix& points, std::size_t threads);

}  // namespace divker
