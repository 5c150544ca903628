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

[[nodiscard]] std::vector<std::string> state_names(const Model& model);
[[nodiscard]] std::vector<std::string> parameter_names(const Model& model,
                                                       const std::vector<std::size_t>& parameters);

// Error(usage) if there is none.
void require_parameters(const Model& model, const std::vector<std::size_t>& parameters);

// Error(numerical) for fewer than two finished paths.
void require_paths(const RunSummary& summary);

// The snapshot times of a run as they lie on the time grid.
[[nodiscard]] std::vector<double> snapshot_times(const Model& model, const RunOptions& run);

}  // namespace divker
