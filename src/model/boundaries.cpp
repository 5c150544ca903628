#include "divker/boundaries.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "divker/model_kinks.hpp"
#include "divker/state_coordinates.hpp"
#include "model/somewhere.hpp"

namespace divker {
namespace {

// |S_ik| over the distance from an end of the range, summed over the columns k of the noise.
double relative_noise(const Model& model, std::size_t row, std::vector<double> x, double end,
                      double distance) {
  x[row] = end + distance;
  const std::vector<double> inputs = model.input_values(x, model.time().start);
  double sum = 0.0;
  for (const NoiseEntry& entry : model.noise()) {
    if (entry.row != row) continue;
    const NodeId amplitude = entry.amplitude;
    sum += std::fabs(evaluate(*model.graph(), {&amplitude, 1}, inputs).front() / distance);
  }
  return sum;
}

bool is_leaky(const Model& model, std::size_t row) {
  constexpr double near = 1e-6, nearer = 1e-12, grown = 1.5;
  const Range& range = model.states()[row].range;
  const auto leaks_at = [&](double end, double inwards) {
    if (!std::isfinite(end)) return false;
    return std::ranges::any_of(std::vector<double>{0.1, 1.0, 10.0}, [&](double scale) {
      const std::vector<double> x = somewhere(model, scale);
      return relative_noise(model, row, x, end, inwards * nearer) >
             grown * relative_noise(model, row, x, end, inwards * near);
    });
  };
  return leaks_at(range.lower, 1.0) || leaks_at(range.upper, -1.0);
}

std::string no_coordinate_holds(const State& state) {
  if (state.range == Range::positive()) {
    return fmt::format(
        "{0} is declared positive, but its noise does not fall in proportion to it: no logarithm "
        "keeps {0} from zero.",
        state.name);
  }
  return fmt::format(
      "{0} is declared {1}, but its noise does not fall in proportion to the distance from the "
      "end of that range: no logarithm keeps {0} inside.",
      state.name, state.range.text());
}

bool is_root_of_a_signless(const Graph& graph, const Node& node) {
  if (node.op == Op::sqrt) return true;
  if (node.op != Op::pow) return false;
  const Node& exponent = graph.node(node.b);
  return exponent.op != Op::constant || exponent.value != std::floor(exponent.value);
}

}  // namespace

std::vector<std::size_t> leaky_states(const Model& model) {
  std::vector<std::size_t> leaky;
  if (!model.has_bounded_states()) return leaky;
  const auto all = coordinates(model);
  for (std::size_t i = 0; i < model.dimension(); ++i) {
    const bool is_held = model.states()[i].range.is_whole() || all[i]->is_root();
    if (!is_held && is_leaky(model, i)) leaky.push_back(i);
  }
  return leaky;
}

std::vector<Boundary> boundaries(const Model& model) {
  const std::vector<ModelKink> kinks = model_kinks(model);
  const auto graph = kinks.empty() ? std::make_shared<Graph>(*model.graph()) : kinks.front().graph;
  std::vector<Boundary> result;
  for (const ModelKink& kink : kinks) {
    const bool is_end = kink.op == Op::sqrt || kink.op == Op::pow;
    if (!kink.is_of_step() || !is_end || !kink.by_states) continue;
    result.push_back({fmt::format("The {} of {} ends where {} ({}).", name_of(kink.part), kink.name,
                                  kink.place, name_of(kink.op)),
                      graph, kink.function});
  }
  for (const std::size_t i : leaky_states(model)) {
    const State& state = model.states()[i];
    if (std::isfinite(state.range.lower)) {
      const Expression above = graph->at(state.node) - state.range.lower;
      result.push_back({no_coordinate_holds(state), graph, above.id()});
    }
    if (std::isfinite(state.range.upper)) {
      const Expression below = state.range.upper - graph->at(state.node);
      result.push_back({no_coordinate_holds(state), graph, below.id()});
    }
  }
  return result;
}

std::vector<std::size_t> clamped_states(const Model& model) {
  const std::vector<Boundary> all = boundaries(model);
  std::vector<std::size_t> clamped;
  for (std::size_t i = 0; i < model.dimension() && !all.empty(); ++i) {
    Graph& graph = *all.front().graph;
    const Expression state = graph.at(model.states()[i].node);
    const auto ends = [&](const Boundary& boundary) {
      const std::vector<Expression> f{graph.at(boundary.function)}, from{state},
          to{graph.constant(0.0)};
      return substitute(graph, f, from, to).front().is_zero();
    };
    const Expression slope = derivative(graph.at(model.drift()[i]), state);
    const bool is_linear = !depends_on(slope, {&state, 1});
    if (!is_linear && std::ranges::any_of(all, ends)) clamped.push_back(i);
  }
  return clamped;
}

std::vector<Expression> ended_at_zero(Graph& graph, std::span<const Expression> f,
                                      std::span<const Expression> states) {
  std::vector<NodeId> roots;
  for (const Expression& one : f) roots.push_back(one.id());
  std::vector<Expression> from;
  std::vector<Expression> to;
  // Operands come first, so that what stands under a root has been ended already.
  for (const NodeId id : reachable(graph, roots)) {
    const Node node = graph.node(id);
    if (!is_root_of_a_signless(graph, node) || !depends_on(graph.at(node.a), states)) continue;
    const Expression inside =
        substitute(graph, std::vector<Expression>{graph.at(node.a)}, from, to).front();
    const Expression root = node.op == Op::sqrt ? sqrt(inside) : pow(inside, graph.at(node.b));
    from.push_back(graph.at(id));
    to.push_back(graph.binary(Op::where, inside, root));
  }
  if (from.empty()) return {f.begin(), f.end()};
  return substitute(graph, f, from, to);
}

}  // namespace divker
