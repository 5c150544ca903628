// Scalar expressions as an immutable, hash-consed graph: build, simplify, differentiate, evaluate.
//
// A Graph is an arena: equal expressions are one node, and every node comes after its operands, so
// that ascending node numbers are a topological order. Derivatives are again nodes of the same
// graph; derivatives of derivatives need nothing special.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace divker {

using NodeId = std::uint32_t;

enum class Op : std::uint8_t {
  constant,  // value
  input,     // a free variable; operand a is its number
  add,
  sub,
  mul,
  div,
  pow,  // general exponent; small integer exponents become products
  min,
  max,
  step,  // 1 where a > b, 0 elsewhere: the derivative of min, max and abs; its own derivative is 0
  neg,
  sqrt,
  exp,
  log,
  sin,
  cos,
  tan,
  tanh,
  sinh,
  cosh,
  atan,
  erf,
  abs,
  sign,   // -1, 0 or 1; its derivative is taken as 0
  floor,  // the largest whole number that is not above a; its derivative is taken as 0
  where,  // b where a > 0, and 0 elsewhere even if b is no number there; so are its derivatives
  erfc,
  expm1,
  log1p,
  asinh,
};

[[nodiscard]] bool is_binary(Op op);
[[nodiscard]] bool is_leaf(Op op);
// The name by which the language and the printer call the operation ("sin", "+", ...).
[[nodiscard]] std::string_view name_of(Op op);
// The value of one operation, in IEEE double arithmetic; the meaning of every backend.
[[nodiscard]] double apply(Op op, double a, double b);

struct Node {
  Op op = Op::constant;
  NodeId a = 0;  // first operand, or the number of the input
  NodeId b = 0;  // second operand of a binary operation
  double value = 0.0;
  bool operator==(const Node&) const = default;
};

class Graph;

// A handle on one node of a graph, with the operators of arithmetic. The graph must outlive it.
class Expression {
 public:
  Expression() = default;
  Expression(Graph& graph, NodeId id) : graph_(&graph), id_(id) {}

  [[nodiscard]] Graph& graph() const { return *graph_; }
  [[nodiscard]] NodeId id() const { return id_; }
  [[nodiscard]] const Node& node() const;
  [[nodiscard]] bool is_constant() const;
  [[nodiscard]] bool is_constant(double value) const;
  [[nodiscard]] bool is_zero() const { return is_constant(0.0); }
  bool operator==(const Expression&) const = default;  // the same node: structurally equal

 private:
  Graph* graph_ = nullptr;
  NodeId id_ = 0;
};

// Copyable: a copy has the same nodes under the same numbers. Not safe to build from two threads.
// A graph beyond the limits below is refused, by whatever would exceed them, with an Error(model):
// equations of a stranger must not exhaust the machine.
class Graph {
 public:
  static constexpr std::size_t most_nodes = 3'000'000;  // of about 100 bytes
  // Nodes visited by derivatives, factors of products and terms gathered by sums, over the life of
  // the graph: some ten seconds.
  static constexpr std::size_t most_effort = 50'000'000;

  [[nodiscard]] Expression constant(double value);
  // A new free variable. Names need not be unique; the number identifies the input.
  [[nodiscard]] Expression input(std::string name);
  [[nodiscard]] Expression unary(Op op, Expression a);
  [[nodiscard]] Expression binary(Op op, Expression a, Expression b);

  [[nodiscard]] std::size_t size() const { return nodes_.size(); }
  [[nodiscard]] const Node& node(NodeId id) const { return nodes_[id]; }
  // Nodes of the expression written out as a tree: a measure of how much stands behind a node.
  [[nodiscard]] std::uint32_t weight(NodeId id) const { return weights_[id]; }
  [[nodiscard]] std::size_t input_count() const { return input_names_.size(); }
  [[nodiscard]] const std::string& input_name(std::size_t number) const {
    return input_names_[number];
  }
  [[nodiscard]] Expression at(NodeId id) { return {*this, id}; }
  // Counts towards most_effort.
  void spend(std::size_t effort);

 private:
  struct NodeHash {
    std::size_t operator()(const Node& node) const noexcept;
  };
  Expression intern(const Node& node);

  std::vector<Node> nodes_;
  std::vector<std::uint32_t> weights_;
  std::vector<std::string> input_names_;
  std::unordered_map<Node, NodeId, NodeHash> index_;
  std::size_t effort_ = 0;
};

// Arithmetic. Folding of constants and the identities that matter (x+0, 1*x, x-x, -(-x), c*(d*x),
// commuted operands, even and odd functions of a sign) are applied as the nodes are made, so that
// equal expressions meet in one node. As in any symbolic system 0*x is 0 also where x overflows.
Expression operator+(Expression a, Expression b);
Expression operator-(Expression a, Expression b);
Expression operator*(Expression a, Expression b);
Expression operator/(Expression a, Expression b);
Expression operator-(Expression a);
Expression operator+(Expression a, double b);
Expression operator-(Expression a, double b);
Expression operator*(Expression a, double b);
Expression operator/(Expression a, double b);
Expression operator+(double a, Expression b);
Expression operator-(double a, Expression b);
Expression operator*(double a, Expression b);
Expression operator/(double a, Expression b);

Expression pow(Expression a, Expression b);
Expression pow(Expression a, double exponent);
Expression min(Expression a, Expression b);
Expression max(Expression a, Expression b);
Expression sqrt(Expression a);

// A smooth function of one argument, by its operation: odd and even ones give up the sign of their
// argument, and a function undoes its inverse.
[[nodiscard]] Expression elementary(Op op, Expression a);
inline Expression exp(Expression a) { return elementary(Op::exp, a); }
inline Expression log(Expression a) { return elementary(Op::log, a); }
inline Expression sin(Expression a) { return elementary(Op::sin, a); }
inline Expression cos(Expression a) { return elementary(Op::cos, a); }
inline Expression tan(Expression a) { return elementary(Op::tan, a); }
inline Expression tanh(Expression a) { return elementary(Op::tanh, a); }
inline Expression sinh(Expression a) { return elementary(Op::sinh, a); }
inline Expression cosh(Expression a) { return elementary(Op::cosh, a); }
inline Expression atan(Expression a) { return elementary(Op::atan, a); }
inline Expression erf(Expression a) { return elementary(Op::erf, a); }
inline Expression erfc(Expression a) { return elementary(Op::erfc, a); }
inline Expression expm1(Expression a) { return elementary(Op::expm1, a); }
inline Expression log1p(Expression a) { return elementary(Op::log1p, a); }
inline Expression asinh(Expression a) { return elementary(Op::asinh, a); }

Expression abs(Expression a);
Expression floor(Expression a);
Expression where(Expression condition, Expression value);

// Conditions are expressions whose value is 1 where they hold and 0 elsewhere. Each takes such
// ones, and knows that a condition never holds together with its own negation.
Expression exceeds(Expression a, Expression b);  // a > b
Expression negated(Expression condition);
Expression both(Expression a, Expression b);
Expression either(Expression a, Expression b);
// a where the condition holds and b elsewhere. What is wrong with the one that is not taken, such
// as the root of a negative number, does no harm to the value nor to its derivatives.
Expression choose(Expression condition, Expression a, Expression b);

// Balanced sum: depth log n, which keeps the dependency chain short in the kernel. A factor that
// most terms share is taken out in front, again and again. Empty: zero.
[[nodiscard]] Expression sum(Graph& graph, std::span<const Expression> terms);
// sum_i a_i b_i. Sizes must agree.
[[nodiscard]] Expression dot(Graph& graph, std::span<const Expression> a,
                             std::span<const Expression> b);

// Reverse mode: d f / d x_i for every i, at a cost of a small multiple of the size of f whatever
// the number of variables. Variables may be any nodes, each taken as independent; what f does not
// reach gets zero.
[[nodiscard]] std::vector<Expression> gradient(Expression f, std::span<const Expression> variables);

// Forward mode: d/de f_j(x + e v) at e = 0, for every j at once. O(size of f) time; components of v
// that are constant zero create no nodes.
[[nodiscard]] std::vector<Expression> directional_derivative(Graph& graph,
                                                             std::span<const Expression> f,
                                                             std::span<const Expression> variables,
                                                             std::span<const Expression> direction);
// d f / d x for a single variable.
[[nodiscard]] Expression derivative(Expression f, Expression variable);

// Every occurrence of from_i replaced by to_i, simultaneously.
[[nodiscard]] std::vector<Expression> substitute(Graph& graph, std::span<const Expression> f,
                                                 std::span<const Expression> from,
                                                 std::span<const Expression> to);

// A copy of expressions of another graph inside `target`; input_map[i] stands for input i of the
// source graph.
[[nodiscard]] std::vector<Expression> import_into(Graph& target, const Graph& source,
                                                  std::span<const NodeId> roots,
                                                  std::span<const Expression> input_map);

// The nodes that the roots need, ascending, that is: operands first.
[[nodiscard]] std::vector<NodeId> reachable(const Graph& graph, std::span<const NodeId> roots);
// Does f contain any of the variables?
[[nodiscard]] bool depends_on(Expression f, std::span<const Expression> variables);

// Slow reference: the value of each root, with inputs[i] the value of input number i.
[[nodiscard]] std::vector<double> evaluate(const Graph& graph, std::span<const NodeId> roots,
                                           std::span<const double> inputs);
[[nodiscard]] double evaluate(Expression f, std::span<const double> inputs);

// Evaluation over many points, column by column: columns[i] holds input number i at every point,
// either `count` values or one value that is the same for all points. Returns one column per root.
[[nodiscard]] std::vector<std::vector<double>> evaluate_columns(
    const Graph& graph, std::span<const NodeId> roots,
    std::span<const std::span<const double>> columns, std::size_t count);

// In the notation of the model language, with as few parentheses as precedence allows. Nodes that
// have a name are written by it. Error(model) where the text would be too long or too deep to be
// read: shared parts are written out wherever they are used.
using NodeNames = std::unordered_map<NodeId, std::string>;
[[nodiscard]] std::string to_string(Expression f);
[[nodiscard]] std::string to_string(const Graph& graph, NodeId id, const NodeNames& names = {});

// Number of nodes that compute something (neither constants nor inputs).
[[nodiscard]] std::size_t operation_count(const Graph& graph, std::span<const NodeId> roots);

}  // namespace divker
