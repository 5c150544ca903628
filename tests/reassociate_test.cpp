#include "jit/reassociate.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <random>

#include "divker/language.hpp"
#include "divker/step.hpp"

namespace divker {
namespace {

// Inputs: two of rate run, one of rate step, six of rate path.
Program program_of(const std::shared_ptr<Graph>& graph, std::vector<NodeId> results) {
  Program program;
  program.arguments = {
      {"run", Role::parameters, {}}, {"step", Role::schedule, {}}, {"path", Role::carried, {}}};
  for (NodeId id = 0; id < graph->size(); ++id) {
    if (graph->node(id).op != Op::input) continue;
    const NodeId number = graph->node(id).a;
    program.arguments[number < 2 ? 0 : number < 3 ? 1 : 2].inputs.push_back(id);
  }
  program.results = {{"values", std::move(results)}};
  program.graph = graph;
  return program;
}

std::shared_ptr<Graph> nine_inputs() {
  auto graph = std::make_shared<Graph>();
  for (int k = 0; k < 9; ++k) (void)graph->input("u" + std::to_string(k));
  return graph;
}

// The value of every node where all terms are taken as positive: what rounding is measured by.
std::vector<double> magnitudes(const Graph& graph, const std::vector<double>& inputs) {
  std::vector<double> sizes(graph.size());
  for (NodeId id = 0; id < graph.size(); ++id) {
    const Node& node = graph.node(id);
    switch (node.op) {
      case Op::constant:
        sizes[id] = std::abs(node.value);
        break;
      case Op::input:
        sizes[id] = std::abs(inputs[node.a]);
        break;
      case Op::neg:
        sizes[id] = sizes[node.a];
        break;
      case Op::sub:
        sizes[id] = sizes[node.a] + sizes[node.b];
        break;
      case Op::tanh:
        sizes[id] = 1.0 + sizes[node.a];
        break;
      default:
        sizes[id] = apply(node.op, sizes[node.a], sizes[node.b]);
    }
  }
  return sizes;
}

Rate rate_of(const Program& program, NodeId id) {
  const Node& node = program.graph->node(id);
  for (const Argument& argument : program.arguments) {
    if (std::ranges::find(argument.inputs, id) != argument.inputs.end()) return argument.rate();
  }
  if (is_leaf(node.op)) return Rate::run;
  const Rate a = rate_of(program, node.a);
  return is_binary(node.op) ? std::max(a, rate_of(program, node.b)) : a;
}

std::size_t count_of_rate(const Program& program, Rate rate) {
  const std::vector<NodeId> nodes = reachable(*program.graph, program.roots());
  return static_cast<std::size_t>(std::ranges::count_if(nodes, [&](NodeId id) {
    return !is_leaf(program.graph->node(id).op) && rate_of(program, id) == rate;
  }));
}

std::vector<double> values_of(const Program& program, const std::vector<double>& inputs) {
  return evaluate(*program.graph, program.roots(), inputs);
}

const std::vector<double> some_inputs{0.3, -1.7, 0.9, 1.1, -0.4, 0.8, -1.3, 2.1, -0.6};

TEST(Reassociate, RandomProgramsKeepTheirValues) {
  std::mt19937 random(7);
  const auto below = [&random](std::size_t n) { return random() % n; };
  constexpr std::array ops{Op::add, Op::sub, Op::mul, Op::add, Op::sub, Op::mul, Op::neg, Op::tanh};
  for (int trial = 0; trial < 400; ++trial) {
    const auto graph = nine_inputs();
    for (const double value : {2.0, -1.0, 0.25}) (void)graph->constant(value);
    const std::size_t length = 5 + below(120);
    for (std::size_t k = 0; k < length; ++k) {
      // Operands among the last nodes: long sums and products with few other uses.
      const auto operand = [&] {
        const std::size_t back = below(2) == 0 ? std::min<std::size_t>(graph->size(), 6) : 0;
        const std::size_t first = back == 0 ? 0 : graph->size() - back;
        return graph->at(static_cast<NodeId>(first + below(graph->size() - first)));
      };
      const Op op = ops[below(ops.size())];
      const Expression a = operand();
      const Expression made = is_binary(op) ? graph->binary(op, a, operand()) : graph->unary(op, a);
      const double size = magnitudes(*graph, some_inputs)[made.id()];
      if (size > 1e6) (void)graph->unary(Op::tanh, made);
    }
    std::vector<NodeId> roots;
    for (NodeId back = 1; back <= 4; ++back) {
      roots.push_back(static_cast<NodeId>(graph->size()) - back);
    }
    const Program program = program_of(graph, roots);
    const std::vector<double> expected = values_of(program, some_inputs);
    const std::vector<double> found = values_of(jit::reassociated(program), some_inputs);
    const std::vector<double> sizes = magnitudes(*graph, some_inputs);
    for (std::size_t r = 0; r < roots.size(); ++r) {
      EXPECT_NEAR(found[r], expected[r], 1e-12 * (1.0 + sizes[roots[r]])) << "program " << trial;
    }
  }
}

TEST(Reassociate, FactorsComeInTheOrderOfTheirRates) {
  const auto graph = nine_inputs();
  const auto u = [&](NodeId k) { return graph->at(k); };
  Expression product = u(3);
  for (const NodeId k : {0U, 4U, 2U, 1U}) product = graph->binary(Op::mul, product, u(k));
  const Program result = jit::reassociated(program_of(graph, {product.id()}));
  EXPECT_EQ(count_of_rate(result, Rate::run), 1U);
  EXPECT_EQ(count_of_rate(result, Rate::step), 1U);
  EXPECT_EQ(count_of_rate(result, Rate::path), 2U);
}

TEST(Reassociate, LikeTermsMeetAcrossACoefficient) {
  // run0 (path0 + step path1) - run1 path1 = run0 path0 + (run0 step - run1) path1
  const auto graph = nine_inputs();
  const auto u = [&](NodeId k) { return graph->at(k); };
  const auto make = [&](Op op, Expression a, Expression b) { return graph->binary(op, a, b); };
  const Expression inner = make(Op::add, u(3), make(Op::mul, u(2), u(4)));
  const Expression all = make(Op::sub, make(Op::mul, u(0), inner), make(Op::mul, u(1), u(4)));
  const Program result = jit::reassociated(program_of(graph, {all.id()}));
  EXPECT_EQ(count_of_rate(result, Rate::path), 3U);
}

TEST(Reassociate, EqualReductionsAreOne) {
  // The sum of squares alone, and term by term within sum (1 - x^2) / a sum of its own order.
  auto graph = std::make_shared<Graph>();
  std::vector<Expression> x;
  for (int k = 0; k < 20; ++k) x.push_back(graph->input("x"));
  Expression squares = graph->constant(0.0);
  Expression mixed = graph->constant(3.0);
  for (std::size_t k = 0; k < x.size(); ++k) {
    squares = graph->binary(Op::add, squares, graph->binary(Op::mul, x[k], x[k]));
    const Expression other = x[x.size() - 1 - k];
    mixed = graph->binary(
        Op::add, mixed,
        graph->binary(Op::sub, graph->constant(1.0), graph->binary(Op::mul, other, other)));
  }
  Program program;
  program.arguments = {{"x", Role::carried, {}}};
  for (const Expression e : x) program.arguments.front().inputs.push_back(e.id());
  program.results = {{"values", {squares.id(), mixed.id()}}};
  program.graph = graph;
  // 20 squares, 19 additions, and one subtraction from 23.
  const Program result = jit::reassociated(program);
  EXPECT_EQ(operation_count(*result.graph, result.roots()), 40U);
}

TEST(Reassociate, TheStepOfLorenz96TakesFewerOperations) {
  const Model model = load_model("lorenz96");
  const Asked asked = Asked::responses_to(model.free_parameters());
  const Program program = derive_divergence_step(model, {}, asked);
  const Program result = jit::reassociated(program);
  const std::size_t before = operation_count(*program.graph, program.roots());
  const std::size_t after = operation_count(*result.graph, result.roots());
  EXPECT_LT(after, before * 9 / 10);
}

}  // namespace
}  // namespace divker
