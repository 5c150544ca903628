#include "divker/model_function.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <vector>

#include "divker/language.hpp"

namespace divker {
namespace {

using testing::ElementsAre;

Model model() {
  return parse_model(R"(
model m
param a = 2
param b = 0.5
state x, y
dx = (-a*x + sin(t)*y) dt + b dV
dy = (x*y - b*y) dt + (1 + x^2) dW
init x ~ normal(0, 1)
init y ~ normal(0, 1)
time 0 : 0.1 : 1
)");
}

const Matrix points = [] {
  Matrix m(3, 2);
  m.data = {0.3, -1.2, 2.0, 0.7, -0.4, 0.0};
  return m;
}();

std::vector<double> drift_by_hand(const Model& m, double t, double x, double y) {
  const std::vector<double> gamma = m.parameter_values();
  return {-gamma[0] * x + std::sin(t) * y, x * y - gamma[1] * y};
}

TEST(ModelFunctionTest, IsWhatTheEquationsSay) {
  const Model m = model();
  ModelFunction drift(m, m.drift());
  for (const double t : {0.0, 0.8}) {
    const auto columns = drift.at_rows({&t, 1}, points);
    for (std::size_t r = 0; r < points.rows; ++r) {
      const std::vector<double> expected = drift_by_hand(m, t, points(r, 0), points(r, 1));
      const auto here = drift(t, points.row(r));
      for (std::size_t i = 0; i < 2; ++i) {
        EXPECT_DOUBLE_EQ(here[i], expected[i]);
        EXPECT_EQ(columns[i][r], here[i]);
      }
    }
  }
}

TEST(ModelFunctionTest, ARowMayHaveATimeOfItsOwn) {
  const Model m = model();
  ModelFunction drift(m, m.drift());
  const std::vector<double> times{0.1, 0.5, 0.9};
  const auto columns = drift.at_rows(times, points);
  for (std::size_t r = 0; r < points.rows; ++r) {
    EXPECT_EQ(columns[0][r], drift(times[r], points.row(r))[0]);
  }
}

TEST(ModelFunctionTest, TakesTheParametersOfAnotherModelOfTheSameEquations) {
  const Model m = model();
  const Model other = m.with_value("a", 5.0);
  ModelFunction drift(m, m.drift());
  drift.set_parameters(other);
  const auto here = drift(0.8, points.row(0));
  const std::vector<double> expected = drift_by_hand(other, 0.8, points(0, 0), points(0, 1));
  EXPECT_DOUBLE_EQ(here[0], expected[0]);
  EXPECT_DOUBLE_EQ(here[1], expected[1]);
}

TEST(ModelFunctionTest, MayHaveInputsThatTheModelDoesNotKnow) {
  const Model m = model();
  const auto graph = std::make_shared<Graph>(*m.graph());
  const Expression u = graph->input("u");
  const Expression v = graph->input("v");
  const Expression x = graph->at(m.states()[0].node);
  ModelFunction f(m, graph, {(x + u * v).id(), u.id()});
  const double t = 0.0;
  const std::vector<double> of_v{1.0, 2.0, 3.0};
  const std::vector<ModelFunction::Column> others{{v.id(), of_v}};
  EXPECT_THAT(f.at_rows({&t, 1}, points, others)[0], ElementsAre(0.3, 2.0, -0.4));
  f.set(u.id(), 10.0);
  const auto columns = f.at_rows({&t, 1}, points, others);
  EXPECT_THAT(columns[0], ElementsAre(10.3, 22.0, 29.6));
  EXPECT_THAT(columns[1], ElementsAre(10.0, 10.0, 10.0));
}

TEST(ModelFunctionTest, KnowsWhetherItDependsOnTheTime) {
  const Model m = model();
  EXPECT_TRUE(ModelFunction(m, {m.drift()[0]}).depends_on_time());
  EXPECT_FALSE(ModelFunction(m, {m.drift()[1]}).depends_on_time());
}

}  // namespace
}  // namespace divker
