// Finite differences of densities, for the estimator of that name.
#pragma once

#include <cstddef>
#include <vector>

#include "divker/answer.hpp"
#include "divker/matrix.hpp"
#include "divker/model.hpp"

namespace divker {

// Of the logarithms of Gaussian kernel estimates. Error(usage) for a model of several states.
[[nodiscard]] PointAnswer density_difference(const Model& model,
                                             const std::vector<std::size_t>& parameters,
                                             const Matrix& points, const AnswerOptions& options);

}  // namespace divker
