// How dt relates to the drift along the paths of a model.
#pragma once

#include <cstddef>

#include "divker/ensemble.hpp"

namespace divker {

// dt rho(grad F), as march::DriftRate has it, over sampled points.
struct DriftRates {
  double largest = 0.0;
  double time = 0.0;            // of the largest
  double share_turned = 0.0;    // of the points, beyond march::turning_limit
  double share_unstable = 0.0;  // where a step is unstable and the SDE is not
  int parts = 1;  // by which dt must be divided to be stable there; 0 if none was found, or tamed
  double share_tamed = 0.0;  // where taming takes a tenth or more of the drift of some state
  std::size_t points = 0;
};

// At nine times from the start to the last snapshot, on as many of 16 to 256 paths of the run as
// make `numbers` states in all. Paths that fail are left out. For SDEs.
[[nodiscard]] DriftRates drift_rates(const Model& model, const Sampling& sampling,
                                     const Session& session, std::size_t numbers = 30'000);

}  // namespace divker
