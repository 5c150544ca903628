// Do 95% intervals cover the truth 95 times in 100? Models whose law is known in closed form, asked
// the way a user asks, with many seeds. The small test and the long table share these cases.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "divker/answer.hpp"
#include "support/closed_forms.hpp"

namespace divker::test {

struct Interval {
  double value = 0.0;
  double standard_error = 0.0;
  double truth = 0.0;
};

struct CalibrationCase {
  std::string model;
  std::string quantity;
  std::string method;  // regressor, or "average" for an observable
  std::function<std::vector<Interval>(std::uint64_t seed)> ask;
};

struct Coverage {
  double share = 0.0;           // of intervals value +- 1.96 bars that hold the truth
  double standard_error = 0.0;  // of the share; the intervals of one seed may depend on each other
  double root_mean_square = 0.0;  // of (value - truth) / bar
  std::size_t intervals = 0;
};

[[nodiscard]] inline Coverage measure_coverage(const CalibrationCase& c, std::size_t seeds) {
  double sum = 0.0, squares = 0.0, z_squares = 0.0;
  Coverage coverage;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    const std::vector<Interval> intervals = c.ask(seed);
    double covered = 0.0;
    for (const Interval& i : intervals) {
      const double z = (i.value - i.truth) / i.standard_error;
      covered += std::fabs(z) < 1.96 ? 1.0 : 0.0;
      z_squares += z * z;
    }
    const double share = covered / static_cast<double>(intervals.size());
    sum += share;
    squares += share * share;
    coverage.intervals += intervals.size();
  }
  const auto n = static_cast<double>(seeds);
  coverage.share = sum / n;
  coverage.standard_error =
      std::sqrt(std::max(squares / n - coverage.share * coverage.share, 0.0) / n);
  coverage.root_mean_square = std::sqrt(z_squares / static_cast<double>(coverage.intervals));
  return coverage;
}

// A model of which the law of x_T is known.
struct KnownModel {
  Model model;
  Law law;
  std::vector<double> gamma;  // of the free parameters
};

[[nodiscard]] inline KnownModel known(Model model, Law law) {
  std::vector<double> gamma;
  for (const std::size_t p : model.free_parameters()) gamma.push_back(model.parameters()[p].value);
  return {std::move(model), std::move(law), std::move(gamma)};
}

// Everything of a question but its seed.
[[nodiscard]] inline AnswerOptions calibration_options(double alpha, const std::string& regressor) {
  AnswerOptions options;
  options.sampling.paths = 4000;
  options.method.damping = constant_damping(alpha);
  options.regressor = regressor;
  // The bars of sampling and of the regression are looked at, which a share of dt would widen.
  options.time_step = TimeStep::ignored;
  return options;
}

[[nodiscard]] inline AnswerOptions with_seed(AnswerOptions options, std::uint64_t seed) {
  options.sampling.seed = seed;
  return options;
}

// In the table, of what is left open.
[[nodiscard]] inline std::string named(const std::string& regressor) {
  return regressor.empty() ? "default" : regressor;
}

// One number for each row of `points` and each column of an answer there.
[[nodiscard]] inline std::vector<Interval> intervals_of(const Prediction& found,
                                                        const Matrix& truth) {
  std::vector<Interval> intervals;
  for (std::size_t r = 0; r < truth.rows; ++r) {
    for (std::size_t c = 0; c < truth.cols; ++c) {
      intervals.push_back({found.value(r, c), found.standard_error(r, c), truth(r, c)});
    }
  }
  return intervals;
}

[[nodiscard]] inline Matrix true_scores(const KnownModel& known, const Matrix& points) {
  const ClosedForm law(known.law, known.gamma);
  Matrix truth(points.rows, points.cols);
  for (std::size_t r = 0; r < points.rows; ++r) {
    for (std::size_t i = 0; i < points.cols; ++i) truth(r, i) = law.score(points.row(r), i);
  }
  return truth;
}

[[nodiscard]] inline Matrix true_responses(const KnownModel& known, const Matrix& points) {
  const ClosedForm law(known.law, known.gamma);
  Matrix truth(points.rows, known.gamma.size());
  for (std::size_t r = 0; r < points.rows; ++r) {
    for (std::size_t p = 0; p < truth.cols; ++p) truth(r, p) = law.response(points.row(r), p);
  }
  return truth;
}

[[nodiscard]] inline CalibrationCase score_case(const std::string& name, const KnownModel& known,
                                                const Matrix& points,
                                                const AnswerOptions& options) {
  return {name, "score", named(options.regressor),
          [=, truth = true_scores(known, points)](std::uint64_t seed) {
            return intervals_of(score_at(known.model, points, with_seed(options, seed)).prediction,
                                truth);
          }};
}

[[nodiscard]] inline CalibrationCase response_case(const std::string& name, const KnownModel& known,
                                                   const Matrix& points,
                                                   const AnswerOptions& options) {
  return {name, "response", named(options.regressor),
          [=, truth = true_responses(known, points)](std::uint64_t seed) {
            return intervals_of(response_at(known.model, known.model.free_parameters(), points,
                                            with_seed(options, seed))
                                    .prediction,
                                truth);
          }};
}

// E[Phi] as a function of the free parameters.
using MeanOf = std::function<double(std::span<const double>)>;

// The mean and its derivatives.
[[nodiscard]] inline std::vector<double> true_responses(const KnownModel& known,
                                                        const MeanOf& mean) {
  std::vector<double> truth{mean(known.gamma)}, moved = known.gamma;
  for (std::size_t p = 0; p < moved.size(); ++p) {
    const double h = 1e-4 * std::max(std::fabs(known.gamma[p]), 0.1);
    moved[p] = known.gamma[p] + h;
    const double above = mean(moved);
    moved[p] = known.gamma[p] - h;
    truth.push_back((above - mean(moved)) / (2.0 * h));
    moved[p] = known.gamma[p];
  }
  return truth;
}

[[nodiscard]] inline CalibrationCase observable_case(const std::string& name,
                                                     const KnownModel& known,
                                                     const std::string& observable,
                                                     const MeanOf& mean,
                                                     const AnswerOptions& options) {
  return {name, "E[" + observable + "] and its response", "average",
          [=, truth = true_responses(known, mean)](std::uint64_t seed) {
            const ObservableAnswer answer = observable_response(
                known.model, known.model.free_parameters(), observable, with_seed(options, seed));
            std::vector<Interval> intervals{
                {answer.value.value, answer.value.standard_error, truth[0]}};
            for (std::size_t p = 0; p < answer.response.size(); ++p) {
              const Estimate& found = answer.response[p];
              intervals.push_back({found.value, found.standard_error, truth[1 + p]});
            }
            return intervals;
          }};
}

[[nodiscard]] inline Matrix table(std::size_t columns, std::vector<double> values) {
  Matrix m(values.size() / columns, columns);
  m.data = std::move(values);
  return m;
}

[[nodiscard]] inline Eigen::MatrixXd square(double a, double b, double c, double d) {
  Eigen::MatrixXd m(2, 2);
  m << a, b, c, d;
  return m;
}

[[nodiscard]] inline KnownModel known_ornstein_uhlenbeck() {
  ModelBuilder b("ou");
  const Expression a = b.parameter("a", 1.0), s = b.parameter("s", 0.8);
  const Expression m0 = b.parameter("m0", 0.5), x = b.state("x");
  b.drift(x, -a * x);
  b.noise(x, "W", s);
  b.initial_normal(x, m0, 1.2);
  b.time(0.0, 0.005, 1.0);
  return known(b.build(), [](std::span<const double> g) {
    Gaussian law{Eigen::VectorXd(1), Eigen::MatrixXd(1, 1)};
    const double decay = std::exp(-g[0]);
    law.mean << g[2] * decay;
    law.covariance << 1.44 * decay * decay + g[1] * g[1] * (1.0 - decay * decay) / (2.0 * g[0]);
    return log_density(law);
  });
}

[[nodiscard]] inline KnownModel known_coupled() {
  ModelBuilder b("coupled");
  const Expression a = b.parameter("a", 1.0), c = b.parameter("c", 0.7);
  const Expression s = b.parameter("s", 0.9);
  const Expression x = b.state("x"), y = b.state("y");
  b.drift(x, -a * x + c * y + 0.5);
  b.drift(y, -0.4 * x - 1.5 * y);
  b.noise(x, "U", s);
  b.noise(y, "U", b.graph().constant(0.3));
  b.noise(y, "V", b.graph().constant(0.6));
  b.initial_normal(x, -0.3, 0.8);
  b.initial_normal(y, 0.4, 1.1);
  b.time(0.0, 0.005, 1.0);
  return known(b.build(), [](std::span<const double> g) {
    const std::vector<double> v(g.begin(), g.end());
    const LinearSystem system{[v](double) { return square(-v[0], v[1], -0.4, -1.5); },
                              [](double) { return Eigen::VectorXd(Eigen::Vector2d(0.5, 0.0)); },
                              [v](double) { return square(v[2], 0.0, 0.3, 0.6); },
                              {Eigen::Vector2d(-0.3, 0.4), square(0.64, 0.0, 0.0, 1.21)}};
    return log_density(law_at(system, 1.0));
  });
}

[[nodiscard]] inline KnownModel known_langevin() {
  ModelBuilder b("langevin");
  const Expression k = b.parameter("k", 1.3), g = b.parameter("g", 0.8);
  const Expression s = b.parameter("s", 0.9);
  const Expression q = b.state("q"), p = b.state("p");
  b.drift(q, p);
  b.drift(p, -k * q - g * p);
  b.noise(p, "W", s);
  b.initial_normal(q, 0.6, 0.7);
  b.initial_normal(p, -0.2, 1.1);
  b.time(0.0, 0.005, 1.0);
  return known(b.build(), [](std::span<const double> v) {
    const std::vector<double> w(v.begin(), v.end());
    const LinearSystem system{[w](double) { return square(0.0, 1.0, -w[0], -w[1]); },
                              [](double) { return Eigen::VectorXd(Eigen::Vector2d(0.0, 0.0)); },
                              [w](double) { return square(0.0, 0.0, w[2], 0.0); },
                              {Eigen::Vector2d(0.6, -0.2), square(0.49, 0.0, 0.0, 1.21)}};
    return log_density(law_at(system, 1.0));
  });
}

[[nodiscard]] inline KnownModel known_gbm() {
  ModelBuilder b("gbm");
  const Expression mu = b.parameter("mu", 0.2), s = b.parameter("s", 0.4), x = b.state("x");
  b.drift(x, mu * x);
  b.noise(x, "W", s * x);
  b.initial_lognormal(x, b.graph().constant(0.1), b.graph().constant(0.5));
  b.time(0.0, 0.005, 1.0);
  return known(b.build(), [](std::span<const double> g) {
    Gaussian law{Eigen::VectorXd(1), Eigen::MatrixXd(1, 1)};
    law.mean << 0.1 + g[0] - 0.5 * g[1] * g[1];
    law.covariance << 0.25 + g[1] * g[1];
    return log_density(law, true);
  });
}

[[nodiscard]] inline KnownModel known_cir() {
  ModelBuilder b("cir");
  const Expression a = b.parameter("a", 1.0), m = b.parameter("m", 1.0);
  const Expression s = b.parameter("s", 0.4), x = b.state("x");
  b.drift(x, a * (m - x));
  b.noise(x, "W", s * sqrt(x));
  b.initial_point(x, 1.3);
  b.time(0.0, 0.005, 1.0);
  return known(b.build(), [](std::span<const double> g) {
    return cir_log_density(g[0], g[1], g[2], 1.3, 1.0);
  });
}

[[nodiscard]] inline std::vector<CalibrationCase> calibration_cases() {
  const KnownModel ou = known_ornstein_uhlenbeck(), coupled = known_coupled();
  const KnownModel langevin = known_langevin(), gbm = known_gbm(), cir = known_cir();
  const Matrix line = table(1, {-0.9, 0.0, 0.8});
  const Matrix plane = table(2, {-0.5, 0.3, 0.4, 0.0, 0.2, -0.6});
  const Matrix positive = table(1, {0.8, 1.2, 1.8});
  const Matrix around_one = table(1, {0.8, 1.1, 1.4});
  const auto ou_square = [](std::span<const double> g) {
    const double decay = std::exp(-g[0]);
    return g[2] * g[2] * decay * decay + 1.44 * decay * decay +
           g[1] * g[1] * (1.0 - decay * decay) / (2.0 * g[0]);
  };
  const auto gbm_mean = [](std::span<const double> g) { return std::exp(0.225 + g[0]); };
  const auto cir_mean = [](std::span<const double> g) {
    return g[1] + (1.3 - g[1]) * std::exp(-g[0]);
  };
  return {score_case("OU", ou, line, calibration_options(2.0, "local-linear")),
          response_case("OU", ou, line, calibration_options(2.0, "local-linear")),
          response_case("OU", ou, line, calibration_options(2.0, "bins")),
          response_case("OU", ou, line, calibration_options(2.0, "neighbours")),
          response_case("OU", ou, line, calibration_options(2.0, "kernel")),
          response_case("OU", ou, line, calibration_options(2.0, "local-sums")),
          observable_case("OU", ou, "x^2", ou_square, calibration_options(2.0, "")),
          score_case("coupled OU", coupled, plane, calibration_options(2.0, "polynomial")),
          response_case("coupled OU", coupled, plane, calibration_options(2.0, "polynomial")),
          response_case("Langevin", langevin, plane, calibration_options(2.0, "local-linear")),
          response_case("GBM", gbm, positive, calibration_options(1.0, "local-linear")),
          observable_case("GBM", gbm, "x", gbm_mean, calibration_options(1.0, "")),
          score_case("CIR", cir, around_one, calibration_options(3.0, "local-linear")),
          observable_case("CIR", cir, "x", cir_mean, calibration_options(3.0, ""))};
}

}  // namespace divker::test
