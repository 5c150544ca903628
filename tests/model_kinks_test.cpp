#include "divker/model_kinks.hpp"

#include <gtest/gtest.h>

#include "divker/exact_step.hpp"
#include "divker/language.hpp"

namespace divker {
namespace {

using List = std::vector<std::string>;

List sentences(const Model& model) {
  List result;
  for (const ModelKink& kink : model_kinks(model)) result.push_back(kink.sentence());
  return result;
}

Model one_state(const std::string& equation, const std::string& more = "") {
  return parse_model("model m\nparam a = 1 in (0, inf)\nparam L = 1\nparam tau = 0.5\nstate x\n" +
                     more + equation + "\ninit x ~ normal(0, 1)\ntime 0 : 0.01 : 1\n");
}

TEST(ModelKinks, DryFriction) {
  const Model m = one_state("dx = -a*sign(x) dt + dW");
  const std::vector<ModelKink> kinks = model_kinks(m);
  ASSERT_EQ(kinks.size(), 1U);
  EXPECT_EQ(kinks[0].part, ModelPart::drift);
  EXPECT_EQ(kinks[0].name, "x");
  EXPECT_EQ(kinks[0].op, Op::sign);
  EXPECT_EQ(kinks[0].kind, KinkKind::jump);
  EXPECT_TRUE(kinks[0].by_states);
  EXPECT_FALSE(kinks[0].by_parameters);
  EXPECT_FALSE(kinks[0].by_time);
  EXPECT_EQ(kinks[0].sentence(),
            "The drift of x jumps where x = 0 (sign): derivatives miss what happens there.");
  EXPECT_EQ(kink_of(m), "sign");
}

TEST(ModelKinks, PlaceThatIsAParameter) {
  const Model m = one_state("dx = (1 - 2*step(x, L)) dt + dW");
  const std::vector<ModelKink> kinks = model_kinks(m);
  ASSERT_EQ(kinks.size(), 1U);
  EXPECT_TRUE(kinks[0].by_states && kinks[0].by_parameters);
  EXPECT_EQ(kinks[0].sentence(),
            "The drift of x jumps where x = L (step): derivatives miss what happens there.");
  EXPECT_EQ(kink_of(m), "step");
}

TEST(ModelKinks, PiecewiseLinear) {
  const Model m = one_state("dx = (-a*min(x - L, 0) - 4*max(x - L, 0)) dt + dW");
  EXPECT_EQ(sentences(m),
            List{"The drift of x has a kink where x = L (min): its derivative jumps there."});
  EXPECT_EQ(kink_of(m), "min");
  EXPECT_EQ(sentences(one_state("dx = if(x > L, -4*(x - L), -a*(x - L)) dt + dW")),
            List{"The drift of x has a kink where x = L (step): its derivative jumps there."});
}

TEST(ModelKinks, SizeUnderARoot) {
  const Model m = one_state("dx = a*(L - x) dt + (0.1 + sqrt(abs(x))) dW");
  EXPECT_EQ(
      sentences(m),
      List{"The noise of x has an infinite slope where x = 0 (abs): derivatives have no bound "
           "near it."});
  EXPECT_EQ(kink_of(m), "abs");
}

// A digital option: the jump is in what is asked, and its place is a parameter.
TEST(ModelKinks, DigitalStrike) {
  const Model m = parse_model(
      "model digital\nparam S0 = 100 in (0, inf)\nparam r = 0.05\nparam v = 0.2 in (0, inf)\n"
      "param K = 100\nstate S positive\ndS = r*S dt + v*S dW\ninit S = S0\n"
      "observe paid ~ normal(exp(-r*t)*step(S, K), 0.1)\ntime 0 : 0.01 : 1\n");
  const std::vector<ModelKink> kinks = model_kinks(m.with_value("r", 0.04));
  ASSERT_EQ(kinks.size(), 1U);
  EXPECT_EQ(kinks[0].part, ModelPart::observation);
  EXPECT_TRUE(kinks[0].by_states && kinks[0].by_parameters);
  EXPECT_EQ(kinks[0].sentence(),
            "The observation paid jumps where S = K (step): derivatives miss what happens there.");
  EXPECT_EQ(kink_of(m), std::nullopt);
}

TEST(ModelKinks, TimeAndParametersAlone) {
  EXPECT_EQ(sentences(one_state("dx = -x*step(t, 0.3) dt + dW")), List{});
  const std::vector<ModelKink> moved = model_kinks(one_state("dx = -x*step(t, tau) dt + dW"));
  ASSERT_EQ(moved.size(), 1U);
  EXPECT_TRUE(moved[0].by_time && moved[0].by_parameters && !moved[0].by_states);
  EXPECT_EQ(kink_of(one_state("dx = -x*step(t, tau) dt + dW")), std::nullopt);
  const Model at_it = one_state("dx = -x*abs(L - 1) dt + dW");
  EXPECT_EQ(sentences(at_it),
            List{"The drift of x has a kink where L = 1 (abs): its derivative jumps there."});
  EXPECT_EQ(sentences(at_it.with_value("L", 1.5)), List{});
}

TEST(ModelKinks, WhatIsPositiveIsKnown) {
  const Model m = parse_model(
      "model m\nparam a = 1 in (0, inf)\nstate w positive\ndw = a*max(w, 0) dt + sqrt(a*w) dW\n"
      "init w = 1\ntime 0 : 0.01 : 1\n");
  EXPECT_EQ(sentences(m), List{});
}

TEST(ModelKinks, PlacesAreShownByName) {
  const Model m = one_state("dx = (-u^2*sign(u) - floor(2*x)) dt + abs(u) dW", "let u = x - L*t\n");
  EXPECT_EQ(
      sentences(m),
      (List{
          "The drift of x has a continuous derivative where u = 0 (sign), but not a second one.",
          "The drift of x jumps where 2*x is a whole number (floor): derivatives miss what happens "
          "there.",
          "The noise of x has a kink where u = 0 (abs): its derivative jumps there."}));
}

TEST(ModelKinks, ShippedModelsAreSmoothButForTheTent) {
  for (const ShippedModel& shipped : shipped_models()) {
    const Model m = load_model(shipped.name);
    SCOPED_TRACE(shipped.name);
    for (const ModelKink& kink : model_kinks(m)) {
      const KinkKind wanted = shipped.name == "tent" ? KinkKind::kink : KinkKind::root;
      EXPECT_EQ(kink.kind, wanted) << kink.sentence();
    }
  }
}

}  // namespace
}  // namespace divker
