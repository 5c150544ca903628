// The bias in dt as a power law, and what the second order of the inverse takes off it.
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "divker/ensemble.hpp"
#include "support/statistics.hpp"

namespace divker {
namespace {

using namespace test;

constexpr double a = 1.0, s = 0.8, m0 = 0.5, s0 = 1.2, end = 1.0;

Model ornstein_uhlenbeck(double dt) {
  ModelBuilder b("ou");
  const Expression rate = b.parameter("a", a), noise = b.parameter("s", s);
  const Expression x = b.state("x");
  b.drift(x, -rate * x);
  b.noise(x, "W", noise);
  b.initial_normal(x, m0, s0);
  b.time(0.0, dt, end);
  return b.build();
}

struct Law {
  double mean, variance;
};

Law true_law() {
  const double decay = std::exp(-a * end);
  return {m0 * decay, s0 * s0 * decay * decay + s * s * (1.0 - decay * decay) / (2.0 * a)};
}

// The Euler chain of the same system is Gaussian: v' = (1 - a dt)^2 v + s^2 dt.
Law chain_law(double dt, double time) {
  Law law{m0, s0 * s0};
  for (int n = 0; n < static_cast<int>(std::lround(time / dt)); ++n) {
    law.mean *= 1.0 - a * dt;
    law.variance = (1.0 - a * dt) * (1.0 - a * dt) * law.variance + s * s * dt;
  }
  return law;
}

// alpha(t) = s^2 / P_t: the score then has next to no variance, and the bias stands out.
Damping gaussian(double dt) {
  std::vector<double> times;
  std::vector<Matrix> matrices;
  for (int n = 0; n * dt < end - 0.5 * dt; ++n) {
    times.push_back(n * dt);
    matrices.emplace_back(1, 1, s * s / chain_law(dt, (n + 1) * dt).variance);
  }
  return matrix_damping(std::move(times), std::move(matrices));
}

constexpr std::size_t paths = 400'000;

// E[(nu - score) x], where the score is that of `law`.
Estimate score_bias(double dt, InverseOrder order, const Law& law) {
  Method method;
  method.damping = gaussian(dt);
  method.order = order;
  Sampling sampling;
  sampling.paths = paths;
  const Snapshot found = Ensemble(ornstein_uhlenbeck(dt), method).run(sampling).snapshots.front();
  Mean defect;
  for (std::size_t r = 0; r < found.x().rows; ++r) {
    const double x = found.x()(r, 0);
    defect.add((found.nu()(r, 0) + (x - law.mean) / law.variance) * x);
  }
  return defect.estimate();
}

const std::vector<double> steps{0.1, 0.05, 0.025, 0.0125};

// Within 5 standard errors of the slope plus `curvature`, what the next power of dt may bend it by.
void expect_slope(const std::vector<Estimate>& biases, double slope, double curvature) {
  for (std::size_t i = 0; i < steps.size(); ++i) {
    EXPECT_GT(std::fabs(biases[i].value), 5.0 * biases[i].standard_error)
        << "no bias to be seen at dt = " << steps[i] << ": " << biases[i].value;
  }
  const Slope found = log_slope(steps, biases);
  ::testing::Test::RecordProperty("slope", std::to_string(found.value));
  EXPECT_TRUE(consistent({found.value, found.standard_error}, slope, curvature));
}

TEST(Order, BiasAgainstTheTruthIsOfFirstOrder) {
  std::vector<Estimate> biases;
  for (const double dt : steps) {
    biases.push_back(score_bias(dt, InverseOrder::first, true_law()));
  }
  expect_slope(biases, 1.0, 0.15);
}

// Against the score of the Euler chain itself the first order leaves dt, the second dt^2.
TEST(Order, SecondOrderOfTheInverseIsCloserToTheChain) {
  std::vector<Estimate> first, second;
  for (const double dt : steps) {
    const Law law = chain_law(dt, end);
    first.push_back(score_bias(dt, InverseOrder::first, law));
    second.push_back(score_bias(dt, InverseOrder::second, law));
    EXPECT_LT(std::fabs(second.back().value), 2.0 * dt * std::fabs(first.back().value))
        << "dt = " << dt;
  }
  expect_slope(first, 1.0, 0.15);
  expect_slope(second, 2.0, 0.2);
}

// Noise and drift that vary: E[nu phi + phi'] = 0 whatever the law of the chain, up to the order of
// the inverse. Undamped, so that the whole bias of the inverse is there to be seen.
Estimate identity_defect(double dt) {
  ModelBuilder b("bent");
  const Expression x = b.state("x");
  b.drift(x, 0.8 * sin(2.0 * x) - 1.2 * x);
  b.noise(x, "W", 0.6 * (1.0 + 0.3 * sin(2.0 * x)));
  b.initial_normal(x, 0.3, 0.8);
  b.time(0.0, dt, end);
  Method method;
  method.damping = constant_damping(0.0);
  Sampling sampling;
  sampling.paths = 2'000'000;
  const Snapshot found = Ensemble(b.build(), method).run(sampling).snapshots.front();
  Mean defect;
  for (std::size_t r = 0; r < found.x().rows; ++r) {
    const double at = found.x()(r, 0);
    defect.add(found.nu()(r, 0) * std::tanh(at) + 1.0 / (std::cosh(at) * std::cosh(at)));
  }
  return defect.estimate();
}

TEST(Order, BiasWithVaryingNoiseIsOfFirstOrder) {
  const std::vector<double> dt{0.04, 0.02, 0.01};
  std::vector<Estimate> biases;
  for (const double step : dt) biases.push_back(identity_defect(step));
  const Slope found = log_slope(dt, biases);
  RecordProperty("slope", std::to_string(found.value));
  // Five standard errors tell the slope 1 from 0 and from 2.
  EXPECT_LT(found.standard_error, 0.15);
  EXPECT_TRUE(consistent({found.value, found.standard_error}, 1.0, 0.1));
}

}  // namespace
}  // namespace divker
