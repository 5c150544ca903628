// What kind of noise a model has, and whether it can be inverted.
#pragma once

#include <span>
#include <string>
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

// Why S S^T is singular on the noisy states, in a sentence; "" where it is positive definite at the
// initial law's mean or at a point nearby. Error(model) where drift or noise are not finite at that
// mean, or a standard deviation is not positive.
[[nodiscard]] std::string singular_noise_at_start(const Model& model);

}  // namespace divker
