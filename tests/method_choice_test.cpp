// --method auto: which method small runs recommend for a mean, and that the answer is right.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "divker/answer.hpp"
#include "divker/error.hpp"
#include "divker/estimator.hpp"
#include "divker/language.hpp"
#include "support/statistics.hpp"

namespace divker {
namespace {

using test::consistent;
using ::testing::HasSubstr;

AnswerOptions options_of(const std::string& method, std::size_t paths) {
  AnswerOptions options;
  options.method.estimator = method;
  options.sampling.paths = paths;
  options.time_step = TimeStep::ignored;
  return options;
}

const ComparedMethod& compared(const ObservableAnswer& answer, const std::string& name) {
  const auto& all = answer.record.compared;
  const auto found = std::ranges::find(all, name, &ComparedMethod::name);
  EXPECT_NE(found, all.end()) << name;
  return *found;
}

// d E[x] / dm = 1 - (1 - a dt)^n of the Euler chain.
Model relaxing() {
  return parse_model(
      "model relaxing\nparam m = 0.5\nstate x\ndx = -(x - m) dt + 0.7 dW\n"
      "init x ~ normal(0, 1)\ntime 0 : 0.02 : 1\n");
}
const double exact_response = 1.0 - std::pow(0.98, 50);

TEST(MethodChoice, ComparesMethodsOnSmallRuns) {
  constexpr std::size_t paths = 25'600;
  const ObservableAnswer answer =
      observable_response(relaxing(), {0}, "x", options_of("auto", paths));
  EXPECT_EQ(answer.record.method.estimator, "path-kernel");
  EXPECT_EQ(answer.record.alpha, "off");
  EXPECT_TRUE(consistent(answer.response[0], exact_response, 1e-12));
  ASSERT_GE(answer.record.compared.size(), 3U);
  EXPECT_EQ(answer.record.compared.front().name, "path-kernel");
  EXPECT_EQ(answer.record.compared.front().work, 1.0);
  EXPECT_GT(compared(answer, "divergence-kernel").work, 1e3);
  EXPECT_GT(compared(answer, "likelihood-ratio").work, 1e3);
  EXPECT_GT(answer.record.effort.pilot_runs, 0U);
  EXPECT_LE(answer.record.effort.pilot_runs, paths / 5);
}

TEST(MethodChoice, AnswersAsTheChosenMethodDoes) {
  const Model model = relaxing();
  const ObservableAnswer chosen =
      observable_response(model, {0}, "x^3", options_of("auto", 25'600));
  AnswerOptions same = options_of(chosen.record.method.estimator, 25'600);
  same.method.damping = chosen.record.method.damping;
  const ObservableAnswer asked = observable_response(model, {0}, "x^3", same);
  EXPECT_EQ(chosen.response[0].value, asked.response[0].value);
  EXPECT_EQ(chosen.response[0].standard_error, asked.response[0].standard_error);
}

TEST(MethodChoice, TakesThePathKernelForSmallRuns) {
  const ObservableAnswer chosen =
      observable_response(relaxing(), {0}, "x^2", options_of("auto", 2000));
  const ObservableAnswer asked =
      observable_response(relaxing(), {0}, "x^2", options_of("path-kernel", 2000));
  EXPECT_EQ(chosen.record.method.estimator, "path-kernel");
  EXPECT_EQ(chosen.response[0].value, asked.response[0].value);
  EXPECT_TRUE(chosen.record.compared.empty());
}

// Dry friction: paths jump in their derivative, the noise tells what happens.
TEST(MethodChoice, LeavesOutWhatRefuses) {
  const Model model = parse_model(
      "model dry\nparam a = 1\nstate v\ndv = -a*sign(v) dt + 1 dW\ninit v ~ normal(0, 1)\n"
      "time 0 : 0.05 : 1\n");
  AnswerOptions reference = options_of("likelihood-ratio", 100'000);
  const double truth = observable_response(model, {0}, "v^2", reference).response[0].value;
  for (const std::size_t paths : {4000UL, 25'600UL}) {
    const ObservableAnswer answer =
        observable_response(model, {0}, "v^2", options_of("auto", paths));
    EXPECT_NE(answer.record.method.estimator, "path-kernel");
    EXPECT_TRUE(consistent(answer.response[0], truth, 0.05));
    if (paths < 20'480) continue;
    EXPECT_THAT(compared(answer, "path-kernel").problem, HasSubstr("The drift of v jumps"));
  }
}

// A mass moves the silent state, which starts from a point: neither a score nor a likelihood ratio.
TEST(MethodChoice, GoesOnWhereOneMethodIsLeft) {
  const Model model = parse_model(
      "model mass\nparam m = 2 in (0, inf)\nstate q, p\ndq = p/m dt\ndp = (-q - p) dt + 1 dW\n"
      "init q = 1\ninit p = 0\ntime 0 : 0.02 : 1\n");
  const ObservableAnswer answer = observable_response(model, {0}, "q", options_of("auto", 25'600));
  EXPECT_EQ(answer.record.method.estimator, "path-kernel");
  EXPECT_FALSE(compared(answer, "divergence-kernel").problem.empty());
  EXPECT_FALSE(compared(answer, "likelihood-ratio").problem.empty());
}

TEST(MethodChoice, CarriesNoDerivativesForManyParameters) {
  const Model model = parse_model(
      "model many\nparam a[25] = 1\nstate x\ndx = -x*sum(j, 0:24, a[j])/25 dt + 1 dW\n"
      "init x ~ normal(0.5, 1)\ntime 0 : 0.05 : 1\n");
  for (const std::size_t paths : {2000UL, 25'600UL}) {
    const ObservableAnswer answer =
        observable_response(model, model.free_parameters(), "x", options_of("auto", paths));
    EXPECT_NE(answer.record.method.estimator, "path-kernel");
    for (const Estimate& response : answer.response) {
      EXPECT_TRUE(consistent(response, -0.02 * std::pow(0.95, 19), 0.002));
    }
  }
}

TEST(MethodChoice, IsAMethodLeftOpenAtPoints) {
  const Matrix points(1, 1, 0.3);
  const PointAnswer open = response_at(relaxing(), {0}, points, options_of("", 2000));
  const PointAnswer chosen = response_at(relaxing(), {0}, points, options_of("auto", 2000));
  EXPECT_EQ(open.prediction.value.data, chosen.prediction.value.data);
}

}  // namespace
}  // namespace divker
