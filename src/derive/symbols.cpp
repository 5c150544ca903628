#include "derive/symbols.hpp"

#include <algorithm>

#include "divker/boundaries.hpp"
#include "divker/step.hpp"

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

Symbols::Symbols(const Model& model, const std::vector<std::size_t>& responses,
                 bool beyond_boundaries)
    : graph(std::make_shared<Graph>(*model.graph())),
      noisy(model.noisy()),
      diagonal_covariance(model.has_diagonal_covariance()) {
  Graph& g = *graph;
  for (const State& state : model.states()) states.push_back(g.at(state.node));
  x = states;
  for (const Parameter& parameter : model.parameters()) parameters.push_back(g.at(parameter.node));
  for (const std::size_t index : responses) gamma.push_back(parameters.at(index));
  for (const NodeId id : model.drift()) drift.values.push_back(g.at(id));
  for (std::size_t i = 0; i < x.size(); ++i) drift.rows.push_back(i);
  t = g.at(model.time_input());
  for (const Input& one : model.inputs()) input.push_back(g.at(one.node));
  input_at_arrival = inputs(g, "input at arrival", input.size());
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
  state_nu_ = nu;
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (model.states()[i].positive) positive_.push_back(i);
  }
  if (beyond_boundaries) go_beyond_boundaries(model);
  if (!positive_.empty()) take_logarithms();
  if (model.time().tamed > 0.0) tame(model.time().tamed);
}

// Leaky states without logarithms, roots that end at zero, and max(x, 0) for clamped states.
void Symbols::go_beyond_boundaries(const Model& model) {
  for (const std::size_t leaky : leaky_states(model)) std::erase(positive_, leaky);
  Vector from;
  Vector to;
  for (const std::size_t i : clamped_states(model)) {
    from.push_back(states[i]);
    to.push_back(graph->binary(Op::where, states[i], states[i]));
  }
  const auto beyond = [&](const Vector& values) {
    return substitute(*graph, ended_at_zero(*graph, values, states), from, to);
  };
  drift.values = beyond(drift.values);
  for (Field& column : columns) column.values = beyond(column.values);
}

// Ito's formula: du = (F/w - 1/2 sum_k (S_k/w)^2) dt + sum_k S_k/w dB_k, then w = e^u everywhere.
void Symbols::take_logarithms() {
  std::vector<bool> is_positive(x.size(), false);
  for (const std::size_t i : positive_) {
    is_positive[i] = true;
    drift.values[i] = drift.values[i] / states[i];
    x[i] = graph->input("log x[" + std::to_string(i) + "]");
    state_nu_[i] = graph->input("nu of x[" + std::to_string(i) + "]");
  }
  for (Field& column : columns) {
    for (std::size_t e = 0; e < column.rows.size(); ++e) {
      const std::size_t row = column.rows[e];
      if (!is_positive[row]) continue;
      column.values[e] = column.values[e] / states[row];
      drift.values[row] = drift.values[row] - 0.5 * column.values[e] * column.values[e];
    }
  }
  const Vector exponentials = states_at(x);
  drift.values = substitute(*graph, drift.values, states, exponentials);
  for (Field& column : columns) {
    column.values = substitute(*graph, column.values, states, exponentials);
  }
}

// M. Hutzenthaler, A. Jentzen, P. Kloeden, Ann. Appl. Probab. 22 (2012) 1611, divide by
// 1 + dt |F|. The root is smooth, as a step that is differentiated twice has to be, and differs
// from F by O(dt^2) only; each component for itself keeps the sparsity of F, as in N. Brosse,
// A. Durmus, E. Moulines, S. Sabanis, Stoch. Proc. Appl. 129 (2019) 3638.
void Symbols::tame(double limit) {
  for (Expression& f : drift.values) {
    if (f.is_zero()) continue;
    const Expression moved = (dt / limit) * f;
    f = f / sqrt(1.0 + moved * moved);
  }
}

Vector Symbols::states_at(const Vector& coordinates) const {
  Vector result = coordinates;
  for (const std::size_t i : positive_) {
    const Expression u = coordinates[i];
    const Node& node = u.node();
    // exp(x + d) as e^x e^d: e^x is the state, which costs nothing.
    const bool moved = node.op == Op::add && (node.a == x[i].id() || node.b == x[i].id());
    const NodeId distance = node.a == x[i].id() ? node.b : node.a;
    result[i] = moved ? exp(x[i]) * exp(graph->at(distance)) : exp(u);
  }
  return result;
}

Vector Symbols::coordinates_at(const Vector& points) const {
  Vector result = points;
  for (const std::size_t i : positive_) result[i] = log(points[i]);
  return result;
}

Vector Symbols::in_states(const Vector& expressions) const {
  Vector from;
  Vector to;
  for (const std::size_t i : positive_) {
    from.insert(from.end(), {x[i], exp(-x[i]), nu[i]});
    to.insert(to.end(), {log(states[i]), 1.0 / states[i], states[i] * state_nu_[i] + 1.0});
  }
  return substitute(*graph, expressions, from, to);
}

Program Symbols::in_states(Program program) const {
  if (positive_.empty()) return program;
  const auto find = [](auto& among, const std::string& name) {
    const auto found = std::ranges::find(among, name, [](const auto& one) { return one.name; });
    return found == among.end() ? nullptr : &*found;
  };
  if (auto* argument = find(program.arguments, state_array)) argument->inputs = ids(states);
  if (auto* argument = find(program.arguments, covector_array)) argument->inputs = ids(state_nu_);
  auto* arrival = find(program.results, state_array);
  auto* covector = find(program.results, covector_array);
  Vector landed;
  if (arrival != nullptr) {
    Vector coordinates;
    for (const NodeId id : arrival->values) coordinates.push_back(graph->at(id));
    landed = states_at(coordinates);
    arrival->values = ids(landed);
  }
  for (const std::size_t i : positive_) {
    if (covector == nullptr) break;
    covector->values[i] = ((graph->at(covector->values[i]) - 1.0) / landed[i]).id();
  }
  for (Result& result : program.results) {
    Vector values;
    for (const NodeId id : result.values) values.push_back(graph->at(id));
    result.values = ids(in_states(values));
  }
  return program;
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
