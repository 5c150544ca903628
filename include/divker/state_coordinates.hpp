// The coordinates in which states with a range are stepped, so that paths stay inside.
//
// A coordinate u of a state x has, by Ito's formula and with g = dx/du and tau = d log|g|/du,
//
//   du = ( F/g - 1/2 tau sum_k (S_k/g)^2 ) dt + sum_k (S_k/g) dB_k ,
//
// and from h_u = |g| h_x the covector nu_u = g nu_x + tau. Which u:
//
//   the noise falls                 range (a, inf)   range (a, b)
//   in proportion to the distance   log(x - a)       log((x - a)/(b - x))
//   like its root                   sqrt(x - a)      asin(sqrt((x - a)/(b - a)))
//
// In a root the noise c sqrt(x - a) is c/2 wherever the state is, and the drift is beta/u and
// something smooth, with beta = F(a)/2 - c^2/8 the pull away from the end. The smooth part is taken
// explicitly, z = u + (...) dt + c/2 dB, and the pull at the arrival:
//
//   u' = z + dt beta/u' ,   u' = ( z + sqrt(z^2 + 4 beta dt) )/2 > 0 ,   x' = a + u'^2 .
//
// This drift-implicit square-root step is that of A. Alfonsi, Monte Carlo Methods Appl. 11 (2005)
// 355; S. Dereich, A. Neuenkirch and L. Szpruch, Proc. R. Soc. A 468 (2012) 1105, prove that it
// converges at order 1/2 in the strong sense wherever the SDE stays inside. Between two ends the
// pull of the second follows that of the first, u'' = u' - dt beta_b u''/(L (L - u'')), L = pi/2,
// which leaves the first end where it is; the constant beta_b/L that is missing there is part of
// the smooth drift. The arrival x' is a monotone function of z that depends on parameters through
// beta: covectors and responses go through its derivatives (src/derive/symbols.cpp).
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "divker/expression.hpp"
#include "divker/model.hpp"

namespace divker {

class Coordinate {
 public:
  // An equation in the coordinate. `pulls`: beta of each end that is taken at the arrival.
  struct Equation {
    Expression drift;
    std::vector<Expression> noise;
    std::vector<Expression> pulls;
  };

  virtual ~Coordinate() = default;
  // "log(w)", for a state called w.
  [[nodiscard]] virtual std::string text(const std::string& name) const = 0;
  [[nodiscard]] virtual bool is_root() const { return false; }

  [[nodiscard]] virtual Expression at_state(Expression x) const = 0;  // u
  [[nodiscard]] virtual double at_state(double x) const = 0;
  // x at a place u' given as an expression that may be made of u.
  [[nodiscard]] virtual Expression state(Expression place, Expression u) const = 0;
  // g and tau where the state is x and its coordinate u.
  [[nodiscard]] virtual Expression stretch(Expression x, Expression u) const = 0;
  [[nodiscard]] virtual double stretch(double x) const = 0;
  [[nodiscard]] virtual Expression turn(Expression x, Expression u) const = 0;
  [[nodiscard]] virtual double turn(double x) const = 0;
  // An expression of u that is simple in x, and what it is there.
  [[nodiscard]] virtual std::pair<Expression, Expression> shortcut(Expression x,
                                                                   Expression u) const = 0;
  // Drift and noise, functions of the state x, by Ito's formula.
  [[nodiscard]] virtual Equation equation(Expression x, Expression u, Expression drift,
                                          std::span<const Expression> noise) const;
  // Where the step leads that arrives at z before the pulls. Without pulls: state(z, u).
  [[nodiscard]] virtual Expression landed(Expression z, Expression u,
                                          std::span<const Expression> pulls, Expression dt) const;
};

// One for each state; null for a state that is stepped as it is. A root is taken where the range is
// declared, or for every state of Model::stepped_in_roots() that starts inside (0, inf) or (0, 1):
// its noise is c sqrt(x - a) or c sqrt((x - a)(b - x)), c and the drift at the ends do not depend
// on states, and Feller's condition F(a) >= c^2/2 holds at both ends, so that the SDE stays inside.
// That the noise has this form is seen in numbers, at several states and parameters.
[[nodiscard]] std::vector<std::shared_ptr<const Coordinate>> coordinates(const Model& model);

// A sentence where the noise of one state changes with another that is stepped in its root and
// comes so near to its end, F(a) < c^2, that 1/(x - a) has no variance; none elsewhere. Weights
// along the paths have such factors.
[[nodiscard]] std::optional<std::string> faint_noise(const Model& model);

// For people: "w is stepped in log(w).", "r is stepped in sqrt(r), by implicit steps, where paths
// meet its end." The latter of models whose range is not declared.
[[nodiscard]] std::vector<std::string> coordinates_in_words(const Model& model);

}  // namespace divker
