#include "derive/damping.hpp"

#include <map>
#include <string>
#include <utility>

#include "derive/calculus.hpp"
#include "derive/noise_inverse.hpp"
#include "divker/error.hpp"

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

// `count` step arguments NAME[0], NAME[1], ...; also appended to those of the damping.
Vector arguments_named(const Symbols& s, const std::string& name, std::size_t count,
                       Damped& damped) {
  Vector made;
  for (std::size_t k = 0; k < count; ++k) {
    made.push_back(s.graph->input(name + "[" + std::to_string(k) + "]"));
  }
  damped.arguments.insert(damped.arguments.end(), made.begin(), made.end());
  return made;
}

Damped matrix_damping(const Symbols& s, const NoiseInverse& inverse, const Vector& nu_div) {
  const Vector w = surprise(s, inverse, nu_div);
  const std::size_t dimension = s.x.size();
  Damped damped{nu_div, {}};
  const Vector a = arguments_named(s, "A", w.size() * dimension, damped);
  for (std::size_t j = 0; j < dimension; ++j) {
    Vector column;
    for (std::size_t e = 0; e < w.size(); ++e) {
      column.push_back(a[e * dimension + j]);
    }
    damped.nu[j] = damped.nu[j] - dot(*s.graph, column, w);
  }
  return damped;
}

// Expressions of x, t and of values held, with the arrival x', t + dt and the values in their
// place.
Vector at_arrival(const Symbols& s, const Vector& expressions, const Vector& arrival,
                  const Vector& held, const Vector& values) {
  // e^x first: at the arrival it is the new state, made already.
  Vector from = s.states_at(s.x);
  Vector to = s.states_at(arrival);
  from.insert(from.end(), s.x.begin(), s.x.end());
  to.insert(to.end(), arrival.begin(), arrival.end());
  from.push_back(s.t);
  to.push_back(s.t + s.dt);
  from.insert(from.end(), held.begin(), held.end());
  to.insert(to.end(), values.begin(), values.end());
  return substitute(*s.graph, expressions, from, to);
}

// A^T w = alpha w - beta (grad F^T w + D^{-1} grad F D w) at the point of arrival, D = S S^T.
Damped jacobian_damping(const Symbols& s, const NoiseInverse& inverse, const Vector& nu_div,
                        const Vector& arrival) {
  Graph& g = *s.graph;
  const Expression alpha = g.input("alpha");
  const Expression beta = g.input("beta");
  const std::vector<std::size_t>& rows = inverse.noisy_rows();

  // Written at x with w held, then moved to the arrival.
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
  correction = at_arrival(s, correction, arrival, held, w);

  Damped damped{nu_div, {alpha, beta}};
  for (std::size_t j = 0; j < s.x.size(); ++j) {
    damped.nu[j] = damped.nu[j] + beta * correction[j];
  }
  for (std::size_t e = 0; e < rows.size(); ++e) {
    damped.nu[rows[e]] = damped.nu[rows[e]] - alpha * w[e];
  }
  return damped;
}

// z_k = (x_k - centre) / width, cut off at -3 and 3.
Vector standardised_states(const Symbols& s, const CovectorCovariance& covariance,
                           const Vector& arrival, Damped& damped) {
  const Vector centres = arguments_named(s, "centre", covariance.scales, damped);
  const Vector factors = arguments_named(s, "1/width", covariance.scales, damped);
  const Expression largest = s.constant(largest_standardised_state);
  Vector z;
  for (std::size_t k = 0; k < arrival.size(); ++k) {
    const std::size_t scale = covariance.scale_of[k];
    z.push_back(max(min((arrival[k] - centres[scale]) * factors[scale], largest), -largest));
  }
  return z;
}

// C(x') by its nonzero entries row <= column.
std::map<std::pair<std::size_t, std::size_t>, Expression> entries_of(
    const Symbols& s, const CovectorCovariance& covariance, const Vector& arrival, Damped& damped) {
  const Vector z = standardised_states(s, covariance, arrival, damped);
  const Vector weights = arguments_named(s, "weight", covariance.weights, damped);
  std::map<std::pair<std::size_t, std::size_t>, Vector> terms;
  for (const CovectorCovariance::Term& term : covariance.terms) {
    Expression product = s.constant(1.0);
    for (const std::size_t k : term.factors) product = product * z[k];
    terms[{term.row, term.column}].push_back(weights[term.weight] * product);
  }
  std::map<std::pair<std::size_t, std::size_t>, Expression> entries;
  for (const auto& [place, parts] : terms) entries.emplace(place, sum(*s.graph, parts));
  return entries;
}

// A^T w = alpha w + gain C(x') D(x') w, D = S S^T.
Damped learned_damping(const Symbols& s, const NoiseInverse& inverse, const Vector& nu_div,
                       const Vector& arrival, const CovectorCovariance& covariance) {
  const Expression alpha = s.graph->input("alpha");
  const Expression gain = s.graph->input("gain");
  Damped damped{nu_div, {alpha, gain}};
  const std::vector<std::size_t>& rows = inverse.noisy_rows();
  const Vector w = surprise(s, inverse, nu_div);
  const Vector held = s.placeholders(rows.size());
  const Vector through_noise = at_arrival(s, inverse.multiply(held), arrival, held, w);
  Vector spread(s.x.size(), s.zero());
  for (std::size_t e = 0; e < rows.size(); ++e) spread[rows[e]] = through_noise[e];

  std::vector<Vector> corrections(s.x.size());
  for (const auto& [place, entry] : entries_of(s, covariance, arrival, damped)) {
    const auto [i, j] = place;
    corrections[i].push_back(entry * spread[j]);
    if (i != j) corrections[j].push_back(entry * spread[i]);
  }
  for (std::size_t i = 0; i < s.x.size(); ++i) {
    damped.nu[i] = damped.nu[i] - gain * sum(*s.graph, corrections[i]);
  }
  for (std::size_t e = 0; e < rows.size(); ++e) {
    damped.nu[rows[e]] = damped.nu[rows[e]] - alpha * w[e];
  }
  return damped;
}

}  // namespace

Damped damp(const Symbols& s, const StepOptions& options, const Vector& nu_div,
            const Vector& arrival) {
  const NoiseInverse inverse(s);
  switch (options.damping) {
    case DampingForm::scalar:
      return scalar_damping(s, inverse, nu_div);
    case DampingForm::matrix:
      return matrix_damping(s, inverse, nu_div);
    case DampingForm::jacobian:
      return jacobian_damping(s, inverse, nu_div, arrival);
    case DampingForm::learned:
      if (!options.covariance) {
        throw Error(ErrorKind::usage, "The learned form of damping needs its polynomials.");
      }
      return learned_damping(s, inverse, nu_div, arrival, *options.covariance);
    case DampingForm::mixed:
      return mixed_damping(s, inverse, nu_div);
    case DampingForm::kernel:
      break;
  }
  return {nu_div, {}};
}

}  // namespace divker::derive
