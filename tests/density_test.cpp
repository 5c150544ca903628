// Densities, distribution functions and quantiles against closed forms and the Fokker-Planck
// equation, and how often their bars hold the truth.
#include "divker/density.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <random>
#include <string>
#include <vector>

#include "divker/ensemble.hpp"
#include "divker/exact_density.hpp"
#include "divker/language.hpp"
#include "estimate/localised_density.hpp"
#include "support/asked.hpp"
#include "support/errors.hpp"
#include "support/statistics.hpp"

namespace divker {
namespace {

using test::column;
using test::consistent;
using ::testing::HasSubstr;

double normal_density(double x, double variance) {
  return std::exp(-0.5 * x * x / variance) / std::sqrt(2.0 * std::numbers::pi * variance);
}
double normal_share(double x, double variance) {
  return 0.5 * std::erfc(-x / std::sqrt(2.0 * variance));
}

Matrix line(double low, double high, std::size_t count) {
  Matrix points(count, 1);
  for (std::size_t k = 0; k < count; ++k) {
    points(k, 0) = low + (high - low) * static_cast<double>(k) / static_cast<double>(count - 1);
  }
  return points;
}

Estimate at(const PointValues& values, std::size_t r, std::size_t c = 0) {
  return {values.prediction.value(r, c), values.prediction.standard_error(r, c)};
}

DensityOptions with(std::size_t paths, std::uint64_t seed = 1) {
  DensityOptions options;
  options.answer.sampling.paths = paths;
  options.answer.sampling.seed = seed;
  return options;
}

// How often value +- 1.96 bars holds the truth.
struct Coverage {
  std::size_t intervals = 0, held = 0;
  void add(const Estimate& estimate, double truth) {
    ++intervals;
    held += std::fabs(estimate.value - truth) <= 1.96 * estimate.standard_error ? 1 : 0;
  }
  [[nodiscard]] double share() const {
    return static_cast<double>(held) / static_cast<double>(intervals);
  }
};

// Standard normal rows whose covectors are the score and noise of a deviation of two.
ScoredSample noisy_normal(std::size_t rows, std::size_t columns, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::normal_distribution<double> normal;
  ScoredSample sample{Matrix(rows, columns), Matrix(rows, columns)};
  for (std::size_t i = 0; i < sample.x.data.size(); ++i) {
    sample.x.data[i] = normal(random);
    sample.nu.data[i] = -sample.x.data[i] + 2.0 * normal(random);
  }
  return sample;
}

// Of 120 intervals that hold the truth with probability 0.95 fewer than 103 do so with probability
// 7e-5, and more than 119.9 with 0.002; those of one seed depend on each other.
constexpr std::uint64_t seeds = 120;
constexpr double least_share = 103.0 / 120.0;

TEST(LocalisedDensity, BarsHoldTheNormalDensityOnALine) {
  const Matrix points = column({-3.0, -1.2, 0.0, 0.7, 2.2});
  std::vector<Coverage> coverage(points.rows);
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    const auto found = LocalisedDensity(noisy_normal(4'000, 1, seed)).at(points, 1);
    for (std::size_t r = 0; r < points.rows; ++r) {
      coverage[r].add({found[r].value, found[r].standard_error()},
                      normal_density(points(r, 0), 1.0));
    }
  }
  for (std::size_t r = 0; r < points.rows; ++r) {
    std::printf("on a line at %.1f: %.3f\n", points(r, 0), coverage[r].share());
    EXPECT_GE(coverage[r].share(), least_share) << points(r, 0);
  }
}

TEST(LocalisedDensity, BarsHoldTheNormalDensityInThePlane) {
  Matrix points(4, 2);
  points.data = {0.0, 0.0, 1.0, -0.5, -1.5, 1.5, 2.5, 0.0};
  std::vector<Coverage> coverage(points.rows);
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    const auto found = LocalisedDensity(noisy_normal(4'000, 2, seed)).at(points, 1);
    for (std::size_t r = 0; r < points.rows; ++r) {
      coverage[r].add({found[r].value, found[r].standard_error()},
                      normal_density(points(r, 0), 1.0) * normal_density(points(r, 1), 1.0));
    }
  }
  for (std::size_t r = 0; r < points.rows; ++r) {
    std::printf("in the plane at %.1f, %.1f: %.3f\n", points(r, 0), points(r, 1),
                coverage[r].share());
    EXPECT_GE(coverage[r].share(), least_share) << r;
  }
}

Model ou(const std::string& grid) {
  return parse_model(
      "model ou\nparam a = 1\nparam s = 1 in (0, inf)\nstate x\ndx = -a*x dt + s dW\n"
      "init x ~ normal(0, 2)\n" +
      grid + "\n");
}
double ou_variance(double t, double a = 1.0, double s = 1.0) {
  return 4.0 * std::exp(-2.0 * a * t) + s * s * -std::expm1(-2.0 * a * t) / (2.0 * a);
}

TEST(Density, OfOrnsteinUhlenbeckAtSeveralTimesAndSteps) {
  const Matrix points = column({-2.0, -0.4, 0.0, 1.0, 3.0});
  for (const char* grid : {"time 0 : 0.1 : 2", "time 0 : 0.01 : 2"}) {
    DensityOptions options = with(20'000);
    options.answer.sampling.snapshots = {0.0, 0.5, 2.0};
    options.distribution = true;
    const DensityAnswer answer = density_at(ou(grid), points, options);
    ASSERT_EQ(answer.laws.size(), 3U);
    for (const LawAtTime& law : answer.laws) {
      const double v = ou_variance(law.time);
      for (std::size_t r = 0; r < points.rows; ++r) {
        const double x = points(r, 0);
        EXPECT_TRUE(consistent(at(law.density, r), normal_density(x, v))) << grid << law.time;
        EXPECT_TRUE(consistent(at(*law.distribution, r), normal_share(x, v))) << grid << law.time;
      }
      EXPECT_NEAR(law.log_density(2, 0), std::log(law.density.prediction.value(2, 0)), 1e-12);
    }
  }
}

TEST(Density, OfBumpyAgreesWithFokkerPlanckAndBeatsAKernelEstimate) {
  const Model model = load_model("bumpy").with_value("dt", 0.0025);
  const Matrix points = line(-2.0, 2.0, 40);
  const ExactDensity exact = exact_density(model, {}, points.data, -6.0, 6.0);
  DensityOptions options = with(100'000);
  options.answer.time_step = TimeStep::extrapolated;
  const DensityAnswer answer = density_at(model, points, options);
  double worst = 0.0, square = 0.0;
  for (std::size_t r = 0; r < points.rows; ++r) {
    const Estimate h = at(answer.laws[0].density, r);
    const double truth = std::exp(exact.log_density[r]);
    EXPECT_TRUE(consistent(h, truth)) << points(r, 0);
    worst = std::max(worst, std::fabs(h.value - truth) / h.standard_error);
    square += std::pow(h.value - truth, 2) / 40.0;
  }
  // The best of all bandwidths, which nobody knows without the truth; for the same paths.
  Sampling sampling = options.answer.sampling;
  sampling.seed = 2;
  const std::vector<double> x =
      Ensemble(model, {}, Asked::states()).run(sampling).snapshots.back().x().data;
  double least = 1.0;
  for (const double width : {0.01, 0.014, 0.02, 0.028, 0.04}) {
    double of_kernel = 0.0;
    for (std::size_t r = 0; r < points.rows; ++r) {
      double sum = 0.0;
      for (const double one : x) sum += normal_density(one - points(r, 0), width * width);
      const double h = sum / static_cast<double>(x.size());
      of_kernel += std::pow(h - std::exp(exact.log_density[r]), 2) / 40.0;
    }
    least = std::min(least, of_kernel);
  }
  std::printf("bumpy: at most %.2f bars away; mean square error %.3g, of a kernel estimate %.3g\n",
              worst, square, least);
  EXPECT_LT(3.0 * square, least);
}

// Quantiles, and what a and s do to them and to the distribution function.
TEST(Density, QuantilesAndResponsesOfOrnsteinUhlenbeck) {
  DensityOptions options = with(50'000);
  options.distribution = true;
  options.levels = {0.05, 0.5, 0.99};
  options.wrt = {0, 1};
  const LawAtTime law = density_at(ou("time 0 : 0.02 : 1"), column({-1.0, 0.5}), options).laws[0];
  const double v = ou_variance(1.0), h = 1e-5;
  const double by[] = {
      (ou_variance(1.0, 1.0 + h) - ou_variance(1.0, 1.0 - h)) / (2.0 * h),
      (ou_variance(1.0, 1.0, 1.0 + h) - ou_variance(1.0, 1.0, 1.0 - h)) / (2.0 * h)};
  const double z[] = {-1.6448536269514722, 0.0, 2.3263478740408408};
  for (std::size_t k = 0; k < 3; ++k) {
    EXPECT_TRUE(consistent(at(*law.quantiles, k), z[k] * std::sqrt(v)));
    for (std::size_t p = 0; p < 2; ++p) {
      EXPECT_TRUE(consistent(at(*law.quantiles, k, 1 + p), z[k] * by[p] / (2.0 * std::sqrt(v))));
    }
  }
  for (std::size_t r = 0; r < 2; ++r) {
    const double x = law.density.points(r, 0);
    for (std::size_t p = 0; p < 2; ++p) {
      EXPECT_TRUE(consistent(at(*law.distribution, r, 1 + p),
                             -x * normal_density(x, v) * by[p] / (2.0 * v)));
    }
  }
}

TEST(Density, BarsHoldTheTruthOfTheSde) {
  const Model model = ou("time 0 : 0.1 : 1");
  const double v = ou_variance(1.0);
  const Matrix points = column({-1.5, 0.0, 0.8});
  Coverage density, distribution, quantiles;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    DensityOptions options = with(10'000, seed);
    options.answer.method.damping = parse_damping("2");
    options.distribution = true;
    options.levels = {0.05, 0.5};
    const LawAtTime law = density_at(model, points, options).laws[0];
    for (std::size_t r = 0; r < points.rows; ++r) {
      density.add(at(law.density, r), normal_density(points(r, 0), v));
      distribution.add(at(*law.distribution, r), normal_share(points(r, 0), v));
    }
    quantiles.add(at(*law.quantiles, 0), -1.6448536269514722 * std::sqrt(v));
    quantiles.add(at(*law.quantiles, 1), 0.0);
  }
  std::printf("held: densities %.3f, distribution function %.3f, quantiles %.3f\n", density.share(),
              distribution.share(), quantiles.share());
  EXPECT_GE(density.share(), least_share);
  EXPECT_GE(distribution.share(), least_share);
  EXPECT_GE(quantiles.share(), least_share);
}

// A ring of forty states, each drawn to its neighbour: a normal law whose covariance is a sum of
// waves.
TEST(Density, MarginalsOfFortyStates) {
  const Model model = parse_model(
      "model wheel\nparam c = 0.5\nstate x[40] periodic\n"
      "dx[i] = (c*x[i+1] - x[i]) dt + dW[i]\ninit x[i] ~ normal(0, 0.5)\ntime 0 : 0.02 : 1\n");
  const auto covariance = [](std::size_t apart) {
    double sum = 0.0;
    for (std::size_t k = 0; k < 40; ++k) {
      const double angle = 2.0 * std::numbers::pi * static_cast<double>(k) / 40.0;
      const double rate = 2.0 * (0.5 * std::cos(angle) - 1.0);
      const double power = 0.25 * std::exp(rate) + std::expm1(rate) / rate;
      sum += std::cos(angle * static_cast<double>(apart)) * power / 40.0;
    }
    return sum;
  };
  const double v = covariance(0), c = covariance(1);
  DensityOptions options = with(20'000);
  options.marginal = {7};
  const Matrix points = column({-1.5, 0.0, 0.4});
  const DensityAnswer one = density_at(model, points, options);
  EXPECT_EQ(one.states, std::vector<std::string>{"x[7]"});
  for (std::size_t r = 0; r < points.rows; ++r) {
    EXPECT_TRUE(consistent(at(one.laws[0].density, r), normal_density(points(r, 0), v)));
  }
  options.marginal = {7, 8};
  Matrix pairs(3, 2);
  pairs.data = {0.0, 0.0, 0.5, 0.7, -1.0, 0.3};
  const DensityAnswer two = density_at(model, pairs, options);
  for (std::size_t r = 0; r < pairs.rows; ++r) {
    const double x = pairs(r, 0), y = pairs(r, 1);
    const double truth = normal_density(x, v) * normal_density(y - c / v * x, v - c * c / v);
    EXPECT_TRUE(consistent(at(two.laws[0].density, r), truth)) << r;
  }
}

TEST(Density, OfPositiveStatesIsToldByLogarithms) {
  const Model model = parse_model(
      "model stock\nparam m = 0.1\nparam s = 0.4 in (0, inf)\nstate x positive\n"
      "dx = m*x dt + s*x dW\ninit x ~ lognormal(0, 0.2)\ntime 0 : 0.02 : 1\n");
  const double mean = 0.1 - 0.08, v = 0.04 + 0.16;
  const Matrix points = column({0.3, 0.9, 2.5});
  const DensityAnswer answer = density_at(model, points, with(20'000));
  for (std::size_t r = 0; r < points.rows; ++r) {
    const double x = points(r, 0);
    EXPECT_TRUE(
        consistent(at(answer.laws[0].density, r), normal_density(std::log(x) - mean, v) / x));
  }
}

TEST(Density, StationaryOrnsteinUhlenbeckAndCir) {
  DensityOptions options = with(512);
  options.stationary = true;
  options.distribution = true;
  options.levels = {0.1};
  const Matrix points = column({-1.0, 0.0, 0.6});
  const DensityAnswer of_ou = density_at(ou("time 0 : 0.02 : 1"), points, options);
  ASSERT_TRUE(of_ou.stationary);
  for (std::size_t r = 0; r < points.rows; ++r) {
    EXPECT_TRUE(consistent(at(of_ou.laws[0].density, r), normal_density(points(r, 0), 0.5)));
    EXPECT_TRUE(consistent(at(*of_ou.laws[0].distribution, r), normal_share(points(r, 0), 0.5)));
  }
  EXPECT_TRUE(consistent(at(*of_ou.laws[0].quantiles, 0), -1.2815515655446004 * std::sqrt(0.5)));
  // A gamma law of the shape 2 k m / s^2 and the rate 2 k / s^2.
  const double rate = 4.0 / 0.49;
  options.distribution = false;
  options.levels.clear();
  const Matrix rates = column({0.4, 0.9, 1.8});
  const DensityAnswer of_cir = density_at(load_model("cir"), rates, options);
  for (std::size_t r = 0; r < rates.rows; ++r) {
    const double x = rates(r, 0);
    EXPECT_TRUE(consistent(at(of_cir.laws[0].density, r),
                           std::exp(rate * std::log(rate) + (rate - 1.0) * std::log(x) - rate * x -
                                    std::lgamma(rate))));
  }
}

TEST(Density, BeyondAllPathsIsZeroWithinABar) {
  for (const double x : {4.5, 6.0, 12.0}) {
    const LawAtTime law = density_at(ou("time 0 : 0.02 : 1"), column({x}), with(5'000)).laws[0];
    const Estimate h = at(law.density, 0);
    EXPECT_TRUE(law.density.prediction.outside[0]) << x;
    EXPECT_GT(h.standard_error, 0.0);
    EXPECT_LT(h.standard_error, 0.01);  // a path in 5,000, of a density as steep as that
    EXPECT_LE(std::fabs(h.value - normal_density(x, ou_variance(1.0))), 2.0 * h.standard_error);
    EXPECT_TRUE(std::isnan(law.log_density(0, 0)));
  }
}

TEST(Density, ItsOwnGrid) {
  DensityOptions options = with(2'000);
  EXPECT_EQ(density_at(load_model("ou"), {}, options).laws[0].density.points.rows, 25U);
  options.grid = 4;
  const Matrix points = density_at(load_model("langevin"), {}, options).laws[0].density.points;
  EXPECT_EQ(points.rows, 16U);
  EXPECT_EQ(points(0, 0), points(3, 0));
  EXPECT_EQ(points(0, 1), points(4, 1));
  EXPECT_LT(points(0, 1), points(3, 1));
}

TEST(Density, DoesNotDependOnThreads) {
  DensityOptions options = with(3'000);
  options.answer.session.threads = 1;
  const Matrix one = density_at(load_model("ou"), {}, options).laws[0].density.prediction.value;
  options.answer.session.threads = 3;
  EXPECT_EQ(one, density_at(load_model("ou"), {}, options).laws[0].density.prediction.value);
}

TEST(Density, RefusesWhatItCannotTell) {
  const auto refused = [](const Model& model, const Matrix& points, const DensityOptions& options) {
    return test::message_of([&] { (void)density_at(model, points, options); });
  };
  const Model lorenz = load_model("lorenz96"), model = load_model("ou");
  EXPECT_EQ(
      refused(lorenz, {}, with(100)),
      "Model lorenz96 has 40 states, and densities are of one state or of two: name them, such "
      "as --marginal x[0] or --marginal x[0],x[1].");
  DensityOptions options = with(100);
  options.marginal = {0, 1, 2};
  EXPECT_EQ(refused(lorenz, {}, options), "Densities are of one state or of two; 3 were named.");
  options.marginal = {4, 4};
  EXPECT_EQ(refused(lorenz, {}, options), "The state x[4] is named twice.");
  options.marginal = {4, 5};
  options.distribution = true;
  EXPECT_THAT(refused(lorenz, {}, options), HasSubstr("are of one state"));
  options = with(100);
  EXPECT_EQ(refused(model, Matrix(1, 2), options),
            "The points have 2 columns, but the density is of 1 state.");
  options.levels = {1.5};
  EXPECT_EQ(refused(model, {}, options),
            "The level of a quantile is 1.5; it must be between 0 and 1.");
  options.levels = {0.01};
  EXPECT_EQ(refused(model, {}, options),
            "Of 100 paths fewer than 10 are beyond the quantile of the level 0.01: at least 1000 "
            "paths tell it.");
  options.levels.clear();
  options.wrt = {0};
  EXPECT_THAT(refused(model, {}, options), HasSubstr("ask for one of them"));
  options.distribution = options.stationary = true;
  EXPECT_THAT(refused(model, {}, options), HasSubstr("without responses"));
}

TEST(Density, RefusesLawsWithoutADensityAndEquationsThatEnd) {
  const auto refused = [](const std::string& text, std::vector<double> times) {
    DensityOptions options = with(1'000);
    options.answer.sampling.snapshots = std::move(times);
    return test::message_of([&] { (void)density_at(parse_model(text), {}, options); });
  };
  const std::string from_a_point =
      "model point\nstate x\ndx = -x dt + dW\ninit x = 1\ntime 0 : 0.1 : 1\n";
  EXPECT_THAT(refused(from_a_point, {0.0, 1.0}), HasSubstr("no density and hence no score"));
  EXPECT_EQ(refused(from_a_point, {1.0}), "no error");
  // What score refuses, by the same sentence.
  const Model ends = load_model("cir").with_value("s", 3.0);
  AnswerOptions score;
  score.sampling.paths = 1'000;
  const std::string why = test::message_of([&] { (void)score_at(ends, column({1.0}), score); });
  EXPECT_NE(why, "no error");
  EXPECT_EQ(why, test::message_of([&] { (void)density_at(ends, column({1.0}), with(1'000)); }));
}

}  // namespace
}  // namespace divker
