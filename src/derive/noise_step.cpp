// docs/theory.md, sections 5 and 6: the noise-only step with the one-step likelihood ratio.
#include "derive/likelihood_ratio.hpp"
#include "derive/noise_inverse.hpp"
#include "derive/ports.hpp"
#include "divker/step.hpp"

namespace divker {
namespace derive {
namespace {

// The coordinates, those of states with a point law as functions of the parameters.
Vector start_points(const Symbols& s, const Model& model, bool from_start) {
  Vector starts = s.states;
  for (std::size_t i = 0; i < starts.size(); ++i) {
    const InitialLaw& law = model.initial()[i];
    if (law.kind == InitialKind::point) starts[i] = s.graph->at(law.a);
  }
  const Vector coordinates = s.coordinates_at(starts);
  Vector points = s.x;
  for (std::size_t i = 0; from_start && i < points.size(); ++i) {
    if (model.initial()[i].kind == InitialKind::point) points[i] = coordinates[i];
  }
  return points;
}

}  // namespace
}  // namespace derive

Program derive_noise_step(const Model& model, const Asked& asked, bool from_start) {
  using namespace derive;
  const Symbols s(model, asked.wrt, asked.beyond_boundaries);
  const Chain step = chain(s, model);
  Program program;
  program.arguments = {state_argument(s), noise_argument(s), time_argument(s),
                       parameters_argument(s), step_size_argument(s)};
  program.results.push_back(state_result(step.arrival));
  if (asked.states_alone()) {
    program.graph = s.graph;
    return s.in_states(std::move(program));
  }
  const NoiseInverse inverse(s);
  const Vector increments = inverse.covector_of_increment();
  Vector told(s.x.size(), s.zero());
  for (std::size_t e = 0; e < increments.size(); ++e) {
    told[inverse.noisy_rows()[e]] = -(increments[e] / s.h);
  }
  if (asked.score) {
    require_noise_everywhere(model);
    program.results.push_back(covector_result(told));
  }
  if (!asked.wrt.empty()) {
    require_noise_where_parameters_act(model, asked.wrt);
    const Vector points = start_points(s, model, from_start);
    program.results.push_back(response_result(likelihood_ratio(s, inverse, step.mean, points)));
  }
  program.graph = s.graph;
  return s.in_states(std::move(program), told);
}

}  // namespace divker
