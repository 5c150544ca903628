// Functionals of a path: numbers that grow with it, such as its maximum so far.
//
//   path m = max(x)              M_t   = max_{s <= t} x_s
//   path a = integral(x^2)       A_t   = int_0^t x_s^2 ds
//   path tau = first(x > level)  tau_t = inf {s <= t : x_s > level}, infinite while there is none
//
// The chain knows what is followed, g(t, x; gamma), at the ends a = g_n and b = g_{n+1} of a step
// alone. Between them it moves like a Brownian bridge of the variance that the noise of the step
// gives it where the step begins, v = dt sum_k (grad g . S_k)^2, and extremes and passages are
// drawn from the laws of this bridge: those of the Euler scheme in continuous time, whose error in
// means of killed paths is O(dt) instead of O(sqrt(dt)) (E. Gobet, Stoch. Proc. Appl. 87 (2000)
// 167; S. Asmussen, P. Glynn, J. Pitman, Ann. Appl. Probab. 5 (1995) 875). Noise that is added by
// the square of the step, such as that of a curved g, is of the order of dt. Maps have no time
// between their steps. docs/path_functionals.md derives the formulas.
//
// A new kind is one file of src/model/functionals and one line in the table.
#pragma once

#include <cstddef>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "divker/expression.hpp"

namespace divker {

// The value of a passage that has not happened yet, as paths carry it; observables see infinity.
inline constexpr double not_yet = std::numeric_limits<double>::max();

// One step as the formula of a functional sees it. Each is an expression of one graph.
struct PathStep {
  Expression value;                 // of the functional before the step
  Expression before, after;         // a and b
  Expression variance;              // v
  Expression t, dt;                 // when the step begins
  std::vector<Expression> normals;  // standard ones for what happens inside; empty where v = 0
  bool has_inside = true;           // false for maps
};

// E = (xi_1^2 + xi_2^2) / 2, an exponential number with mean 1, of a step that draws.
[[nodiscard]] Expression exponential_of(const PathStep& step);

class PathFunctionalKind {
 public:
  PathFunctionalKind() = default;
  virtual ~PathFunctionalKind() = default;
  PathFunctionalKind(const PathFunctionalKind&) = delete;
  PathFunctionalKind& operator=(const PathFunctionalKind&) = delete;

  [[nodiscard]] virtual std::string_view name() const = 0;
  // How a user writes it: "max(x)".
  [[nodiscard]] virtual std::string usage() const = 0;
  // In LaTeX, of what is followed in LaTeX.
  [[nodiscard]] virtual std::string latex(const std::string& followed) const = 0;
  // Does it follow the difference of a comparison, x > level, rather than a number?
  [[nodiscard]] virtual bool takes_condition() const { return false; }
  // Is it differentiable along the path, so that derivatives of the path tell its own?
  [[nodiscard]] virtual bool is_smooth() const { return true; }
  // Has it a meaning for a map, which has no time between its steps?
  [[nodiscard]] virtual bool is_for_maps() const { return true; }
  // On which side of what is followed is the extreme of a step that matters: 1 above, -1 below, 0:
  // neither, and what is followed may have kinks.
  [[nodiscard]] virtual int side() const { return 0; }
  // Standard normal numbers that a step takes where there is a side. The first two draw the
  // extreme, by E = (xi_1^2 + xi_2^2)/2, and are those of all functionals that follow the same on
  // the same side, up to a level: so a maximum is above a level if and only if it was passed.
  [[nodiscard]] std::size_t normals() const { return side() == 0 ? 0 : 2 + more_normals(); }
  [[nodiscard]] virtual std::size_t more_normals() const { return 0; }

  // At the start, where g = `followed` at the time t.
  [[nodiscard]] virtual Expression start(Expression followed, Expression t) const = 0;
  // After a step.
  [[nodiscard]] virtual Expression next(const PathStep& step) const = 0;
  // d/dlog v of the log density of what was drawn in the step: its likelihood ratio, with a mean of
  // zero given a and b. Zero where nothing is drawn. Where several share E, that of E is taken for
  // all of them, E - 1, which leaves out where in its step a passage is: O(dt).
  [[nodiscard]] virtual Expression told(const PathStep& step) const;
};

// A functional of a model.
struct PathFunctional {
  std::string name;  // "m", or "m[3]" of a vector
  const PathFunctionalKind* kind = nullptr;
  NodeId followed = 0;  // g, in the model's graph
  NodeId node = 0;      // the input of the graph that stands for its value in observables
};

// The table. To add one from outside, append it before the first model is read.
[[nodiscard]] std::vector<const PathFunctionalKind*>& path_functional_kinds();
// Null where there is none of that name.
[[nodiscard]] const PathFunctionalKind* find_path_functional_kind(std::string_view name);
[[nodiscard]] std::vector<std::string> path_functional_usages();

}  // namespace divker
