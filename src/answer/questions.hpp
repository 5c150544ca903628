// What every question about a model checks before it is answered.
#pragma once

#include <string>
#include <vector>

#include "divker/ensemble.hpp"
#include "divker/matrix.hpp"
#include "divker/model.hpp"

namespace divker {

// Error(usage) for points of another dimension or none, Error(model) for one that is not finite.
void check_points(const Model& model, const Matrix& points);
// The same of points with the values of some states only, as many columns as states.
void check_points(const Model& model, const std::vector<std::size_t>& columns,
                  const Matrix& points);

[[nodiscard]] std::vector<std::string> state_names(const Model& model);
[[nodiscard]] std::vector<std::string> parameter_names(const Model& model,
                                                       const std::vector<std::size_t>& parameters);

// Error(usage) if there is none.
void require_parameters(const Model& model, const std::vector<std::size_t>& parameters);

// Error(usage) for another estimator, and for an unknown one. `what`, "Scores", begins the
// sentence.
void require_divergence_kernel(const Method& method, const std::string& what);

// Error(numerical) for fewer than two finished paths.
void require_paths(const RunSummary& summary);

// Error(usage) where a default grid of points would need more than a line.
void require_default_grid(const Model& model);

// `count` points between the 2% and the 98% quantile of a sample, of two states count x count.
// Error(usage) for more states, Error(numerical) for an empty sample.
[[nodiscard]] Matrix quantile_grid(const Model& model, const Matrix& sample, std::size_t count);

// Of each column, with the divisor rows - 1.
[[nodiscard]] std::vector<double> column_variances(const Matrix& values);
// The part of these variances that polynomials of x do not explain: what errs in an estimate of
// E[values | x]. Of the highest degree up to four that leaves twenty rows to a coefficient; with
// too few rows even for degree one all of the variance.
[[nodiscard]] std::vector<double> unexplained_variances(const Matrix& x, const Matrix& values);
// And what is left of the values themselves.
[[nodiscard]] Matrix unexplained_part(const Matrix& x, const Matrix& values);

// Paths of x, without nu and I, at the boundaries of the model as a study takes them.
[[nodiscard]] Ensemble states_alone(const Model& model, const Session& session = {});

}  // namespace divker
