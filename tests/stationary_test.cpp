// Stationary densities against closed forms, quadrature, the Lyapunov equation and long averages.
#include "divker/stationary.hpp"

#include <gtest/gtest.h>

#include <Eigen/Dense>
#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include "divker/error.hpp"
#include "divker/language.hpp"
#include "support/asked.hpp"
#include "support/statistics.hpp"

namespace divker {
namespace {

using test::column;
using test::consistent;
using test::Mean;

Estimate estimate(double value, double error) { return {value, error}; }

StationaryOptions options_with(std::size_t paths, const std::string& alpha) {
  StationaryOptions options;
  options.answer.sampling.paths = paths;
  options.answer.method.damping = parse_damping(alpha);
  options.answer.time_step = TimeStep::ignored;  // what follows knows the law of the Euler chain
  return options;
}

// The stationary variance of the Euler chain of dx = -a (x - m) dt + s dW.
double chain_variance(double a, double s, double dt) {
  return s * s * dt / (1.0 - std::pow(1.0 - a * dt, 2));
}

double difference(const std::function<double(double)>& f, double at) {
  const double h = 1e-4;
  return (f(at + h) - f(at - h)) / (2.0 * h);
}

TEST(Stationary, ScoreOfOrnsteinUhlenbeck) {
  const Model model = load_model("ou");
  const auto answer =
      stationary_score_at(model, column({-1.0, 0.0, 0.7}), options_with(1024, "auto"));
  const double variance = chain_variance(1.0, 1.0, 0.01);
  for (std::size_t r = 0; r < 3; ++r) {
    const double expected = -answer.answer.points(r, 0) / variance;
    EXPECT_TRUE(consistent(estimate(answer.answer.prediction.value(r, 0),
                                    answer.answer.prediction.standard_error(r, 0)),
                           expected, 0.01 * (1.0 + std::fabs(expected))));
  }
  EXPECT_TRUE(answer.stationary.windows.empty());
  EXPECT_GT(answer.stationary.samples, 30U);
}

TEST(Stationary, ResponsesOfOrnsteinUhlenbeckAtPoints) {
  const Model model = load_model("ou");
  const auto answer = stationary_response_at(model, model.free_parameters(),
                                             column({-1.0, 0.0, 0.7}), options_with(2048, "4"));
  const auto log_density = [](double a, double m, double s, double x) {
    const double v = chain_variance(a, s, 0.01);
    return -0.5 * (x - m) * (x - m) / v - 0.5 * std::log(v);
  };
  for (std::size_t r = 0; r < 3; ++r) {
    const double x = answer.answer.points(r, 0);
    const std::vector<double> expected{
        difference([&](double a) { return log_density(a, 0.0, 1.0, x); }, 1.0),
        difference([&](double m) { return log_density(1.0, m, 1.0, x); }, 0.0),
        difference([&](double s) { return log_density(1.0, 0.0, s, x); }, 1.0)};
    for (std::size_t p = 0; p < 3; ++p) {
      EXPECT_TRUE(consistent(estimate(answer.answer.prediction.value(r, p),
                                      answer.answer.prediction.standard_error(r, p)),
                             expected[p], 0.01 * (1.0 + std::fabs(expected[p]))))
          << answer.answer.names[p] << " at " << x;
      EXPECT_LT(answer.answer.prediction.standard_error(r, p), 0.5);
    }
  }
  EXPECT_EQ(answer.stationary.windows.size(), 9U);
  EXPECT_EQ(answer.stationary.window.size(), 3U);
}

// The density is proportional to exp(-2 U / s^2).
double double_well_mean(double a, double b, double h, double s,
                        const std::function<double(double)>& phi) {
  double mass = 0.0, sum = 0.0;
  for (double x = -4.0; x <= 4.0; x += 1e-3) {
    const double potential = b * std::pow(x, 4) / 4.0 - a * x * x / 2.0 - h * x;
    const double density = std::exp(-2.0 * potential / (s * s));
    mass += density;
    sum += density * phi(x);
  }
  return sum / mass;
}

TEST(Stationary, ObservablesOfTheDoubleWell) {
  const Model model = load_model("double_well").with_value("h", 0.1);
  const auto square = [](double x) { return x * x; };
  // The mentioned parameter adds its explicit derivative.
  const auto answer = stationary_observable_response(model, model.free_parameters(), "a*x^2",
                                                     options_with(2048, "jacobian:4,1"));
  const auto mean = [&](double a, double b, double h, double s) {
    return a * double_well_mean(a, b, h, s, square);
  };
  const std::vector<double> expected{
      difference([&](double a) { return mean(a, 1.0, 0.1, 0.8); }, 1.0),
      difference([&](double b) { return mean(1.0, b, 0.1, 0.8); }, 1.0),
      difference([&](double h) { return mean(1.0, 1.0, h, 0.8); }, 0.1),
      difference([&](double s) { return mean(1.0, 1.0, 0.1, s); }, 0.8)};
  const double dt = 0.01;
  // Long paths take the second order by themselves: its bias of dt is smaller, and they can tell.
  EXPECT_EQ(answer.answer.record.method.order, InverseOrder::second);
  EXPECT_TRUE(consistent(answer.answer.value, mean(1.0, 1.0, 0.1, 0.8), 2.0 * dt));
  for (std::size_t p = 0; p < expected.size(); ++p) {
    EXPECT_TRUE(consistent(answer.answer.response[p], expected[p], 2.0 * dt))
        << answer.answer.names[p];
    EXPECT_LT(answer.answer.response[p].standard_error, 0.15) << answer.answer.names[p];
  }
}

TEST(Stationary, ResponseAtPointsOfTheDoubleWell) {
  const Model model = load_model("double_well");
  const auto answer = stationary_response_at(
      model, model.parameter_indices("h"), column({-0.8, 0.5}), options_with(4096, "jacobian:4,1"));
  for (std::size_t r = 0; r < 2; ++r) {
    // d log h / d h = 2 (x - mean x) / s^2, and the mean is 0.
    const double expected = 2.0 * answer.answer.points(r, 0) / 0.64;
    EXPECT_TRUE(consistent(estimate(answer.answer.prediction.value(r, 0),
                                    answer.answer.prediction.standard_error(r, 0)),
                           expected, 0.02 * std::fabs(expected)));
  }
}

// P of A P + P A^T + S S^T = 0 for the ring of shipped model ou_coupled.
Eigen::MatrixXd ring_covariance(const std::vector<double>& a, double k,
                                const std::vector<double>& s) {
  constexpr Eigen::Index n = 5;
  Eigen::MatrixXd drift = Eigen::MatrixXd::Zero(n, n);
  Eigen::VectorXd noise = Eigen::VectorXd::Zero(n * n);
  for (Eigen::Index i = 0; i < n; ++i) {
    const auto at = static_cast<std::size_t>(i);
    drift(i, i) = -a[at];
    drift(i, (i + n - 1) % n) = k;
    noise(i * n + i) = -s[at] * s[at];
  }
  Eigen::MatrixXd lyapunov = Eigen::MatrixXd::Zero(n * n, n * n);
  for (Eigen::Index i = 0; i < n; ++i) {
    for (Eigen::Index j = 0; j < n; ++j) {
      for (Eigen::Index l = 0; l < n; ++l) {
        lyapunov(i * n + j, l * n + j) += drift(i, l);
        lyapunov(i * n + j, i * n + l) += drift(j, l);
      }
    }
  }
  const Eigen::VectorXd solution = lyapunov.fullPivLu().solve(noise);
  return Eigen::Map<const Eigen::Matrix<double, n, n, Eigen::RowMajor>>(solution.data());
}

TEST(Stationary, CoupledOrnsteinUhlenbeckSolvesLyapunov) {
  const Model model = load_model("ou_coupled");
  const auto answer = stationary_observable_response(model, {0, 5, 6}, "x[0]*x[1] + x[0]^2",
                                                     options_with(2048, "gaussian"));
  const std::vector<double> a{1.0, 1.2, 1.4, 1.6, 1.8}, s(5, 0.8);
  const auto mean = [](const Eigen::MatrixXd& p) { return p(0, 1) + p(0, 0); };
  const auto moved = [](std::vector<double> v, double value) {
    v[0] = value;
    return v;
  };
  ASSERT_EQ(answer.answer.names, (std::vector<std::string>{"a[0]", "k", "s[0]"}));
  const std::vector<double> expected{
      difference([&](double v) { return mean(ring_covariance(moved(a, v), 0.5, s)); }, 1.0),
      difference([&](double v) { return mean(ring_covariance(a, v, s)); }, 0.5),
      difference([&](double v) { return mean(ring_covariance(a, 0.5, moved(s, v))); }, 0.8)};
  EXPECT_TRUE(consistent(answer.answer.value, mean(ring_covariance(a, 0.5, s)), 0.02 * 0.4));
  for (std::size_t p = 0; p < 3; ++p) {
    EXPECT_TRUE(consistent(answer.answer.response[p], expected[p], 0.02)) << answer.answer.names[p];
  }
}

// The mean of Phi over long paths, with the error of independent paths.
Estimate long_average(const Model& model, double spinup, double length) {
  TimeGrid grid = model.time();
  grid.end = spinup + length;
  Sampling run;
  run.paths = 512;
  for (double t = spinup; t <= grid.end - 0.05; t += 0.1) run.snapshots.push_back(t);
  const Paths paths = Ensemble(model.with_time(grid), {}, Asked::states()).run(run);
  Mean mean;
  for (std::size_t r = 0; r < paths.snapshots.front().x().rows; ++r) {
    double sum = 0.0;
    for (const Snapshot& snapshot : paths.snapshots) sum += snapshot.x()(r, 2);
    mean.add(sum / static_cast<double>(paths.snapshots.size()));
  }
  return mean.estimate();
}

TEST(Stationary, LorenzAgreesWithDifferencesOfLongAverages) {
  const Model model = load_model("lorenz63").with_value("s", 6.0);
  StationaryOptions options = options_with(1024, "auto");
  options.spinup = 4.0;
  const auto answer =
      stationary_observable_response(model, model.parameter_indices("rho"), "z", options);
  const double h = 1.0;
  const Estimate above = long_average(model.with_value("rho", 28.0 + h), 4.0, 20.0);
  const Estimate below = long_average(model.with_value("rho", 28.0 - h), 4.0, 20.0);
  const double expected = (above.value - below.value) / (2.0 * h);
  const double error = std::hypot(above.standard_error, below.standard_error) / (2.0 * h);
  const Estimate& found = answer.answer.response.front();
  // 0.03: the cubic term of the difference, and dt.
  EXPECT_TRUE(
      consistent(estimate(found.value, std::hypot(found.standard_error, error)), expected, 0.03));
  EXPECT_LT(found.standard_error, 0.3);
  RecordProperty("response", std::to_string(found.value));
}

// --- standard errors --------------------------------------------------------------------------

TEST(Stationary, StandardErrorsCover) {
  constexpr int seeds = 200;
  const Model model = load_model("ou").with_value("dt", 0.05).with_value("T", 2.0);
  StationaryOptions options = options_with(1024, "4");
  options.spinup = 5.0;
  options.window = 3.0;
  options.length = 12.0;
  const double variance = chain_variance(1.0, 1.0, 0.05);
  const double response = difference([](double s) { return chain_variance(1.0, s, 0.05); }, 1.0);
  int covered_value = 0, covered = 0, covered_by_sampling = 0;
  for (int seed = 0; seed < seeds; ++seed) {
    options.answer.sampling.seed = 100 + static_cast<std::uint64_t>(seed);
    const auto answer = stationary_observable_response(model, {2}, "x^2", options);
    const auto covers = [](double miss, double error) {
      return std::fabs(miss) < 1.96 * error ? 1 : 0;
    };
    const Estimate& value = answer.answer.value;
    const Estimate& found = answer.answer.response.front();
    const double sampling =
        std::sqrt(std::pow(found.standard_error, 2) - std::pow(answer.window_error.front(), 2));
    covered_value += covers(value.value - variance, value.standard_error);
    covered += covers(found.value - response, found.standard_error);
    // The window leaves exp(-2 W) = 0.25% of the response, a hundredth of the error.
    covered_by_sampling += covers(found.value - response, sampling);
  }
  // Binomial (200, 0.95): below 176 with probability 1e-4, 200 with 4e-5.
  EXPECT_GE(covered_value, 176);
  EXPECT_LT(covered_value, seeds);
  EXPECT_GE(covered, 176);
  EXPECT_GE(covered_by_sampling, 176);
  EXPECT_LT(covered_by_sampling, seeds);
}

TEST(Stationary, StandardErrorsAtPointsCover) {
  constexpr int seeds = 60;
  const Model model = load_model("ou").with_value("dt", 0.05).with_value("T", 2.0);
  StationaryOptions options = options_with(256, "4");
  options.spinup = 5.0;
  options.window = 4.0;
  const double variance = chain_variance(1.0, 1.0, 0.05);
  int covered = 0;
  for (int seed = 0; seed < seeds; ++seed) {
    options.answer.sampling.seed = 500 + static_cast<std::uint64_t>(seed);
    const auto answer = stationary_response_at(model, {1}, column({0.5}), options);
    const double miss = answer.answer.prediction.value(0, 0) - 0.5 / variance;
    covered += std::fabs(miss) < 1.96 * answer.answer.prediction.standard_error(0, 0) ? 1 : 0;
  }
  EXPECT_GE(covered, 49);  // binomial (60, 0.95): below with probability 1e-4
}

TEST(Stationary, DoesNotDependOnThreadsOrBlocks) {
  const Model model = load_model("ou");
  StationaryOptions options = options_with(600, "4");
  options.spinup = 2.0;
  options.window = 1.0;
  const auto one = stationary_observable_response(model, {0}, "x^2", options);
  options.answer.session.threads = 2;
  options.answer.session.block = 64;
  const auto two = stationary_observable_response(model, {0}, "x^2", options);
  EXPECT_EQ(one.answer.response.front().value, two.answer.response.front().value);
  EXPECT_EQ(one.answer.response.front().standard_error, two.answer.response.front().standard_error);
}

// --- maps -------------------------------------------------------------------------------------

TEST(Stationary, MapsHaveStationaryDensitiesToo) {
  const Model model = parse_model(
      "model ar\nparam a = 0.6\nparam c = 0.3\nparam s = 0.5 in (0, inf)\nstate x\n"
      "x' = a*x + c + s*xi\ninit x ~ normal(0, 1)\ntime 0 : 1 : 20\n");
  const auto answer = stationary_observable_response(model, model.free_parameters(), "x^2",
                                                     options_with(4096, "auto"));
  const auto mean = [](double a, double c, double s) {
    return s * s / (1.0 - a * a) + std::pow(c / (1.0 - a), 2);
  };
  const std::vector<double> expected{difference([&](double a) { return mean(a, 0.3, 0.5); }, 0.6),
                                     difference([&](double c) { return mean(0.6, c, 0.5); }, 0.3),
                                     difference([&](double s) { return mean(0.6, 0.3, s); }, 0.5)};
  EXPECT_EQ(answer.answer.record.method.order, InverseOrder::first);  // a map has no bias of dt
  EXPECT_TRUE(consistent(answer.answer.value, mean(0.6, 0.3, 0.5)));
  for (std::size_t p = 0; p < 3; ++p) {
    EXPECT_TRUE(consistent(answer.answer.response[p], expected[p], 1e-3)) << answer.answer.names[p];
  }
}

// --- refusals ---------------------------------------------------------------------------------

std::string refusal(const Model& model, const StationaryOptions& options, ErrorKind kind) {
  try {
    (void)stationary_observable_response(model, {0}, model.states().front().name, options);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), kind) << error.what();
    return error.what();
  }
  ADD_FAILURE() << model.name() << " was not refused";
  return {};
}

void expect_text(const std::string& text, const std::string& part) {
  EXPECT_NE(text.find(part), std::string::npos) << text;
}

TEST(Stationary, RefusesModelsThatDriftAway) {
  const Model brownian = parse_model(
      "model brownian\nparam s = 1 in (0, inf)\nstate x\ndx = s dW\ninit x ~ normal(0, 1)\n"
      "time 0 : 0.05 : 1\n");
  StationaryOptions options = options_with(512, "1");
  expect_text(refusal(brownian, options, ErrorKind::numerical),
              "Model brownian has no stationary density that its paths settle to: the spread of x "
              "still moves between t = ");
  expect_text(refusal(load_model("gbm"), options, ErrorKind::numerical),
              "Model gbm has no stationary density that its paths settle to: ");
  // Also where spin-up and window are given, and nothing is chosen.
  options.spinup = 1.0;
  options.window = 2.0;
  expect_text(refusal(brownian, options, ErrorKind::numerical),
              "Model brownian has not settled: the spread of x still moves between t = 1 and t = ");
  expect_text(refusal(load_model("gbm"), options, ErrorKind::numerical),
              "Model gbm has not settled: ");
}

TEST(Stationary, RefusesASpinUpThatIsTooShort) {
  const Model far = parse_model(
      "model far\nparam a = 0.5\nstate x\ndx = -a*x dt + dW\ninit x ~ normal(20, 1)\n"
      "time 0 : 0.05 : 1\n");
  StationaryOptions options = options_with(512, "1");
  options.spinup = 0.5;
  options.window = 2.0;
  expect_text(refusal(far, options, ErrorKind::numerical),
              "Model far has not settled: the spread of x still moves");
}

TEST(Stationary, RefusesWhatMakesNoSense) {
  const Model ou = load_model("ou");
  const Model seasons = parse_model(
      "model seasons\nparam a = 1\nstate x\ndx = (cos(t) - a*x) dt + dW\ninit x ~ normal(0, 1)\n"
      "time 0 : 0.05 : 1\n");
  StationaryOptions options = options_with(512, "1");
  expect_text(refusal(seasons, options, ErrorKind::usage),
              "The equations of model seasons depend on the time t");
  options.window = -1.0;
  expect_text(refusal(ou, options, ErrorKind::usage), "The window is -1; it must be positive.");
  options.window = 5.0;
  options.length = 4.0;
  expect_text(refusal(ou, options, ErrorKind::usage),
              "The window 5 is longer than the 4 units of time for which paths are followed");
  options = options_with(20, "1");
  expect_text(refusal(ou, options, ErrorKind::usage),
              "A stationary answer takes at least 64 paths, whose differences are its standard "
              "error; 20 were asked for.");
}

}  // namespace
}  // namespace divker
