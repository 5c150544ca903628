#include "divker/kinks.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <random>
#include <string>
#include <vector>

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

// Random compositions along a random line: where the value or the gradient differs between two
// points that are close together, a place must be known that is as bad as that.
class RandomKinks : public Kinks {
 protected:
  Expression random_expression(std::mt19937_64& random) {
    std::vector<Expression> pool{x, y, c(0.5), x - y, x * y};
    for (int i = 0; i < 7; ++i) {
      const Expression a = pool[random() % pool.size()];
      const Expression b = pool[random() % pool.size()];
      pool.push_back(operation(random() % 14, a, b));
    }
    return pool.back() + pool[pool.size() - 2];
  }

  Expression operation(std::size_t which, Expression a, Expression b) {
    switch (which) {
      case 0:
        return abs(a);
      case 1:
        return max(a, b);
      case 2:
        return min(a, c(0.0));
      case 3:
        return step(a, b);
      case 4:
        return sign(a);
      case 5:
        return where(a, b);
      case 6:
        return choose(exceeds(a, b), a, b * b);
      case 7:
        return floor(a);
      case 8:
        return sin(a);
      case 9:
        return a + b;
      case 10:
        return a - 0.5 * b;
      default:
        return a * b;
    }
  }

  // 0: smooth, 1: the gradient jumps, 2: the value jumps.
  int seen_along_a_line(Expression f, std::mt19937_64& random) const {
    const std::vector<Expression> slopes = gradient(f, std::array{x, y});
    std::uniform_real_distribution<double> uniform(-2.0, 2.0);
    const std::array<double, 4> line{uniform(random), uniform(random), uniform(random),
                                     uniform(random)};
    const auto at = [&](Expression e, double u) {
      return evaluate(e, std::array{line[0] + u * line[2], line[1] + u * line[3], 0.3, 0.7});
    };
    const auto jumps = [&](Expression e) {
      constexpr int intervals = 60;
      for (int i = 0; i < intervals; ++i) {
        double left = -1.0 + 2.0 * i / intervals;
        double right = left + 2.0 / intervals;
        // Towards the half with the greater change.
        while (right - left > 1e-9) {
          const double middle = 0.5 * (left + right);
          const double first = std::fabs(at(e, middle) - at(e, left));
          (first > std::fabs(at(e, right) - at(e, middle)) ? right : left) = middle;
        }
        if (std::fabs(at(e, right) - at(e, left)) > 1e-3) return true;
      }
      return false;
    };
    if (jumps(f)) return 2;
    return jumps(slopes[0]) || jumps(slopes[1]) ? 1 : 0;
  }
};

TEST_F(RandomKinks, NoneIsMissed) {
  std::mt19937_64 random(7);
  std::array<int, 3> met{};
  for (int trial = 0; trial < 400; ++trial) {
    const Expression f = random_expression(random);
    const NodeId root = f.id();
    int known = 0;
    for (const Kink& kink : find_kinks(g, {&root, 1}, std::array{x, y})) {
      const bool is_jump = kink.kind == KinkKind::jump;
      known = std::max(known, is_jump ? 2 : kink.kind == KinkKind::bend ? 0 : 1);
    }
    const int seen = seen_along_a_line(f, random);
    EXPECT_LE(seen, known) << to_string(f);
    ++met[static_cast<std::size_t>(seen)];
  }
  for (const int count : met) EXPECT_GT(count, 30);
}

}  // namespace
}  // namespace divker
