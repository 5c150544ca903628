// The Euler scheme against the exact step of the same chain, path by path: what the expansion in dt
// leaves out is of first order in dt, and less of it with the second order in the inverse.
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include "divker/ensemble.hpp"
#include "divker/language.hpp"
#include "support/statistics.hpp"

namespace divker {
namespace {

using namespace test;

struct Case {
  std::string text;  // of the model, without its time grid
  double end = 0.5;
  std::vector<double> steps{0.1, 0.05, 0.025, 0.0125};
  std::size_t paths = 200'000;
  double alpha = 1.0;
  // What the next power of dt may bend a slope by.
  double curvature = 0.2;
  std::size_t least_seen = 2;  // quantities whose bias stands out of the noise at every step
};

Snapshot run(const Case& c, double dt, Scheme scheme, InverseOrder order) {
  const Model model = parse_model("model chain\n" + c.text + "\ntime 0 : " + std::to_string(dt) +
                                  " : " + std::to_string(c.end));
  Method method;
  method.scheme = scheme;
  method.order = order;
  method.damping = constant_damping(c.alpha);
  Sampling how;
  how.paths = c.paths;
  return Ensemble(model, method, Asked::responses_to(model.free_parameters()))
      .run(how)
      .snapshots.front();
}

// E[(nu - nu_exact) phi(x)] for each state and E[(I - I_exact) phi(x)] for each parameter.
std::vector<Estimate> differences(const Snapshot& found, const Snapshot& exact) {
  std::vector<Mean> means(found.nu().cols + found.responses().cols);
  for (std::size_t r = 0; r < found.x().rows; ++r) {
    const double phi = std::sin(exact.x()(r, 0) + 0.7 * exact.x()(r, exact.x().cols - 1));
    for (std::size_t i = 0; i < found.nu().cols; ++i) {
      means[i].add((found.nu()(r, i) - exact.nu()(r, i)) * phi);
    }
    for (std::size_t p = 0; p < found.responses().cols; ++p) {
      means[found.nu().cols + p].add((found.responses()(r, p) - exact.responses()(r, p)) * phi);
    }
  }
  std::vector<Estimate> result;
  for (const Mean& mean : means) result.push_back(mean.estimate());
  return result;
}

// Slope one for the first order, in every quantity in which there is something to be seen; and the
// second order smaller, where the first is seen well.
void expect_convergence(const Case& c) {
  std::vector<std::vector<Estimate>> first, second;
  for (const double dt : c.steps) {
    const Snapshot exact = run(c, dt, Scheme::exact, InverseOrder::first);
    first.push_back(differences(run(c, dt, Scheme::euler, InverseOrder::first), exact));
    second.push_back(differences(run(c, dt, Scheme::euler, InverseOrder::second), exact));
  }
  std::size_t seen = 0;
  for (std::size_t q = 0; q < first.front().size(); ++q) {
    std::vector<Estimate> of_first;
    bool is_seen = true;
    for (std::size_t k = 0; k < c.steps.size(); ++k) {
      const Estimate& estimate = first[k][q];
      of_first.push_back(estimate);
      is_seen = is_seen && std::fabs(estimate.value) > 2.0 * z_limit * estimate.standard_error;
    }
    if (!is_seen) continue;
    ++seen;
    const Slope slope = log_slope(c.steps, of_first);
    ::testing::Test::RecordProperty("slope_" + std::to_string(q), std::to_string(slope.value));
    EXPECT_TRUE(consistent({slope.value, slope.standard_error}, 1.0, c.curvature))
        << "quantity " << q;
    for (std::size_t k = 0; k < c.steps.size(); ++k) {
      const double allowed = 0.5 * std::fabs(first[k][q].value);
      EXPECT_LT(std::fabs(second[k][q].value), allowed + z_limit * second[k][q].standard_error)
          << "quantity " << q << ", dt = " << c.steps[k];
    }
  }
  EXPECT_GE(seen, c.least_seen);
}

TEST(Scheme, OrnsteinUhlenbeck) {
  expect_convergence(
      {"param a = 1\nparam s = 0.8\nstate x\ndx = -a*x dt + s dW\n"
       "init x ~ normal(0.5, 1)"});
}

// Steps small enough for 1 + dt (a - 3 x^2) to stay positive: J must not turn over.
TEST(Scheme, CubicDrift) {
  Case c{
      "param a = 1\nparam s = 0.4\nstate x\ndx = (a*x - x^3) dt + s dW\n"
      "init x ~ normal(0.4, 0.3)"};
  c.steps = {0.05, 0.025, 0.0125, 0.00625};
  c.paths = 800'000;
  c.least_seen = 1;  // the score; the responses are off by less than can be told
  expect_convergence(c);
}

TEST(Scheme, MultiplicativeNoise) {
  Case c{
      "param a = 1.2\nparam s = 0.6\nstate x\n"
      "dx = (0.8*sin(2*x) - a*x) dt + s*(1 + 0.3*sin(2*x)) dW\ninit x ~ normal(0.3, 0.8)"};
  c.paths = 1'000'000;
  c.alpha = 0.0;
  expect_convergence(c);
}

TEST(Scheme, TwoStatesWithFullNoise) {
  Case c{
      "param a = 1\nparam s = 0.5\nstate x, y\n"
      "dx = (-a*x + sin(y)) dt + s*(1 + 0.2*sin(y)) dU + 0.1*x dV\n"
      "dy = (x - a*y) dt + s dV + 0.3 dW\ninit x ~ normal(0.2, 0.6)\ninit y ~ normal(0, 0.5)"};
  c.paths = 500'000;
  expect_convergence(c);
}

}  // namespace
}  // namespace divker
