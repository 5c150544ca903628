// A place at which no coefficient is special.
#pragma once

#include <vector>

#include "divker/model.hpp"

namespace divker {

// About `scale`, all states different; those with a finite range inside it.
[[nodiscard]] std::vector<double> somewhere(const Model& model, double scale);

}  // namespace divker
