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
                 bool beyond_boundaries, bool roots)
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
  if (model.has_bounded_states() || model.is_stepped_in_roots()) {
    const auto all = coordinates(model);
    for (std::size_t i = 0; i < x.size(); ++i) {
      if (all[i] != nullptr && (roots || !all[i]->is_root())) coordinates_[i] = all[i];
    }
  }
  if (beyond_boundaries) go_beyond_boundaries(model);
  if (!coordinates_.empty()) take_coordinates();
  if (model.time().tamed > 0.0) tame(model.time().tamed);
}

// Leaky states as they are, roots that end at zero, and max(x, 0) for clamped states; what stays
// inside by its root has no end.
void Symbols::go_beyond_boundaries(const Model& model) {
  for (const std::size_t leaky : leaky_states(model)) coordinates_.erase(leaky);
  const auto stays_inside = [this](std::size_t i) {
    const auto found = coordinates_.find(i);
    return found != coordinates_.end() && found->second->is_root();
  };
  Vector ending;
  for (std::size_t i = 0; i < states.size(); ++i) {
    if (!stays_inside(i)) ending.push_back(states[i]);
  }
  Vector from;
  Vector to;
  for (const std::size_t i : clamped_states(model)) {
    if (stays_inside(i)) continue;
    from.push_back(states[i]);
    to.push_back(graph->binary(Op::where, states[i], states[i]));
  }
  const auto beyond = [&](const Vector& values) {
    return substitute(*graph, ended_at_zero(*graph, values, ending), from, to);
  };
  drift.values = beyond(drift.values);
  for (Field& column : columns) column.values = beyond(column.values);
}

// Drift and noise of each coordinate, and then the coordinates in the place of the states.
void Symbols::take_coordinates() {
  for (const auto& [i, coordinate] : coordinates_) take_coordinate(i);
  Vector from = states;
  Vector to = states_at(x);
  for (const auto& [i, coordinate] : coordinates_) {
    if (!coordinate->is_root()) continue;
    from.push_back(coordinate->at_state(states[i]));
    to.push_back(x[i]);
  }
  drift.values = substitute(*graph, drift.values, from, to);
  for (Field& column : columns) column.values = substitute(*graph, column.values, from, to);
}

void Symbols::take_coordinate(std::size_t state) {
  const Coordinate& coordinate = *coordinates_.at(state);
  x[state] = graph->input("coordinate[" + std::to_string(state) + "]");
  state_nu_[state] = graph->input("nu of x[" + std::to_string(state) + "]");
  Vector noise;
  std::vector<Expression*> places;
  for (Field& column : columns) {
    for (std::size_t e = 0; e < column.rows.size(); ++e) {
      if (column.rows[e] != state) continue;
      noise.push_back(column.values[e]);
      places.push_back(&column.values[e]);
    }
  }
  const Coordinate::Equation found =
      coordinate.equation(states[state], x[state], drift.values[state], noise);
  drift.values[state] = found.drift;
  for (std::size_t e = 0; e < places.size(); ++e) *places[e] = found.noise[e];
  pulls_[state] = found.pulls;
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
  for (const auto& [i, coordinate] : coordinates_) {
    result[i] = coordinate->state(coordinates[i], x[i]);
  }
  return result;
}

Vector Symbols::coordinates_at(const Vector& points) const {
  Vector result = points;
  for (const auto& [i, coordinate] : coordinates_) result[i] = coordinate->at_state(points[i]);
  return result;
}

Vector Symbols::in_states(const Vector& expressions) const {
  Vector from;
  Vector to;
  for (const auto& [i, coordinate] : coordinates_) {
    const auto [of_coordinate, of_state] = coordinate->shortcut(states[i], x[i]);
    from.insert(from.end(), {x[i], of_coordinate, nu[i]});
    to.insert(to.end(), {coordinate->at_state(states[i]), of_state,
                         coordinate->stretch(states[i], x[i]) * state_nu_[i] +
                             coordinate->turn(states[i], x[i])});
  }
  // What stands for a covector may speak of its coordinate.
  return substitute(*graph, substitute(*graph, expressions, from, to), from, to);
}

// Where nothing pulls, g and tau at the arrival; else the derivatives of the arrival itself.
Symbols::Landing Symbols::landing(std::size_t state, Expression z) const {
  const Coordinate& coordinate = *coordinates_.at(state);
  const Vector& pulls = pulls_.at(state);
  if (pulls.empty()) {
    const Expression there = coordinate.landed(z, x[state], pulls, dt);
    return {there, coordinate.stretch(there, z), coordinate.turn(there, z), false};
  }
  const Expression held = graph->input("z");
  const Expression there = coordinate.landed(held, x[state], pulls, dt);
  const Expression slope = derivative(there, held);
  const Vector at_z = substitute(*graph, Vector{there, slope, derivative(slope, held) / slope},
                                 Vector{held}, Vector{z});
  return {at_z[0], at_z[1], at_z[2], true};
}

// d log|chi'|/dgamma + nu_x dchi/dgamma.
Vector Symbols::lost_responses(std::size_t state, Expression z, Expression nu_there) const {
  const Expression held = graph->input("z");
  const Vector weights = placeholders(2);
  const Expression there = coordinates_.at(state)->landed(held, x[state], pulls_.at(state), dt);
  const Expression slope = derivative(there, held);
  const Vector lost = gradient(weights[0] * slope + weights[1] * there, gamma);
  return substitute(*graph, lost, Vector{held, weights[0], weights[1]},
                    Vector{z, 1.0 / landing(state, z).slope, nu_there});
}

Vector Symbols::tangent_in_coordinates(const Vector& tangent) const {
  Vector result = tangent;
  for (const auto& [i, coordinate] : coordinates_) {
    result[i] = result[i] / coordinate->stretch(coordinate->state(x[i], x[i]), x[i]);
  }
  return result;
}

Vector Symbols::tangent_in_states(const Vector& tangent, const Vector& arrival,
                                  Expression parameter) const {
  Vector result = tangent;
  for (const auto& [i, coordinate] : coordinates_) {
    const Expression held = graph->input("z");
    const Expression there = coordinate->landed(held, x[i], pulls_.at(i), dt);
    const Vector pulled =
        substitute(*graph, Vector{derivative(there, parameter)}, Vector{held}, Vector{arrival[i]});
    result[i] = landing(i, arrival[i]).slope * result[i] + pulled.front();
  }
  return result;
}

Program Symbols::in_states(Program program, const Vector& told) const {
  if (coordinates_.empty()) return program;
  const auto find = [](auto& among, const std::string& name) {
    const auto found = std::ranges::find(among, name, [](const auto& one) { return one.name; });
    return found == among.end() ? nullptr : &*found;
  };
  if (auto* argument = find(program.arguments, state_array)) argument->inputs = ids(states);
  if (auto* argument = find(program.arguments, covector_array)) argument->inputs = ids(state_nu_);
  auto* arrival = find(program.results, state_array);
  auto* covector = find(program.results, covector_array);
  auto* response = find(program.results, response_array);
  for (const auto& [i, coordinate] : coordinates_) {
    if (arrival == nullptr) break;
    const Expression z = graph->at(arrival->values[i]);
    const Landing there = landing(i, z);
    arrival->values[i] = there.state.id();
    if (covector == nullptr && told.empty()) continue;
    const Expression nu_z = covector != nullptr ? graph->at(covector->values[i]) : told[i];
    const Expression nu_there = (nu_z - there.turn) / there.slope;
    if (covector != nullptr) covector->values[i] = nu_there.id();
    if (response == nullptr || !there.is_pulled) continue;
    const Vector lost = lost_responses(i, z, nu_there);
    for (std::size_t p = 0; p < lost.size(); ++p) {
      response->values[p] = (graph->at(response->values[p]) - lost[p]).id();
    }
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
