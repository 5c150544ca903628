#include "derive/calculus.hpp"

#include <algorithm>

namespace divker::derive {
namespace {

// For each state, its place among the rows of a field, or -1.
std::vector<std::ptrdiff_t> places(const Field& field, std::size_t dimension) {
  std::vector<std::ptrdiff_t> place(dimension, -1);
  for (std::size_t e = 0; e < field.rows.size(); ++e) {
    place[field.rows[e]] = static_cast<std::ptrdiff_t>(e);
  }
  return place;
}

}  // namespace

Expression divergence(const Symbols& s, const Field& field) {
  Vector terms;
  for (std::size_t e = 0; e < field.rows.size(); ++e) {
    if (!field.values[e].is_constant()) {
      terms.push_back(derivative(field.values[e], s.x[field.rows[e]]));
    }
  }
  return sum(*s.graph, terms);
}

Expression weighted_divergence(const Symbols& s, const Field& field) {
  Vector covector;
  for (const std::size_t row : field.rows) covector.push_back(s.nu[row]);
  return divergence(s, field) + dot(*s.graph, covector, field.values);
}

void HeldScalar::add_transported(const Field& field, const Vector& weights) {
  const Vector held = s_.placeholders(weights.size());
  terms_.push_back(dot(*s_.graph, held, field.values));
  held_.insert(held_.end(), held.begin(), held.end());
  values_.insert(values_.end(), weights.begin(), weights.end());
}

Vector HeldScalar::gradient_in_x() const {
  return substitute(*s_.graph, gradient(sum(*s_.graph, terms_), s_.x), held_, values_);
}

Expression trace_of_jacobian_product(const Symbols& s, const Field& u, const Field& v) {
  const std::vector<std::ptrdiff_t> place_in_v = places(v, s.x.size());
  Vector terms;
  for (std::size_t e = 0; e < u.rows.size(); ++e) {
    const NodeId root = u.values[e].id();
    const std::vector<NodeId> nodes = reachable(*s.graph, {&root, 1});
    for (std::size_t j = 0; j < s.x.size(); ++j) {
      if (place_in_v[j] < 0 || !std::binary_search(nodes.begin(), nodes.end(), s.x[j].id())) {
        continue;
      }
      const Expression there = v.values[static_cast<std::size_t>(place_in_v[j])];
      const Expression across = derivative(there, s.x[u.rows[e]]);
      if (!across.is_zero()) terms.push_back(derivative(u.values[e], s.x[j]) * across);
    }
  }
  return sum(*s.graph, terms);
}

Field held_directional_derivative(const Symbols& s, const Field& field, const Field& u,
                                  std::span<const Expression> held) {
  const Vector frozen = substitute(*s.graph, field.values, s.gamma, held);
  Vector variables;
  for (const std::size_t row : u.rows) variables.push_back(s.x[row]);
  return {field.rows, directional_derivative(*s.graph, frozen, variables, u.values)};
}

}  // namespace divker::derive
