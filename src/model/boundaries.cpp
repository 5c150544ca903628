#include "divker/boundaries.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "divker/model_kinks.hpp"

namespace divker {
namespace {

// Something at which no coefficient is special, all states different.
std::vector<double> somewhere(std::size_t dimension, double scale) {
  std::vector<double> x(dimension);
  for (std::size_t i = 0; i < dimension; ++i) {
    x[i] = scale * (1.0 + 0.3 * std::sin(1.7 * static_cast<double>(i) + 0.4));
  }
  return x;
}

// |S_ik| / w summed over the columns k of the noise.
double relative_noise(const Model& model, std::size_t row, std::vector<double> x, double w) {
  x[row] = w;
  const std::vector<double> inputs = model.input_values(x, model.time().start);
  double sum = 0.0;
  for (const NoiseEntry& entry : model.noise()) {
    if (entry.row != row) continue;
    const NodeId amplitude = entry.amplitude;
    sum += std::fabs(evaluate(*model.graph(), {&amplitude, 1}, inputs).front()) / w;
  }
  return sum;
}

bool is_leaky(const Model& model, std::size_t row) {
  constexpr double near = 1e-6, nearer = 1e-12, grown = 1.5;
  return std::ranges::any_of(std::vector<double>{0.1, 1.0, 10.0}, [&](double scale) {
    const std::vector<double> x = somewhere(model.dimension(), scale);
    return relative_noise(model, row, x, nearer) > grown * relative_noise(model, row, x, near);
  });
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
  for (std::size_t i = 0; i < model.dimension(); ++i) {
    if (model.states()[i].positive && is_leaky(model, i)) leaky.push_back(i);
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
    const std::string& name = model.states()[i].name;
    result.push_back({fmt::format("{0} is declared positive, but its noise does not fall in "
                                  "proportion to it: no logarithm keeps {0} from zero.",
                                  name),
                      graph, model.states()[i].node});
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
