// Which combinations of parameters the data do not determine, in words.
#pragma once

#include <string>
#include <vector>

#include "divker/model.hpp"
#include "fit/spectrum.hpp"

namespace divker::fit {

// Of directions in which no path changes, the columns, in the coordinates of to_free() over
// `scale`.
[[nodiscard]] std::vector<std::string> unnoticed_directions(
    const Model& model, const std::vector<std::size_t>& parameters,
    const Eigen::MatrixXd& directions, const Eigen::VectorXd& scale);

// `parameters` are those of the spectrum, in the coordinates of to_free().
[[nodiscard]] std::vector<std::string> weak_directions(const Model& model,
                                                       const std::vector<std::size_t>& parameters,
                                                       const Spectrum& spectrum);

// The parameters that a direction is said to change: the others have small parts of it.
[[nodiscard]] Eigen::VectorXd main_part(const Eigen::VectorXd& direction);

}  // namespace divker::fit
