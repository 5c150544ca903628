#include "derive/likelihood_ratio.hpp"

#include <algorithm>
#include <optional>
#include <vector>

#include "derive/calculus.hpp"
#include "divker/error.hpp"

namespace divker::derive {
namespace {

// What the first step of some states from their points mentions, and so what any step of them
// mentions: nodes of the model's graph, ascending.
std::vector<NodeId> movers_of(const Model& model, const std::vector<std::size_t>& states) {
  const Graph& graph = *model.graph();
  std::vector<NodeId> roots;
  for (const std::size_t i : states) {
    roots.insert(roots.end(), {model.drift()[i], model.states()[i].node});
  }
  const std::vector<NodeId> known = reachable(graph, roots);
  for (std::size_t j = 0; j < model.dimension(); ++j) {
    const bool counts = std::ranges::binary_search(known, model.states()[j].node);
    const InitialLaw& law = model.initial()[j];
    if (counts && law.kind == InitialKind::point) roots.push_back(law.a);
  }
  return reachable(graph, roots);
}

// The first of the parameters that moves one of the states.
std::optional<std::size_t> mover_among(const Model& model, std::span<const std::size_t> parameters,
                                       const std::vector<std::size_t>& states) {
  const std::vector<NodeId> movers = movers_of(model, states);
  for (const std::size_t p : parameters) {
    if (std::ranges::binary_search(movers, model.parameters()[p].node)) return p;
  }
  return std::nullopt;
}

}  // namespace

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
  Vector noisy_mean;
  for (const std::size_t row : inverse.noisy_rows()) noisy_mean.push_back(mean[row]);
  const Vector held = s.placeholders(noisy_mean.size());
  Expression log_density = dot(g, noisy_mean, held) / s.h +
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

void require_noise_where_parameters_act(const Model& model, std::span<const std::size_t> wrt) {
  std::vector<std::size_t> silent;
  for (std::size_t i = 0; i < model.dimension(); ++i) {
    if (!model.noisy()[i]) silent.push_back(i);
  }
  if (!mover_among(model, wrt, silent)) return;
  for (const std::size_t i : silent) {
    const std::optional<std::size_t> p = mover_among(model, wrt, {i});
    if (!p) continue;
    throw Error(ErrorKind::model, "The likelihood ratio needs noise wherever a parameter acts: " +
                                      model.parameters()[*p].name + " moves the state " +
                                      model.states()[i].name + " of model " + model.name() +
                                      ", which has none.");
  }
}

}  // namespace divker::derive
