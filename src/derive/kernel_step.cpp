// docs/theory.md, sections 5 and 6: the pure-kernel step with the one-step likelihood ratio.
#include "derive/likelihood_ratio.hpp"
#include "derive/noise_inverse.hpp"
#include "divker/step.hpp"

namespace divker {
namespace derive {
namespace {

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
  const Chain step = chain(s, model);

  Program program;
  program.arguments.push_back({"x", Rate::path, ids(s.x)});
  program.arguments.push_back({"b", Rate::path, ids(s.b)});
  program.arguments.push_back({"t", Rate::step, {s.t.id()}});
  program.arguments.push_back({"parameters", Rate::run, ids(s.parameters)});
  program.arguments.push_back({"dt", Rate::run, {s.dt.id()}});
  program.results.push_back({"x", ids(step.arrival), false});
  if (options.score) {
    require_noise_everywhere(model);
    const NoiseInverse inverse(s);
    Vector nu;
    for (const Expression& w : inverse.covector_of_increment()) nu.push_back(-(w / s.h));
    program.results.push_back({"nu", ids(nu), false});
    if (!options.responses.empty()) {
      const Vector points = start_points(s, model, from_start);
      program.results.push_back({"I", ids(likelihood_ratio(s, inverse, step.mean, points)), true});
    }
  }
  program.graph = s.graph;
  return program;
}

}  // namespace divker
