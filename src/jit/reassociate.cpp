#include "jit/reassociate.hpp"

#include <algorithm>
#include <tuple>
#include <unordered_map>

namespace divker::jit {
namespace {

class Reassociation {
 public:
  explicit Reassociation(const Program& program)
      : source_(*program.graph), order_(reachable(source_, program.roots())) {
    for (const Argument& argument : program.arguments) {
      for (const NodeId id : argument.inputs) rates_[id] = argument.rate;
    }
    for (const NodeId id : program.roots()) ++uses_[id];
    for (const NodeId id : order_) {
      const Node& node = source_.node(id);
      if (is_leaf(node.op)) continue;
      ++uses_[node.a];
      if (is_binary(node.op)) ++uses_[node.b];
      const Rate rate_a = rate(node.a);
      rates_[id] = is_binary(node.op) ? std::max(rate_a, rate(node.b)) : rate_a;
    }
  }

  [[nodiscard]] Program rebuild(const Program& program) {
    for (std::size_t number = 0; number < source_.input_count(); ++number) {
      inputs_.push_back(target_->input(source_.input_name(number)));
    }
    for (const NodeId id : order_) copies_.emplace(id, copy(id));
    Program result = program;
    for (Argument& argument : result.arguments) {
      for (NodeId& id : argument.inputs) id = inputs_[source_.node(id).a].id();
    }
    for (Result& values : result.results) {
      for (NodeId& id : values.values) id = copies_.at(id).id();
    }
    result.graph = target_;
    return result;
  }

 private:
  [[nodiscard]] Rate rate(NodeId id) const {
    const auto found = rates_.find(id);
    return found == rates_.end() ? Rate::run : found->second;
  }

  // Factors of a product; inner products that others use too are left whole.
  void collect(NodeId id, std::vector<NodeId>& factors) const {
    const Node& node = source_.node(id);
    for (const NodeId operand : {node.a, node.b}) {
      if (source_.node(operand).op == Op::mul && uses_.at(operand) == 1) {
        collect(operand, factors);
      } else {
        factors.push_back(operand);
      }
    }
  }

  [[nodiscard]] Expression product(NodeId id) {
    std::vector<NodeId> factors;
    collect(id, factors);
    const auto key = [this](NodeId factor) {
      return std::make_tuple(rate(factor), ~source_.weight(factor), factor);
    };
    std::sort(factors.begin(), factors.end(),
              [&key](NodeId a, NodeId b) { return key(a) < key(b); });
    Expression result = copies_.at(factors.front());
    for (std::size_t k = 1; k < factors.size(); ++k) {
      result = target_->binary(Op::mul, result, copies_.at(factors[k]));
    }
    return result;
  }

  [[nodiscard]] Expression copy(NodeId id) {
    const Node& node = source_.node(id);
    if (node.op == Op::constant) return target_->constant(node.value);
    if (node.op == Op::input) return inputs_[node.a];
    if (node.op == Op::mul) return product(id);
    const Expression a = copies_.at(node.a);
    return is_binary(node.op) ? target_->binary(node.op, a, copies_.at(node.b))
                              : target_->unary(node.op, a);
  }

  const Graph& source_;
  std::vector<NodeId> order_;
  std::unordered_map<NodeId, Rate> rates_;
  std::unordered_map<NodeId, std::size_t> uses_;
  std::shared_ptr<Graph> target_ = std::make_shared<Graph>();
  std::vector<Expression> inputs_;
  std::unordered_map<NodeId, Expression> copies_;
};

}  // namespace

Program reassociated(const Program& program) { return Reassociation(program).rebuild(program); }

}  // namespace divker::jit
