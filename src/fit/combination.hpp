// Combinations of parameters that the data determine where the parameters themselves are not.
#pragma once

#include <Eigen/Dense>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "divker/fit.hpp"
#include "divker/model.hpp"

namespace divker::fit {

// Rows spanning the same space, each with a 1 where the others have zeros, as far to the left as
// can be. What is below `tolerance` counts as zero.
[[nodiscard]] Eigen::MatrixXd reduced_rows(Eigen::MatrixXd rows, double tolerance);

// Other values of the parameters, and in each column a direction that no path notices there.
struct Elsewhere {
  Eigen::VectorXd values;
  Eigen::MatrixXd unnoticed;
};

// Where an estimate stands, for those parameters that are being fitted.
struct Standing {
  std::vector<Parameter> parameters;
  Eigen::VectorXd values;
  Eigen::VectorXd scale;       // of the coordinates of to_free(): 1 / sqrt(H_ii)
  Eigen::VectorXd slopes;      // of the values in those coordinates
  Eigen::MatrixXd covariance;  // of the values
  // A place near the estimate. It is asked for where a product and a sum both fit the directions,
  // as they do for equal values: what is determined does not change along the directions there.
  std::function<std::optional<Elsewhere>()> elsewhere;
};

// With directions that the data do not determine, one in each column, in free coordinates over
// `scale`: the combinations that they do determine. A power product
// where the parameters are positive and their exponents whole, a sum where its coefficients are,
// each to within `tolerance`; else, if `all`, the linear combination that it is near the estimate.
// Without `all` nothing is said of more than three parameters.
[[nodiscard]] std::vector<DeterminedCombination> determined_combinations(
    const Standing& standing, const Eigen::MatrixXd& directions, double tolerance, bool all);

}  // namespace divker::fit
