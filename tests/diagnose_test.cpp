// Every check must find what it is there to find, and be content where all is well.
#include "divker/diagnose.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>

#include "divker/error.hpp"
#include "divker/language.hpp"
#include "support/command.hpp"

namespace divker {
namespace {

using ::testing::HasSubstr;

constexpr const char* ornstein_uhlenbeck =
    "model ou\nparam a = 1\nparam s = 1\nstate x\ndx = -a*x dt + s dW\n"
    "init x ~ normal(0.5, 1)\ntime 0 : 0.005 : 1\n";

Diagnosis diagnosis_of(const std::string& text, const std::string& alpha = "auto",
                       const Matrix& points = {}) {
  const Model model = parse_model(text);
  DiagnoseOptions options;
  options.answer.sampling.paths = 4000;
  options.answer.sampling.failed_share = 1.0;
  options.answer.method.damping = parse_damping(alpha);
  options.parameters = model.free_parameters();
  options.points = points;
  return diagnose(model, options);
}

const Check& check(const Diagnosis& diagnosis, const std::string& name) {
  const auto found = std::find_if(diagnosis.checks.begin(), diagnosis.checks.end(),
                                  [&](const Check& c) { return c.name == name; });
  EXPECT_NE(found, diagnosis.checks.end()) << name;
  return *found;
}

// The verdicts use bounds of 3 standard errors at least, and the seed is fixed.
TEST(Diagnose, ContentWhereAllIsWell) {
  const Diagnosis d = diagnosis_of(ornstein_uhlenbeck);
  EXPECT_EQ(d.observable, "x^2");
  for (const Check& c : d.checks) {
    if (c.name == "method") continue;  // finite differences may win
    EXPECT_EQ(c.verdict, Verdict::good) << c.name << ": " << c.finding;
    EXPECT_TRUE(c.advice.empty()) << c.name;
    EXPECT_FALSE(c.finding.empty()) << c.name;
  }
  ASSERT_EQ(d.methods.size(), 4U);
  for (const MethodCost& cost : d.methods) {
    EXPECT_EQ(cost.problem, "");
    EXPECT_EQ(cost.standard_errors.size(), 2U);
    EXPECT_GT(cost.seconds, 0.0);
  }
  EXPECT_EQ(d.methods.front().path_runs, 4000U);
  EXPECT_FALSE(d.record.choice.candidates.empty());
}

TEST(Diagnose, NoticesWeakDamping) {
  const Diagnosis d = diagnosis_of(
      "model well\nparam a = 1\nparam s = 0.7\nstate x\ndx = 4*a*(x - x^3) dt + s dW\n"
      "init x ~ normal(0, 1)\ntime 0 : 0.005 : 4\n",
      "0.3");
  EXPECT_EQ(check(d, "damping").verdict, Verdict::caution);
  EXPECT_THAT(check(d, "damping").advice, HasSubstr("you asked for 0.3"));
  EXPECT_NE(check(d, "heavy tails").verdict, Verdict::good);
  EXPECT_THAT(check(d, "heavy tails").advice, HasSubstr("more damping"));
}

// Euler's variance of dx = -x dt + dW is 1/(2 - dt): an eighth too large at dt = 1/4.
TEST(Diagnose, NoticesLargeSteps) {
  const Diagnosis d = diagnosis_of(
      "model ou\nparam a = 1\nparam s = 1\nstate x\ndx = -a*x dt + s dW\n"
      "init x ~ normal(0, 0.1)\ntime 0 : 0.25 : 4\n");
  EXPECT_NE(check(d, "time step").verdict, Verdict::good);
  EXPECT_THAT(check(d, "time step").advice, HasSubstr("halve dt"));
}

TEST(Diagnose, NoticesFailedPaths) {
  const Diagnosis d = diagnosis_of(
      "model explosive\nparam s = 0.1\nstate x\ndx = x^3 dt + s dW\n"
      "init x ~ normal(0, 0.5)\ntime 0 : 0.01 : 2\n",
      "5");
  EXPECT_EQ(check(d, "failed paths").verdict, Verdict::bad);
  EXPECT_THAT(check(d, "failed paths").finding, HasSubstr("at t = "));
  EXPECT_EQ(check(d, "time step").verdict, Verdict::bad);
}

TEST(Diagnose, NoticesPointsOutside) {
  Matrix points(2, 1);
  points(0, 0) = 0.0;
  points(1, 0) = 40.0;
  const Check c = check(diagnosis_of(ornstein_uhlenbeck, "2", points), "points");
  EXPECT_EQ(c.verdict, Verdict::bad);
  EXPECT_THAT(c.finding, HasSubstr("1 outside the sample"));
}

// Girsanov's weights need noise where the parameter acts: said, and the rest goes on.
TEST(Diagnose, GoesOnWithoutAMethod) {
  const Diagnosis d = diagnosis_of(
      "model langevin\nparam m = 1\nstate q, p\ndq = p/m dt\ndp = (-q - p) dt + 1 dW\n"
      "init q ~ normal(0, 1)\ninit p ~ normal(0, 1)\ntime 0 : 0.01 : 1\n");
  EXPECT_EQ(d.observable, "(q^2 + p^2)/2");
  EXPECT_EQ(d.methods.size(), 4U);
  EXPECT_FALSE(d.methods[1].problem.empty());
  EXPECT_THAT(check(d, "method").finding, HasSubstr("likelihood-ratio cannot be used"));
}

TEST(Diagnose, SaysThatItWasInterrupted) {
  const Model model = parse_model(ornstein_uhlenbeck);
  const std::atomic<bool> stop = true;
  DiagnoseOptions options;
  options.answer.session.stop = &stop;
  options.parameters = model.free_parameters();
  EXPECT_THAT(
      [&] { (void)diagnose(model, options); },
      ::testing::ThrowsMessage<Error>(HasSubstr("The diagnosis was interrupted after 0 of")));
}

TEST(Diagnose, NeedsAParameter) {
  EXPECT_THAT(
      [] {
        (void)diagnosis_of(
            "model free\nstate x\ndx = -x dt + 1 dW\n"
            "init x ~ normal(0, 1)\ntime 0 : 0.01 : 1\n");
      },
      ::testing::ThrowsMessage<Error>(HasSubstr("has no parameter to differentiate")));
}

using DiagnoseCommand = test::CommandTest;

TEST_F(DiagnoseCommand, SaysTheSameAsJson) {
  const auto done = run({"diagnose", "lorenz96", "--paths", "512", "--set", "T=0.2", "--json"});
  ASSERT_EQ(done.code, 0) << done.err;
  const auto json = test::Json::parse(done.out);
  EXPECT_EQ(json["observable"], "(sum(i, 0:39, x[i]^2))/40");
  ASSERT_GE(json["checks"].size(), 8U);
  for (const auto& c : json["checks"]) {
    EXPECT_FALSE(c["finding"].get<std::string>().empty());
    EXPECT_THAT(c["verdict"].get<std::string>(), ::testing::AnyOf("good", "caution", "bad"));
    EXPECT_EQ(c["verdict"] == "good", c["advice"] == "");
  }
  EXPECT_EQ(json["methods"].size(), 4U);
  EXPECT_FALSE(json["candidates"].empty());
  EXPECT_EQ(json["paths"], 512);
}

TEST_F(DiagnoseCommand, RefusesABadObservable) {
  const auto bad = run({"diagnose", "ou", "--observable", "y^2"});
  EXPECT_EQ(bad.code, 2);
  EXPECT_THAT(bad.err, HasSubstr("--observable: "));
}

}  // namespace
}  // namespace divker
