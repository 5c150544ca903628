// The point at which a fit stands in the coordinates of bounds.hpp, in which steps are taken.
#pragma once

#include <Eigen/Dense>
#include <cstddef>
#include <vector>

#include "divker/model.hpp"

namespace divker::fit {

// `active`: the parameters that are being fitted, by their index. Vectors have an entry for each of
// them, `parameters` one for each of the model's.

// d gamma / d u.
[[nodiscard]] Eigen::VectorXd slopes(const Model& model, const std::vector<std::size_t>& active,
                                     const std::vector<double>& parameters);

// The parameters after a change of u.
[[nodiscard]] std::vector<double> moved(const Model& model, const std::vector<std::size_t>& active,
                                        std::vector<double> parameters,
                                        const Eigen::VectorXd& change);

// The change in the free coordinates that leads from some values to others.
[[nodiscard]] Eigen::VectorXd change_between(const Model& model,
                                             const std::vector<std::size_t>& active,
                                             const std::vector<double>& from,
                                             const std::vector<double>& to);

// The largest change of each u that one step may make; infinite without bounds.
[[nodiscard]] Eigen::VectorXd largest_changes(const Model& model,
                                              const std::vector<std::size_t>& active);

}  // namespace divker::fit
