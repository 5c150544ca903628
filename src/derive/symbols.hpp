// The symbols of docs/theory.md: the model's functions and the variables of one step in a working
// graph.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <vector>

#include "divker/model.hpp"
#include "divker/program.hpp"
#include "divker/state_coordinates.hpp"

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
// Formulas are written in coordinates x: the states, but the logarithms, or the roots, of those
// with a range (divker/state_coordinates.hpp; Ito's formula makes their drift and noise), under the
// drift that the time grid may have tamed. A step that goes on beyond the boundaries has no
// logarithms of leaky states. Programs speak of the states themselves: in_states() turns the one
// into the other.
struct Symbols {
  // `responses`: the parameters that are differentiated. Without `roots`, states that would be
  // stepped in their roots are stepped as they are.
  explicit Symbols(const Model& model, const std::vector<std::size_t>& responses = {},
                   bool beyond_boundaries = false, bool roots = true);

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
  // A derivative of the states as one of the coordinates, and one of the arrival, for the parameter
  // that moves it, as one of the states there: dx' = chi' dz + dchi/dgamma.
  [[nodiscard]] Vector tangent_in_coordinates(const Vector& tangent) const;
  [[nodiscard]] Vector tangent_in_states(const Vector& tangent, const Vector& arrival,
                                         Expression parameter) const;
  // Expressions in coordinates with the states in their place.
  [[nodiscard]] Vector in_states(const Vector& expressions) const;
  // A program whose states and covector, arguments and results, are in coordinates, with those of
  // the states in their place. The state x = chi(z; gamma) where the formulas lead to z: from
  // h_x = h_z / |chi'| follow
  //   nu_x = (nu_z - d log|chi'|/dz) / chi' ,  I_x = I_z - d log|chi'|/dgamma - nu_x dchi/dgamma .
  // For w = e^u they are nu_w = (nu_u - 1)/w and I_w = I_u. A program of likelihood ratios has no
  // covector: `told` is the score in z of the one step.
  [[nodiscard]] Program in_states(Program program, const Vector& told = {}) const;

  std::shared_ptr<Graph> graph;
  Vector states;               // M, inputs of the model
  Vector x;                    // coordinates, M: the states, or such as u = log w of a state w
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
  // How a state lies where the formulas lead to: x, dx/dz, d log|dx/dz|/dz, and, where parameters
  // move it at a given z, what the responses lose.
  struct Landing {
    Expression state;
    Expression slope;
    Expression turn;
    bool is_pulled = false;
  };
  void go_beyond_boundaries(const Model& model);
  void take_coordinates();
  void take_coordinate(std::size_t state);
  void tame(double limit);
  [[nodiscard]] Landing landing(std::size_t state, Expression z) const;
  [[nodiscard]] Vector lost_responses(std::size_t state, Expression z, Expression nu) const;

  // One for each state that is stepped in one.
  std::map<std::size_t, std::shared_ptr<const Coordinate>> coordinates_;
  std::map<std::size_t, Vector> pulls_;  // of their equations
  Vector state_nu_;                      // covector of the states, M: nu where x is the state
};

// c V and U + V for fields with all components.
[[nodiscard]] Field scaled(Expression factor, const Field& field);
[[nodiscard]] Field added(const Field& u, const Field& v);

[[nodiscard]] std::vector<NodeId> ids(const Vector& expressions);

}  // namespace divker::derive
