// The symbols of docs/theory.md: the model's functions and the variables of one step in a working
// graph.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "divker/model.hpp"
#include "divker/program.hpp"
#include "divker/step.hpp"

namespace divker::derive {

using Vector = std::vector<Expression>;

// A vector field by its nonzero components: all of them for the drift, few for a column S_k of the
// noise matrix.
struct Field {
  std::vector<std::size_t> rows;
  Vector values;
};

// Everything a formula can mention. Expressions point into `graph`, a copy of the model's.
struct Symbols {
  explicit Symbols(const Model& model, const StepOptions& options);

  [[nodiscard]] Expression constant(double value) const { return graph->constant(value); }
  [[nodiscard]] Expression zero() const { return constant(0.0); }
  // Fresh variables that stand for values held constant while something is differentiated.
  [[nodiscard]] Vector placeholders(std::size_t count) const;
  // sum_k S_k db_k.
  [[nodiscard]] Field noise_increment() const;

  std::shared_ptr<Graph> graph;
  Vector x;                    // state, M
  Vector nu;                   // covector, M
  Vector b;                    // standard normals, K
  Vector db;                   // Brownian increments sqrt(h) b, K
  Expression t;                // time
  Expression dt;               // step of an SDE
  Expression h;                // variance of one increment: dt, or 1 for a map
  Vector parameters;           // all, P
  Vector gamma;                // those that are differentiated
  Field drift;                 // F, or f of a map, M
  std::vector<Field> columns;  // S_k
  std::vector<bool> noisy;     // per state
  bool diagonal_covariance = true;
};

// c V and U + V for fields with all components.
[[nodiscard]] Field scaled(Expression factor, const Field& field);
[[nodiscard]] Field added(const Field& u, const Field& v);

[[nodiscard]] std::vector<NodeId> ids(const Vector& expressions);

}  // namespace divker::derive
