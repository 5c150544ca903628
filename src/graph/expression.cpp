#include "divker/expression.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>

#include "divker/error.hpp"
#include "graph/elementary.hpp"
#include "graph/terms.hpp"

namespace divker {
namespace {

using graph::carries_sign;
using graph::constant_factor;
using graph::first;
using graph::has_constant_factor;
using graph::is_op;
using graph::is_reciprocal;
using graph::make;
using graph::product_of_constants;
using graph::product_of_factors;
using graph::second;
using graph::sum_around_factor;
using graph::without_factor;

constexpr double largest_expanded_exponent = 64.0;

Expression product(Expression a, Expression b);

// c1 u + c2 u
bool like_terms(Expression a, Expression b) {
  return !a.is_constant() && !b.is_constant() && without_factor(a) == without_factor(b);
}

Expression sum_of_two(Expression a, Expression b) {
  Graph& g = a.graph();
  if (a.is_zero()) return b;
  if (b.is_zero()) return a;
  if (like_terms(a, b)) return (constant_factor(a) + constant_factor(b)) * without_factor(a);
  if (is_op(b, Op::neg)) return a - first(b);
  if (is_op(a, Op::neg)) return b - first(a);
  if (const auto factored = sum_around_factor(a, 1.0, b)) return *factored;
  if (b.is_constant()) std::swap(a, b);
  if (a.is_constant() && is_op(b, Op::add) && first(b).is_constant()) {
    return (a + first(b)) + second(b);
  }
  if (!a.is_constant() && a.id() > b.id()) std::swap(a, b);
  return make(g, Op::add, a, b);
}

Expression difference(Expression a, Expression b) {
  Graph& g = a.graph();
  if (b.is_zero()) return a;
  if (a.is_zero()) return -b;
  if (a == b) return g.constant(0.0);
  if (like_terms(a, b)) return (constant_factor(a) - constant_factor(b)) * without_factor(a);
  if (is_op(b, Op::neg)) return a + first(b);
  if (b.is_constant()) return a + g.constant(-b.node().value);
  if (is_op(a, Op::add) && first(a) == b) return second(a);
  if (is_op(a, Op::add) && second(a) == b) return first(a);
  if (is_op(b, Op::add) && first(b) == a) return -second(b);
  if (is_op(b, Op::add) && second(b) == a) return -first(b);
  if (is_op(a, Op::neg)) return -(first(a) + b);
  if (const auto factored = sum_around_factor(a, -1.0, b)) return *factored;
  return make(g, Op::sub, a, b);
}

Expression scaled(double factor, Expression e) {
  Graph& g = e.graph();
  if (factor == 0.0) return g.constant(0.0);
  if (factor == 1.0) return e;
  if (factor == -1.0) return -e;
  if (e.is_constant()) return g.constant(product_of_constants(factor, e.node().value));
  if (is_op(e, Op::neg)) return scaled(-factor, first(e));
  if (has_constant_factor(e)) {
    return scaled(product_of_constants(factor, first(e).node().value), second(e));
  }
  return make(g, Op::mul, g.constant(factor), e);
}

Expression product(Expression a, Expression b) {
  if (a.is_constant()) return scaled(a.node().value, b);
  if (b.is_constant()) return scaled(b.node().value, a);
  const double factor = product_of_constants(constant_factor(a), constant_factor(b));
  return scaled(factor, product_of_factors(without_factor(a), without_factor(b)));
}

// Division is kept as a product with a reciprocal: reciprocals are shared, and a division in the
// kernel costs as much as ten products.
Expression reciprocal(Expression e) {
  Graph& g = e.graph();
  const double factor = constant_factor(e);
  if (factor != 1.0) return scaled(1.0 / factor, reciprocal(without_factor(e)));
  if (is_reciprocal(e)) return second(e);
  if (is_op(e, Op::exp)) return exp(-first(e));
  return make(g, Op::div, g.constant(1.0), e);
}

Expression integer_power(Expression base, unsigned exponent) {
  Expression result = base.graph().constant(1.0);
  for (Expression square = base; exponent != 0; exponent >>= 1U, square = square * square) {
    if ((exponent & 1U) != 0) result = result * square;
    if (exponent == 1) break;
  }
  return result;
}

Expression ordered(Op op, Expression a, Expression b) {
  if (a == b) return a;
  if (a.id() > b.id()) std::swap(a, b);
  return make(a.graph(), op, a, b);
}

struct OpTraits {
  Op op;
  std::string_view name;
  bool binary;
};

// All but the elementary functions, which have a table of their own.
constexpr std::array op_table{
    OpTraits{Op::constant, "constant", false},
    OpTraits{Op::input, "input", false},
    OpTraits{Op::add, "+", true},
    OpTraits{Op::sub, "-", true},
    OpTraits{Op::mul, "*", true},
    OpTraits{Op::div, "/", true},
    OpTraits{Op::pow, "pow", true},
    OpTraits{Op::min, "min", true},
    OpTraits{Op::max, "max", true},
    OpTraits{Op::step, "step", true},
    OpTraits{Op::neg, "-", false},
    OpTraits{Op::sqrt, "sqrt", false},
    OpTraits{Op::abs, "abs", false},
    OpTraits{Op::sign, "sign", false},
    OpTraits{Op::floor, "floor", false},
    OpTraits{Op::where, "where", true},
};

}  // namespace

bool is_binary(Op op) {
  static constexpr auto binary = [] {
    std::array<bool, 256> found{};
    for (const OpTraits& row : op_table) found[static_cast<std::size_t>(row.op)] = row.binary;
    return found;
  }();
  return binary[static_cast<std::size_t>(op)];
}
bool is_leaf(Op op) { return op == Op::constant || op == Op::input; }
std::string_view name_of(Op op) {
  if (const graph::Elementary* f = graph::find_elementary(op)) return f->name;
  return std::find_if(op_table.begin(), op_table.end(),
                      [op](const OpTraits& row) { return row.op == op; })
      ->name;
}

double apply(Op op, double a, double b) {
  switch (op) {
    case Op::constant:
    case Op::input:
      return a;
    case Op::add:
      return a + b;
    case Op::sub:
      return a - b;
    case Op::mul:
      return a * b;
    case Op::div:
      return a / b;
    case Op::pow:
      return std::pow(a, b);
    case Op::min:
      return a < b ? a : b;
    case Op::max:
      return a > b ? a : b;
    case Op::step:
      return a > b ? 1.0 : 0.0;
    case Op::neg:
      return -a;
    case Op::sqrt:
      return std::sqrt(a);
    case Op::abs:
      return std::fabs(a);
    case Op::sign:
      return static_cast<double>(a > 0.0) - static_cast<double>(a < 0.0);
    case Op::floor:
      return std::floor(a);
    case Op::where:
      return a > 0.0 ? b : 0.0;
    default:
      return graph::find_elementary(op)->value(a);
  }
}

const Node& Expression::node() const { return graph_->node(id_); }
bool Expression::is_constant() const { return node().op == Op::constant; }
bool Expression::is_constant(double value) const { return is_constant() && node().value == value; }

std::size_t Graph::NodeHash::operator()(const Node& node) const noexcept {
  std::uint64_t h = static_cast<std::uint64_t>(node.op) * 0x9E3779B97F4A7C15ULL;
  const auto mix = [&h](std::uint64_t word) {
    h = (h ^ word) * 0xD6E8FEB86659FD93ULL;
    h ^= h >> 32U;
  };
  mix((static_cast<std::uint64_t>(node.a) << 32U) | node.b);
  mix(std::bit_cast<std::uint64_t>(node.value));
  return h;
}

Expression Graph::intern(const Node& node) {
  const auto [place, is_new] = index_.try_emplace(node, static_cast<NodeId>(nodes_.size()));
  if (is_new) {
    if (nodes_.size() == most_nodes) {
      index_.erase(place);
      throw Error(ErrorKind::model,
                  fmt::format("The equations, or what is derived from them, come to more than {} "
                              "operations, which is the limit.",
                              most_nodes));
    }
    nodes_.push_back(node);
    std::uint64_t weight = 1;
    if (!is_leaf(node.op)) weight += weights_[node.a];
    if (is_binary(node.op)) weight += weights_[node.b];
    weights_.push_back(static_cast<std::uint32_t>(std::min<std::uint64_t>(weight, UINT32_MAX)));
  }
  return {*this, place->second};
}

void Graph::spend(std::size_t effort) {
  effort_ += effort;
  if (effort_ <= most_effort) return;
  throw Error(ErrorKind::model,
              fmt::format("The equations are too entangled: sums and derivatives of them take more "
                          "than {} operations of algebra, which is the limit.",
                          most_effort));
}

Expression Graph::constant(double value) {
  // One zero: -0.0 and 0.0 compare equal but hash apart. NaN equals nothing and needs no sharing.
  return intern({Op::constant, 0, 0, value == 0.0 ? 0.0 : value});
}

Expression Graph::input(std::string name) {
  input_names_.push_back(std::move(name));
  return intern({Op::input, static_cast<NodeId>(input_names_.size() - 1), 0, 0.0});
}

Expression Graph::unary(Op op, Expression a) {
  if (a.is_constant()) return constant(apply(op, a.node().value, 0.0));
  return intern({op, a.id(), 0, 0.0});
}

Expression Graph::binary(Op op, Expression a, Expression b) {
  if (&a.graph() != this || &b.graph() != this) {
    throw Error(ErrorKind::usage,
                "An expression was combined with one of another graph; import it first.");
  }
  if (a.is_constant() && b.is_constant()) {
    return constant(apply(op, a.node().value, b.node().value));
  }
  return intern({op, a.id(), b.id(), 0.0});
}

Expression operator+(Expression a, Expression b) { return sum_of_two(a, b); }
Expression operator-(Expression a, Expression b) { return difference(a, b); }
Expression operator*(Expression a, Expression b) { return product(a, b); }
Expression operator/(Expression a, Expression b) {
  Graph& g = a.graph();
  if (a.is_constant() && b.is_constant()) return g.binary(Op::div, a, b);
  if (a == b) return g.constant(1.0);
  if (b.is_constant() && !b.is_zero()) return scaled(1.0 / b.node().value, a);
  return product(a, reciprocal(b));
}
Expression operator-(Expression a) {
  if (is_op(a, Op::neg)) return first(a);
  if (is_op(a, Op::sub)) return second(a) - first(a);
  if (has_constant_factor(a)) return scaled(-first(a).node().value, second(a));
  return a.graph().unary(Op::neg, a);
}

Expression operator+(Expression a, double b) { return a + a.graph().constant(b); }
Expression operator-(Expression a, double b) { return a - a.graph().constant(b); }
Expression operator*(Expression a, double b) { return a * a.graph().constant(b); }
Expression operator/(Expression a, double b) { return a / a.graph().constant(b); }
Expression operator+(double a, Expression b) { return b.graph().constant(a) + b; }
Expression operator-(double a, Expression b) { return b.graph().constant(a) - b; }
Expression operator*(double a, Expression b) { return b.graph().constant(a) * b; }
Expression operator/(double a, Expression b) { return b.graph().constant(a) / b; }

Expression pow(Expression a, Expression b) {
  return b.is_constant() ? pow(a, b.node().value) : make(a.graph(), Op::pow, a, b);
}

Expression pow(Expression a, double exponent) {
  Graph& g = a.graph();
  if (a.is_constant()) return g.constant(apply(Op::pow, a.node().value, exponent));
  if (exponent == 0.5) return sqrt(a);
  if (exponent == -0.5) return reciprocal(sqrt(a));
  const double size = std::fabs(exponent);
  if (size == std::floor(size) && size <= largest_expanded_exponent) {
    const Expression power = integer_power(a, static_cast<unsigned>(size));
    return exponent < 0.0 ? reciprocal(power) : power;
  }
  return make(g, Op::pow, a, g.constant(exponent));
}

Expression min(Expression a, Expression b) { return ordered(Op::min, a, b); }
Expression max(Expression a, Expression b) { return ordered(Op::max, a, b); }

Expression sqrt(Expression a) {
  if (is_op(a, Op::mul) && a.node().a == a.node().b) return abs(first(a));
  return a.graph().unary(Op::sqrt, a);
}
Expression abs(Expression a) { return a.graph().unary(Op::abs, carries_sign(a) ? -a : a); }
Expression floor(Expression a) { return a.graph().unary(Op::floor, a); }

Expression where(Expression condition, Expression value) {
  if (condition.is_constant()) {
    return condition.node().value > 0.0 ? value : value.graph().constant(0.0);
  }
  if (value.is_zero()) return value;
  if (is_op(condition, Op::step) && second(condition).is_zero()) condition = first(condition);
  return make(value.graph(), Op::where, condition, value);
}

Expression exceeds(Expression a, Expression b) {
  return a == b ? a.graph().constant(0.0) : make(a.graph(), Op::step, a, b);
}
Expression negated(Expression condition) {
  const bool is_negation = is_op(condition, Op::sub) && first(condition).is_constant(1.0);
  return is_negation ? second(condition) : 1.0 - condition;
}
Expression both(Expression a, Expression b) {
  if (a == b) return a;
  return a == negated(b) ? a.graph().constant(0.0) : a * b;
}
Expression either(Expression a, Expression b) { return negated(both(negated(a), negated(b))); }
Expression choose(Expression condition, Expression a, Expression b) {
  return a == b ? a : where(condition, a) + where(negated(condition), b);
}

Expression dot(Graph& graph, std::span<const Expression> a, std::span<const Expression> b) {
  std::vector<Expression> terms;
  terms.reserve(a.size());
  for (std::size_t i = 0; i < a.size(); ++i) terms.push_back(a[i] * b[i]);
  return sum(graph, terms);
}

}  // namespace divker
