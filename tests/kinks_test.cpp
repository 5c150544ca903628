#include "divker/kinks.hpp"

#include <gtest/gtest.h>

#include <array>

namespace divker {
namespace {

class Kinks : public ::testing::Test {
 protected:
  // "abs jump", one for each place, for derivatives in x and y.
  std::vector<std::string> kinds(Expression f) {
    const NodeId root = f.id();
    const std::array<Expression, 2> inputs{x, y};
    const std::array<Expression, 1> positive{p};
    std::vector<std::string> result;
    for (const Kink& kink : find_kinks(g, {&root, 1}, inputs, positive)) {
      EXPECT_EQ(kink.root, 0U);
      result.push_back(std::string(name_of(kink.op)) + " " + std::string(name_of(kink.kind)) + " " +
                       to_string(kink.place));
    }
    return result;
  }
  Expression sign(Expression a) { return g.unary(Op::sign, a); }
  Expression step(Expression a, Expression b) { return g.binary(Op::step, a, b); }
  Expression c(double value) { return g.constant(value); }

  using List = std::vector<std::string>;
  Graph g;
  Expression x = g.input("x");
  Expression y = g.input("y");
  Expression t = g.input("t");
  Expression p = g.input("p");
};

TEST_F(Kinks, SmoothFunctionsHaveNone) {
  EXPECT_EQ(kinds(exp(x) * sin(y) / (1.0 + x * x)), List{});
  EXPECT_EQ(kinds(sqrt(1.0 + x * x) + pow(0.5 + exp(x), 0.3)), List{});
}

TEST_F(Kinks, EveryOperationHasItsOwn) {
  EXPECT_EQ(kinds(3.0 * abs(x)), List{"abs kink x"});
  EXPECT_EQ(kinds(min(x, y) * y), List{"min kink x - y"});
  EXPECT_EQ(kinds(max(x, c(2.0))), List{"max kink -2 + x"});
  EXPECT_EQ(kinds(y * sign(x)), List{"sign jump x"});
  EXPECT_EQ(kinds(exp(step(x, y))), List{"step jump x - y"});
  EXPECT_EQ(kinds(floor(x)), List{"floor jump x"});
  EXPECT_EQ(kinds(where(x, y)), List{"where jump x"});
  EXPECT_EQ(kinds(sqrt(x)), List{"sqrt root x"});
  EXPECT_EQ(kinds(pow(x, 0.3)), List{"pow root x"});
  EXPECT_EQ(kinds(pow(x, 1.5)), List{"pow bend x"});
  EXPECT_EQ(kinds(pow(x, 2.5)), List{});
  EXPECT_EQ(kinds(pow(p, x)), List{});
}

TEST_F(Kinks, WhatVanishesAtThePlaceSmooths) {
  EXPECT_EQ(kinds(x * abs(x)), List{"abs bend x"});
  EXPECT_EQ(kinds(max(x, c(0.0)) * max(x, c(0.0))), List{"max bend x"});
  EXPECT_EQ(kinds(x * sign(x)), List{"sign kink x"});
  EXPECT_EQ(kinds((x - y) * step(x, y)), List{"step kink x - y"});
  EXPECT_EQ(kinds((x - y) * (x - y) * step(y, x)), List{"step bend y - x"});
  EXPECT_EQ(kinds(x * x * x * sign(x)), List{});
  EXPECT_EQ(kinds(pow(max(x, c(0.0)), 1.5)), (List{"max bend x", "pow bend max(x, 0)"}));
  EXPECT_EQ(kinds((x - y) * step(x, 0.5 * y)), List{"step jump x - 0.5*y"});
}

TEST_F(Kinks, WhatMeetsAgainDoesNotSwitch) {
  EXPECT_EQ(kinds(abs(x) * abs(x)), List{});
  EXPECT_EQ(kinds(max(x, c(0.0)) + min(x, c(0.0))), List{});
  EXPECT_EQ(kinds(min(x, y) + max(x, y)), List{});
  EXPECT_EQ(kinds(sign(x) * abs(x) + y), List{});
  EXPECT_EQ(kinds(cos(abs(x)) * exp(y)), List{});
  EXPECT_EQ(kinds(min(x * y, x * y)), List{});
  EXPECT_EQ(kinds(step(x, x) + step(c(1.0), c(2.0))), List{});
  EXPECT_EQ(kinds(abs(sign(x))), List{});
}

TEST_F(Kinks, RegimesMayJoinContinuously) {
  const Expression below = exceeds(y, x);
  EXPECT_EQ(kinds(choose(below, x, y + 2.0 * (x - y))), List{"step kink y - x"});
  EXPECT_EQ(kinds(choose(below, x, y + 2.0 * (x - y) + 1.0)), List{"step jump y - x"});
  EXPECT_EQ(kinds(choose(below, x, x + (x - y) * (x - y))), List{"step bend y - x"});
  EXPECT_EQ(kinds(choose(exceeds(x, c(0.0)), sqrt(x), c(0.0))), List{"where root x"});
  EXPECT_EQ(kinds(choose(both(below, exceeds(x, c(1.0))), x, y)),
            (List{"step kink y - x", "step jump -1 + x"}));
}

TEST_F(Kinks, OtherInputsAreNoConcern) {
  EXPECT_EQ(kinds(x * step(t, c(1.0))), List{});
  EXPECT_EQ(kinds(x * step(t, y)), List{"step jump t - y"});
  EXPECT_EQ(kinds(sqrt(t) * x), List{});
}

TEST_F(Kinks, SignsAreKnown) {
  EXPECT_EQ(kinds(abs(x * x + p) + abs(p * exp(x))), List{});
  EXPECT_EQ(kinds(sqrt(p + x * x)), List{});
  EXPECT_EQ(kinds(sqrt(max(x, c(0.1)))), List{"max kink -0.1 + x"});
  EXPECT_EQ(kinds(max(exp(x), c(-1.0))), List{});
  EXPECT_EQ(kinds(step(x * x, c(0.0))), List{});
}

TEST_F(Kinks, OneInsideAnotherIsFound) {
  EXPECT_EQ(kinds(sqrt(abs(x))), List{"abs root x"});
  EXPECT_EQ(kinds(step(step(x, c(0.0)), c(0.5))), List{"step jump x"});
  EXPECT_EQ(kinds(max(sign(x), c(0.0))), List{"sign jump x"});
  EXPECT_EQ(kinds(abs(abs(x) - 1.0)), (List{"abs kink x", "abs kink -1 + abs(x)"}));
  EXPECT_EQ(kinds(1.0 / abs(x)), List{"abs jump x"});
}

// The same surface in two disguises: each is a switch of its own, and what they do together is
// taken for the worse.
TEST_F(Kinks, NothingHidesBehindAnother) {
  EXPECT_EQ(kinds(step(x, c(0.0)) * step(x * x * x, c(0.0))).size(), 2U);
  EXPECT_EQ(kinds(max(x, c(0.0)) * step(x * x * x, c(0.0))).size(), 2U);
  // Both factors of x y are places: at y = 0 there is a kink, though none at x = 0.
  EXPECT_EQ(kinds(x * x * abs(x * y)), List{"abs kink x*y"});
}

TEST_F(Kinks, RootsThatAreTooLongAreTakenForTheWorse) {
  std::vector<Expression> terms;
  for (int i = 0; i < 70; ++i) terms.push_back((x - i) * abs(x - i));
  const List all = kinds(sum(g, terms));
  EXPECT_EQ(all.size(), 70U);
  EXPECT_EQ(all.front().substr(0, 8), "abs kink");
}

}  // namespace
}  // namespace divker
