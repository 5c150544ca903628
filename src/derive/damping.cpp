#include "derive/damping.hpp"

#include "derive/calculus.hpp"
#include "derive/noise_inverse.hpp"

namespace divker::derive {
namespace {

// w = nu_div dt + S^{-T} db, on the noisy states: zero in the mean, given where the path arrives.
Vector surprise(const Symbols& s, const NoiseInverse& inverse, const Vector& nu_div) {
  Vector w = inverse.covector_of_increment();
  for (std::size_t e = 0; e < w.size(); ++e) {
    w[e] = nu_div[inverse.noisy_rows()[e]] * s.dt + w[e];
  }
  return w;
}

// nu' = (1 - alpha dt) nu_div - alpha S^{-T} db: the same as nu_div - alpha w, an operation
// cheaper.
Damped scalar_damping(const Symbols& s, const NoiseInverse& inverse, const Vector& nu_div) {
  const Expression alpha = s.graph->input("alpha");
  const Expression kept = 1.0 - alpha * s.dt;
  const Vector told = inverse.covector_of_increment();
  Damped damped{nu_div, {alpha}};
  for (std::size_t e = 0; e < told.size(); ++e) {
    Expression& nu = damped.nu[inverse.noisy_rows()[e]];
    nu = kept * nu - alpha * told[e];
  }
  return damped;
}

// The same, with the share of the likelihood ratio among its arguments.
Damped mixed_damping(const Symbols& s, const NoiseInverse& inverse, const Vector& nu_div) {
  Damped damped = scalar_damping(s, inverse, nu_div);
  damped.arguments.push_back(s.graph->input("c"));
  return damped;
}

Damped matrix_damping(const Symbols& s, const NoiseInverse& inverse, const Vector& nu_div) {
  const Vector w = surprise(s, inverse, nu_div);
  const std::size_t dimension = s.x.size();
  Damped damped{nu_div, {}};
  for (std::size_t k = 0; k < w.size() * dimension; ++k) {
    damped.arguments.push_back(s.graph->input("A[" + std::to_string(k) + "]"));
  }
  for (std::size_t j = 0; j < dimension; ++j) {
    Vector column;
    for (std::size_t e = 0; e < w.size(); ++e) {
      column.push_back(damped.arguments[e * dimension + j]);
    }
    damped.nu[j] = damped.nu[j] - dot(*s.graph, column, w);
  }
  return damped;
}

// A^T w = alpha w - beta (grad F^T w + D^{-1} grad F D w) at the point of arrival, D = S S^T.
Damped jacobian_damping(const Symbols& s, const NoiseInverse& inverse, const Vector& nu_div,
                        const Vector& arrival) {
  Graph& g = *s.graph;
  const Expression alpha = g.input("alpha");
  const Expression beta = g.input("beta");
  const std::vector<std::size_t>& rows = inverse.noisy_rows();

  // Written at x with w held, then moved to the arrival x', t + dt.
  const Vector held = s.placeholders(rows.size());
  Vector spread(s.x.size(), s.zero());
  Vector along(s.x.size(), s.zero());
  const Vector held_through_noise = inverse.multiply(held);
  for (std::size_t e = 0; e < rows.size(); ++e) {
    spread[rows[e]] = held[e];
    along[rows[e]] = held_through_noise[e];
  }
  const Vector transposed = gradient(dot(g, spread, s.drift.values), s.x);
  const Vector forward = directional_derivative(g, s.drift.values, s.x, along);
  Vector forward_noisy;
  for (const std::size_t row : rows) forward_noisy.push_back(forward[row]);
  const Vector through_inverse = inverse.solve(forward_noisy);

  Vector correction = transposed;
  for (std::size_t e = 0; e < rows.size(); ++e) {
    correction[rows[e]] = correction[rows[e]] + through_inverse[e];
  }
  const Vector w = surprise(s, inverse, nu_div);
  // e^x first: at the arrival it is the new state, made already.
  Vector from = s.states_at(s.x);
  Vector to = s.states_at(arrival);
  from.insert(from.end(), s.x.begin(), s.x.end());
  to.insert(to.end(), arrival.begin(), arrival.end());
  from.push_back(s.t);
  to.push_back(s.t + s.dt);
  from.insert(from.end(), held.begin(), held.end());
  to.insert(to.end(), w.begin(), w.end());
  correction = substitute(g, correction, from, to);

  Damped damped{nu_div, {alpha, beta}};
  for (std::size_t j = 0; j < s.x.size(); ++j) {
    damped.nu[j] = damped.nu[j] + beta * correction[j];
  }
  for (std::size_t e = 0; e < rows.size(); ++e) {
    damped.nu[rows[e]] = damped.nu[rows[e]] - alpha * w[e];
  }
  return damped;
}

}  // namespace

Damped damp(const Symbols& s, DampingForm form, const Vector& nu_div, const Vector& arrival) {
  const NoiseInverse inverse(s);
  switch (form) {
    case DampingForm::scalar:
      return scalar_damping(s, inverse, nu_div);
    case DampingForm::matrix:
      return matrix_damping(s, inverse, nu_div);
    case DampingForm::jacobian:
      return jacobian_damping(s, inverse, nu_div, arrival);
    case DampingForm::mixed:
      return mixed_damping(s, inverse, nu_div);
    case DampingForm::kernel:
      break;
  }
  return {nu_div, {}};
}

}  // namespace divker::derive
