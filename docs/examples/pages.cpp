// The lines of C++ that the pages show, as a program: tests/readme_test.cpp compares them.
#include <cmath>
#include <memory>
#include <vector>

#include "divker/ensemble.hpp"
#include "divker/kernel.hpp"
#include "divker/model.hpp"
#include "divker/regressor.hpp"
#include "divker/step.hpp"

namespace {

divker::Model build() {
  divker::ModelBuilder b("ou");
  const divker::Expression a = b.parameter("a", 1.0);
  const divker::Expression s = b.parameter("s", 1.0, 0.0);
  const divker::Expression x = b.state("x");
  b.drift(x, -a * x);
  b.noise(x, "W", s);
  b.initial_normal(x, 0.0, 1.0);
  b.time(0.0, 0.01, 1.0);
  divker::Model model = b.build();
  return model;
}

// The same on the way to a measured level.
divker::Model build_driven(const std::vector<double>& times, const std::vector<double>& values) {
  divker::ModelBuilder b("driven");
  const divker::Expression u =
      b.input({.name = "u", .knots = std::make_shared<divker::Knots>(times, values)});
  const divker::Expression x = b.state("x");
  b.drift(x, u - x);
  b.noise(x, "W", b.graph().constant(1.0));
  b.initial_normal(x, 0.0, 1.0);
  b.time(0.0, 0.01, 1.0);
  return b.build();
}

divker::Paths run(const divker::Model& model) {
  divker::Method method;
  method.damping = divker::constant_damping(5.0);
  const auto asked = divker::Asked::responses_to(model.free_parameters());
  const divker::Ensemble ensemble(model, method, asked);  // plans and compiles, once
  divker::Sampling sampling;
  sampling.paths = 100'000;
  sampling.snapshots = {0.5, 1.0};
  divker::Paths paths = ensemble.run(sampling);  // paths.snapshots[k].x(), .nu(), .responses()
  return paths;
}

double respond(const divker::Matrix& x, const divker::Matrix& integral,
               const divker::Matrix& points) {
  const auto regressor = divker::make_regressor("local-linear");
  regressor->fit(x, integral);  // n x d and n x q
  const divker::Prediction p = regressor->predict(points);
  return p.value(0, 0);
}

std::shared_ptr<const divker::Kernel> compile(const divker::Model& model) {
  const auto asked = divker::Asked::responses_to(model.free_parameters());
  const divker::Plan plan = divker::plan(model, {}, asked);  // start, first step, step
  const divker::Program& step = plan.step.front().program;
  auto kernel = divker::Kernel::compile(step);
  return kernel;
}

}  // namespace

int main() {
  const divker::Model model = build();
  const divker::Paths paths = run(model);
  divker::Matrix points(1, 1);
  points(0, 0) = 0.5;
  const divker::Snapshot& end = paths.snapshots.back();
  const double response = respond(end.x(), end.responses(), points);
  const bool is_driven = build_driven({0.0, 1.0}, {0.5, 2.0}).inputs().size() == 1;
  return std::isfinite(response) && compile(model) != nullptr && is_driven ? 0 : 1;
}
