#include "derive/likelihood_ratio.hpp"

#include "derive/calculus.hpp"
#include "divker/error.hpp"

namespace divker::derive {

Chain chain(const Symbols& s, const Model& model) {
  const bool is_map = model.dynamics() == Dynamics::map;
  const Field noise = s.noise_increment();
  const Field drift = is_map ? s.drift : scaled(s.dt, s.drift);
  const Field moved = added(drift, noise);
  Chain result;
  for (std::size_t i = 0; i < s.x.size(); ++i) {
    result.mean.push_back(is_map ? drift.values[i] : s.x[i] + drift.values[i]);
    result.arrival.push_back(is_map ? moved.values[i] : s.x[i] + moved.values[i]);
  }
  return result;
}

Vector likelihood_ratio(const Symbols& s, const NoiseInverse& inverse, const Vector& mean,
                        const Vector& points) {
  Graph& g = *s.graph;
  const Vector held = s.placeholders(mean.size());
  Expression log_density = dot(g, mean, held) / s.h +
                           dot(g, held, inverse.multiply(held)) / (2.0 * s.h) -
                           0.5 * inverse.log_determinant();
  log_density = substitute(g, Vector{log_density}, s.x, points).front();
  return substitute(g, gradient(log_density, s.gamma), held, inverse.covector_of_increment());
}

void require_noise_everywhere(const Model& model) {
  for (std::size_t i = 0; i < model.dimension(); ++i) {
    if (model.noisy()[i]) continue;
    throw Error(ErrorKind::model,
                "State " + model.states()[i].name + " of model " + model.name() +
                    " carries no noise, so a step cannot forget where it started: this needs noise "
                    "on every state, or an initial law with a density on every state.");
  }
}

}  // namespace divker::derive
