// Where states can be.
#pragma once

#include <vector>

#include "divker/model.hpp"

namespace divker::fit {

// Of each state its range, or the positive numbers where it starts positive and cannot pass zero:
// there its noise vanishes and its drift does not point below. Found by evaluating the equations
// just above zero.
[[nodiscard]] std::vector<Range> supports(const Model& model);

}  // namespace divker::fit
