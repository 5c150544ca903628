// Ten questions, nine smooth ones and a steep one, whose answers are known for the SDE itself,
// asked with all defaults, at the shipped dt and at multiples of it: do bars that contain the bias
// of dt hold the truth?
#pragma once

#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "divker/density_change.hpp"
#include "divker/fokker_planck.hpp"
#include "divker/language.hpp"
#include "support/calibration.hpp"

namespace divker::test {

// --- laws of shipped models -------------------------------------------------------------------

using Parameters = std::span<const double>;

[[nodiscard]] inline KnownModel shipped(const std::string& name, double times, Law law) {
  const Model model = load_model(name);
  return known(model.with_value("dt", times * model.time().step), std::move(law));
}

// dx = -a (x - m) dt + s dW from normal(0, 2), at T = 1.
[[nodiscard]] inline Gaussian ou_at_one(Parameters g) {
  Gaussian law{Eigen::VectorXd(1), Eigen::MatrixXd(1, 1)};
  const double decay = std::exp(-g[0]);
  law.mean << g[1] * (1.0 - decay);
  law.covariance << 4.0 * decay * decay + g[2] * g[2] * (1.0 - decay * decay) / (2.0 * g[0]);
  return law;
}

// A ring of five, dx_i = (-a_i x_i + k x_{i-1}) dt + s_i dW_i, from independent normal(0, 1).
[[nodiscard]] inline Gaussian ou_coupled_at_one(Parameters g) {
  Eigen::MatrixXd drift = Eigen::MatrixXd::Zero(5, 5), noise = Eigen::MatrixXd::Zero(5, 5);
  for (Eigen::Index i = 0; i < 5; ++i) {
    drift(i, i) = -g[static_cast<std::size_t>(i)];
    drift(i, (i + 4) % 5) = g[5];
    noise(i, i) = g[6 + static_cast<std::size_t>(i)];
  }
  const LinearSystem system{[drift](double) { return drift; },
                            [](double) { return Eigen::VectorXd(Eigen::VectorXd::Zero(5)); },
                            [noise](double) { return noise; },
                            {Eigen::VectorXd::Zero(5), Eigen::MatrixXd::Identity(5, 5)}};
  return law_at(system, 1.0);
}

// E[x_0 x_1] of the correlated geometric Brownian motion from independent lognormal(0, 0.2).
[[nodiscard]] inline double gbm_product(Parameters g) {
  return std::exp(0.04 + g[0] + g[1] + g[3] * g[4] * g[6]);
}

// E[r^2] of dr = k (m - r) dt + s sqrt(r) dW at T = 1 from lognormal(0, 0.2) (Cox, Ingersoll, Ross
// 1985, eq. 19, averaged over the start).
[[nodiscard]] inline double cir_square(Parameters g) {
  const double k = g[0], m = g[1], s = g[2], decay = std::exp(-k);
  const double start = std::exp(0.02), start_square = std::exp(0.08);
  const double mean_square = m * m * (1.0 - decay) * (1.0 - decay) +
                             2.0 * m * (1.0 - decay) * decay * start + decay * decay * start_square;
  const double variance = start * s * s / k * (decay - decay * decay) +
                          m * s * s / (2.0 * k) * (1.0 - decay) * (1.0 - decay);
  return mean_square + variance;
}

using Coefficient = std::function<double(double x)>;

[[nodiscard]] inline LogDensity by_fokker_planck(const Coefficient& drift, const Coefficient& sigma,
                                                 const Coefficient& initial, double lower,
                                                 double upper, double end) {
  FokkerPlanckProblem problem;
  problem.drift = [drift](double, double x) { return drift(x); };
  problem.sigma = [sigma](double, double x) { return sigma(x); };
  problem.initial_density = initial;
  problem.lower = lower;
  problem.upper = upper;
  problem.cells = 2000;
  problem.steps = 2000;
  problem.end = end;
  return [density = std::make_shared<GridDensity>(solve_fokker_planck(problem))](
             std::span<const double> x) { return density->log_density(x[0]); };
}

[[nodiscard]] inline double normal_density(double x, double mean, double sd) {
  return std::exp(-0.5 * (x - mean) * (x - mean) / (sd * sd));  // to a factor
}

[[nodiscard]] inline LogDensity cir_at_one(Parameters g) {
  const double k = g[0], m = g[1], s = g[2];
  return by_fokker_planck(
      [=](double r) { return k * (m - r); }, [=](double r) { return s * std::sqrt(r); },
      [](double r) { return normal_density(std::log(r), 0.0, 0.2) / r; }, 1e-3, 6.0, 1.0);
}

[[nodiscard]] inline LogDensity bumpy_at_one(Parameters g) {
  const double a = g[0], b = g[1], c = g[2], s = g[3];
  return by_fokker_planck([=](double x) { return -x + a * std::sin(b * x); },
                          [=](double x) { return s * (1.0 + c * std::sin(2.0 * x)); },
                          [](double x) { return normal_density(x, 0.0, 1.0); }, -7.0, 7.0, 1.0);
}

[[nodiscard]] inline LogDensity double_well_at_four(Parameters g) {
  const double a = g[0], b = g[1], h = g[2], s = g[3];
  return by_fokker_planck([=](double x) { return a * x - b * x * x * x + h; },
                          [=](double) { return s; },
                          [](double x) { return normal_density(x, 0.0, 0.5); }, -4.0, 4.0, 4.0);
}

// --- the questions ----------------------------------------------------------------------------

[[nodiscard]] inline CalibrationCase change_case(const std::string& name, const KnownModel& known,
                                                 const std::string& parameter, double value,
                                                 const Matrix& points, ChangeOptions options) {
  const Model there = known.model.with_value(parameter, value);
  const LogDensity from = known.law(known.gamma),
                   to = known.law(test::known(there, known.law).gamma);
  return {name, "change of the density", "default", [=](std::uint64_t seed) mutable {
            options.answer.sampling.seed = seed;
            const ChangeAnswer answer =
                log_density_change(known.model, there.parameter_values(), points, options);
            std::vector<Interval> intervals;
            for (std::size_t r = 0; r < points.rows; ++r) {
              const Change& found = answer.change[r];
              intervals.push_back(
                  {found.value, found.standard_error, to(points.row(r)) - from(points.row(r))});
            }
            return intervals;
          }};
}

// On the flanks of a density that grows twentyfold within half a width. Here bars are short: what
// the regression smooths away, and what pairs at dt and dt/2 tell of dt, is finer than they see.
[[nodiscard]] inline CalibrationCase steep_case(double times) {
  return response_case("bumpy", shipped("bumpy", times, bumpy_at_one), table(1, {-1.0, 0.3, 1.2}),
                       {});
}

// The other nine, at `times` the shipped dt.
[[nodiscard]] inline std::vector<CalibrationCase> sde_cases(double times) {
  const AnswerOptions defaults;
  const KnownModel ou =
      shipped("ou", times, [](Parameters g) { return log_density(ou_at_one(g)); });
  const KnownModel coupled =
      shipped("ou_coupled", times, [](Parameters g) { return log_density(ou_coupled_at_one(g)); });
  const KnownModel gbm = shipped("gbm", times, {});
  const KnownModel cir = shipped("cir", times, cir_at_one);
  const KnownModel well = shipped("double_well", times, double_well_at_four);
  const Matrix wide = table(1, {-2.0, 0.5, 2.5});
  const auto ou_square = [](Parameters g) {
    const Gaussian law = ou_at_one(g);
    return law.mean[0] * law.mean[0] + law.covariance(0, 0);
  };
  return {observable_case("ou", ou, "x^2", ou_square, defaults),
          score_case("ou", ou, wide, defaults),
          response_case("ou", ou, wide, defaults),
          change_case("ou", ou, "a", 1.5, wide, ChangeOptions{}),
          score_case("ou_coupled", coupled, table(5, {0.3, -0.4, 0.0, 0.5, 0.8}), defaults),
          observable_case("gbm", gbm, "x[0]*x[1]", gbm_product, defaults),
          observable_case("cir", cir, "r^2", cir_square, defaults),
          score_case("cir", cir, table(1, {0.6, 1.0, 1.6}), defaults),
          response_case("double_well", well, table(1, {-1.0, 0.0, 0.8}), defaults)};
}

}  // namespace divker::test
