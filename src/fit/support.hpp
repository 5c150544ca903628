// Which states cannot become negative.
#pragma once

#include <vector>

#include "divker/model.hpp"

namespace divker::fit {

// States that start positive and cannot pass zero: there their noise vanishes and their drift does
// not point below. Found by evaluating the equations just above zero.
[[nodiscard]] std::vector<bool> positive_states(const Model& model);

}  // namespace divker::fit
