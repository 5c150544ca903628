// How dt relates to the drift along the paths of a model.
#pragma once

#include <cstddef>

#include "divker/ensemble.hpp"

namespace divker {

// dt rho(grad F), as march::DriftRate has it, over sampled points.
struct DriftRates {
  double largest = 0.0;
  double time = 0.0;          // of the largest
  double share_turned = 0.0;  // of the points, beyond march::turning_limit
  std::size_t points = 0;
};

// At nine times from the start to the last snapshot, on at most 256 paths of the run: about 30,000
// numbers at most. Paths that fail are left out. For SDEs.
[[nodiscard]] DriftRates drift_rates(const Model& model, const Sampling& sampling,
                                     const Session& session);

}  // namespace divker
