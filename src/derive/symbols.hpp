// The symbols of docs/theory.md: the model's functions and the variables of one step in a working
// graph.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "divker/model.hpp"
#include "divker/program.hpp"

namespace divker::derive {

using Vector = std::vector<Expression>;

// A vector field by its nonzero components: all of them for the drift, few for a column S_k of the
// noise matrix.
struct Field {
  std::vector<std::size_t> rows;
  Vector values;
};

// Everything a formula can mention. Expressions point into `graph`, a copy of the model's.
//
// Formulas are written in coordinates x: the states, but the logarithms of positive ones (Ito's
// formula makes their drift and noise), under the drift that the time grid may have tamed. A step
// that goes on beyond the boundaries has no logarithms of leaky states.
// Programs speak of the states themselves: in_states() turns the one into the other.
struct Symbols {
  // `responses`: the parameters that are differentiated.
  explicit Symbols(const Model& model, const std::vector<std::size_t>& responses = {},
                   bool beyond_boundaries = false);

  [[nodiscard]] Expression constant(double value) const { return graph->constant(value); }
  [[nodiscard]] Expression zero() const { return constant(0.0); }
  // Fresh variables that stand for values held constant while something is differentiated.
  [[nodiscard]] Vector placeholders(std::size_t count) const;
  // sum_k S_k db_k.
  [[nodiscard]] Field noise_increment() const;
  // The states at a point given by its coordinates, and the coordinates at a point given by its
  // states.
  [[nodiscard]] Vector states_at(const Vector& coordinates) const;
  [[nodiscard]] Vector coordinates_at(const Vector& points) const;
  // Expressions in coordinates with the states in their place.
  [[nodiscard]] Vector in_states(const Vector& expressions) const;
  // A program whose states and covector, arguments and results, are in coordinates, with those of
  // the states in their place: w = e^u, and from h_w = h_u/w the covector nu_w = (nu_u - 1)/w.
  [[nodiscard]] Program in_states(Program program) const;

  std::shared_ptr<Graph> graph;
  Vector states;               // M, inputs of the model
  Vector x;                    // coordinates, M: the states, or u = log w for a positive state w
  Vector nu;                   // covector, M: gradient in x
  Vector b;                    // standard normals, K
  Vector db;                   // Brownian increments sqrt(h) b, K
  Expression t;                // time
  Vector input;                // the model's inputs at t
  Vector input_at_arrival;     // and at t + dt
  Expression dt;               // step of an SDE
  Expression h;                // variance of one increment: dt, or 1 for a map
  Vector parameters;           // all, P
  Vector gamma;                // those that are differentiated
  Field drift;                 // F, tamed if the grid is, or f of a map, M
  std::vector<Field> columns;  // S_k
  std::vector<bool> noisy;     // per state
  bool diagonal_covariance = true;

 private:
  void go_beyond_boundaries(const Model& model);
  void take_logarithms();
  void tame(double limit);

  std::vector<std::size_t> positive_;  // numbers of the positive states
  Vector state_nu_;                    // covector of the states, M: nu where x is the state
};

// c V and U + V for fields with all components.
[[nodiscard]] Field scaled(Expression factor, const Field& field);
[[nodiscard]] Field added(const Field& u, const Field& v);

[[nodiscard]] std::vector<NodeId> ids(const Vector& expressions);

}  // namespace divker::derive
