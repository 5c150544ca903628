// docs/theory.md, section 4: the step of an SDE, and its second order in the inverse.
#include "divker/step.hpp"

#include <algorithm>

#include "derive/calculus.hpp"
#include "derive/damping.hpp"
#include "derive/ports.hpp"

namespace divker {
namespace derive {
namespace {

// The columns S_k whose components depend on the state; the others have grad S_k = 0.
std::vector<Field> varying_columns(const Symbols& s) {
  std::vector<Field> varying;
  for (const Field& column : s.columns) {
    const bool varies = std::any_of(column.values.begin(), column.values.end(),
                                    [&](Expression e) { return depends_on(e, s.x); });
    if (varies) varying.push_back(column);
  }
  return varying;
}

// dt sum_k { (grad S_k)^T grad D_nu(S_k) + 1/2 grad tr((grad S_k)^2) }.
// Only those components of grad D_nu(S_k) are made that meet a nonzero row of grad S_k: the cost
// stays O(M) for diagonal noise.
void add_noise_correction(const Symbols& s, HeldScalar& total) {
  for (const Field& column : varying_columns(s)) {
    const Expression divergence_of_column = weighted_divergence(s, column);
    Vector weights;
    for (const std::size_t row : column.rows) {
      weights.push_back(s.dt * derivative(divergence_of_column, s.x[row]));
    }
    total.add_transported(column, weights);
    total.add(0.5 * s.dt * trace_of_jacobian_product(s, column, column));
  }
}

// The products of drift with drift and of drift with noise in G^T (grad D_nu(W)) and in
// 1/2 grad tr(G^2), where W = F dt + sum_k S_k db_k and G = grad W.
void add_second_order(const Symbols& s, const Field& drift, const Field& noise, HeldScalar& total) {
  const Vector by_drift = gradient(weighted_divergence(s, drift), s.x);
  const Vector by_noise = gradient(weighted_divergence(s, noise), s.x);
  Vector by_both;
  for (std::size_t i = 0; i < s.x.size(); ++i) by_both.push_back(by_drift[i] + by_noise[i]);
  total.add_transported(drift, by_both);
  total.add_transported(noise, by_drift);
  total.add(0.5 * trace_of_jacobian_product(s, drift, drift));
  total.add(trace_of_jacobian_product(s, drift, noise));
}

// nu_div: every term of it is a gradient in x, with something held constant.
Vector covector_step(const Symbols& s, InverseOrder order, const Field& drift, const Field& noise) {
  HeldScalar total(s);
  total.add(-weighted_divergence(s, added(drift, noise)));
  add_noise_correction(s, total);
  if (order == InverseOrder::second) add_second_order(s, drift, noise, total);
  Vector nu = total.gradient_in_x();
  for (std::size_t i = 0; i < s.x.size(); ++i) nu[i] = s.nu[i] + nu[i];
  return nu;
}

// One reverse pass gives the expanded increments of all responses:
//   d/dgamma [ -D_nu(W) + dt sum_k D_nu((grad S_k)|_held S_k) ]
// and to second order also D_nu of (grad F)|_held W dt + (grad N)|_held F dt, W = F dt + N.
Vector expanded_increments(const Symbols& s, InverseOrder order, const Field& drift,
                           const Field& noise) {
  const Vector held = s.placeholders(s.gamma.size());
  Vector terms{-weighted_divergence(s, added(drift, noise))};
  for (const Field& column : varying_columns(s)) {
    const Field turned = held_directional_derivative(s, column, column, held);
    terms.push_back(s.dt * weighted_divergence(s, turned));
  }
  if (order == InverseOrder::second) {
    terms.push_back(
        weighted_divergence(s, held_directional_derivative(s, drift, added(drift, noise), held)));
    terms.push_back(weighted_divergence(s, held_directional_derivative(s, noise, drift, held)));
  }
  const Vector increments = gradient(sum(*s.graph, terms), s.gamma);
  return substitute(*s.graph, increments, held, s.gamma);
}

// Where dW does not depend on x, J does not depend on the parameter, and -nu' . dW, (5a) of the
// page, needs no expansion of its own. With any covector at x' whose mean is the score there: if dW
// is the same for all noises, with that after the damping, which the step returns; else with
// nu_div, of which db is a part. Under noise that varies with x, nu_div has the products of noise
// with noise by their means, and (5) suits the response to an amplitude better.
Vector response_increments(const Symbols& s, InverseOrder order, const Field& drift,
                           const Field& noise, const Vector& nu_div, const Vector& nu) {
  Vector increments = expanded_increments(s, order, drift, noise);
  const Vector held = s.placeholders(nu.size());
  const Vector moved = gradient(-dot(*s.graph, held, added(drift, noise).values), s.gamma);
  const Vector after = substitute(*s.graph, moved, held, nu);
  const Vector before_damping = substitute(*s.graph, moved, held, nu_div);
  const bool noise_is_additive = varying_columns(s).empty();
  for (std::size_t p = 0; p < increments.size(); ++p) {
    if (depends_on(moved[p], s.x)) continue;
    if (!depends_on(moved[p], s.b)) {
      increments[p] = after[p];
    } else if (noise_is_additive) {
      increments[p] = before_damping[p];
    }
  }
  return increments;
}

}  // namespace
}  // namespace derive

Program derive_divergence_step(const Model& model, const Method& method, const Asked& asked) {
  using namespace derive;
  const Symbols s(model, asked.wrt, asked.beyond_boundaries);
  const Field drift = scaled(s.dt, s.drift);
  const Field noise = s.noise_increment();
  const Field displacement = added(drift, noise);
  Vector arrival;
  for (std::size_t i = 0; i < s.x.size(); ++i) arrival.push_back(s.x[i] + displacement.values[i]);

  Program program;
  program.arguments.push_back(state_argument(s));
  if (asked.score) program.arguments.push_back(covector_argument(s));
  program.arguments.push_back(noise_argument(s));
  program.arguments.push_back(time_argument(s));
  program.results.push_back(state_result(arrival));
  if (asked.score) {
    const Vector nu_div = covector_step(s, method.order, drift, noise);
    const Damped damped = damp(s, method.damping, nu_div, arrival);
    program.arguments.push_back(damping_argument(damped.arguments));
    program.results.push_back(covector_result(damped.nu));
    if (!asked.wrt.empty()) {
      program.results.push_back(
          response_result(response_increments(s, method.order, drift, noise, nu_div, damped.nu)));
    }
  }
  program.arguments.push_back(parameters_argument(s));
  program.arguments.push_back(step_size_argument(s));
  program.graph = s.graph;
  return s.in_states(std::move(program));
}

}  // namespace divker
