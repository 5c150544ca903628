// The initial law: x_0, nu_0 = grad log h_0(x_0), I_0 = d log h_0(x_0; gamma) / d gamma, and
// v_0 = d x_0 / d gamma.
#include "derive/ports.hpp"
#include "derive/symbols.hpp"
#include "divker/step.hpp"

namespace divker {
namespace derive {
namespace {

// What one state contributes: its value, and log h_0 as a function of a held value of the state.
struct Draw {
  Expression value;
  Expression log_density;
};

Draw draw(const Symbols& s, const InitialLaw& law, Expression held, Expression z,
          Expression sample) {
  Graph& g = *s.graph;
  if (law.kind == InitialKind::samples) return {sample, s.zero()};
  const Expression a = g.at(law.a);
  if (law.kind == InitialKind::point) return {a, s.zero()};
  const Expression b = g.at(law.b);
  const bool in_logarithm = law.kind == InitialKind::lognormal;
  const Expression coordinate = in_logarithm ? log(held) : held;
  const Expression standardised = (coordinate - a) / b;
  Expression log_density = -0.5 * standardised * standardised - log(b);
  if (in_logarithm) log_density = log_density - coordinate;
  const Expression normal = a + b * z;
  return {in_logarithm ? exp(normal) : normal, log_density};
}

}  // namespace
}  // namespace derive

Program derive_start(const Model& model, const Asked& asked) {
  using namespace derive;
  const Symbols s(model, asked.wrt, asked.beyond_boundaries);
  Graph& g = *s.graph;
  const std::size_t dimension = s.states.size();
  Vector z;
  Vector sample;
  for (std::size_t i = 0; i < dimension; ++i) {
    z.push_back(g.input("z[" + std::to_string(i) + "]"));
    sample.push_back(g.input("sample[" + std::to_string(i) + "]"));
  }
  Vector values;
  Vector log_densities;
  for (std::size_t i = 0; i < dimension; ++i) {
    const Draw drawn = draw(s, model.initial()[i], s.states[i], z[i], sample[i]);
    values.push_back(drawn.value);
    log_densities.push_back(drawn.log_density);
  }
  // Laws that depend on a state that starts from samples are those at its sample.
  Vector from;
  Vector to;
  for (std::size_t i = 0; i < dimension; ++i) {
    if (model.initial()[i].kind != InitialKind::samples) continue;
    from.push_back(s.states[i]);
    to.push_back(sample[i]);
  }
  if (!from.empty()) values = substitute(g, values, from, to);
  const Expression log_density = sum(g, log_densities);

  Program program;
  program.arguments.push_back({"z", Role::start_noise, ids(z)});
  if (model.starts_from_samples())
    program.arguments.push_back({"sample", Role::sample, ids(sample)});
  program.arguments.push_back(parameters_argument(s));
  program.results.push_back(state_result(values));
  if (asked.score) {
    program.results.push_back(
        covector_result(substitute(g, gradient(log_density, s.states), s.states, values)));
  }
  if (asked.tangents) {
    Vector tangents;
    for (const Expression& parameter : s.gamma) {
      for (const Expression& value : values) tangents.push_back(derivative(value, parameter));
    }
    program.results.push_back(tangent_result(tangents));
  } else if (!asked.wrt.empty()) {
    program.results.push_back(
        first_response_result(substitute(g, gradient(log_density, s.gamma), s.states, values)));
  }
  program.graph = s.graph;
  return program;
}

}  // namespace divker
