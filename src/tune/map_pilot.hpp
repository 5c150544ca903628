// The pilot of discrete-time maps: divergence step or kernel, and in which mixture.
#pragma once

#include "divker/pilot.hpp"
#include "tune/trial.hpp"

namespace divker::tune {

// The pure kernel step with the likelihood ratio, unless an exact divergence step has a variance
// that is clearly less and can be believed.
[[nodiscard]] DampingChoice choose_for_map(Trial& trial);

}  // namespace divker::tune
