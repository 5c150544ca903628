// Paths of few steps: the responses to what moves all points alike, which is a constant of the
// drift or a noise amplitude, against the chain's own derivative. What is left is the bias of the
// covector; the bounds are below what the expanded form (5) of docs/theory.md leaves.
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <functional>
#include <string>

#include "divker/ensemble.hpp"
#include "divker/language.hpp"
#include "support/statistics.hpp"

namespace divker {
namespace {

using namespace test;

constexpr double end = 1.0;
using TestFunction = std::function<double(double)>;

Model model_of(const std::string& text, int steps) {
  return parse_model("model few\n" + text + "\ntime 0 : " + std::to_string(end / steps) + " : " +
                     std::to_string(end));
}

Sampling many() {
  Sampling how;
  how.paths = 1'600'000;
  return how;
}

// x_T and the response to one parameter.
Snapshot carried(const Model& model, const std::string& parameter, InverseOrder order) {
  Method method;
  method.order = order;
  method.damping = constant_damping(0.5);
  return Ensemble(model, method, Asked::responses_to({model.parameter_index(parameter)}))
      .run(many())
      .snapshots.front();
}

struct Bounds {
  double first, second;  // of the relative bias, in units of dt and of dt^2
};

void expect_within(const Estimate& relative_bias, InverseOrder order, const Bounds& bounds,
                   double dt) {
  const double bound = order == InverseOrder::first ? bounds.first * dt : bounds.second * dt * dt;
  EXPECT_TRUE(consistent(relative_bias, 0.0, bound))
      << "dt = " << dt << ", order " << (order == InverseOrder::first ? 1 : 2);
}

// --- Ornstein-Uhlenbeck: the law of the chain is known ----------------------------------------

constexpr double a = 1.0, m = 0.5, s = 0.8;

// d mean / dm and d variance / ds of x_T, and the mean.
struct ChainDerivatives {
  double mean = 0.5, mean_by_m = 0.0, variance_by_s = 0.0;
};

ChainDerivatives chain_derivatives(int steps) {
  const double dt = end / steps, kept = 1.0 - a * dt;
  ChainDerivatives d;
  for (int n = 0; n < steps; ++n) {
    d.mean = kept * d.mean + a * m * dt;
    d.mean_by_m = kept * d.mean_by_m + a * dt;
    d.variance_by_s = kept * kept * d.variance_by_s + 2.0 * s * dt;
  }
  return d;
}

Estimate relative_bias(const Snapshot& found, const TestFunction& phi, double truth) {
  Mean defect;
  for (std::size_t r = 0; r < found.x().rows; ++r) {
    defect.add(found.responses()(r, 0) * phi(found.x()(r, 0)) / truth - 1.0);
  }
  return defect.estimate();
}

// (5) would leave 1.3 dt, and 1.4 dt^2 to second order.
TEST(FewSteps, OrnsteinUhlenbeck) {
  for (const int steps : {4, 8, 16}) {
    const ChainDerivatives truth = chain_derivatives(steps);
    const Model model = model_of(
        "param a = 1\nparam m = 0.5\nparam s = 0.8\nstate x\ndx = -a*(x - m) dt + s dW\n"
        "init x ~ normal(0.5, 1)",
        steps);
    for (const InverseOrder order : {InverseOrder::first, InverseOrder::second}) {
      const auto centred = [&](double x) { return x - truth.mean; };
      const auto square = [&](double x) { return centred(x) * centred(x); };
      expect_within(relative_bias(carried(model, "m", order), centred, truth.mean_by_m), order,
                    {0.75, 0.9}, end / steps);
      expect_within(relative_bias(carried(model, "s", order), square, truth.variance_by_s), order,
                    {0.75, 0.9}, end / steps);
    }
  }
}

// --- other drifts and noises: finite differences with common noise ----------------------------

Estimate relative_bias(const Model& model, const std::string& parameter, InverseOrder order,
                       const TestFunction& phi) {
  const Snapshot found = carried(model, parameter, order);
  const std::size_t p = model.parameter_index(parameter);
  Ensemble plain(model, {}, Asked::states());
  const double h = 0.02;
  std::array<Matrix, 2> ends;
  for (std::size_t k = 0; k < 2; ++k) {
    std::vector<double> values = model.parameter_values();
    values[p] += k == 0 ? h : -h;
    plain.set_model(model.with_parameters(values));
    ends[k] = plain.run(many()).snapshots.front().x();
  }
  Mean defect, difference;
  for (std::size_t r = 0; r < found.x().rows; ++r) {
    const double slope = (phi(ends[0](r, 0)) - phi(ends[1](r, 0))) / (2.0 * h);
    difference.add(slope);
    defect.add(found.responses()(r, 0) * phi(found.x()(r, 0)) - slope);
  }
  const double size = std::fabs(difference.estimate().value);
  return {defect.estimate().value / size, defect.estimate().standard_error / size};
}

// (5) would leave 0.6 dt and more.
TEST(FewSteps, NonlinearDriftWithAdditiveNoise) {
  for (const int steps : {4, 8}) {
    const Model model = model_of(
        "param s = 0.6\nstate x\ndx = (-x + 0.5*sin(2*x)) dt + s dW\n"
        "init x ~ normal(0.4, 0.7)",
        steps);
    const auto phi = [](double x) { return std::cos(x); };
    expect_within(relative_bias(model, "s", InverseOrder::first, phi), InverseOrder::first,
                  {0.5, 0.0}, end / steps);
  }
}

// (5) would leave 1.4 dt, and 2.5 dt^2 and more to second order.
TEST(FewSteps, ConstantOfTheDriftUnderMultiplicativeNoise) {
  for (const int steps : {4, 8}) {
    const Model model = model_of(
        "param m = 1\nstate r\ndr = (m - r) dt + 0.4*sqrt(0.2 + r^2) dW\n"
        "init r ~ normal(1.2, 0.3)",
        steps);
    for (const InverseOrder order : {InverseOrder::first, InverseOrder::second}) {
      expect_within(relative_bias(model, "m", order, [](double r) { return std::tanh(r - 1.0); }),
                    order, {0.85, 2.0}, end / steps);
    }
  }
}

}  // namespace
}  // namespace divker
