// Newton's step on the matching equations.
#pragma once

#include <Eigen/Dense>

#include "fit/matching.hpp"

namespace divker::fit {

struct Step {
  Eigen::VectorXd change;
  double length = 0.0;   // sqrt(change^T H change)
  bool limited = false;  // by the radius
};
// H^-1 psi with eigenvalues no smaller than their noise, no longer than the radius and with no
// component beyond `largest`.
[[nodiscard]] Step newton_step(const Matching& matching, double radius,
                               const Eigen::VectorXd& largest);

}  // namespace divker::fit
