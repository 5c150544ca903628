#include "divker/model_function.hpp"

#include <algorithm>
#include <utility>

namespace divker {

ModelFunction::ModelFunction(const Model& model, std::vector<NodeId> roots)
    : ModelFunction(model, model.graph(), std::move(roots)) {}

ModelFunction::ModelFunction(const Model& model, std::shared_ptr<const Graph> graph,
                             std::vector<NodeId> roots)
    : graph_(std::move(graph)),
      roots_(std::move(roots)),
      values_(graph_->input_count(), 0.0),
      time_(number_of(model.time_input())) {
  for (const State& state : model.states()) states_.push_back(number_of(state.node));
  set_parameters(model);
  prepare();
  for (const Input& input : model.inputs()) {
    if (is_needed(number_of(input.node))) inputs_.push_back(input);
  }
}

void ModelFunction::prepare() {
  const std::vector<NodeId> needed = reachable(*graph_, roots_);
  const auto place_of = [&needed](NodeId id) {
    return static_cast<NodeId>(std::ranges::lower_bound(needed, id) - needed.begin());
  };
  for (const NodeId id : needed) {
    Node node = graph_->node(id);
    if (!is_leaf(node.op)) node.a = place_of(node.a);
    // apply() reads no second operand of a unary operation: any place will do.
    node.b = is_binary(node.op) ? place_of(node.b) : 0;
    nodes_.push_back(node);
  }
  for (const NodeId root : roots_) root_places_.push_back(place_of(root));
  node_values_.resize(nodes_.size());
  root_values_.resize(roots_.size());
}

bool ModelFunction::is_needed(NodeId number) const {
  return std::ranges::any_of(
      nodes_, [number](const Node& node) { return node.op == Op::input && node.a == number; });
}

bool ModelFunction::depends_on_time() const { return is_needed(time_) || !inputs_.empty(); }

void ModelFunction::set_parameters(const Model& model) {
  for (const Parameter& parameter : model.parameters()) set(parameter.node, parameter.value);
}

std::span<const double> ModelFunction::operator()(double t, std::span<const double> x) {
  values_[time_] = t;
  for (const Input& input : inputs_) set(input.node, input.at(t));
  for (std::size_t i = 0; i < states_.size(); ++i) values_[states_[i]] = x[i];
  double* const values = node_values_.data();
  for (std::size_t k = 0; k < nodes_.size(); ++k) {
    const Node& node = nodes_[k];
    if (node.op == Op::input) {
      values[k] = values_[node.a];
    } else if (node.op == Op::constant) {
      values[k] = node.value;
    } else {
      values[k] = apply(node.op, values[node.a], values[node.b]);
    }
  }
  for (std::size_t r = 0; r < root_places_.size(); ++r) root_values_[r] = values[root_places_[r]];
  return root_values_;
}

std::vector<std::vector<double>> ModelFunction::at_rows(std::span<const double> times,
                                                        const Matrix& x,
                                                        std::span<const Column> others) const {
  std::vector<std::span<const double>> columns;
  columns.reserve(values_.size());
  for (const double& value : values_) columns.emplace_back(&value, 1);
  std::vector<std::vector<double>> states;
  states.reserve(states_.size());
  for (std::size_t i = 0; i < states_.size(); ++i) {
    columns[states_[i]] = states.emplace_back(x.column(i));
  }
  columns[time_] = times;
  std::vector<std::vector<double>> inputs;
  inputs.reserve(inputs_.size());
  for (const Input& input : inputs_) {
    std::vector<double>& column = inputs.emplace_back();
    column.reserve(times.size());
    for (const double t : times) column.push_back(input.at(t));
    columns[number_of(input.node)] = column;
  }
  for (const Column& other : others) columns[number_of(other.input)] = other.values;
  return evaluate_columns(*graph_, roots_, columns, x.rows);
}

}  // namespace divker
