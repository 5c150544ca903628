#include "divker/expression.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <numbers>
#include <string>
#include <vector>

#include "divker/error.hpp"

namespace divker {
namespace {

struct Fixture : ::testing::Test {
  Graph g;
  Expression x = g.input("x");
  Expression y = g.input("y");
  Expression z = g.input("z");

  static double at(Expression f, double vx, double vy = 0.0, double vz = 0.0) {
    const std::array<double, 3> inputs{vx, vy, vz};
    return evaluate(f, inputs);
  }
};
using ExpressionTest = Fixture;

TEST_F(ExpressionTest, EqualExpressionsAreOneNode) {
  EXPECT_EQ(x + y, y + x);
  EXPECT_EQ(x * y, y * x);
  EXPECT_EQ(min(x, y), min(y, x));
  EXPECT_EQ(sin(x) * (y + 1.0), (1.0 + y) * sin(x));
  EXPECT_NE(x - y, y - x);
  EXPECT_NE(pow(x, y), pow(y, x));
  const std::size_t before = g.size();
  (void)(sin(x) * (y + 1.0));
  EXPECT_EQ(g.size(), before);
}

TEST_F(ExpressionTest, IdentitiesHold) {
  EXPECT_EQ(x + 0.0, x);
  EXPECT_EQ(1.0 * x, x);
  EXPECT_TRUE((0.0 * x).is_zero());
  EXPECT_TRUE((x - x).is_zero());
  EXPECT_EQ(-(-x), x);
  EXPECT_TRUE((x / x).is_constant(1.0));
  EXPECT_EQ(2.0 * (3.0 * x), 6.0 * x);
  EXPECT_EQ(2.0 * x + 3.0 * x, 5.0 * x);
  EXPECT_EQ(x + -y, x - y);
  EXPECT_EQ((x + y) - y, x);
  EXPECT_EQ(sin(-x), -sin(x));
  EXPECT_EQ(cos(-x), cos(x));
  EXPECT_EQ(abs(-x), abs(x));
  EXPECT_EQ(exp(log(x)), x);
  EXPECT_EQ(sqrt(x) * sqrt(x), x);
  EXPECT_EQ(1.0 / (1.0 / x), x);
  EXPECT_EQ(pow(x, 3.0), x * x * x);
  EXPECT_EQ(pow(x, 0.5), sqrt(x));
  EXPECT_EQ(pow(x, -1.0), 1.0 / x);
  EXPECT_TRUE(pow(x, 0.0).is_constant(1.0));
}

TEST_F(ExpressionTest, ConstantsFold) {
  const Expression two = g.constant(2.0);
  EXPECT_TRUE((two + 3.0).is_constant(5.0));
  EXPECT_TRUE(exp(g.constant(0.0)).is_constant(1.0));
  EXPECT_TRUE(pow(two, 10.0).is_constant(1024.0));
  EXPECT_EQ(g.constant(-0.0), g.constant(0.0));
}

TEST_F(ExpressionTest, GraphsDoNotMix) {
  Graph other;
  const Expression foreign = other.input("w");
  EXPECT_THROW((void)g.binary(Op::add, x, foreign), Error);
}

struct OpCase {
  const char* name;
  Expression (*make)(Expression, Expression);
  double x;
  double y;
};

void PrintTo(const OpCase& c, std::ostream* out) { *out << c.name; }

class EveryOp : public ::testing::TestWithParam<OpCase> {};

// First and second derivatives against central differences; the tolerances are those of the
// differences, h^2/6 f''' and rounding/h, with all derivatives below 100 in size.
TEST_P(EveryOp, DerivativesAgreeWithDifferences) {
  const OpCase& c = GetParam();
  Graph g;
  const std::array<Expression, 2> variables{g.input("x"), g.input("y")};
  const Expression f = c.make(variables[0], variables[1]);
  const auto value = [&](Expression e, double dx, double dy) {
    const std::array<double, 2> inputs{c.x + dx, c.y + dy};
    return evaluate(e, inputs);
  };
  const double h = 1e-5;
  const std::vector<Expression> first = gradient(f, variables);
  const auto difference = [&](Expression e, std::size_t i) {
    return i == 0 ? (value(e, h, 0) - value(e, -h, 0)) / (2 * h)
                  : (value(e, 0, h) - value(e, 0, -h)) / (2 * h);
  };
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_NEAR(value(first[i], 0, 0), difference(f, i), 1e-7) << to_string(first[i]);
    const std::vector<Expression> second = gradient(first[i], variables);
    for (std::size_t j = 0; j < 2; ++j) {
      EXPECT_NEAR(value(second[j], 0, 0), difference(first[i], j), 1e-7) << to_string(second[j]);
    }
    EXPECT_NEAR(value(derivative(f, variables[i]), 0, 0), value(first[i], 0, 0), 1e-13);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Ops, EveryOp,
    ::testing::Values(
        OpCase{"add", [](Expression a, Expression b) { return a + b; }, 0.7, 0.3},
        OpCase{"sub", [](Expression a, Expression b) { return a - 2.0 * b; }, 0.7, 0.3},
        OpCase{"mul", [](Expression a, Expression b) { return a * b * a; }, 0.7, 0.3},
        OpCase{"div", [](Expression a, Expression b) { return a / (b * b + a); }, 0.7, 0.9},
        OpCase{"pow", [](Expression a, Expression b) { return pow(a, b); }, 0.7, 1.3},
        OpCase{"pow_real", [](Expression a, Expression b) { return pow(a, 2.5) * b; }, 0.7, 1.3},
        OpCase{"pow_negative", [](Expression a, Expression b) { return pow(a, -3.0) * b; }, 1.7,
               1.3},
        OpCase{"min", [](Expression a, Expression b) { return min(a * a, b); }, 0.7, 1.3},
        OpCase{"max", [](Expression a, Expression b) { return max(a * a, b * b); }, 0.7, 1.3},
        OpCase{"neg", [](Expression a, Expression b) { return -(a * b); }, 0.7, 1.3},
        OpCase{"sqrt", [](Expression a, Expression b) { return sqrt(a + b); }, 0.7, 1.3},
        OpCase{"exp", [](Expression a, Expression b) { return exp(a * b); }, 0.7, 1.3},
        OpCase{"log", [](Expression a, Expression b) { return log(a + 2.0 * b); }, 0.7, 1.3},
        OpCase{"sin", [](Expression a, Expression b) { return sin(a * b); }, 0.7, 1.3},
        OpCase{"cos", [](Expression a, Expression b) { return cos(a * b); }, 0.7, 1.3},
        OpCase{"tan", [](Expression a, Expression b) { return tan(a * b); }, 0.4, 0.3},
        OpCase{"tanh", [](Expression a, Expression b) { return tanh(a * b); }, 0.7, 1.3},
        OpCase{"sinh", [](Expression a, Expression b) { return sinh(a * b); }, 0.7, 1.3},
        OpCase{"cosh", [](Expression a, Expression b) { return cosh(a * b); }, 0.7, 1.3},
        OpCase{"atan", [](Expression a, Expression b) { return atan(a * b); }, 0.7, 1.3},
        OpCase{"erf", [](Expression a, Expression b) { return erf(a * b); }, 0.7, 1.3},
        OpCase{"erfc", [](Expression a, Expression b) { return erfc(a * b); }, 0.7, 1.3},
        OpCase{"expm1", [](Expression a, Expression b) { return expm1(a * b); }, 0.7, 1.3},
        OpCase{"log1p", [](Expression a, Expression b) { return log1p(a * b); }, 0.7, 1.3},
        OpCase{"asinh", [](Expression a, Expression b) { return asinh(a * b); }, 0.7, 1.3},
        OpCase{"abs", [](Expression a, Expression b) { return abs(a - b) * a; }, 0.7, 1.3},
        OpCase{"step",
               [](Expression a, Expression b) { return a * a.graph().binary(Op::step, a, b); }, 1.7,
               1.3},
        OpCase{"sign", [](Expression a, Expression b) { return b * a.graph().unary(Op::sign, a); },
               -0.7, 1.3},
        OpCase{"floor", [](Expression a, Expression b) { return a * floor(4.0 * a * b); }, 0.7,
               1.3},
        OpCase{"where", [](Expression a, Expression b) { return where(a - b, a * a * b) * b; }, 1.7,
               1.3},
        OpCase{"where_not", [](Expression a, Expression b) { return where(b - a, log(b - a)) * b; },
               1.7, 1.3},
        OpCase{"choose",
               [](Expression a, Expression b) {
                 return sin(choose(both(exceeds(a, b), exceeds(b, a * 0.0)), sqrt(a - b) * b,
                                   log(b - a) * a));
               },
               1.7, 1.3},
        OpCase{"choose_nested",
               [](Expression a, Expression b) {
                 const Expression root = sqrt(a - b);
                 return choose(exceeds(a, b), choose(exceeds(a, 2.0 * b), root * a, root * b),
                               choose(either(exceeds(b, a), exceeds(a, 3.0 * b)), a * a * b, root));
               },
               0.7, 1.3}),
    [](const auto& tested) { return std::string(tested.param.name); });

TEST_F(ExpressionTest, ReverseAndForwardModeAgree) {
  const Expression f = sin(x * y) * exp(z - x) / (1.0 + y * y) + pow(z, 4.0) * log(x);
  const std::array<Expression, 3> variables{x, y, z};
  const std::array<Expression, 3> direction{g.constant(0.3), x, g.constant(-2.0)};
  const std::vector<Expression> forward = directional_derivative(g, {&f, 1}, variables, direction);
  const Expression reverse = dot(g, gradient(f, variables), direction);
  EXPECT_NEAR(at(forward[0], 0.7, 0.4, 1.1), at(reverse, 0.7, 0.4, 1.1), 1e-12);
}

TEST_F(ExpressionTest, VariablesMayBeInnerNodes) {
  const Expression inner = x * y;
  const Expression f = sin(inner) + x;
  const std::array<Expression, 2> variables{inner, x};
  const std::vector<Expression> d = gradient(f, variables);
  EXPECT_EQ(d[0], cos(inner));
  EXPECT_TRUE(d[1].is_constant(1.0));
}

TEST_F(ExpressionTest, WhatIsNotReachedHasNoDerivative) {
  EXPECT_TRUE(derivative(x * x, y).is_zero());
  const std::array<Expression, 1> only{y};
  EXPECT_FALSE(depends_on(x * x, only));
  EXPECT_TRUE(depends_on(x * y, only));
}

TEST_F(ExpressionTest, DirectionMustFitTheVariables) {
  const std::array<Expression, 2> variables{x, y};
  EXPECT_THROW((void)directional_derivative(g, {&x, 1}, variables, {&z, 1}), Error);
}

TEST_F(ExpressionTest, SubstitutionIsSimultaneous) {
  const Expression f = x - 2.0 * y;
  const std::array<Expression, 2> from{x, y};
  const std::array<Expression, 2> to{y, x};
  EXPECT_EQ(substitute(g, {&f, 1}, from, to)[0], y - 2.0 * x);
}

// Every operation is made anew of what stands for its operands, with the value that it would have.
TEST_F(ExpressionTest, SubstitutionKeepsTheValueOfEveryOperation) {
  const std::array<Expression, 2> from{x, y};
  const std::array<Expression, 2> to{z * z + 0.5, 1.0 / (z + 2.0)};
  const double value = 0.3;
  const double x_value = value * value + 0.5;
  const double y_value = 1.0 / (value + 2.0);
  for (int number = static_cast<int>(Op::add); number <= static_cast<int>(Op::where); ++number) {
    const Op op = static_cast<Op>(number);
    SCOPED_TRACE(name_of(op));
    const Expression f = is_binary(op) ? g.binary(op, x, y) : g.unary(op, x - y);
    const Expression moved = substitute(g, {&f, 1}, from, to)[0];
    EXPECT_FALSE(depends_on(moved, from));
    const double wanted =
        is_binary(op) ? apply(op, x_value, y_value) : apply(op, x_value - y_value, 0.0);
    EXPECT_NEAR(at(moved, 7.0, 7.0, value), wanted, 1e-14 * (1.0 + std::fabs(wanted)));
  }
}

// Where a branch is not taken, neither its value nor its derivatives of any kind are numbers.
TEST_F(ExpressionTest, WhatIsNotTakenDoesNoHarm) {
  const Expression guarded = choose(exceeds(x, g.constant(0.0)), sqrt(x) * y, z * x);
  const Expression shared = where(x, log(x)) + where(y, log(x) * y) + z;
  const std::array<Expression, 3> variables{x, y, z};
  for (const Expression f : {guarded, shared, exp(guarded * shared)}) {
    for (const Expression d : gradient(f, variables)) {
      EXPECT_TRUE(std::isfinite(at(d, -1.0, -2.0, 3.0))) << to_string(d);
      EXPECT_TRUE(std::isfinite(at(d, 0.0, -2.0, 3.0))) << to_string(d);
      for (const Expression second : gradient(d, variables)) {
        EXPECT_TRUE(std::isfinite(at(second, -1.0, -2.0, 3.0))) << to_string(second);
      }
    }
    const Expression forward = derivative(f, x);
    EXPECT_EQ(at(forward, -1.0, -2.0, 3.0), at(gradient(f, variables)[0], -1.0, -2.0, 3.0));
  }
  EXPECT_EQ(to_string(gradient(where(x, sin(x)), variables)[0]), "where(x, cos(x))");
}

TEST_F(ExpressionTest, ConditionsKnowTheirNegation) {
  const Expression above = exceeds(x, y);
  EXPECT_EQ(negated(negated(above)), above);
  EXPECT_TRUE(both(above, negated(above)).is_zero());
  EXPECT_TRUE(either(negated(above), above).is_constant(1.0));
  EXPECT_EQ(both(above, above), above);
  EXPECT_EQ(either(above, above), above);
  EXPECT_TRUE(exceeds(x, x).is_zero());
  EXPECT_EQ(choose(above, z, z), z);
  EXPECT_EQ(choose(g.constant(1.0), x, y), x);
  EXPECT_EQ(choose(g.constant(0.0), x, y), y);
  EXPECT_EQ(choose(exceeds(x, g.constant(0.0)), y, g.constant(0.0)), where(x, y));
}

TEST_F(ExpressionTest, ImportKeepsTheValue) {
  const Expression f = atan(x / y) + max(z, pow(x, 1.5)) - sqrt(y);
  Graph other;
  const Expression w = other.input("w");
  const std::array<Expression, 3> map{w, w * w, other.constant(0.25)};
  const NodeId root = f.id();
  const Expression copy = import_into(other, g, {&root, 1}, map)[0];
  const double v = 1.3;
  EXPECT_NEAR(evaluate(copy, {&v, 1}), at(f, v, v * v, 0.25), 1e-14);
}

TEST_F(ExpressionTest, ColumnsAgreeWithPoints) {
  const std::array<NodeId, 3> roots{(sin(x) * y + z).id(), y.id(), g.constant(4.0).id()};
  const std::vector<double> xs{0.1, 0.2, 0.3};
  const std::vector<double> ys{1.0, -1.0, 2.0};
  const std::vector<double> zs{5.0};  // one value for all points
  const std::array<std::span<const double>, 3> columns{xs, ys, zs};
  const auto values = evaluate_columns(g, roots, columns, 3);
  for (std::size_t row = 0; row < 3; ++row) {
    const std::array<double, 3> inputs{xs[row], ys[row], zs[0]};
    const std::vector<double> point = evaluate(g, roots, inputs);
    for (std::size_t r = 0; r < roots.size(); ++r) EXPECT_EQ(values[r][row], point[r]);
  }
}

TEST_F(ExpressionTest, PrintsWithFewParentheses) {
  EXPECT_EQ(to_string(x + y * z), "x + y*z");
  EXPECT_EQ(to_string((x + y) * z), "z*(x + y)");
  EXPECT_EQ(to_string(x - (y - z)), "x - (y - z)");
  EXPECT_EQ(to_string(-(x * y)), "-(x*y)");
  EXPECT_EQ(to_string(x * x), "x^2");
  EXPECT_EQ(to_string(x / (y * z)), "x/(y*z)");
  EXPECT_EQ(to_string(x / (y * y)), "x/y^2");
  EXPECT_EQ(to_string(pow(x, y)), "pow(x, y)");
  EXPECT_EQ(to_string(min(x, y) + 0.1), "0.1 + min(x, y)");
  EXPECT_EQ(to_string(-2.5 * x), "-2.5*x");
  EXPECT_EQ(to_string((x + y) * (x + y)), "(x + y)^2");
}

TEST_F(ExpressionTest, NamedNodesArePrintedByName) {
  const Expression part = sin(x);
  const NodeNames names{{part.id(), "s"}};
  EXPECT_EQ(to_string(g, (part + y).id(), names), "y + s");
  EXPECT_EQ(to_string(g, part.id(), names), "sin(x)");
}

TEST_F(ExpressionTest, ExplosiveTextIsRefused) {
  Expression shared = x;
  for (int i = 0; i < 60; ++i) shared = sin(shared) * cos(shared);
  EXPECT_THROW((void)to_string(shared), Error);
  Expression deep = x;
  for (int i = 0; i < 100'000; ++i) deep = sin(deep);
  EXPECT_THROW((void)to_string(deep), Error);
}

std::size_t depth(const Graph& g, NodeId id) {
  const Node& node = g.node(id);
  if (is_leaf(node.op)) return 0;
  return 1 + std::max(depth(g, node.a), is_binary(node.op) ? depth(g, node.b) : 0);
}

TEST_F(ExpressionTest, SumsAreBalanced) {
  std::vector<Expression> terms;
  for (int i = 0; i < 1000; ++i) terms.push_back(g.input("u"));
  EXPECT_EQ(depth(g, sum(g, terms).id()), 10U);
  EXPECT_TRUE(sum(g, {}).is_zero());
}

// The gradient of a sum of n local terms costs a number of operations in proportion to n.
TEST_F(ExpressionTest, GradientGrowsLinearly) {
  const auto operations = [](std::size_t n) {
    Graph graph;
    std::vector<Expression> u;
    for (std::size_t i = 0; i < n; ++i) u.push_back(graph.input("u"));
    std::vector<Expression> terms;
    for (std::size_t i = 0; i < n; ++i) {
      terms.push_back((u[(i + 1) % n] - u[(i + n - 2) % n]) * u[(i + n - 1) % n] * sin(u[i]));
    }
    std::vector<NodeId> roots;
    for (const Expression& d : gradient(sum(graph, terms), u)) roots.push_back(d.id());
    return operation_count(graph, roots);
  };
  const std::size_t small = operations(50);
  EXPECT_LE(operations(400), 8 * small + 8);
}

// Rows are treated in blocks and places are used again: every value is that of its row alone.
TEST(Columns, AreTheValuesOfTheirRows) {
  Graph g;
  const std::vector<Expression> in{g.input("x"), g.input("y"), g.input("p")};
  std::vector<Expression> made{in[0], in[1], in[2], g.constant(0.3)};
  for (std::size_t k = 0; k < 200; ++k) {
    const Expression a = made[(7 * k + 3) % made.size()];
    const Expression b = made[(5 * k + 1) % made.size()];
    const std::vector<Expression> next{a + b,   a - b,  0.5 * a * b, a / (2.0 + b * b),
                                       tanh(a), sin(b), max(a, b),   -a};
    made.push_back(next[k % next.size()]);
  }
  std::vector<NodeId> roots;
  for (std::size_t k = 0; k < made.size(); k += 9) roots.push_back(made[k].id());
  constexpr std::size_t count = 600;
  std::vector<double> x(count);
  std::vector<double> y(count);
  for (std::size_t r = 0; r < count; ++r) {
    x[r] = std::sin(0.1 * static_cast<double>(r));
    y[r] = std::cos(0.3 * static_cast<double>(r));
  }
  const std::vector<double> p{0.7};
  const std::vector<std::span<const double>> columns{x, y, p};
  const auto values = evaluate_columns(g, roots, columns, count);
  ASSERT_EQ(values.size(), roots.size());
  for (const std::size_t r : std::array<std::size_t, 5>{0, 255, 256, 511, 599}) {
    const auto expected = evaluate(g, roots, std::vector{x[r], y[r], p[0]});
    for (std::size_t k = 0; k < roots.size(); ++k) EXPECT_EQ(values[k][r], expected[k]) << k;
  }
}

}  // namespace
}  // namespace divker
