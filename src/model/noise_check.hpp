// What kind of noise a model has, and whether the method can work with it.
#pragma once

#include <span>
#include <vector>

#include "divker/model.hpp"

namespace divker {

struct NoiseStructure {
  NoiseClass noise_class = NoiseClass::diagonal;
  bool diagonal_covariance = true;
  std::vector<bool> noisy;  // per state
};

// From the pattern of the noise matrix alone, never from values.
[[nodiscard]] NoiseStructure classify_noise(std::size_t dimension,
                                            std::span<const NoiseEntry> entries);

// At the initial law's mean: drift and noise are finite, standard deviations positive, and S S^T is
// positive definite on the noisy states (there or at a point nearby). Error(model) otherwise.
void check_at_start(const Model& model);

}  // namespace divker
