// Where the equations of a model end, at zero under a root, paths step on; means are then those of
// finite differences, and what has no answer is refused. The truths are closed forms of the SDE.
#include "divker/boundaries.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "answer/places_met.hpp"
#include "divker/answer.hpp"
#include "divker/language.hpp"
#include "support/asked.hpp"
#include "support/errors.hpp"
#include "support/statistics.hpp"

namespace divker {
namespace {

using test::column;
using test::consistent;
using test::message_of;
using test::with_paths;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

Model one_state(const std::string& state, const std::string& equation, const std::string& start,
                const std::string& time) {
  return parse_model(
      "model m\nparam a = 0.1 in (0, inf)\nparam b = 0.1 in (0, inf)\n"
      "param s = 0.5 in (0, inf)\nstate " +
      state + "\n" + equation + "\n" + start + "\ntime " + time + "\n");
}

// Below Feller's bound: 2ab is less than a tenth of s^2.
Model square_root(const std::string& state) {
  return one_state(state, "dr = a*(b - r) dt + s*sqrt(r) dW", "init r = 0.05", "0 : 0.01 : 5");
}

// 0 <-> X as a chemical Langevin equation: E[X] = p/d + (1 - p/d) exp(-d T).
Model birth_and_death(const std::string& state) {
  return parse_model("model cle\nparam p = 1 in (0, inf)\nparam d = 1 in (0, inf)\nstate " + state +
                     "\ndX = (p - d*X) dt + sqrt(p) dW - sqrt(d*X) dV\ninit X = 1\n"
                     "time 0 : 0.02 : 10\n");
}

std::string told(const RunRecord& record, const std::string& what) {
  for (const Warning& warning : record.warnings) {
    if (warning.what == what) return warning.sentence;
  }
  return "nothing";
}

TEST(Boundaries, StatesThatALogarithmDoesNotHold) {
  const auto leaky = [](const std::string& noise) {
    return leaky_states(one_state("r positive", "dr = a*(b - r) dt + " + noise + " dW",
                                  "init r = 1", "0 : 0.01 : 1"));
  };
  EXPECT_THAT(leaky("s*r"), IsEmpty());
  EXPECT_THAT(leaky("s*r^1.5"), IsEmpty());
  EXPECT_THAT(leaky("s*r*sqrt(1 + r)"), IsEmpty());
  EXPECT_THAT(leaky("s*r/(1 + r)"), IsEmpty());
  EXPECT_THAT(leaky("s"), ElementsAre(0));
  EXPECT_THAT(leaky("s*sqrt(r)"), ElementsAre(0));
  EXPECT_THAT(leaky("s*r^0.8"), ElementsAre(0));
  EXPECT_THAT(leaky("sqrt(a + s*r)"), ElementsAre(0));
}

TEST(Boundaries, ArePrintedAsTheyAreWritten) {
  std::vector<std::string> sentences;
  for (const Boundary& one : boundaries(square_root("r"))) sentences.push_back(one.sentence);
  for (const Boundary& one : boundaries(square_root("r positive"))) {
    sentences.push_back(one.sentence);
  }
  EXPECT_THAT(sentences,
              ElementsAre("The noise of r ends where r = 0 (sqrt).",
                          "r is declared positive, but its noise does not fall in proportion to "
                          "it: no logarithm keeps r from zero."));
}

// Zero in place of the root, for values and for derivatives of every kind.
TEST(Boundaries, RootsEndAtZero) {
  Graph graph;
  const Expression x = graph.input("x");
  const Expression n = graph.input("n");
  const std::vector<Expression> f{sqrt(x), pow(x, n), sqrt(sqrt(x) - 1.0), sqrt(n), pow(x, n) * x};
  const std::vector<Expression> ended = ended_at_zero(graph, f, {&x, 1});
  const std::vector<Expression> slopes = gradient(ended[4], std::vector<Expression>{x, n});
  const auto at = [](Expression e, double x_, double n_) {
    return evaluate(e, std::vector<double>{x_, n_});
  };
  for (std::size_t k = 0; k < f.size(); ++k) {
    EXPECT_EQ(at(ended[k], 1.7, 2.5), at(f[k], 1.7, 2.5)) << k;
  }
  for (const double beyond : {-1.3, 0.0}) {
    EXPECT_EQ(at(ended[0], beyond, 2.5), 0.0);
    EXPECT_EQ(at(ended[1], beyond, 2.5), 0.0);
    EXPECT_EQ(at(ended[2], beyond, 2.5), 0.0);
    EXPECT_EQ(at(slopes[0], beyond, 2.5), 0.0);
    EXPECT_EQ(at(slopes[1], beyond, 2.5), 0.0);
  }
  EXPECT_EQ(ended[3], f[3]);  // a root of parameters alone stays
}

TEST(Boundaries, SquareRootNoiseBelowFellersBound) {
  for (const char* state : {"r", "r positive"}) {
    const MomentsAnswer moments = simulate_moments(square_root(state), with_paths(50'000).sampling);
    EXPECT_EQ(moments.record.summary.failed, 0U);
    EXPECT_TRUE(consistent(moments.snapshots.back().x.estimate(0), 0.1 - 0.05 * std::exp(-0.5)));
    EXPECT_THAT(told(moments.record, "boundary"), HasSubstr("paths go beyond. They step on there"));
    const ObservableAnswer answer =
        observable_response(square_root(state), {0, 1, 2}, "r", with_paths(40'000));
    EXPECT_EQ(answer.record.method.estimator, "finite-difference");
    EXPECT_TRUE(consistent(answer.response[0], 0.25 * std::exp(-0.5)));
    EXPECT_TRUE(consistent(answer.response[1], 1.0 - std::exp(-0.5), 0.001));
    EXPECT_TRUE(consistent(answer.response[2], 0.0));
    EXPECT_THAT(
        message_of([&] { (void)score_at(square_root(state), column({0.1}), with_paths(4000)); }),
        HasSubstr("Where r has no noise, nothing tells a score."));
  }
}

TEST(Boundaries, ChemicalLangevinEquation) {
  for (const char* state : {"X", "X positive"}) {
    const ObservableAnswer answer =
        observable_response(birth_and_death(state), {0, 1}, "X", with_paths(20'000));
    EXPECT_TRUE(consistent(answer.value, 1.0, 0.001));
    EXPECT_TRUE(consistent(answer.response[0], 1.0 - std::exp(-10.0), 0.001));
    EXPECT_TRUE(consistent(answer.response[1], -1.0 + 11.0 * std::exp(-10.0), 0.001));
  }
}

// Noise is left beyond the root: there is a score. Stationary, d log h/dX = -2 + 3/(1 + X).
TEST(Boundaries, ScoreWhereOtherNoiseIsLeft) {
  const PointAnswer score =
      score_at(birth_and_death("X"), column({0.2, 1.0, 2.0}), with_paths(100'000));
  const Prediction& found = score.prediction;
  for (std::size_t r = 0; r < 3; ++r) {
    const double x = score.points.data[r];
    EXPECT_TRUE(
        consistent({found.value(r, 0), found.standard_error(r, 0)}, -2.0 + 3.0 / (1.0 + x), 0.03));
  }
  EXPECT_EQ(score.record.method.damping.text(), "kernel");
  EXPECT_THAT(told(score.record, "boundary"), HasSubstr("The noise of X ends where d*X = 0"));
}

// Genes drift between loss and fixation: the mean stays, heterozygosity falls like exp(-s^2 T).
TEST(Boundaries, WrightAndFisher) {
  const Model m = parse_model(
      "model genes\nparam s = 0.6 in (0, inf)\nparam x0 = 0.3\nstate x\n"
      "dx = s*sqrt(x*(1 - x)) dW\ninit x = x0\ntime 0 : 0.005 : 2\n");
  const double kept = std::exp(-0.36 * 2.0);
  const ObservableAnswer mean = observable_response(m, {0, 1}, "x", with_paths(20'000));
  EXPECT_TRUE(consistent(mean.response[0], 0.0));
  EXPECT_TRUE(consistent(mean.response[1], 1.0));
  const ObservableAnswer mixed = observable_response(m, {0, 1}, "x*(1 - x)", with_paths(20'000));
  EXPECT_TRUE(consistent(mixed.value, 0.21 * kept, 0.003));
  EXPECT_TRUE(consistent(mixed.response[0], -1.2 * 2.0 * 0.21 * kept, 0.01));
  EXPECT_TRUE(consistent(mixed.response[1], 0.4 * kept, 0.01));
}

// Heston above Feller's bound, where Euler's steps fall below zero all the same: the derivatives of
// a digital option by Fourier inversion.
TEST(Boundaries, DigitalOfHeston) {
  for (const char* state : {"v", "v positive"}) {
    const Model m = parse_model(
        std::string("model heston\nparam theta = 0.05 in (0, inf)\nparam xi = 0.4 in (0, inf)\n"
                    "param rho = -0.6 in (-1, 1)\nstate y, ") +
        state +
        "\ndy = (0.02 - v/2) dt + sqrt(v) dU\n"
        "dv = 2*(theta - v) dt + xi*sqrt(v)*rho dU + xi*sqrt(v)*sqrt(1 - rho^2) dW\n"
        "init y = log(100)\ninit v = 0.04\ntime 0 : 0.01 : 1\n");
    const ObservableAnswer answer =
        observable_response(m, {0, 1}, "exp(-0.02)*step(exp(y), 100)", with_paths(100'000));
    EXPECT_TRUE(consistent(answer.response[0], -0.976));
    EXPECT_TRUE(consistent(answer.response[1], 0.152));
  }
}

// Away from the boundary nothing changes.
TEST(Boundaries, DriftsThatLeadAwayBelowZero) {
  const Model m = parse_model(
      "model steep\nparam k = 1 in (0, inf)\nparam s = 0.9 in (0, inf)\nstate r\n"
      "dr = k*r*(1 - r) dt + s*r^1.5 dW\ninit r ~ lognormal(0, 0.3)\ntime 0 : 0.05 : 2\n");
  EXPECT_THAT(clamped_states(m), ElementsAre(0));
  EXPECT_THAT(clamped_states(square_root("r")), IsEmpty());
  EXPECT_THAT(clamped_states(birth_and_death("X positive")), IsEmpty());
  const MomentsAnswer moments = simulate_moments(m, with_paths(20'000).sampling);
  EXPECT_THAT(told(moments.record, "boundary"), HasSubstr("The noise of r ends where r = 0 (pow)"));
  EXPECT_EQ(moments.record.summary.failed, 0U);
  EXPECT_GT(moments.snapshots.back().x.mean().front(), 0.5);
  EXPECT_LT(moments.snapshots.back().x.mean().front(), 1.0);
}

TEST(Boundaries, ShippedModelsDoNotMeetTheirs) {
  for (const char* name : {"cir", "heston", "three_halves", "lotka_volterra"}) {
    const Model model = load_model(name);
    EXPECT_EQ(boundaries_met(model, {}, {}).share, 0.0) << name;
    EXPECT_THAT(simulate_moments(model, with_paths(512).sampling).record.warnings, IsEmpty());
  }
  const ObservableAnswer answer =
      observable_response(load_model("cir"), {0}, "r", with_paths(2000));
  EXPECT_EQ(answer.record.method.estimator, "divergence-kernel");
}

}  // namespace
}  // namespace divker
