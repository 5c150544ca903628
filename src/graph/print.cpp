#include <fmt/format.h>

#include "divker/error.hpp"
#include "divker/expression.hpp"

namespace divker {
namespace {

constexpr std::size_t most_nodes = 200'000;
constexpr std::size_t deepest = 1'000;

// How tightly an expression binds, from loose to tight.
enum Precedence { additive = 1, multiplicative = 2, negation = 3, power = 4, atom = 5 };

struct Text {
  std::string text;
  Precedence precedence;
};

std::string enclosed(const Text& inner, int at_least) {
  return inner.precedence >= at_least ? inner.text : "(" + inner.text + ")";
}

class Printer {
 public:
  Printer(const Graph& graph, const NodeNames& names) : graph_(graph), names_(names) {}

  Text print(NodeId id, std::size_t depth) {
    const auto named = names_.find(id);
    if (named != names_.end()) return {named->second, atom};
    return print_node(id, depth);
  }

  Text print_node(NodeId id, std::size_t depth) {
    if (++count_ > most_nodes || depth > deepest) {
      throw Error(ErrorKind::model,
                  fmt::format("The expression is too large to be written out: it has more than {} "
                              "operations or is nested more than {} deep.",
                              most_nodes, deepest));
    }
    const Node& node = graph_.node(id);
    switch (node.op) {
      case Op::constant:
        return {fmt::format("{}", node.value), node.value < 0.0 ? negation : atom};
      case Op::input:
        return {graph_.input_name(node.a), atom};
      case Op::add:
      case Op::sub:
        return print_sum(node, depth + 1);
      case Op::mul:
        return print_product(node, depth + 1);
      case Op::div:
        return print_quotient(print(node.a, depth + 1), node.b, depth + 1);
      case Op::neg:
        return {"-" + enclosed(print(node.a, depth + 1), negation + 1), negation};
      default:
        return print_call(node, depth + 1);
    }
  }

 private:
  // 1/c, which stands for a division where it is a factor.
  [[nodiscard]] bool is_reciprocal(NodeId id) const {
    if (names_.contains(id) || graph_.node(id).op != Op::div) return false;
    const Node& above = graph_.node(graph_.node(id).a);
    return above.op == Op::constant && above.value == 1.0;
  }

  Text print_sum(const Node& node, std::size_t depth) {
    const std::string left = enclosed(print(node.a, depth), additive);
    const std::string right = enclosed(print(node.b, depth), multiplicative);
    return {left + (node.op == Op::add ? " + " : " - ") + right, additive};
  }

  Text print_product(const Node& node, std::size_t depth) {
    if (node.a == node.b) return {enclosed(print(node.a, depth), atom) + "^2", power};
    if (is_reciprocal(node.b)) {
      return print_quotient(print(node.a, depth), graph_.node(node.b).b, depth);
    }
    if (is_reciprocal(node.a)) {
      return print_quotient(print(node.b, depth), graph_.node(node.a).b, depth);
    }
    const std::string left = enclosed(print(node.a, depth), multiplicative);
    const std::string right = enclosed(print(node.b, depth), multiplicative);
    return {left + "*" + right, multiplicative};
  }

  Text print_quotient(const Text& above, NodeId below, std::size_t depth) {
    return {enclosed(above, multiplicative) + "/" + enclosed(print(below, depth), power),
            multiplicative};
  }

  Text print_call(const Node& node, std::size_t depth) {
    std::string text(name_of(node.op));
    text += "(" + print(node.a, depth).text;
    if (is_binary(node.op)) text += ", " + print(node.b, depth).text;
    return {text + ")", atom};
  }

  const Graph& graph_;
  const NodeNames& names_;
  std::size_t count_ = 0;
};

}  // namespace

std::string to_string(const Graph& graph, NodeId id, const NodeNames& names) {
  // The node itself is written out even where it has a name: that is how names are defined.
  return Printer(graph, names).print_node(id, 0).text;
}
std::string to_string(Expression f) { return to_string(f.graph(), f.id()); }

}  // namespace divker
