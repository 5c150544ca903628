// The one-step likelihood ratio: d/dgamma of the log density of x' given x.
#pragma once

#include <span>

#include "derive/noise_inverse.hpp"
#include "derive/symbols.hpp"
#include "divker/model.hpp"

namespace divker::derive {

// Where a step of the chain leads: the mean of x' given x, and x' itself. For an SDE this is the
// Euler chain.
struct Chain {
  Vector mean;
  Vector arrival;
};
[[nodiscard]] Chain chain(const Symbols& s, const Model& model);

// d/dgamma [ m . w / h + w . C w / (2h) - 1/2 log det C ] with w = C^{-1} r held constant, r = S
// db, all of them on the states that carry noise. Where `points` replaces states by functions of
// the parameters, mean and noise are differentiated through them.
[[nodiscard]] Vector likelihood_ratio(const Symbols& s, const NoiseInverse& inverse,
                                      const Vector& mean, const Vector& points);

// Error(model) naming a state without noise: a step cannot forget where such a state started.
void require_noise_everywhere(const Model& model);
// Error(model) naming a parameter and a state without noise that it moves: at another value of the
// parameter no path would be one of those at this value. A parameter moves a state through its
// equation, or through the point from which the first step leads to it.
void require_noise_where_parameters_act(const Model& model, std::span<const std::size_t> wrt);

}  // namespace divker::derive
