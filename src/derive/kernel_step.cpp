// docs/theory.md, sections 5 and 6: the pure-kernel step with the one-step likelihood ratio.
#include "derive/calculus.hpp"
#include "derive/noise_inverse.hpp"
#include "divker/error.hpp"
#include "divker/step.hpp"

namespace divker {
namespace derive {
namespace {

void require_noise_everywhere(const Model& model) {
  for (std::size_t i = 0; i < model.dimension(); ++i) {
    if (model.noisy()[i]) continue;
    throw Error(ErrorKind::model,
                "State " + model.states()[i].name + " of model " + model.name() +
                    " carries no noise, so a step cannot forget where it started: this needs noise "
                    "on every state, or an initial law with a density on every state.");
  }
}

// d/dgamma [ m . w / h + w . C w / (2h) - 1/2 log det C ] with w = C^{-1} r held constant: the
// derivative of the log density of one step. Where `points` replaces states by functions of the
// parameters, mean and noise are differentiated through them.
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

// The states, those with a point law as functions of the parameters.
Vector start_points(const Symbols& s, const Model& model, bool from_start) {
  Vector points = s.x;
  for (std::size_t i = 0; from_start && i < points.size(); ++i) {
    const InitialLaw& law = model.initial()[i];
    if (law.kind == InitialKind::point) points[i] = s.graph->at(law.a);
  }
  return points;
}

}  // namespace
}  // namespace derive

Program derive_kernel_step(const Model& model, const StepOptions& options, bool from_start) {
  using namespace derive;
  const Symbols s(model, options);
  const bool is_map = model.dynamics() == Dynamics::map;
  const Field noise = s.noise_increment();
  Vector mean;
  Vector arrival;
  for (std::size_t i = 0; i < s.x.size(); ++i) {
    mean.push_back(is_map ? s.drift.values[i] : s.x[i] + s.drift.values[i] * s.dt);
    arrival.push_back(mean[i] + noise.values[i]);
  }

  Program program;
  program.arguments.push_back({"x", Rate::path, ids(s.x)});
  program.arguments.push_back({"b", Rate::path, ids(s.b)});
  program.arguments.push_back({"t", Rate::step, {s.t.id()}});
  program.arguments.push_back({"parameters", Rate::run, ids(s.parameters)});
  program.arguments.push_back({"dt", Rate::run, {s.dt.id()}});
  program.results.push_back({"x", ids(arrival), false});
  if (options.score) {
    require_noise_everywhere(model);
    const NoiseInverse inverse(s);
    Vector nu;
    for (const Expression& w : inverse.covector_of_increment()) nu.push_back(-(w / s.h));
    program.results.push_back({"nu", ids(nu), false});
    if (!options.responses.empty()) {
      const Vector points = start_points(s, model, from_start);
      program.results.push_back({"I", ids(likelihood_ratio(s, inverse, mean, points)), true});
    }
  }
  program.graph = s.graph;
  return program;
}

}  // namespace divker
