// The grid against closed forms, and the engine against the grid.
#include "divker/fokker_planck.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

#include "divker/ensemble.hpp"
#include "divker/error.hpp"
#include "divker/regressor.hpp"
#include "support/statistics.hpp"

namespace divker {
namespace {

using namespace test;
using ::testing::HasSubstr;

double normal_density(double x, double mean, double variance) {
  return std::exp(-0.5 * (x - mean) * (x - mean) / variance) /
         std::sqrt(2.0 * std::numbers::pi * variance);
}

// dx = -x dt + 0.8 dB from normal(0.5, 0.7^2).
FokkerPlanckProblem ornstein_uhlenbeck(std::size_t cells, std::size_t steps) {
  FokkerPlanckProblem problem;
  problem.drift = [](double, double x) { return -x; };
  problem.sigma = [](double, double) { return 0.8; };
  problem.initial_density = [](double x) { return normal_density(x, 0.5, 0.49); };
  problem.lower = -5.0;
  problem.upper = 5.0;
  problem.cells = cells;
  problem.steps = steps;
  return problem;
}
const double ou_mean = 0.5 * std::exp(-1.0);
const double ou_variance = 0.49 * std::exp(-2.0) + 0.32 * (1.0 - std::exp(-2.0));

double largest_density_error(const GridDensity& grid) {
  double largest = 0.0;
  for (std::size_t i = 0; i < grid.size(); ++i) {
    const double truth = normal_density(grid.point(i), ou_mean, ou_variance);
    largest = std::max(largest, std::fabs(grid.values()[i] - truth));
  }
  return largest;
}

TEST(FokkerPlanck, ConvergesToOrnsteinUhlenbeckWithSecondOrder) {
  const double coarse = largest_density_error(solve_fokker_planck(ornstein_uhlenbeck(200, 50)));
  const double middle = largest_density_error(solve_fokker_planck(ornstein_uhlenbeck(400, 100)));
  const double fine = largest_density_error(solve_fokker_planck(ornstein_uhlenbeck(800, 200)));
  EXPECT_NEAR(std::log2(coarse / middle), 2.0, 0.1);
  EXPECT_NEAR(std::log2(middle / fine), 2.0, 0.05);
  EXPECT_LT(fine, 5e-5);
}

// Cells alone, then steps alone: neither order hides behind the other.
TEST(FokkerPlanck, EachResolutionIsOfSecondOrder) {
  const double in_space =
      largest_density_error(solve_fokker_planck(ornstein_uhlenbeck(100, 2000))) /
      largest_density_error(solve_fokker_planck(ornstein_uhlenbeck(200, 2000)));
  EXPECT_NEAR(std::log2(in_space), 2.0, 0.1);
  const double in_time = largest_density_error(solve_fokker_planck(ornstein_uhlenbeck(4000, 5))) /
                         largest_density_error(solve_fokker_planck(ornstein_uhlenbeck(4000, 10)));
  EXPECT_NEAR(std::log2(in_time), 2.0, 0.15);
}

TEST(FokkerPlanck, ConservesMass) {
  FokkerPlanckProblem problem = ornstein_uhlenbeck(300, 100);
  EXPECT_NEAR(solve_fokker_planck(problem).mass(), 1.0, 1e-12);
  // Also where much of it reaches the walls.
  problem.drift = [](double t, double x) { return 4.0 * std::cos(3.0 * t) + std::sin(x); };
  problem.sigma = [](double, double x) { return 1.0 + 0.5 * std::sin(2.0 * x); };
  problem.lower = -1.0;
  problem.upper = 1.5;
  EXPECT_NEAR(solve_fokker_planck(problem).mass(), 1.0, 1e-12);
}

TEST(FokkerPlanck, InterpolatesDensityAndScore) {
  const GridDensity grid = solve_fokker_planck(ornstein_uhlenbeck(2000, 800));
  for (const double x : {-1.2345, -0.3, 0.0, 0.01, 0.777, 1.9}) {
    EXPECT_NEAR(grid.log_density(x), std::log(normal_density(x, ou_mean, ou_variance)), 2e-4);
    EXPECT_NEAR(grid.score(x), -(x - ou_mean) / ou_variance, 5e-4);
    EXPECT_NEAR(grid.density(x), normal_density(x, ou_mean, ou_variance), 1e-4);
  }
  EXPECT_NEAR(grid.expectation([](double x) { return x; }), ou_mean, 1e-5);
}

// A cubic in the logarithm is met exactly, at the ends too.
TEST(FokkerPlanck, InterpolationIsExactForCubics) {
  const auto logarithm = [](double x) { return 0.3 + 0.5 * x - x * x + 0.2 * x * x * x; };
  std::vector<double> values;
  for (int i = 0; i < 9; ++i) values.push_back(std::exp(logarithm(-1.0 + 0.25 * i)));
  const GridDensity grid(-1.0, 0.25, values);
  for (const double x : {-1.0, -0.9, -0.1, 0.3, 0.99, 1.0}) {
    EXPECT_NEAR(grid.log_density(x), logarithm(x), 1e-13);
    EXPECT_NEAR(grid.score(x), 0.5 - 2.0 * x + 0.6 * x * x, 1e-12);
  }
}

TEST(FokkerPlanck, EstimatesItsError) {
  const FokkerPlanckProblem problem = ornstein_uhlenbeck(200, 50);
  const std::vector<double> points{-0.8, 0.1, 0.9};
  const std::vector<double> errors = log_density_errors(problem, points);
  const GridDensity grid = solve_fokker_planck(problem);
  for (std::size_t i = 0; i < points.size(); ++i) {
    const double error = std::fabs(grid.log_density(points[i]) -
                                   std::log(normal_density(points[i], ou_mean, ou_variance)));
    EXPECT_NEAR(errors[i], error, 0.1 * error + 1e-6);
  }
}

template <class Action>
void expect_error(ErrorKind kind, const std::string& part, Action action) {
  try {
    action();
    FAIL() << "no error; expected: " << part;
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), kind);
    EXPECT_THAT(error.what(), HasSubstr(part));
  }
}

TEST(FokkerPlanck, RefusesWhatItCannotSolve) {
  const auto refuses = [](const std::string& part, auto change) {
    FokkerPlanckProblem problem = ornstein_uhlenbeck(100, 10);
    change(problem);
    expect_error(ErrorKind::usage, part, [&] { (void)solve_fokker_planck(problem); });
  };
  refuses("needs its drift, sigma and initial density", [](auto& p) { p.drift = nullptr; });
  refuses("The interval from 5 to 5 is empty", [](auto& p) { p.lower = 5.0; });
  refuses("Time ends at 0, which is not after its start 0.", [](auto& p) { p.end = 0.0; });
  refuses("7 cells were asked for; at least 8 are needed.", [](auto& p) { p.cells = 7; });
  refuses("The number of time steps is 0", [](auto& p) { p.steps = 0; });
  refuses("The initial density has mass 0 between -5 and 5",
          [](auto& p) { p.initial_density = [](double) { return 0.0; }; });
  FokkerPlanckProblem problem = ornstein_uhlenbeck(100, 10);
  problem.sigma = [](double, double x) { return std::sqrt(4.0 - x); };
  expect_error(ErrorKind::numerical, "The sigma of the Fokker-Planck problem is ",
               [&] { (void)solve_fokker_planck(problem); });
  const GridDensity grid = solve_fokker_planck(ornstein_uhlenbeck(100, 10));
  expect_error(ErrorKind::usage, "The point 5 is outside the grid from -4.95 to 4.95.",
               [&] { (void)grid.log_density(5.0); });
  const GridDensity empty(0.0, 1.0, std::vector<double>(10));
  expect_error(ErrorKind::numerical, "The density near x = 4.5 is 0",
               [&] { (void)empty.score(4.5); });
  expect_error(ErrorKind::usage, "A density on a grid of 3 points was given", [] {
    GridDensity(0.0, 1.0, {1.0, 1.0, 1.0});
  });
  expect_error(ErrorKind::usage, "The grid has spacing 0; it must be positive.",
               [] { GridDensity(0.0, 0.0, std::vector<double>(10)); });
}

// --- the engine against the grid --------------------------------------------------------------

// dx = (-a x + b sin 2x) dt + s (1 + 0.4 sin 3x) dW from normal(m, d): no closed form.
const std::vector<double> bumpy_parameters{0.9, 0.8, 0.6, 0.3, 0.7};
constexpr double bumpy_dt = 0.005;

Model bumpy() {
  ModelBuilder builder("bumpy");
  const auto& g = bumpy_parameters;
  const Expression a = builder.parameter("a", g[0]), b = builder.parameter("b", g[1]);
  const Expression s = builder.parameter("s", g[2]), m = builder.parameter("m", g[3]);
  const Expression d = builder.parameter("d", g[4]), x = builder.state("x");
  builder.drift(x, -a * x + b * sin(2.0 * x));
  builder.noise(x, "W", s * (1.0 + 0.4 * sin(3.0 * x)));
  builder.initial_normal(x, m, d);
  builder.time(0.0, bumpy_dt, 1.0);
  return builder.build();
}

GridDensity bumpy_density(const std::vector<double>& g) {
  FokkerPlanckProblem problem;
  problem.drift = [g](double, double x) { return -g[0] * x + g[1] * std::sin(2.0 * x); };
  problem.sigma = [g](double, double x) { return g[2] * (1.0 + 0.4 * std::sin(3.0 * x)); };
  problem.initial_density = [g](double x) { return normal_density(x, g[3], g[4] * g[4]); };
  problem.lower = -5.0;
  problem.upper = 5.5;
  problem.cells = 2100;
  problem.steps = 400;
  return solve_fokker_planck(problem);
}

// The grids on both sides of each parameter.
struct Neighbours {
  std::vector<GridDensity> above, below;
  double step = 1e-3;
  [[nodiscard]] double response(double x, std::size_t p) const {
    return (above[p].log_density(x) - below[p].log_density(x)) / (2.0 * step);
  }
};

const Neighbours& neighbours() {
  static const Neighbours found = [] {
    Neighbours n;
    for (std::size_t p = 0; p < bumpy_parameters.size(); ++p) {
      std::vector<double> g = bumpy_parameters;
      g[p] += n.step;
      n.above.push_back(bumpy_density(g));
      g[p] -= 2.0 * n.step;
      n.below.push_back(bumpy_density(g));
    }
    return n;
  }();
  return found;
}

Snapshot bumpy_paths(const Damping& damping, InverseOrder order) {
  Method method;
  method.damping = damping;
  method.order = order;
  Sampling sampling;
  sampling.paths = 200'000;
  return Ensemble(bumpy(), method, Asked::responses_to({0, 1, 2, 3, 4}))
      .run(sampling)
      .snapshots.front();
}

// E[nu phi] = -E[phi'] and E[I phi] = d/dgamma E[phi], the right-hand sides by the grids.
void expect_weak_identities(const Snapshot& paths) {
  struct TestFunction {
    std::function<double(double)> value, slope;
  };
  const std::vector<TestFunction> functions{
      {[](double) { return 1.0; }, [](double) { return 0.0; }},
      {[](double x) { return x; }, [](double) { return 1.0; }},
      {[](double x) { return x * x; }, [](double x) { return 2.0 * x; }},
      {[](double x) { return std::cos(3.0 * x); },
       [](double x) { return -3.0 * std::sin(3.0 * x); }},
      {[](double x) { return std::sin(6.0 * x); },
       [](double x) { return 6.0 * std::cos(6.0 * x); }},
      {[](double x) { return std::tanh(2.0 * x); },
       [](double x) { return 2.0 / (std::cosh(2.0 * x) * std::cosh(2.0 * x)); }}};
  const GridDensity centre = bumpy_density(bumpy_parameters);
  for (std::size_t f = 0; f < functions.size(); ++f) {
    const TestFunction& phi = functions[f];
    const double average = centre.expectation(phi.value);
    Mean score;
    std::vector<Mean> responses(bumpy_parameters.size());
    for (std::size_t r = 0; r < paths.x().rows; ++r) {
      const double value = phi.value(paths.x()(r, 0)) - (f == 0 ? 0.0 : average);
      score.add(paths.nu()(r, 0) * value);
      for (std::size_t p = 0; p < responses.size(); ++p) {
        responses[p].add(paths.responses()(r, p) * value);
      }
    }
    const auto bias_bound = [](double truth) { return 4.0 * bumpy_dt * (0.1 + std::fabs(truth)); };
    const double slope = centre.expectation(phi.slope);
    EXPECT_TRUE(consistent(score.estimate(), -slope, bias_bound(slope))) << "score, phi " << f;
    for (std::size_t p = 0; p < responses.size(); ++p) {
      const double truth = (neighbours().above[p].expectation(phi.value) -
                            neighbours().below[p].expectation(phi.value)) /
                           (2.0 * neighbours().step);
      EXPECT_TRUE(consistent(responses[p].estimate(), truth, bias_bound(truth)))
          << "response " << p << ", phi " << f;
    }
  }
}

TEST(BumpyModel, WeakIdentities) {
  expect_weak_identities(bumpy_paths(jacobian_damping(2.0, 0.5), InverseOrder::first));
}
TEST(BumpyModel, WeakIdentitiesToSecondOrder) {
  expect_weak_identities(bumpy_paths(jacobian_damping(2.0, 0.5), InverseOrder::second));
}
// The divergence formula alone, whose every term counts at full weight.
TEST(BumpyModel, WeakIdentitiesWithoutDamping) {
  expect_weak_identities(bumpy_paths(constant_damping(0.0), InverseOrder::first));
}

// E[nu | x] and E[I | x] at nine points. The regressor is given the known truth to take away, so
// that its smoothing has nothing to blur: what is fitted is the defect, which should vanish.
TEST(BumpyModel, ScoreAndResponsesAtNinePoints) {
  const Snapshot paths = bumpy_paths(jacobian_damping(2.0, 0.5), InverseOrder::first);
  const GridDensity centre = bumpy_density(bumpy_parameters);
  const std::size_t columns = 1 + bumpy_parameters.size();
  // Tables of the truth on a fine mesh: the grids are slow to ask for every path.
  Matrix x, y, truth;
  x.cols = 1;
  y.cols = truth.cols = columns;
  for (std::size_t r = 0; r < paths.x().rows; r += 2) {
    const double at = paths.x()(r, 0);
    if (at < -2.0 || at > 2.5) continue;
    ++x.rows;
    ++y.rows;
    x.data.push_back(at);
    y.data.push_back(paths.nu()(r, 0) - centre.score(at));
    for (std::size_t p = 0; p + 1 < columns; ++p) {
      y.data.push_back(paths.responses()(r, p) - neighbours().response(at, p));
    }
  }
  Matrix points(9, 1);
  for (std::size_t i = 0; i < 9; ++i) points(i, 0) = -0.9 + 0.25 * static_cast<double>(i);
  RegressorOptions options;
  options.neighbours = 4000;
  const auto regressor = make_regressor("local-linear", options);
  regressor->fit(x, y);
  const Prediction defect = regressor->predict(points);
  for (std::size_t i = 0; i < 9; ++i) {
    const double at = points(i, 0);
    for (std::size_t c = 0; c < columns; ++c) {
      const double size = c == 0 ? centre.score(at) : neighbours().response(at, c - 1);
      EXPECT_TRUE(consistent({defect.value(i, c), defect.deviation(i, c)}, 0.0,
                             5.0 * bumpy_dt * (1.0 + std::fabs(size))))
          << "column " << c << " at x = " << at << ", where the truth is " << size;
    }
  }
}

}  // namespace
}  // namespace divker
