// Checks that ride along in every answer speak up where they have to, and not elsewhere.
#include "answer/vital_signs.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "answer/path_checks.hpp"
#include "divker/answer.hpp"
#include "divker/language.hpp"

namespace divker {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

Model spring(double friction, double dt) {
  return parse_model(
      "model spring\nparam k = 4 in (0, inf)\nparam g = " + std::to_string(friction) +
      "\nstate x, v\ndx = v dt\ndv = (-k*x - g*v) dt + 0.5 dW\n"
      "init x ~ normal(1, 0.1)\ninit v ~ normal(0, 0.1)\ntime 0 : " +
      std::to_string(dt) + " : 10\n");
}

// A slow state is driven by a fast one, at the rate 1000.
Model two_scales(const std::string& grid) {
  return parse_model(
      "model twoscale\nparam k = 1000 in (0, inf)\nparam g = 1 in (0, inf)\nstate x, y\n"
      "dx = (-g*x + y) dt + 0.3 dU\ndy = -k*(y - x^2/2) dt + sqrt(k) dW\n"
      "init x ~ normal(0.5, 0.1)\ninit y ~ normal(0, 0.5)\ntime " +
      grid + "\n");
}

std::vector<std::string> told(const Model& model) {
  std::vector<std::string> sentences;
  for (const Warning& warning : warnings_of_steps(model, {}, {})) {
    sentences.push_back(warning.what + ": " + warning.sentence);
  }
  return sentences;
}

TEST(VitalSigns, OscillationsThatEulersStepLetsGrow) {
  ASSERT_EQ(told(spring(1.0, 1.0)).size(), 1U);
  EXPECT_THAT(told(spring(1.0, 1.0)).front(),
              AllOf(HasSubstr("step: dt = 1 is too large for the drift: at 100% of some places"),
                    HasSubstr("Steps of 0.125 are stable there."), Not(HasSubstr("tame"))));
  // dt = 0.25 is where the step neither grows nor dies out.
  EXPECT_THAT(told(spring(1.0, 0.125)), IsEmpty());
  EXPECT_THAT(told(spring(0.0, 0.1)), IsEmpty());   // the SDE does not let it die out either
  EXPECT_THAT(told(spring(-0.5, 0.1)), IsEmpty());  // nor here, where it grows by itself
}

TEST(VitalSigns, StiffDriftsAndTamingThatChangesThem) {
  const std::vector<std::string> tamed = told(two_scales("0 : 0.01 : 2 tamed"));
  ASSERT_FALSE(tamed.empty());
  EXPECT_THAT(tamed.back(), HasSubstr("taming: Taming weakens the drift by a tenth or more at 9"));
  EXPECT_THAT(told(two_scales("0 : 0.0005 : 0.1")), IsEmpty());
  const Model model = two_scales("0 : 0.01 : 2 tamed");
  Sampling sampling;
  sampling.paths = 256;
  const MomentsAnswer answer = simulate_moments(model, sampling);
  EXPECT_FALSE(answer.record.warnings.empty());
}

// Stiff everywhere on the trail, so that taming is no advice.
TEST(VitalSigns, NoTamingOfWhatIsStiffEverywhere) {
  Sampling sampling;
  sampling.paths = 256;
  std::string message;
  try {
    (void)simulate_moments(two_scales("0 : 0.01 : 2"), sampling);
  } catch (const Error& error) {
    message = error.what();
  }
  EXPECT_THAT(message, AllOf(HasSubstr("take dt = 0.00"), Not(HasSubstr("tame"))));
}

TEST(VitalSigns, ShippedModelsAreWell) {
  for (const ShippedModel& shipped : shipped_models()) {
    EXPECT_THAT(told(load_model(shipped.name)), IsEmpty()) << shipped.name;
  }
}

TEST(VitalSigns, MassIsJudgedByItsErrorToo) {
  const auto verdict = [](double value, double error, std::size_t paths) {
    return check_mass({"a"}, {{value, error}}, paths).verdict;
  };
  EXPECT_EQ(verdict(0.2, 0.1, 10'000), Verdict::good);
  EXPECT_EQ(verdict(-0.98, 0.28, 20'000), Verdict::caution);
  EXPECT_EQ(verdict(0.0, 0.0, 10'000), Verdict::good);
  EXPECT_EQ(verdict(2.5, 0.1, 10'000), Verdict::bad);
  RunRecord record;
  record.summary.paths = 10'000;
  warn_of_mass({"a"}, {{2.5, 0.1}}, record);
  ASSERT_EQ(record.warnings.size(), 1U);
  EXPECT_EQ(record.warnings.front().what, "check");
  EXPECT_THAT(record.warnings.front().sentence, HasSubstr("mass: E[I of a] = 2.5 +- 0.1"));
}

}  // namespace
}  // namespace divker
