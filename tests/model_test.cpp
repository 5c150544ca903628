#include "divker/model.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <string>

#include "divker/error.hpp"
#include "divker/language.hpp"
#include "support/errors.hpp"

namespace divker {
namespace {

using test::message_of;
using ::testing::HasSubstr;

ModelBuilder ou_builder() {
  ModelBuilder b("ou");
  const Expression a = b.parameter("a", 1.0, 0.0, 10.0);
  const Expression s = b.parameter("s", 0.5, 0.0);
  const Expression x = b.state("x");
  b.drift(x, -a * x);
  b.noise(x, "W", s);
  b.initial_normal(x, 0.0, 1.0);
  b.time(0.0, 0.01, 1.0);
  return b;
}

// Two states with drift -x and unit normal initial laws, noise to be added.
struct TwoStates {
  ModelBuilder b{"two"};
  Expression s = b.parameter("s", 0.5);
  Expression x = b.state("x");
  Expression y = b.state("y");
  TwoStates() {
    b.drift(x, -x);
    b.drift(y, -y);
    b.time(0.0, 0.1, 1.0);
  }
  Model build() {
    b.initial_normal(x, 0.0, 1.0);
    b.initial_normal(y, 0.0, 1.0);
    return b.build();
  }
};

TEST(ModelTest, HoldsWhatWasBuilt) {
  const Model m = ou_builder().build();
  EXPECT_EQ(m.name(), "ou");
  EXPECT_EQ(m.dimension(), 1U);
  EXPECT_EQ(m.noise_count(), 1U);
  EXPECT_EQ(m.noise_class(), NoiseClass::scalar);
  EXPECT_EQ(m.time().steps(), 100U);
  EXPECT_DOUBLE_EQ(m.time().time(50), 0.5);
  EXPECT_EQ(m.parameter_values(), (std::vector<double>{1.0, 0.5}));
  EXPECT_EQ(to_string(*m.graph(), m.drift()[0]), "-(a*x)");
  const std::vector<double> x{2.0};
  EXPECT_DOUBLE_EQ(evaluate(*m.graph(), m.drift(), m.input_values(x, 0.0))[0], -2.0);
  EXPECT_DOUBLE_EQ(m.noise_matrix(x, 0.0)(0, 0), 0.5);
  EXPECT_TRUE(m.has_initial_density());
}

TEST(ModelTest, ScalarNoiseIsOneAmplitudeOnSeparateMotions) {
  TwoStates two;
  two.b.noise(two.x, "W[0]", two.s * two.x);
  two.b.noise(two.y, "W[1]", two.s * two.x);
  const Model m = two.build();
  EXPECT_EQ(m.noise_class(), NoiseClass::scalar);
  EXPECT_TRUE(m.has_diagonal_covariance());
}

TEST(ModelTest, DiagonalNoise) {
  TwoStates two;
  two.b.noise(two.x, "W", two.s);
  two.b.noise(two.y, "V", two.s * 2.0);
  two.b.noise(two.y, "U", two.s);
  const Model m = two.build();
  EXPECT_EQ(m.noise_class(), NoiseClass::diagonal);
  EXPECT_EQ(m.noise_names(), (std::vector<std::string>{"W", "V", "U"}));
}

TEST(ModelTest, FullNoise) {
  TwoStates two;
  two.b.noise(two.x, "W", two.s);
  two.b.noise(two.y, "W", two.s * 0.5);
  two.b.noise(two.y, "V", two.s);
  const Model m = two.build();
  EXPECT_EQ(m.noise_class(), NoiseClass::full);
  EXPECT_FALSE(m.has_diagonal_covariance());
  const Matrix s = m.noise_matrix(std::vector<double>{0.0, 0.0}, 0.0);
  EXPECT_EQ(s.data, (std::vector<double>{0.5, 0.0, 0.25, 0.5}));
}

TEST(ModelTest, DegenerateNoise) {
  TwoStates two;
  two.b.noise(two.y, "W", two.s);
  const Model m = two.build();
  EXPECT_EQ(m.noise_class(), NoiseClass::degenerate);
  EXPECT_TRUE(m.has_diagonal_covariance());
  EXPECT_EQ(m.noisy(), (std::vector<bool>{false, true}));
}

TEST(ModelTest, TermsOnOneMotionAddUpAndMayCancel) {
  TwoStates two;
  two.b.noise(two.x, "V", two.s);
  two.b.noise(two.x, "V", -two.s);
  two.b.noise(two.x, "W", two.s);
  two.b.noise(two.x, "W", two.s);
  two.b.noise(two.y, "U", two.s);
  const Model m = two.build();
  EXPECT_EQ(m.noise_names(), (std::vector<std::string>{"W", "U"}));
  EXPECT_DOUBLE_EQ(m.noise_matrix(std::vector<double>{0.0, 0.0}, 0.0)(0, 0), 1.0);
}

TEST(ModelTest, OneSharedMotionIsSingular) {
  TwoStates two;
  two.b.noise(two.x, "W", two.s);
  two.b.noise(two.y, "W", two.s * two.x);
  EXPECT_EQ(
      two.build().singular_noise(),
      "The noise of x and y is one and the same Brownian motion W, so that their joint density "
      "has no score; give each of these states a Brownian motion of its own.");
}

TEST(ModelTest, TooFewMotionsAreSingular) {
  TwoStates two;
  const Expression z = two.b.state("z");
  two.b.drift(z, -z);
  two.b.initial_normal(z, 0.0, 1.0);
  two.b.noise(two.x, "W", two.s);
  two.b.noise(two.y, "W", two.s);
  two.b.noise(two.y, "V", two.s);
  two.b.noise(z, "V", two.s);
  EXPECT_THAT(two.build().singular_noise(),
              HasSubstr("The 3 states x, y and z share only 2 Brownian motions (W and V)"));
}

TEST(ModelTest, DependentNoiseIsSingular) {
  TwoStates two;
  two.b.noise(two.x, "W", two.s);
  two.b.noise(two.x, "V", two.s);
  two.b.noise(two.y, "W", two.s * 2.0);
  two.b.noise(two.y, "V", two.s * 2.0);
  EXPECT_EQ(
      two.build().singular_noise(),
      "The noise of x and y is linearly dependent at the start: a combination of these states "
      "has no noise at all, so that their joint density has no score.");
}

TEST(ModelTest, VanishingNoiseIsSingular) {
  ModelBuilder b("cold");
  const Expression s = b.parameter("s", 0.0);
  const Expression x = b.state("x");
  b.drift(x, -x);
  b.noise(x, "W", s);
  b.initial_normal(x, 3.0, 1.0);
  b.time(0.0, 0.1, 1.0);
  EXPECT_EQ(
      b.build().singular_noise(),
      "The noise of x vanishes at the start, where x = 3; a score needs noise that a state has "
      "everywhere or, if no term with noise is written for it, nowhere.");
}

TEST(ModelTest, NoiseThatVanishesOnlyAtTheMeanIsAccepted) {
  TwoStates two;
  two.b.noise(two.x, "W", two.x);
  two.b.noise(two.y, "V", two.s);
  const Model m = two.build();
  EXPECT_EQ(m.noise_class(), NoiseClass::diagonal);
  EXPECT_EQ(m.singular_noise(), "");
}

TEST(ModelTest, NoNoiseIsSingular) {
  TwoStates two;
  const Model m = two.build();
  EXPECT_EQ(m.noisy(), (std::vector<bool>{false, false}));
  EXPECT_EQ(m.singular_noise(),
            "The model two has no noise; the density of its states has no score without some.");
}

TEST(ModelTest, SilentStatesMayStartFromAPoint) {
  TwoStates two;
  two.b.noise(two.y, "W", two.s);
  two.b.initial_point(two.x, 1.0);
  two.b.initial_normal(two.y, 0.0, 1.0);
  const Model m = two.b.build();
  EXPECT_FALSE(m.has_initial_density());
  EXPECT_EQ(m.singular_noise(), "");
}

TEST(ModelTest, ValuesAtTheStartMustBeFinite) {
  TwoStates two;
  two.b.noise(two.x, "W", two.s);
  two.b.noise(two.y, "V", two.s);
  two.b.drift(two.y, 1.0 / two.x);
  EXPECT_EQ(message_of([&] { (void)two.build(); }),
            "The drift of y is inf at the start, where y = 0 and t = 0; it must be finite there.");
}

TEST(ModelTest, NoiseAtTheStartMustBeFinite) {
  TwoStates two;
  two.b.noise(two.x, "W", log(two.x));
  two.b.noise(two.y, "V", two.s);
  EXPECT_THAT(message_of([&] { (void)two.build(); }), HasSubstr("The noise of x is -inf"));
}

TEST(ModelTest, MissingPartsAreNamed) {
  ModelBuilder b("m");
  EXPECT_EQ(message_of([&] { (void)b.build(); }), "The model m has no state.");
  const Expression x = b.state("x");
  EXPECT_EQ(message_of([&] { (void)b.build(); }), "The state x has no equation dx = ...");
  b.drift(x, -x);
  EXPECT_THAT(message_of([&] { (void)b.build(); }), HasSubstr("The state x has no initial law"));
  b.initial_normal(x, 0.0, 1.0);
  EXPECT_THAT(message_of([&] { (void)b.build(); }), HasSubstr("has no time grid"));
  EXPECT_THAT(message_of([&] { b.initial_point(x, 0.0); }), HasSubstr("is given twice"));
}

TEST(ModelTest, DeclarationsAreChecked) {
  ModelBuilder b("m");
  (void)b.parameter("a", 1.0);
  EXPECT_EQ(message_of([&] { (void)b.state("a"); }), "'a' is declared twice.");
  EXPECT_THAT(message_of([&] { (void)b.state("2x"); }), HasSubstr("'2x' is not a name"));
  EXPECT_THAT(message_of([&] { (void)b.state("sin"); }), HasSubstr("word of the model language"));
  EXPECT_THAT(message_of([&] { (void)b.state("dt"); }), HasSubstr("word of the model language"));
  EXPECT_EQ(message_of([&] { (void)b.parameter("b", 1.0, 2.0, 3.0); }),
            "The parameter b = 1 is outside its bounds (2, 3).");
  EXPECT_EQ(message_of([&] { (void)b.parameter("c", 1.0, 3.0, 2.0); }),
            "The bounds (3, 2) of the parameter c leave no value between them.");
  EXPECT_THAT(message_of([&] { (void)ModelBuilder("my model"); }), HasSubstr("cannot be called"));
  const Expression x = b.state("x");
  EXPECT_THAT(message_of([&] { b.noise(x, "W 1", x); }), HasSubstr("cannot be called 'W 1'"));
  EXPECT_THAT(message_of([&] { b.drift(x + 1.0, x); }), HasSubstr("not a state of this model"));
}

TEST(ModelTest, InitialLawsDependOnParametersOnly) {
  ModelBuilder b = ou_builder();
  const Expression y = b.state("y");
  b.drift(y, -y);
  b.noise(y, "V", b.graph().constant(1.0));
  b.initial_normal(y, y, b.graph().constant(1.0));
  EXPECT_EQ(message_of([&] { (void)b.build(); }),
            "The initial law of y depends on 'y'; it may depend only on parameters.");
}

TEST(ModelTest, StandardDeviationMustBePositive) {
  ModelBuilder b("m");
  const Expression x = b.state("x");
  b.drift(x, -x);
  b.noise(x, "W", b.graph().constant(1.0));
  b.initial_normal(x, 0.0, -1.0);
  b.time(0.0, 0.1, 1.0);
  EXPECT_THAT(message_of([&] { (void)b.build(); }), HasSubstr("standard deviation -1"));
}

TEST(ModelTest, NamesOfObservationsAndFilesAreChecked) {
  ModelBuilder b("m");
  const Expression x = b.state("x");
  b.observe("y[0]", x);
  EXPECT_EQ(message_of([&] { b.observe("y 1", x); }),
            "An observation cannot be called 'y 1'; names are like y or y[3].");
  EXPECT_EQ(message_of([&] { b.observe("dt", x); }),
            "'dt' is a word of the model language and cannot be declared.");
  EXPECT_EQ(message_of([&] { b.observe("y[0]", x); }), "'y[0]' is declared twice.");
  EXPECT_EQ(message_of([&] { b.observe_normal("x", x, x); }), "'x' is declared twice.");
  EXPECT_EQ(message_of([&] { b.initial_samples(x, ""); }),
            "The file of initial samples cannot be called ''.");
  b.initial_point(x, 1.0);
  EXPECT_EQ(message_of([&] { b.initial_normal(x, 0.0, 1.0); }),
            "The initial law of x is given twice.");
}

TEST(ModelTest, TimeGridIsChecked) {
  const auto grid = [](double start, double step, double end) {
    return message_of([&] { TimeGrid{start, step, end}.validate(); });
  };
  EXPECT_EQ(grid(0, 0.01, 1), "no error");
  EXPECT_EQ(grid(0, 0.004, 1.5), "no error");
  EXPECT_EQ(grid(0, 0, 1), "The time step is 0; it must be positive.");
  EXPECT_EQ(grid(1, 0.1, 1), "Time ends at 1, which is not after its start 1.");
  EXPECT_THAT(grid(0, 0.3, 1), HasSubstr("must be a whole number of steps"));
  EXPECT_THAT(grid(0, 1e-300, 1), HasSubstr("the limit is 1000000000000"));
  EXPECT_THAT(grid(0, 0.1, INFINITY), HasSubstr("finite"));
}

TEST(ModelTest, ValuesCanBeSet) {
  const Model m = ou_builder().build();
  EXPECT_EQ(m.with_value("a", 2.0).parameter_values(), (std::vector<double>{2.0, 0.5}));
  EXPECT_EQ(m.with_value("dt", 0.1).time().steps(), 10U);
  EXPECT_EQ(m.with_value("T", 2.0).time().steps(), 200U);
  EXPECT_EQ(m.with_value("a", 2.0).hash(), m.hash());
  EXPECT_EQ(message_of([&] { (void)m.with_value("a", 11.0); }),
            "The parameter a = 11 is outside its bounds (0, 10).");
  EXPECT_THAT(message_of([&] { (void)m.with_value("dt", 0.3); }), HasSubstr("whole number"));
  EXPECT_EQ(message_of([&] { (void)m.with_value("b", 1.0); }),
            "There is no parameter 'b' in the model ou; its parameters are: a and s.");
  EXPECT_THAT(message_of([&] { (void)m.with_parameters(std::vector<double>{1.0}); }),
              HasSubstr("1 values were given for the 2 parameters"));
}

TEST(ModelTest, FamiliesOfParameters) {
  const Model m = parse_model(
      "model m\nparam amp[3] = [1, 2, 3]\nparam q = 1 fixed\nstate x\n"
      "dx = -amp[0]*x dt + amp[1] dW\ninit x ~ normal(0, amp[2])\ntime 0 : 0.1 : 1\n");
  EXPECT_EQ(m.parameter_indices("amp"), (std::vector<std::size_t>{0, 1, 2}));
  EXPECT_EQ(m.parameter_indices("amp[2]"), (std::vector<std::size_t>{2}));
  EXPECT_EQ(m.free_parameters(), (std::vector<std::size_t>{0, 1, 2}));
  EXPECT_EQ(m.parameter_index("amp[1]"), 1U);
  EXPECT_EQ(m.with_value("amp", 4.0).parameter_values(), (std::vector<double>{4, 4, 4, 1}));
  EXPECT_EQ(m.with_value("amp[2]", 4.0).parameter_values(), (std::vector<double>{1, 2, 4, 1}));
  EXPECT_THAT(message_of([&] { (void)m.parameter_indices("amp[3]"); }),
              HasSubstr("amp[0] to amp[2]"));
  EXPECT_THAT(message_of([&] { (void)m.parameter_indices("amps"); }),
              HasSubstr("Did you mean 'amp'?"));
}

TEST(ModelTest, HashIsOfTheEquationsHoweverArranged) {
  const auto hash = [](const std::string& drift) {
    return parse_model("model m\nparam a = 1\nstate x, y\ndx = " + drift +
                       " dt + dW\ndy = dV\ninit x ~ normal(1, 1)\ninit y = 2\ntime 0 : 0.1 : 1\n")
        .hash();
  };
  EXPECT_EQ(hash("a*(x + y)"), hash("(y*a + a*x)"));
  EXPECT_EQ(hash("sin(x - y)"), hash("-sin(y - x)"));
  EXPECT_EQ(hash("(x/2)/y"), hash("x/(y + y)"));
  EXPECT_NE(hash("a*x"), hash("a*y"));
  EXPECT_NE(hash("a*x"), hash("2*a*x"));
  EXPECT_NE(hash("sin(x)"), hash("cos(x)"));
  EXPECT_NE(hash("sin(x)"), hash("sin(-x)"));
  EXPECT_NE(hash("pow(x, y)"), hash("pow(y, x)"));
  EXPECT_EQ(hash("x").size(), 16U);
}

// What a built model prints is read back as the same model.
void expect_round_trip(const Model& m) {
  const std::string text = m.text();
  SCOPED_TRACE(text);
  const Model again = parse_model(text);
  EXPECT_EQ(again.hash(), m.hash());
  EXPECT_EQ(again.parameter_values(), m.parameter_values());
  EXPECT_EQ(again.noise_names(), m.noise_names());
  EXPECT_EQ(again.noise_class(), m.noise_class());
  EXPECT_EQ(again.text(), parse_model(again.text()).text());
}

TEST(ModelTest, BuiltModelsPrintAsText) {
  const Model m = ou_builder().build().with_value("a", 0.1 + 0.2);
  EXPECT_EQ(m.text(),
            "model ou\n"
            "param a = 0.30000000000000004 in (0, 10)\n"
            "param s = 0.5 in (0, inf)\n"
            "state x\n"
            "dx = -(a*x) dt + s dW\n"
            "init x ~ normal(0, 1)\n"
            "time 0 : 0.01 : 1\n");
  expect_round_trip(m);
}

TEST(ModelTest, EveryKindOfBuiltModelRoundTrips) {
  ModelBuilder b("all");
  const std::vector<double> values{0.5, 1.5};
  const std::vector<Expression> a = b.parameters("a", values, 0.0, 2.0, true);
  const std::vector<Expression> x = b.states("x", 2, true);
  const Expression y = b.state("y");
  const Expression scale = exp(-(x[0] - x[1]) * (x[0] - x[1]) / 2.0);
  b.let("scale", {scale});
  b.let("pair", {scale * x[0], a[1]});
  b.drift(x[0], -scale * x[0] + sin(b.time()));
  b.drift(x[1], a[0] * (x[0] - (y - x[1])) / (1.0 + y * y) - pow(abs(y) + 1.0, a[1]));
  b.noise(x[0], "W[1]", a[0] + scale);
  b.noise(x[1], "W[0]", -a[1]);
  b.noise(x[1], "W[1]", b.graph().constant(0.1));
  b.noise(y, "V", max(y, a[0]) + b.graph().binary(Op::step, y, x[0]) + 1.0);
  b.initial_normal(x[0], a[0] * 2.0, a[1]);
  b.initial_point(x[1], 0.25);
  b.initial_samples(y, "start.npy");
  b.time(-1.0, 0.25, 1.0);
  expect_round_trip(b.build());
}

TEST(ModelTest, BuiltMapsRoundTrip) {
  ModelBuilder b("map", Dynamics::map);
  const Expression r = b.parameter("r", 1.5);
  const Expression x = b.state("x");
  b.drift(x, r * x * (1.0 - x));
  b.noise(x, "xi", 0.1 + 0.01 * x * x);
  b.initial_lognormal(x, b.graph().constant(-1.0), b.graph().constant(0.5));
  b.time(0.0, 1.0, 20.0);
  const Model m = b.build();
  EXPECT_EQ(m.dynamics(), Dynamics::map);
  expect_round_trip(m);
  EXPECT_THAT(message_of([&] { (void)m.with_value("dt", 0.5); }), HasSubstr("its time step is 1"));
}

// Written out, the shared parts would double with every level.
TEST(ModelTest, SharedPartsAreWrittenOnce) {
  ModelBuilder b("tower");
  const Expression x = b.state("x");
  Expression level = x;
  for (int i = 0; i < 120; ++i) level = sin(level) * cos(level + 0.5);
  b.drift(x, level);
  b.noise(x, "W", b.graph().constant(1.0));
  b.initial_normal(x, 0.0, 1.0);
  b.time(0.0, 0.1, 1.0);
  const Model m = b.build();
  EXPECT_LT(m.text().size(), 60'000U);
  const Model again = parse_model(m.text());
  EXPECT_EQ(again.hash(), m.hash());
}

TEST(ModelTest, NoiseNamesMustNotClash) {
  ModelBuilder b("m");
  const Expression x = b.state("x");
  const Expression dw = b.parameter("dW", 1.0);
  b.drift(x, -dw * x);
  b.noise(x, "W", dw);
  b.initial_normal(x, 0.0, 1.0);
  b.time(0.0, 0.1, 1.0);
  EXPECT_EQ(message_of([&] { (void)b.build(); }),
            "The noise 'W' would be written 'dW', but 'dW' is declared otherwise; rename one of "
            "them.");
}

TEST(ModelTest, MeansOfInitialLaws) {
  const Model m = parse_model(
      "model m\nparam a = 2\nstate x, y, z, w\ndx = dA\ndy = dB\ndz = dC\ndw = dD\n"
      "init x ~ normal(a, 1)\ninit y ~ lognormal(0, a)\ninit z = 3*a\n"
      "init w ~ samples(\"w.npy\")\ntime 0 : 0.1 : 1\n");
  EXPECT_EQ(m.initial_mean(), (std::vector<double>{2.0, 1.0, 6.0, 0.0}));
  EXPECT_FALSE(m.has_initial_density());
  EXPECT_TRUE(m.starts_from_samples());
}

TEST(ModelTest, AnyModelCanStartFromSamples) {
  const Model ou = ou_builder().build();
  const Model from_samples = ou.starting_from_samples("y.npy");
  EXPECT_TRUE(from_samples.starts_from_samples());
  EXPECT_FALSE(ou.starts_from_samples());
  EXPECT_NE(from_samples.hash(), ou.hash());
  EXPECT_THAT(from_samples.text(), HasSubstr("samples(\"y.npy\")"));
  EXPECT_EQ(parse_model(from_samples.text()).hash(), from_samples.hash());
  const Model silent = parse_model(
      "model m\nstate q, p\ndq = p dt\ndp = -q dt + 1 dW\ninit q ~ normal(0, 1)\n"
      "init p ~ normal(0, 1)\ntime 0 : 0.1 : 1\n");
  EXPECT_TRUE(silent.starting_from_samples("y.npy").starts_from_samples());
}

TEST(ModelTest, PointsMustHaveTheRightSize) {
  const Model m = ou_builder().build();
  EXPECT_THAT(message_of([&] {
                (void)m.input_values(std::vector<double>{1.0, 2.0}, 0.0);
              }),
              HasSubstr("A point of 2 components was given; the model ou has 1 states"));
}

}  // namespace
}  // namespace divker
