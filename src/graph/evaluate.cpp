#include <algorithm>
#include <unordered_map>

#include "divker/expression.hpp"

namespace divker {

std::vector<double> evaluate(const Graph& graph, std::span<const NodeId> roots,
                             std::span<const double> inputs) {
  std::unordered_map<NodeId, double> values;
  for (const NodeId id : reachable(graph, roots)) {
    const Node& node = graph.node(id);
    switch (node.op) {
      case Op::constant:
        values[id] = node.value;
        break;
      case Op::input:
        values[id] = inputs[node.a];
        break;
      default:
        values[id] =
            apply(node.op, values.at(node.a), is_binary(node.op) ? values.at(node.b) : 0.0);
    }
  }
  std::vector<double> result;
  result.reserve(roots.size());
  for (const NodeId id : roots) result.push_back(values.at(id));
  return result;
}

double evaluate(Expression f, std::span<const double> inputs) {
  const NodeId root = f.id();
  return evaluate(f.graph(), {&root, 1}, inputs).front();
}

std::vector<std::vector<double>> evaluate_columns(const Graph& graph, std::span<const NodeId> roots,
                                                  std::span<const std::span<const double>> columns,
                                                  std::size_t count) {
  std::unordered_map<NodeId, std::vector<double>> values;
  const auto value_at = [](const std::vector<double>& column, std::size_t row) {
    return column.size() == 1 ? column.front() : column[row];
  };
  for (const NodeId id : reachable(graph, roots)) {
    const Node& node = graph.node(id);
    std::vector<double>& out = values[id];
    if (node.op == Op::constant) {
      out = {node.value};
    } else if (node.op == Op::input) {
      out.assign(columns[node.a].begin(), columns[node.a].end());
    } else {
      const std::vector<double>& a = values.at(node.a);
      const std::vector<double>& b = is_binary(node.op) ? values.at(node.b) : a;
      out.resize(a.size() == 1 && b.size() == 1 ? 1 : count);
      for (std::size_t row = 0; row < out.size(); ++row) {
        out[row] = apply(node.op, value_at(a, row), value_at(b, row));
      }
    }
  }
  std::vector<std::vector<double>> result;
  result.reserve(roots.size());
  for (const NodeId id : roots) {
    result.push_back(values.at(id));
    if (result.back().size() == 1) result.back().resize(count, result.back().front());
  }
  return result;
}

std::size_t operation_count(const Graph& graph, std::span<const NodeId> roots) {
  const std::vector<NodeId> nodes = reachable(graph, roots);
  return static_cast<std::size_t>(std::count_if(
      nodes.begin(), nodes.end(), [&graph](NodeId id) { return !is_leaf(graph.node(id).op); }));
}

}  // namespace divker
