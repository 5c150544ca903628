// Which combinations of parameters the data do not determine, in words.
#pragma once

#include <string>
#include <vector>

#include "divker/model.hpp"
#include "fit/spectrum.hpp"

namespace divker::fit {

// `parameters` are those of the spectrum, in the coordinates of to_free().
[[nodiscard]] std::vector<std::string> weak_directions(const Model& model,
                                                       const std::vector<std::size_t>& parameters,
                                                       const Spectrum& spectrum);

}  // namespace divker::fit
