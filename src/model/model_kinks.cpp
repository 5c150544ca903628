#include "divker/model_kinks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace divker {
namespace {

// Longer places are not written out.
constexpr std::uint32_t most_shown = 40;

struct Statement {
  ModelPart part;
  std::string name;
  NodeId root;
};

std::vector<Statement> statements_of(const Model& model) {
  std::vector<Statement> statements;
  const auto state = [&](std::size_t i) { return model.states()[i].name; };
  for (std::size_t i = 0; i < model.dimension(); ++i) {
    statements.push_back({ModelPart::drift, state(i), model.drift()[i]});
  }
  for (const NoiseEntry& entry : model.noise()) {
    statements.push_back({ModelPart::noise, state(entry.row), entry.amplitude});
  }
  for (std::size_t i = 0; i < model.dimension(); ++i) {
    const InitialLaw& law = model.initial()[i];
    if (law.kind == InitialKind::samples) continue;
    statements.push_back({ModelPart::initial, state(i), law.a});
    if (law.kind != InitialKind::point) statements.push_back({ModelPart::initial, state(i), law.b});
  }
  for (const Observation& y : model.observations()) {
    statements.push_back({ModelPart::observation, y.name, y.value});
    if (y.noisy) statements.push_back({ModelPart::observation, y.name, y.deviation});
  }
  return statements;
}

NodeNames let_names(const Model& model) {
  NodeNames names;
  for (const auto& [name, nodes] : model.lets()) {
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      if (is_leaf(model.graph()->node(nodes[i]).op)) continue;
      names[nodes[i]] = nodes.size() == 1 ? name : fmt::format("{}[{}]", name, i);
    }
  }
  return names;
}

std::string place_text(const Kink& kink, const NodeNames& names,
                       std::span<const Expression> states) {
  Graph& graph = kink.place.graph();
  const auto text = [&](NodeId id) {
    const auto named = names.find(id);
    if (named != names.end()) return named->second;
    if (graph.weight(id) <= most_shown) return to_string(graph, id, names);
    return fmt::format("an expression of {} operations", graph.weight(id));
  };
  const Node& node = kink.place.node();
  if (kink.op == Op::floor) return text(kink.place.id()) + " is a whole number";
  if (!names.contains(kink.place.id())) {
    if (node.op == Op::sub) {
      const bool is_turned = !depends_on(graph.at(node.a), states);
      return text(is_turned ? node.b : node.a) + " = " + text(is_turned ? node.a : node.b);
    }
    if (node.op == Op::add && graph.node(node.a).op == Op::constant) {
      return fmt::format("{} = {}", text(node.b), -graph.node(node.a).value);
    }
  }
  return text(kink.place.id()) + " = 0";
}

// Is the place where the parameters are?
bool is_at(const Kink& kink, std::span<const double> inputs) {
  const double value = evaluate(kink.place, inputs);
  return kink.op == Op::floor ? value == std::floor(value) : !(std::fabs(value) > 0.0);
}

// Does a parameter move what functionals are at fixed states: by what they follow, or by a point
// where paths start?
bool moves_functionals(const Model& model, std::size_t p, Graph& graph,
                       std::span<const PathFunctional* const> functionals) {
  const Expression parameter = graph.at(model.parameters()[p].node);
  const auto depends = [&](NodeId id) { return depends_on(graph.at(id), {&parameter, 1}); };
  const auto starts = [&](const InitialLaw& law) {
    return law.kind == InitialKind::point && depends(law.a);
  };
  if (functionals.empty()) return false;
  return std::ranges::any_of(model.initial(), starts) ||
         std::ranges::any_of(functionals, [&](const auto* one) { return depends(one->followed); });
}

// Those that an expression mentions.
std::vector<const PathFunctional*> functionals_in(const Model& model, Expression f) {
  std::vector<const PathFunctional*> found;
  const NodeId root = f.id();
  const std::vector<NodeId> known = reachable(f.graph(), {&root, 1});
  for (const PathFunctional& one : model.functionals()) {
    if (std::ranges::binary_search(known, one.node)) found.push_back(&one);
  }
  return found;
}

std::vector<std::size_t> movers_of(const Model& model, Expression place) {
  std::vector<std::size_t> movers;
  const std::vector<const PathFunctional*> functionals = functionals_in(model, place);
  for (std::size_t p = 0; p < model.parameters().size(); ++p) {
    const Expression parameter = place.graph().at(model.parameters()[p].node);
    if (depends_on(place, {&parameter, 1}) ||
        moves_functionals(model, p, place.graph(), functionals)) {
      movers.push_back(p);
    }
  }
  return movers;
}

}  // namespace

std::string_view name_of(ModelPart part) {
  switch (part) {
    case ModelPart::drift:
      return "drift";
    case ModelPart::noise:
      return "noise";
    case ModelPart::initial:
      return "initial law";
    case ModelPart::observation:
      return "observation";
    case ModelPart::observable:
      return "observable";
    case ModelPart::functional:
      return "functional";
  }
  return "unknown";
}

bool ModelKink::is_moved_by(std::size_t parameter) const {
  return std::ranges::find(moved_by, parameter) != moved_by.end();
}

std::string ModelKink::sentence() const {
  const bool is_named = part == ModelPart::observation || part == ModelPart::observable ||
                        part == ModelPart::functional;
  std::string subject = fmt::format("The {}{}{}", name_of(part), is_named ? " " : " of ", name);
  const std::string where = fmt::format("{} ({})", place, name_of(op));
  switch (kind) {
    case KinkKind::jump:
      return fmt::format("{} jumps where {}: derivatives miss what happens there.", subject, where);
    case KinkKind::kink:
      return fmt::format("{} has a kink where {}: its derivative jumps there.", subject, where);
    case KinkKind::root:
      return fmt::format("{} has an infinite slope where {}: derivatives have no bound near it.",
                         subject, where);
    case KinkKind::bend:
      return fmt::format("{} has a continuous derivative where {}, but not a second one.", subject,
                         where);
  }
  return subject;
}

std::vector<Expression> positive_inputs(const Model& model, Graph& graph) {
  std::vector<Expression> positive;
  for (const State& state : model.states()) {
    if (state.range.lower >= 0.0) positive.push_back(graph.at(state.node));
  }
  for (const Parameter& parameter : model.parameters()) {
    if (parameter.lower >= 0.0) positive.push_back(graph.at(parameter.node));
  }
  return positive;
}

namespace {

std::vector<ModelKink> kinks_of(const Model& model, const std::shared_ptr<Graph>& copy,
                                const std::vector<Statement>& statements) {
  Graph& graph = *copy;
  std::vector<Expression> states;
  std::vector<Expression> parameters;
  std::vector<Expression> functionals;
  for (const State& state : model.states()) states.push_back(graph.at(state.node));
  for (const PathFunctional& one : model.functionals()) functionals.push_back(graph.at(one.node));
  states.insert(states.end(), functionals.begin(), functionals.end());
  for (const std::size_t p : model.free_parameters()) {
    parameters.push_back(graph.at(model.parameters()[p].node));
  }
  std::vector<Expression> inputs = states;
  inputs.insert(inputs.end(), parameters.begin(), parameters.end());
  std::vector<NodeId> roots;
  roots.reserve(statements.size());
  for (const Statement& statement : statements) roots.push_back(statement.root);
  std::vector<Expression> times;
  for (const NodeId node : model.time_nodes()) times.push_back(graph.at(node));
  const NodeNames names = let_names(model);
  const std::vector<double> values =
      model.input_values(std::vector<double>(model.dimension()), model.time().start);

  std::vector<ModelKink> result;
  for (const Kink& kink : find_kinks(graph, roots, inputs, positive_inputs(model, graph))) {
    const Statement& statement = statements[kink.root];
    const ModelKink found{
        statement.part,
        statement.name,
        kink.op,
        kink.kind,
        place_text(kink, names, states),
        depends_on(kink.place, states),
        depends_on(kink.place, parameters),
        depends_on(kink.place, times),
        movers_of(model, kink.place),
        copy,
        kink.place.id(),
        statement.part == ModelPart::functional || depends_on(kink.place, functionals)};
    if (!found.by_states && !found.by_time && !is_at(kink, values)) continue;
    // Two columns of noise may switch at one place.
    if (result.empty() || result.back().sentence() != found.sentence()) result.push_back(found);
  }
  return result;
}

// Where a functional that has no derivative along the path switches.
ModelKink switch_of(const Model& model, const std::shared_ptr<Graph>& copy,
                    const PathFunctional& functional) {
  const Expression followed = copy->at(functional.followed);
  std::vector<Expression> states;
  for (const State& state : model.states()) states.push_back(copy->at(state.node));
  ModelKink kink;
  kink.part = ModelPart::functional;
  kink.name = functional.name;
  kink.op = Op::step;
  kink.place = place_text({0, Op::step, KinkKind::jump, followed}, let_names(model), states);
  kink.by_states = true;
  for (std::size_t p = 0; p < model.parameters().size(); ++p) {
    const PathFunctional* one = &functional;
    if (moves_functionals(model, p, *copy, {&one, 1})) kink.moved_by.push_back(p);
  }
  kink.graph = copy;
  kink.function = functional.followed;
  kink.by_functionals = true;
  return kink;
}

}  // namespace

std::vector<ModelKink> model_kinks(const Model& model) {
  return kinks_of(model, std::make_shared<Graph>(*model.graph()), statements_of(model));
}

std::vector<ModelKink> observable_kinks(const Model& model, const std::string& name,
                                        Expression observable) {
  const auto copy = std::make_shared<Graph>(observable.graph());
  std::vector<Statement> statements{{ModelPart::observable, name, observable.id()}};
  const std::vector<const PathFunctional*> functionals = functionals_in(model, observable);
  for (const PathFunctional* one : functionals) {
    statements.push_back({ModelPart::functional, one->name, one->followed});
  }
  std::vector<ModelKink> kinks = kinks_of(model, copy, statements);
  for (const PathFunctional* one : functionals) {
    if (!one->kind->is_smooth()) kinks.push_back(switch_of(model, copy, *one));
  }
  return kinks;
}

}  // namespace divker
