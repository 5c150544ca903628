#include <algorithm>
#include <cmath>
#include <optional>
#include <unordered_map>
#include <unordered_set>

#include "divker/error.hpp"
#include "divker/expression.hpp"
#include "graph/elementary.hpp"

namespace divker {
namespace {

// d node / d (operand number `which`, 0 or 1).
Expression partial(Graph& g, NodeId id, int which) {
  const Node n = g.node(id);
  const Expression v = g.at(id);
  const Expression a = g.at(n.a);
  const Expression b = is_binary(n.op) ? g.at(n.b) : a;
  const bool by_first = which == 0;
  switch (n.op) {
    case Op::constant:
    case Op::input:
      return g.constant(0.0);
    case Op::add:
      return g.constant(1.0);
    case Op::sub:
      return g.constant(by_first ? 1.0 : -1.0);
    case Op::mul:
      return by_first ? b : a;
    case Op::div:
      return by_first ? 1.0 / b : -(v * (1.0 / b));
    case Op::pow:
      return by_first ? b * pow(a, b - 1.0) : v * log(a);
    case Op::min: {
      const Expression first_is_smaller = g.binary(Op::step, b, a);
      return by_first ? first_is_smaller : 1.0 - first_is_smaller;
    }
    case Op::max: {
      const Expression first_is_larger = g.binary(Op::step, a, b);
      return by_first ? first_is_larger : 1.0 - first_is_larger;
    }
    case Op::step:
    case Op::sign:
    case Op::floor:
    case Op::where:  // its value is passed on by those who call, so that nothing multiplies it
      return g.constant(0.0);
    case Op::neg:
      return g.constant(-1.0);
    case Op::sqrt:
      return 0.5 / v;
    case Op::abs:
      return g.unary(Op::sign, a);
    default:
      return graph::find_elementary(n.op)->derivative(a, v);
  }
}

int operand_count(Op op) {
  if (is_leaf(op)) return 0;
  return is_binary(op) ? 2 : 1;
}

NodeId operand(const Node& node, int which) { return which == 0 ? node.a : node.b; }

// The nodes between the variables and the roots, ascending: those whose value moves with a
// variable. Variables themselves are taken as independent, whatever they are made of.
struct Between {
  std::unordered_set<NodeId> variables;
  std::unordered_set<NodeId> moving;
  std::vector<NodeId> order;
  std::size_t visited = 0;  // nodes behind the roots
};

Between between(const Graph& graph, std::span<const NodeId> roots,
                std::span<const Expression> variables) {
  Between result;
  for (const Expression& variable : variables) result.variables.insert(variable.id());
  result.moving = result.variables;
  const std::vector<NodeId> behind = reachable(graph, roots);
  result.visited = behind.size();
  for (const NodeId id : behind) {
    if (result.variables.contains(id)) continue;
    const Node& node = graph.node(id);
    for (int which = 0; which < operand_count(node.op); ++which) {
      if (result.moving.contains(operand(node, which))) {
        result.moving.insert(id);
        result.order.push_back(id);
        break;
      }
    }
  }
  return result;
}

std::vector<NodeId> ids_of(std::span<const Expression> expressions) {
  std::vector<NodeId> ids;
  ids.reserve(expressions.size());
  for (const Expression& e : expressions) ids.push_back(e.id());
  return ids;
}

// The nodes met so far, each once. A mark for every node of the graph stays with the thread: a
// model with thousands of states asks for millions of small expressions, and to clear all marks for
// each would cost the whole graph.
class Walk {
 public:
  explicit Walk(std::size_t nodes) : is_met_(marks) {
    if (is_met_.size() < nodes) is_met_.resize(nodes);
  }
  ~Walk() {
    for (const NodeId id : order) is_met_[id] = false;
  }
  Walk(const Walk&) = delete;
  Walk& operator=(const Walk&) = delete;

  void meet(NodeId id) {
    if (is_met_[id]) return;
    order.push_back(id);
    is_met_[id] = true;
  }

  std::vector<NodeId> order;

 private:
  static thread_local std::vector<bool> marks;
  std::vector<bool>& is_met_;
};
thread_local std::vector<bool> Walk::marks;

}  // namespace

std::vector<NodeId> reachable(const Graph& graph, std::span<const NodeId> roots) {
  Walk walk(graph.size());
  for (const NodeId id : roots) walk.meet(id);
  for (std::size_t next = 0; next < walk.order.size(); ++next) {
    const Node& node = graph.node(walk.order[next]);
    for (int which = 0; which < operand_count(node.op); ++which) walk.meet(operand(node, which));
  }
  std::vector<NodeId> order = walk.order;
  std::sort(order.begin(), order.end());
  return order;
}

bool depends_on(Expression f, std::span<const Expression> variables) {
  const NodeId root = f.id();
  return between(f.graph(), {&root, 1}, variables).moving.contains(root);
}

namespace {

// What flows back through a node. What counts only under a condition is kept apart from it: in
// a product with an infinite derivative, its zeros would not stay zeros.
struct Share {
  Expression term;
  std::optional<Expression> condition;
};

Expression value_of(const Share& share) {
  return share.condition ? where(*share.condition, share.term) : share.term;
}

// Contributions are summed pairwise: short chains in the kernel.
Share total(Graph& g, const std::vector<Share>& shares) {
  Share result = shares.front();
  const bool is_alike = std::all_of(shares.begin(), shares.end(), [&](const Share& share) {
    return share.condition == result.condition;
  });
  std::vector<Expression> terms;
  for (const Share& share : shares) {
    terms.push_back(is_alike ? share.term : value_of(share));
    if (!share.condition) result.condition.reset();
    if (result.condition) result.condition = either(*result.condition, *share.condition);
  }
  result.term = sum(g, terms);
  if (result.condition && result.condition->is_constant()) result.condition.reset();
  return result;
}

// What a node with that share passes to the value of a `where`.
Share under_condition(const Share& share, Expression condition) {
  if (condition.node().op != Op::step) {
    condition = exceeds(condition, condition.graph().constant(0.0));
  }
  return {share.term, share.condition ? both(*share.condition, condition) : condition};
}

}  // namespace

std::vector<Expression> gradient(Expression f, std::span<const Expression> variables) {
  Graph& g = f.graph();
  const NodeId root = f.id();
  const Between path = between(g, {&root, 1}, variables);
  g.spend(path.visited);

  std::unordered_map<NodeId, std::vector<Share>> adjoints;
  adjoints[root].push_back({g.constant(1.0), std::nullopt});
  for (auto id = path.order.rbegin(); id != path.order.rend(); ++id) {
    const auto found = adjoints.find(*id);
    if (found == adjoints.end()) continue;
    const Share adjoint = total(g, found->second);
    adjoints.erase(found);
    if (adjoint.term.is_zero()) continue;
    const Node node = g.node(*id);
    if (node.op == Op::where) {
      if (!path.moving.contains(node.b)) continue;
      adjoints[node.b].push_back(under_condition(adjoint, g.at(node.a)));
      continue;
    }
    for (int which = 0; which < operand_count(node.op); ++which) {
      const NodeId target = operand(node, which);
      if (!path.moving.contains(target)) continue;
      const Expression term = adjoint.term * partial(g, *id, which);
      if (!term.is_zero()) adjoints[target].push_back({term, adjoint.condition});
    }
  }

  std::vector<Expression> result;
  result.reserve(variables.size());
  for (const Expression& variable : variables) {
    const auto found = adjoints.find(variable.id());
    result.push_back(found == adjoints.end() ? g.constant(0.0) : value_of(total(g, found->second)));
  }
  return result;
}

std::vector<Expression> directional_derivative(Graph& graph, std::span<const Expression> f,
                                               std::span<const Expression> variables,
                                               std::span<const Expression> direction) {
  if (variables.size() != direction.size()) {
    throw Error(ErrorKind::usage, "A directional derivative was asked for " +
                                      std::to_string(variables.size()) +
                                      " variables with a direction of " +
                                      std::to_string(direction.size()) + " components.");
  }
  const std::vector<NodeId> roots = ids_of(f);
  std::unordered_map<NodeId, Expression> tangents;
  std::vector<Expression> moved;
  for (std::size_t i = 0; i < variables.size(); ++i) {
    if (direction[i].is_zero()) continue;
    tangents.emplace(variables[i].id(), direction[i]);
    moved.push_back(variables[i]);
  }
  const Between path = between(graph, roots, moved);
  graph.spend(path.visited);
  for (const NodeId id : path.order) {
    const Node node = graph.node(id);
    Expression tangent = graph.constant(0.0);
    for (int which = 0; which < operand_count(node.op); ++which) {
      const auto inner = tangents.find(operand(node, which));
      if (inner == tangents.end()) continue;
      if (node.op != Op::where) {
        tangent = tangent + partial(graph, id, which) * inner->second;
      } else if (which == 1) {
        tangent = where(graph.at(node.a), inner->second);
      }
    }
    if (!tangent.is_zero()) tangents.emplace(id, tangent);
  }
  std::vector<Expression> result;
  result.reserve(f.size());
  for (const NodeId id : roots) {
    const auto found = tangents.find(id);
    result.push_back(found == tangents.end() ? graph.constant(0.0) : found->second);
  }
  return result;
}

Expression derivative(Expression f, Expression variable) {
  const Expression one = f.graph().constant(1.0);
  return directional_derivative(f.graph(), {&f, 1}, {&variable, 1}, {&one, 1}).front();
}

namespace {

Expression rebuild(Graph& graph, const Node& node, Expression a, Expression b) {
  switch (node.op) {
    case Op::constant:
      return graph.constant(node.value);
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
      return pow(a, b);
    case Op::min:
      return min(a, b);
    case Op::max:
      return max(a, b);
    case Op::step:
      return graph.binary(Op::step, a, b);
    case Op::neg:
      return -a;
    case Op::sqrt:
      return sqrt(a);
    case Op::abs:
      return abs(a);
    case Op::sign:
      return graph.unary(Op::sign, a);
    case Op::floor:
      return floor(a);
    case Op::where:
      return where(a, b);
    default:
      return elementary(node.op, a);
  }
}

}  // namespace

std::vector<Expression> substitute(Graph& graph, std::span<const Expression> f,
                                   std::span<const Expression> from,
                                   std::span<const Expression> to) {
  const std::vector<NodeId> roots = ids_of(f);
  std::unordered_map<NodeId, Expression> replaced;
  for (std::size_t i = 0; i < from.size(); ++i) replaced.emplace(from[i].id(), to[i]);
  const auto now = [&](NodeId id) {
    const auto found = replaced.find(id);
    return found == replaced.end() ? graph.at(id) : found->second;
  };
  const Between path = between(graph, roots, from);
  graph.spend(path.visited);
  for (const NodeId id : path.order) {
    const Node node = graph.node(id);
    const Expression a = now(node.a);
    replaced.emplace(id, rebuild(graph, node, a, is_binary(node.op) ? now(node.b) : a));
  }
  std::vector<Expression> result;
  result.reserve(f.size());
  for (const NodeId id : roots) result.push_back(now(id));
  return result;
}

std::vector<Expression> import_into(Graph& target, const Graph& source,
                                    std::span<const NodeId> roots,
                                    std::span<const Expression> input_map) {
  std::unordered_map<NodeId, Expression> copies;
  for (const NodeId id : reachable(source, roots)) {
    const Node node = source.node(id);
    if (node.op == Op::input) {
      copies.emplace(id, input_map[node.a]);
    } else if (node.op == Op::constant) {
      copies.emplace(id, target.constant(node.value));
    } else {
      const Expression a = copies.at(node.a);
      copies.emplace(id, rebuild(target, node, a, is_binary(node.op) ? copies.at(node.b) : a));
    }
  }
  std::vector<Expression> result;
  result.reserve(roots.size());
  for (const NodeId id : roots) result.push_back(copies.at(id));
  return result;
}

}  // namespace divker
