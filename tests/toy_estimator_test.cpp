// An estimator of the user's own is asked like the three of the library.
#include "toys/toy_estimator.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "divker/answer.hpp"
#include "divker/language.hpp"
#include "support/errors.hpp"
#include "support/statistics.hpp"

namespace divker {
namespace {

using test::consistent;
using test::expect_error;
using test::ToyEstimator;

Model relaxing() {
  return parse_model(
      "model relaxing\nparam a = 1\nparam m = 0.3\nstate x\ndx = -a*(x - m) dt + 0.5 dW\n"
      "init x ~ normal(1.5, 0.2)\ntime 0 : 0.02 : 1\n");
}

AnswerOptions asking(const std::string& estimator) {
  AnswerOptions options;
  options.method.estimator = estimator;
  options.sampling.paths = 4000;
  return options;
}

class ToyEstimatorTest : public ::testing::Test {
 protected:
  void SetUp() override { estimators().push_back(&toy_); }
  void TearDown() override { estimators().pop_back(); }

  ToyEstimator toy_;
};

// E[x_T] = m + (m0 - m) q^n of the Euler chain, q = 1 - a dt.
TEST_F(ToyEstimatorTest, AnswersWithTheClosedForm) {
  const Model model = relaxing();
  const ObservableAnswer answer =
      observable_response(model, model.free_parameters(), "x", asking("toy"));
  const double q = 0.98;
  const double distance = 1.5 - 0.3;
  const auto agrees = [](const Estimate& found, double truth, double bias) {
    return consistent({found.value, found.standard_error}, truth, bias);
  };
  EXPECT_TRUE(agrees(answer.value, 0.3 + distance * std::pow(q, 50), 0.0));
  ASSERT_EQ(answer.response.size(), 2U);
  EXPECT_TRUE(agrees(answer.response[0], -distance * std::pow(q, 49), ToyEstimator::h));
  EXPECT_TRUE(agrees(answer.response[1], 1.0 - std::pow(q, 50), 1e-9));
}

TEST_F(ToyEstimatorTest, IsRecordedByItsName) {
  const Model model = relaxing();
  const ObservableAnswer answer =
      observable_response(model, model.free_parameters(), "x", asking("toy"));
  EXPECT_EQ(answer.names, (std::vector<std::string>{"a", "m"}));
  EXPECT_EQ(answer.record.method.estimator, "toy");
  EXPECT_EQ(answer.record.effort.path_runs, 3U * 4000U);
  EXPECT_EQ(answer.record.summary.paths, 4000U);
}

TEST_F(ToyEstimatorTest, MayRefuse) {
  Matrix points(1, 1);
  expect_error(ErrorKind::usage, "The toy answers for means alone.",
               [&] { (void)response_at(relaxing(), {0}, points, asking("toy")); });
  expect_error(ErrorKind::usage,
               "Scores are made by the method divergence-kernel alone; the method toy makes none.",
               [&] { (void)score_at(relaxing(), points, asking("toy")); });
}

TEST_F(ToyEstimatorTest, IsListedWithTheOthers) {
  expect_error(ErrorKind::usage,
               "There is no method 'magic'; the methods are divergence-kernel, likelihood-ratio, "
               "finite-difference, path-kernel, toy.",
               [] { (void)observable_response(relaxing(), {0}, "x", asking("magic")); });
}

TEST(NoToyEstimator, IsRefusedWhereItIsNotInTheTable) {
  expect_error(ErrorKind::usage,
               "There is no method 'toy'; the methods are divergence-kernel, likelihood-ratio, "
               "finite-difference, path-kernel.",
               [] { (void)observable_response(relaxing(), {0}, "x", asking("toy")); });
}

}  // namespace
}  // namespace divker
