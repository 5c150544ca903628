#include "derive/symbols.hpp"

namespace divker::derive {
namespace {

Vector inputs(Graph& graph, const std::string& name, std::size_t count) {
  Vector result;
  result.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    result.push_back(graph.input(name + "[" + std::to_string(i) + "]"));
  }
  return result;
}

}  // namespace

Symbols::Symbols(const Model& model, const StepOptions& options)
    : graph(std::make_shared<Graph>(*model.graph())),
      noisy(model.noisy()),
      diagonal_covariance(model.has_diagonal_covariance()) {
  Graph& g = *graph;
  for (const State& state : model.states()) x.push_back(g.at(state.node));
  for (const Parameter& parameter : model.parameters()) parameters.push_back(g.at(parameter.node));
  for (const std::size_t index : options.responses) gamma.push_back(parameters.at(index));
  for (const NodeId id : model.drift()) drift.values.push_back(g.at(id));
  for (std::size_t i = 0; i < x.size(); ++i) drift.rows.push_back(i);
  t = g.at(model.time_input());
  nu = inputs(g, "nu", x.size());
  b = inputs(g, "b", model.noise_count());
  dt = g.input("dt");
  h = model.dynamics() == Dynamics::map ? g.constant(1.0) : dt;
  const Expression root_h = sqrt(h);
  for (const Expression& normal : b) db.push_back(root_h * normal);
  columns.resize(model.noise_count());
  for (const NoiseEntry& entry : model.noise()) {
    columns[entry.column].rows.push_back(entry.row);
    columns[entry.column].values.push_back(g.at(entry.amplitude));
  }
}

Vector Symbols::placeholders(std::size_t count) const { return inputs(*graph, "frozen", count); }

Field Symbols::noise_increment() const {
  std::vector<Vector> terms(x.size());
  for (std::size_t k = 0; k < columns.size(); ++k) {
    for (std::size_t e = 0; e < columns[k].rows.size(); ++e) {
      terms[columns[k].rows[e]].push_back(columns[k].values[e] * db[k]);
    }
  }
  Field increment{drift.rows, {}};
  increment.values.reserve(x.size());
  for (const Vector& row : terms) increment.values.push_back(sum(*graph, row));
  return increment;
}

Field scaled(Expression factor, const Field& field) {
  Field result{field.rows, {}};
  result.values.reserve(field.values.size());
  for (const Expression& value : field.values) result.values.push_back(factor * value);
  return result;
}

Field added(const Field& u, const Field& v) {
  Field result{u.rows, {}};
  result.values.reserve(u.values.size());
  for (std::size_t i = 0; i < u.values.size(); ++i) {
    result.values.push_back(u.values[i] + v.values[i]);
  }
  return result;
}

std::vector<NodeId> ids(const Vector& expressions) {
  std::vector<NodeId> result;
  result.reserve(expressions.size());
  for (const Expression& e : expressions) result.push_back(e.id());
  return result;
}

}  // namespace divker::derive
