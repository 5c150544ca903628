// How sums and products are taken apart and put together: constants in front, factors in order.
#pragma once

#include <optional>

#include "divker/expression.hpp"

namespace divker::graph {

inline Expression make(Graph& graph, Op op, Expression a, Expression b) {
  return graph.binary(op, a, b);
}
inline bool is_op(Expression e, Op op) { return e.node().op == op; }
inline Expression first(Expression e) { return e.graph().at(e.node().a); }
inline Expression second(Expression e) { return e.graph().at(e.node().b); }

// Products keep a constant factor in front, so that c * u is recognised by its first operand.
inline bool has_constant_factor(Expression e) {
  return is_op(e, Op::mul) && first(e).is_constant();
}
inline double constant_factor(Expression e) {
  if (has_constant_factor(e)) return first(e).node().value;
  return is_op(e, Op::neg) ? -1.0 : 1.0;
}
inline Expression without_factor(Expression e) {
  if (has_constant_factor(e)) return second(e);
  return is_op(e, Op::neg) ? first(e) : e;
}

// The argument as -u, where it has a sign that an even or odd function can give up.
inline bool carries_sign(Expression e) {
  if (is_op(e, Op::neg)) return true;
  if (has_constant_factor(e)) return first(e).node().value < 0.0;
  return is_op(e, Op::sub) && e.node().a > e.node().b;
}

inline bool is_reciprocal(Expression e) { return is_op(e, Op::div) && first(e).is_constant(1.0); }

// a b. Throws Error(model) where nothing is left of two finite numbers, or infinity: 20000 factors
// 0.5 in front of a product are not 0.
[[nodiscard]] double product_of_constants(double a, double b);

// a * b, where neither is a constant nor carries one in front. The factors of both are put in one
// order, the heaviest first, so that a product shared by many terms (a norm, say) is made once and
// then meets what is particular to each term. x * (1/x) and sqrt(x) * sqrt(x) are resolved.
[[nodiscard]] Expression product_of_factors(Expression a, Expression b);

// a + sign b as f (a/f + sign b/f), if both have a factor f that outweighs all that remains of
// them, or that both remainders outweigh: as many operations, but what is heavy is likely shared,
// be it f or the new sum. Nothing otherwise.
[[nodiscard]] std::optional<Expression> sum_around_factor(Expression a, double sign, Expression b);

}  // namespace divker::graph
