// docs/exact.md: the step of a chain without expansion in dt.
#include "divker/exact_step.hpp"

#include "derive/damping.hpp"
#include "derive/likelihood_ratio.hpp"
#include "derive/noise_inverse.hpp"
#include "derive/ports.hpp"
#include "divker/model_kinks.hpp"

namespace divker {
namespace derive {
namespace {

// J = d x'/dx by its entries that are not structurally zero.
struct Jacobian {
  std::vector<std::size_t> places;  // row * M + column
  Vector entries;
};

Jacobian jacobian_of(const Symbols& s, const Vector& arrival) {
  const std::size_t dimension = s.x.size();
  Jacobian jacobian;
  for (std::size_t i = 0; i < dimension; ++i) {
    const Vector row = gradient(arrival[i], s.x);
    for (std::size_t j = 0; j < dimension; ++j) {
      if (row[j].is_zero()) continue;
      jacobian.places.push_back(i * dimension + j);
      jacobian.entries.push_back(row[j]);
    }
  }
  return jacobian;
}

// sum_ij held(J^{-1}_ji) J_ij, whose derivatives are those of log|det J|. The entries of the
// inverse are arguments of the program, and so held by themselves.
Expression log_determinant(const Symbols& s, const Jacobian& jacobian, const Vector& inverse) {
  const std::size_t dimension = s.x.size();
  Vector weights;
  for (const std::size_t place : jacobian.places) {
    weights.push_back(inverse[(place % dimension) * dimension + place / dimension]);
  }
  return dot(*s.graph, weights, jacobian.entries);
}

// J^{-T} ( nu - grad log|det J| ).
Vector covector_step(const Symbols& s, Expression log_determinant, const Vector& inverse) {
  const std::size_t dimension = s.x.size();
  Vector reduced = gradient(log_determinant, s.x);
  for (std::size_t j = 0; j < dimension; ++j) reduced[j] = s.nu[j] - reduced[j];
  Vector nu_div;
  for (std::size_t i = 0; i < dimension; ++i) {
    Vector column;
    for (std::size_t j = 0; j < dimension; ++j) column.push_back(inverse[j * dimension + i]);
    nu_div.push_back(dot(*s.graph, column, reduced));
  }
  return nu_div;
}

// -d/dgamma [ log|det J| + held(nu_div) . x' ] for all parameters at once.
Vector response_increments(const Symbols& s, Expression log_determinant, const Vector& nu_div,
                           const Vector& arrival) {
  const Vector held = s.placeholders(nu_div.size());
  const Expression phi = -(log_determinant + dot(*s.graph, held, arrival));
  return substitute(*s.graph, gradient(phi, s.gamma), held, nu_div);
}

}  // namespace
}  // namespace derive

std::optional<std::string> kink_of(const Model& model) {
  Graph graph(*model.graph());
  std::vector<NodeId> roots = model.drift();
  for (const NoiseEntry& entry : model.noise()) roots.push_back(entry.amplitude);
  std::vector<Expression> x;
  for (const State& state : model.states()) x.push_back(graph.at(state.node));
  for (const Kink& kink : find_kinks(graph, roots, x, positive_inputs(model, graph))) {
    const bool is_edge = kink.op == Op::sqrt || kink.op == Op::pow;
    if (kink.kind != KinkKind::bend && !is_edge) return std::string(name_of(kink.op));
  }
  return std::nullopt;
}

JacobianProgram derive_step_jacobian(const Model& model) {
  using namespace derive;
  const Symbols s(model);
  const Jacobian jacobian = jacobian_of(s, chain(s, model).arrival);
  Program program;
  program.arguments = {state_argument(s), noise_argument(s), time_argument(s),
                       parameters_argument(s), step_size_argument(s)};
  program.results.push_back({"jacobian", ids(jacobian.entries)});
  program.graph = s.graph;
  return {s.in_states(std::move(program)), jacobian.places};
}

Program derive_exact_step(const Model& model, const Method& method, const Asked& asked) {
  using namespace derive;
  const Symbols s(model, asked.wrt);
  Graph& g = *s.graph;
  Vector inverse;
  for (std::size_t k = 0; k < s.x.size() * s.x.size(); ++k) {
    inverse.push_back(g.input("inverse[" + std::to_string(k) + "]"));
  }
  const Chain step = chain(s, model);
  const Expression log_det = log_determinant(s, jacobian_of(s, step.arrival), inverse);
  const Vector nu_div = covector_step(s, log_det, inverse);
  const Damped damped = damp(s, method.damping, nu_div, step.arrival);

  Program program;
  program.arguments = {state_argument(s),      covector_argument(s),
                       noise_argument(s),      {"inverse", Role::carried, ids(inverse)},
                       time_argument(s),       damping_argument(damped.arguments),
                       parameters_argument(s), step_size_argument(s)};
  program.results = {state_result(step.arrival), covector_result(damped.nu)};
  if (!asked.wrt.empty()) {
    Vector increments = response_increments(s, log_det, nu_div, step.arrival);
    if (damped.likelihood_share) {
      require_noise_everywhere(model);
      const Expression share = *damped.likelihood_share;
      const Vector told = likelihood_ratio(s, NoiseInverse(s), step.mean, s.x);
      for (std::size_t p = 0; p < increments.size(); ++p) {
        increments[p] = (1.0 - share) * increments[p] + share * told[p];
      }
    }
    program.results.push_back(response_result(increments));
  }
  program.graph = s.graph;
  return s.in_states(std::move(program));
}

}  // namespace divker
