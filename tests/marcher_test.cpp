// The vectors of this processor against the interpreter, which walks path by path through the same
// programs: whatever a plan can hold.
#include "divker/marcher.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "divker/ensemble.hpp"
#include "divker/error.hpp"
#include "divker/language.hpp"
#include "support/errors.hpp"
#include "toys/interpreter.hpp"

namespace divker {
namespace {

using ::testing::HasSubstr;

const test::Interpreter interpreter;

// Both marchers do the same operations, but the vectors contract products and sums, and take
// elementary functions and normal numbers of some ulp: 1e-11 of the largest number on the way,
// after some dozen steps that do not stretch errors. Normal numbers of low resolution agree within
// 5e-10.
void expect_same_paths(const Model& model, const Method& method, const Asked& asked,
                       Sampling sampling) {
  const double tolerance = sampling.resolution == Resolution::full ? 1e-11 : 1e-8;
  sampling.paths = 21;
  sampling.first_path = 250;  // across the border of a group
  const Paths vectors = Ensemble(model, method, asked).run(sampling);
  const Paths reference = Ensemble(model, method, asked, &interpreter).run(sampling);
  ASSERT_EQ(vectors.summary.failed, 0U);
  ASSERT_EQ(vectors.numbers, reference.numbers);
  ASSERT_EQ(vectors.snapshots.size(), reference.snapshots.size());
  for (std::size_t k = 0; k < vectors.snapshots.size(); ++k) {
    const auto& tables = reference.snapshots[k].tables();
    ASSERT_EQ(vectors.snapshots[k].tables().size(), tables.size());
    for (const auto& [name, table] : tables) {
      const Matrix& found = vectors.snapshots[k][name];
      ASSERT_EQ(found.data.size(), table.data.size());
      double largest = 1.0;
      for (const double value : table.data) largest = std::max(largest, std::fabs(value));
      for (std::size_t i = 0; i < table.data.size(); ++i) {
        ASSERT_NEAR(found.data[i], table.data[i], tolerance * largest) << name << " " << i;
      }
    }
  }
}

Sampling in_full() {
  Sampling sampling;
  sampling.resolution = Resolution::full;
  return sampling;
}

Asked all_responses(const Model& model) { return Asked::responses_to(model.free_parameters()); }

Model short_of(const std::string& name, double dt, std::size_t steps) {
  const Model model = load_model(name);
  const double start = model.time().start;
  return model.with_time({start, dt, start + dt * static_cast<double>(steps)});
}

TEST(Marchers, AgreeOnStatesAlone) {
  const Model model = short_of("lorenz63", 0.005, 13);
  Sampling sampling;
  sampling.snapshots = {0.0, 0.02, 0.065};
  expect_same_paths(model, {}, Asked::states(), sampling);
}

TEST(Marchers, AgreeOnDerivativesOfPaths) {
  const Model positive = parse_model(
      "model two\nparam a = 1\nparam s = 0.6\nstate x positive\nstate y\n"
      "dx = a*(2 - x) dt + s*x dV + 0.1*x dW\ndy = (x - a*y) dt + s*(1 + 0.2*sin(x)) dW\n"
      "init x ~ lognormal(a, 0.1)\ninit y = s\ntime 0 : 0.01 : 0.13\n");
  for (const Model& model : {short_of("lorenz63", 0.005, 13), positive}) {
    for (const Damping& damping : {constant_damping(3.0), no_damping(), late_damping(1.0)}) {
      SCOPED_TRACE(model.name() + damping.text());
      Method method;
      method.damping = damping;
      expect_same_paths(model, method, Asked::tangents_by(model.free_parameters()), in_full());
    }
  }
}

TEST(Marchers, AgreeOnEveryDampingOfAnSde) {
  const Model model = short_of("lorenz63", 0.005, 13);
  std::vector<double> times{0.0, 0.05};
  std::vector<Matrix> matrices(2, Matrix(3, 3, 0.5));
  for (std::size_t i = 0; i < 3; ++i) matrices[1](i, i) = 4.0;
  for (const Damping& damping : {constant_damping(3.0), constant_damping(3.0, true),
                                 jacobian_damping(4.0, 0.5), matrix_damping(times, matrices)}) {
    SCOPED_TRACE(damping.text());
    for (const InverseOrder order : {InverseOrder::first, InverseOrder::second}) {
      Method method;
      method.order = order;
      method.damping = damping;
      expect_same_paths(model, method, all_responses(model), in_full());
    }
  }
}

TEST(Marchers, AgreeOnExactSteps) {
  const Model model = short_of("lorenz63", 0.005, 13);
  Method method;
  method.scheme = Scheme::exact;
  for (const Damping& damping :
       {constant_damping(3.0), kernel_damping(), mixed_damping(3.0, 0.3)}) {
    SCOPED_TRACE(damping.text());
    method.damping = damping;
    expect_same_paths(model, method, all_responses(model), in_full());
  }
}

TEST(Marchers, AgreeOnMaps) {
  const Model model = parse_model(
      "model gentle\nparam a = 0.8\nparam s = 0.3\nstate x, y\nx' = a*x + 0.3*sin(x) + 0.2*y + "
      "s*xi1\n"
      "y' = 0.5*y + 0.1*x + s*xi2\ninit state ~ normal(0.2, 1)\ntime 0 : 1 : 5");
  Method method;
  for (const Damping& damping :
       {constant_damping(0.5), kernel_damping(), mixed_damping(0.5, 0.3)}) {
    SCOPED_TRACE(damping.text());
    method.damping = damping;
    expect_same_paths(model, method, all_responses(model), in_full());
  }
}

TEST(Marchers, AgreeOnStartsWithoutADensity) {
  const Model point = parse_model(
      "model from_a_point\nparam a = 1\nparam m = 0.3\nstate x, y\ndx = -a*x dt + 0.5 dU\n"
      "dy = (x - y) dt + (0.4 + 0.1*x^2) dV\ninit x = m\ninit y = 0.2\ntime 0 : 0.01 : 0.2");
  expect_same_paths(point, {}, all_responses(point), in_full());

  auto rows = std::make_shared<Matrix>(5, 2);
  for (std::size_t k = 0; k < rows->data.size(); ++k) rows->data[k] = 0.1 * static_cast<double>(k);
  const Model samples = point.starting_from_samples("rows.npy").with_samples(rows);
  Sampling sampling = in_full();
  expect_same_paths(samples, {}, all_responses(samples), sampling);
  sampling.start_rows = StartRows::by_path;
  expect_same_paths(samples, {}, all_responses(samples), sampling);
}

TEST(Marchers, AgreeOnPositiveStatesAndCoarseSteps) {
  const Model model = short_of("logistic_growth", 0.01, 12);
  Sampling sampling;
  sampling.increments_per_step = 2;
  expect_same_paths(model, {}, all_responses(model), sampling);
  sampling.resolution = Resolution::full;
  expect_same_paths(model, {}, all_responses(model), sampling);
}

// --- start rows -------------------------------------------------------------------------------

TEST(StartRows, ByPathAreTheRowsInTheirOrder) {
  auto rows = std::make_shared<Matrix>(3, 1);
  rows->data = {5.0, 6.0, 7.0};
  const Model model = parse_model(
                          "model rows\nstate x\ndx = -x dt + 0.1 dW\ninit x ~ samples(\"r.npy\")\n"
                          "time 0 : 0.1 : 0.2")
                          .with_samples(rows);
  Sampling sampling;
  sampling.paths = 7;
  sampling.snapshots = {0.0};
  sampling.start_rows = StartRows::by_path;
  const Paths paths = Ensemble(model, {}, Asked::states()).run(sampling);
  EXPECT_EQ(paths.snapshots.front().x().data,
            (std::vector<double>{5.0, 6.0, 7.0, 5.0, 6.0, 7.0, 5.0}));
}

// --- what a marcher refuses -------------------------------------------------------------------

TEST(Arrays, ThatNothingMakesAreRefused) {
  Plan broken = plan(load_model("ou"), {}, {});
  broken.step.front().program.arguments.front().name = "tangent";
  for (const Marcher* marcher : {&vector_marcher(), static_cast<const Marcher*>(&interpreter)}) {
    EXPECT_THAT(test::message_of([&] { (void)marcher->prepare(broken); }),
                HasSubstr("The step of a path is called with the array 'tangent', which no program "
                          "before it makes."));
  }
}

TEST(Arrays, OfAnotherWidthAreRefused) {
  Plan broken = plan(load_model("lorenz63"), {}, {});
  broken.start.program.results.front().values.pop_back();
  EXPECT_THAT(test::message_of([&] { (void)vector_marcher().prepare(broken); }),
              HasSubstr("The step of a path takes 3 numbers of the array 'x', which has 2."));
}

TEST(Arrays, WithAnUnknownRoleAreRefused) {
  Plan broken = plan(load_model("ou"), {}, {});
  broken.step.front().program.arguments.back().role = static_cast<Role>(99);
  EXPECT_THAT(test::message_of([&] { (void)vector_marcher().prepare(broken); }),
              HasSubstr("has the role 99, which the vectors of this processor do not serve."));
}

// Any array that a program records is there under its name, and the marcher need not know it.
TEST(Arrays, OfAnyNameAreCarriedAndRecorded) {
  Plan counting = plan(load_model("ou"), {}, Asked::states());
  Program& step = counting.step.front().program;
  auto graph = std::make_shared<Graph>(*step.graph);
  const Expression before = graph->input("before"), state = graph->at(step.arguments[0].inputs[0]);
  step.arguments.push_back({"largest", Role::carried, {before.id()}});
  step.results.push_back({"largest", {max(before, state).id()}, Fate::replaced, true});
  step.results.push_back({"steps", {graph->constant(1.0).id()}, Fate::accumulated, true});
  step.graph = graph;
  Program& start = counting.start.program;
  auto first = std::make_shared<Graph>(*start.graph);
  start.results.push_back({"largest", {first->constant(-1e300).id()}, Fate::replaced, true});
  start.graph = first;

  const Model model = load_model("ou");
  const Sampling sampling;
  const March march{counting, model, sampling, {3}};
  for (const Marcher* marcher : {&vector_marcher(), static_cast<const Marcher*>(&interpreter)}) {
    const auto prepared = marcher->prepare(counting);
    const auto run = prepared->begin(march, 0);
    SCOPED_TRACE(marcher->name());
    PathGroup group;
    Snapshot& snapshot = group.snapshots.emplace_back(0.0);
    for (const Result* array : counting.recorded()) {
      snapshot.table(array->name) = Matrix(1, array->values.size());
    }
    ASSERT_TRUE(run->walker()->walk(0, 0, 1, group, nullptr));
    EXPECT_EQ(group.snapshots[0]["steps"].data, std::vector<double>{3.0});
    EXPECT_GT(group.snapshots[0]["largest"](0, 0), -1e300);
  }
}

}  // namespace
}  // namespace divker
