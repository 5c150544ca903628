// The engine against laws known in closed form, one for each class of noise and of start:
//   E[(nu_T - grad log h_T(x_T)) phi(x_T)] = 0,   E[(I_T - d log h_T(x_T)/d gamma) phi(x_T)] = 0
// for every component, every parameter, several test functions phi, every form of damping and both
// orders of the inverse. Statistical tolerance as in statistics.hpp; the scheme is of weak order 1,
// so that the bias bound is `bias_rate` dt rms(score or response) rms(phi).
#include <gtest/gtest.h>

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "divker/ensemble.hpp"
#include "support/closed_forms.hpp"
#include "support/statistics.hpp"

namespace divker {
namespace {

using namespace test;
using Eigen::MatrixXd;
using Eigen::VectorXd;
using Parameters = std::span<const double>;
using TestFunction = std::function<double(std::span<const double>)>;

constexpr double infinity = std::numeric_limits<double>::infinity();

// 1, x_i, x_i x_j, cos(2 x_i).
std::vector<TestFunction> for_light_tails(std::size_t dimension) {
  std::vector<TestFunction> functions{[](auto) { return 1.0; }};
  for (std::size_t i = 0; i < dimension; ++i) {
    functions.emplace_back([i](auto x) { return x[i]; });
    functions.emplace_back([i](auto x) { return std::cos(2.0 * x[i]); });
    for (std::size_t j = 0; j <= i; ++j)
      functions.emplace_back([i, j](auto x) { return x[i] * x[j]; });
  }
  return functions;
}

// Bounded functions of positive coordinates.
std::vector<TestFunction> for_heavy_tails(std::size_t dimension) {
  std::vector<TestFunction> functions{[](auto) { return 1.0; }};
  for (std::size_t i = 0; i < dimension; ++i) {
    functions.emplace_back([i](auto x) { return 1.0 / (1.0 + x[i] * x[i]); });
    functions.emplace_back([i](auto x) { return std::cos(2.0 * x[i]); });
    functions.emplace_back([i](auto x) { return std::tanh(2.0 * std::log(x[i])); });
    for (std::size_t j = 0; j < i; ++j) {
      functions.emplace_back([i, j](auto x) { return std::sin(x[i] - 2.0 * x[j]); });
    }
  }
  return functions;
}

struct Case {
  explicit Case(Model model_) : model(std::move(model_)) {}
  Model model;
  Law law;  // of x at the end, given the free parameters in their order
  std::vector<TestFunction> functions;
  double bias_rate = 1.0;
  std::size_t paths = 40'000;
};

// Compares any number of runs of one case; the paths, and so the truth along them, are the same.
class Comparison {
 public:
  explicit Comparison(Case c) : case_(std::move(c)) {
    for (const std::size_t p : case_.model.free_parameters()) {
      gamma_.push_back(case_.model.parameters()[p].value);
    }
  }

  void expect(const Damping& damping, InverseOrder order = InverseOrder::first) {
    SCOPED_TRACE(damping.text() + (order == InverseOrder::second ? ", second order" : ""));
    const Asked asked = Asked::responses_to(case_.model.free_parameters());
    Method method;
    method.damping = damping;
    method.order = order;
    Sampling sampling;
    sampling.paths = case_.paths;
    const Snapshot found = Ensemble(case_.model, method, asked).run(sampling).snapshots.front();
    if (truth_.rows == 0) know_truth(found.x());
    const std::size_t dimension = case_.model.dimension();
    for (std::size_t f = 0; f < case_.functions.size(); ++f) {
      for (std::size_t i = 0; i < dimension; ++i) {
        expect_identity(found.nu(), i, i, f, "score of state " + case_.model.states()[i].name);
      }
      for (std::size_t r = 0; r < gamma_.size(); ++r) {
        const std::string& name = case_.model.parameters()[asked.wrt[r]].name;
        expect_identity(found.responses(), r, dimension + r, f, "response to " + name);
      }
    }
  }

 private:
  // Score and responses where the paths end, and the test functions there.
  void know_truth(const Matrix& x) {
    const ClosedForm law(case_.law, gamma_);
    truth_ = Matrix(x.rows, x.cols + gamma_.size());
    functions_ = Matrix(x.rows, case_.functions.size());
    for (std::size_t r = 0; r < x.rows; ++r) {
      const auto point = x.row(r);
      for (std::size_t i = 0; i < x.cols; ++i) truth_(r, i) = law.score(point, i);
      for (std::size_t p = 0; p < gamma_.size(); ++p) {
        truth_(r, x.cols + p) = law.response(point, p);
      }
      for (std::size_t f = 0; f < functions_.cols; ++f) {
        functions_(r, f) = case_.functions[f](point);
      }
    }
  }

  void expect_identity(const Matrix& found, std::size_t column, std::size_t truth_column,
                       std::size_t function, const std::string& what) const {
    Mean defect, size, weight;
    for (std::size_t r = 0; r < found.rows; ++r) {
      const double phi = functions_(r, function);
      defect.add((found(r, column) - truth_(r, truth_column)) * phi);
      size.add(truth_(r, truth_column));
      weight.add(phi);
    }
    const double dt = case_.model.dynamics() == Dynamics::map ? 0.0 : case_.model.time().step;
    const double bias_bound =
        case_.bias_rate * dt * size.root_mean_square() * weight.root_mean_square();
    EXPECT_TRUE(consistent(defect.estimate(), 0.0, bias_bound)) << what << ", phi " << function;
  }

  Case case_;
  std::vector<double> gamma_;
  Matrix truth_, functions_;
};

// The same matrix at all times.
Damping two_by_two(const std::vector<double>& a) {
  Matrix matrix(2, 2);
  matrix.data = a;
  return matrix_damping({0.0}, {matrix});
}

// A = S S^T P_t^{-1} on the noisy rows, P_t the covariance of the law, on twenty intervals.
Damping gaussian(const LinearSystem& system, double end) {
  std::vector<double> times;
  std::vector<Matrix> matrices;
  constexpr int intervals = 20;
  for (int k = 0; k < intervals; ++k) {
    const double t = end * k / intervals;
    const MatrixXd s = system.noise(t);
    const MatrixXd covariance = k == 0 ? system.initial.covariance : law_at(system, t).covariance;
    const MatrixXd a = s * s.transpose() * covariance.inverse();
    Matrix rows;
    rows.cols = static_cast<std::size_t>(a.cols());
    for (Eigen::Index i = 0; i < a.rows(); ++i) {
      if (s.row(i).norm() == 0.0) continue;
      ++rows.rows;
      for (Eigen::Index j = 0; j < a.cols(); ++j) rows.data.push_back(a(i, j));
    }
    times.push_back(t);
    matrices.push_back(rows);
  }
  return matrix_damping(std::move(times), std::move(matrices));
}

Law law_of(const std::function<LinearSystem(Parameters)>& system, double end) {
  return [=](Parameters gamma) { return log_density(law_at(system(gamma), end)); };
}

void expect_all_forms(const Case& c, const Damping& with_matrix, const Damping& with_jacobian) {
  Comparison comparison(c);
  comparison.expect(constant_damping(0.0));
  comparison.expect(constant_damping(1.5));
  comparison.expect(constant_damping(1.5), InverseOrder::second);
  comparison.expect(with_matrix);
  comparison.expect(with_matrix, InverseOrder::second);
  comparison.expect(with_jacobian);
  comparison.expect(with_jacobian, InverseOrder::second);
}

// --- linear systems ---------------------------------------------------------------------------

MatrixXd matrix(std::initializer_list<std::initializer_list<double>> rows) {
  MatrixXd m(static_cast<Eigen::Index>(rows.size()),
             static_cast<Eigen::Index>(rows.begin()->size()));
  Eigen::Index i = 0;
  for (const auto& row : rows) {
    Eigen::Index j = 0;
    for (const double value : row) m(i, j++) = value;
    ++i;
  }
  return m;
}

VectorXd vector(std::initializer_list<double> values) {
  VectorXd v(static_cast<Eigen::Index>(values.size()));
  std::copy(values.begin(), values.end(), v.begin());
  return v;
}

template <class T>
std::function<T(double)> always(T value) {
  return [value](double) { return value; };
}

Model ornstein_uhlenbeck() {
  ModelBuilder b("ou");
  const Expression a = b.parameter("a", 1.0), s = b.parameter("s", 0.8, 0.0, infinity);
  const Expression m0 = b.parameter("m0", 0.5), s0 = b.parameter("s0", 1.2, 0.0, infinity);
  const Expression x = b.state("x");
  b.drift(x, -a * x);
  b.noise(x, "W", s);
  b.initial_normal(x, m0, s0);
  b.time(0.0, 0.005, 1.0);
  return b.build();
}

LinearSystem ornstein_uhlenbeck(Parameters g) {
  return {always(matrix({{-g[0]}})),
          always(vector({0.0})),
          always(matrix({{g[1]}})),
          {vector({g[2]}), matrix({{g[3] * g[3]}})}};
}

TEST(Truth, ScalarOrnsteinUhlenbeck) {
  Case c(ornstein_uhlenbeck());
  const auto system = [](Parameters g) { return ornstein_uhlenbeck(g); };
  c.law = law_of(system, 1.0);
  c.functions = for_light_tails(1);
  expect_all_forms(c, gaussian(system(c.model.parameter_values()), 1.0),
                   jacobian_damping(1.0, 0.5));
}

// Non-normal drift and a full noise matrix with three Brownian motions.
TEST(Truth, CoupledOrnsteinUhlenbeck) {
  ModelBuilder b("coupled");
  const Expression a = b.parameter("a", 1.0), c12 = b.parameter("c12", 0.7);
  const Expression c21 = b.parameter("c21", -0.4), f = b.parameter("f", 0.5);
  const Expression s = b.parameter("s", 0.9), r = b.parameter("r", 0.5);
  const Expression m0 = b.parameter("m0", -0.3), s0 = b.parameter("s0", 0.8);
  const Expression x = b.state("x"), y = b.state("y");
  b.drift(x, -a * x + c12 * y + f);
  b.drift(y, c21 * x - 1.5 * y);
  b.noise(x, "U", s);
  b.noise(x, "V", r);
  b.noise(y, "V", b.graph().constant(0.6));
  b.noise(y, "W", r * s);
  b.initial_normal(x, m0, s0);
  b.initial_normal(y, 0.4, 1.1);
  b.time(0.0, 0.005, 1.0);
  Case c(b.build());
  const auto system = [](Parameters g) {
    return LinearSystem{always(matrix({{-g[0], g[1]}, {g[2], -1.5}})),
                        always(vector({g[3], 0.0})),
                        always(matrix({{g[4], g[5], 0.0}, {0.0, 0.6, g[5] * g[4]}})),
                        {vector({g[6], 0.4}), matrix({{g[7] * g[7], 0.0}, {0.0, 1.21}})}};
  };
  c.law = law_of(system, 1.0);
  c.functions = for_light_tails(2);
  c.paths = 20'000;
  expect_all_forms(c, gaussian(system(c.model.parameter_values()), 1.0),
                   jacobian_damping(1.5, 0.5));
}

// Noise on the momentum alone.
TEST(Truth, UnderdampedLangevin) {
  ModelBuilder b("langevin");
  const Expression k = b.parameter("k", 1.3), g = b.parameter("g", 0.8);
  const Expression s = b.parameter("s", 0.9), mq = b.parameter("mq", 0.6);
  const Expression sq = b.parameter("sq", 0.7), sp = b.parameter("sp", 1.1);
  const Expression q = b.state("q"), p = b.state("p");
  b.drift(q, p);
  b.drift(p, -k * q - g * p);
  b.noise(p, "W", s);
  b.initial_normal(q, mq, sq);
  b.initial_normal(p, b.graph().constant(-0.2), sp);
  b.time(0.0, 0.005, 1.0);
  Case c(b.build());
  const auto system = [](Parameters v) {
    return LinearSystem{always(matrix({{0.0, 1.0}, {-v[0], -v[1]}})),
                        always(vector({0.0, 0.0})),
                        always(matrix({{0.0}, {v[2]}})),
                        {vector({v[3], -0.2}), matrix({{v[4] * v[4], 0.0}, {0.0, v[5] * v[5]}})}};
  };
  c.law = law_of(system, 1.0);
  c.functions = for_light_tails(2);
  c.bias_rate = 2.0;
  c.paths = 20'000;
  expect_all_forms(c, gaussian(system(c.model.parameter_values()), 1.0),
                   jacobian_damping(1.5, 0.5));
}

TEST(Truth, TimeDependentCoefficients) {
  ModelBuilder b("seasons");
  const Expression a = b.parameter("a", 1.2), c = b.parameter("c", 0.9);
  const Expression s = b.parameter("s", 0.7), w = b.parameter("w", 0.5);
  const Expression x = b.state("x"), t = b.time();
  b.drift(x, -a * (1.0 + 0.5 * sin(3.0 * t)) * x + c * cos(2.0 * t));
  b.noise(x, "W", s * (1.0 + w * cos(4.0 * t)));
  b.initial_normal(x, 0.3, 0.9);
  b.time(0.0, 0.005, 1.0);
  Case comparison(b.build());
  const auto system = [](Parameters g) {
    const std::vector<double> v(g.begin(), g.end());
    return LinearSystem{
        [v](double u) { return matrix({{-v[0] * (1.0 + 0.5 * std::sin(3.0 * u))}}); },
        [v](double u) { return vector({v[1] * std::cos(2.0 * u)}); },
        [v](double u) { return matrix({{v[2] * (1.0 + v[3] * std::cos(4.0 * u))}}); },
        {vector({0.3}), matrix({{0.81}})}};
  };
  comparison.law = law_of(system, 1.0);
  comparison.functions = for_light_tails(1);
  comparison.bias_rate = 3.0;  // the coefficients change at rates up to 4
  expect_all_forms(comparison, gaussian(system(comparison.model.parameter_values()), 1.0),
                   jacobian_damping(1.0, 0.5));
}

// From five points whose density nobody tells: the law is a mixture of normals.
TEST(Truth, StartFromSamples) {
  ModelBuilder b("sampled");
  const Expression a = b.parameter("a", 1.0), s = b.parameter("s", 0.8);
  const Expression x = b.state("x");
  b.drift(x, -a * x);
  b.noise(x, "W", s);
  b.initial_samples(x, "points.npy");
  b.time(0.0, 0.005, 1.0);
  auto points = std::make_shared<Matrix>(5, 1);
  points->data = {-2.0, -1.5, 0.2, 1.0, 2.5};
  Case c(b.build().with_samples(points));
  c.law = [points](Parameters g) -> LogDensity {
    const double decay = std::exp(-g[0]);
    const double variance = g[1] * g[1] * (1.0 - decay * decay) / (2.0 * g[0]);
    return [=](std::span<const double> at) {
      double sum = 0.0;
      for (const double start : points->data) {
        const double r = at[0] - start * decay;
        sum += std::exp(-0.5 * r * r / variance);
      }
      return std::log(sum) - 0.5 * std::log(variance);
    };
  };
  c.functions = for_light_tails(1);
  Comparison comparison(c);
  comparison.expect(constant_damping(1.0));
  comparison.expect(constant_damping(4.0), InverseOrder::second);
  comparison.expect(jacobian_damping(2.0, 0.5));
}

// A chain is its own truth: no bias.
TEST(Truth, NoisyLinearMap) {
  ModelBuilder b("map", Dynamics::map);
  const Expression a = b.parameter("a", 0.8), c = b.parameter("c", 0.3);
  const Expression s = b.parameter("s", 0.7), r = b.parameter("r", 0.4);
  const Expression m0 = b.parameter("m0", 0.5);
  const Expression x = b.state("x"), y = b.state("y");
  b.drift(x, a * x - c * y + 0.1);
  b.drift(y, c * x + 0.5 * y);
  b.noise(x, "U", s);
  b.noise(y, "U", r);
  b.noise(y, "V", s * s);
  b.initial_normal(x, m0, b.graph().constant(0.6));
  b.initial_normal(y, 0.0, 0.9);
  b.time(0.0, 1.0, 5.0);
  Case comparison(b.build());
  comparison.law = [](Parameters g) {
    const MatrixXd f = matrix({{g[0], -g[1]}, {g[1], 0.5}});
    const MatrixXd noise = matrix({{g[2], 0.0}, {g[3], g[2] * g[2]}});
    Gaussian law{vector({g[4], 0.0}), matrix({{0.36, 0.0}, {0.0, 0.81}})};
    for (int n = 0; n < 5; ++n) {
      law.mean = f * law.mean + vector({0.1, 0.0});
      law.covariance = f * law.covariance * f.transpose() + noise * noise.transpose();
    }
    return log_density(law);
  };
  comparison.functions = for_light_tails(2);
  Comparison compare(comparison);
  for (const double alpha : {0.0, 0.4, 1.0}) compare.expect(constant_damping(alpha));
  for (const double share : {0.0, 0.5, 1.0}) compare.expect(mixed_damping(0.4, share));
  compare.expect(kernel_damping());
  compare.expect(two_by_two({0.5, -0.2, 0.3, 0.4}));
}

// --- noise that varies in space ---------------------------------------------------------------

struct GeometricBrownianMotion {
  ModelBuilder builder{"gbm"};
  Expression u = builder.parameter("u", 0.2), v = builder.parameter("v", -0.1);
  Expression s1 = builder.parameter("s1", 0.4), s2 = builder.parameter("s2", 0.5);
  Expression rho = builder.parameter("rho", 0.6);
  Expression x = builder.state("x"), y = builder.state("y");

  GeometricBrownianMotion() {
    builder.drift(x, u * x);
    builder.drift(y, v * y);
    builder.noise(x, "V", s1 * x);
    builder.noise(y, "V", rho * s2 * y);
    builder.noise(y, "W", sqrt(1.0 - rho * rho) * s2 * y);
    builder.time(0.0, 0.005, 1.0);
  }

  // The logarithms at time 1: normal.
  static Gaussian logarithms(Parameters g, Gaussian start) {
    start.mean += vector({g[0] - 0.5 * g[2] * g[2], g[1] - 0.5 * g[3] * g[3]});
    const double across = g[4] * g[2] * g[3];
    start.covariance += matrix({{g[2] * g[2], across}, {across, g[3] * g[3]}});
    return start;
  }
};

TEST(Truth, CorrelatedGeometricBrownianMotion) {
  GeometricBrownianMotion gbm;
  ModelBuilder& b = gbm.builder;
  const Expression m = b.parameter("m", 0.1), d = b.parameter("d", 0.5);
  b.initial_lognormal(gbm.x, m, d);
  b.initial_lognormal(gbm.y, b.graph().constant(-0.2), b.graph().constant(0.6));
  Case c(b.build());
  c.law = [](Parameters g) {
    return log_density(GeometricBrownianMotion::logarithms(
                           g, {vector({g[5], -0.2}), matrix({{g[6] * g[6], 0.0}, {0.0, 0.36}})}),
                       true);
  };
  c.functions = for_heavy_tails(2);
  c.paths = 20'000;
  Comparison comparison(c);
  comparison.expect(constant_damping(0.0));
  comparison.expect(constant_damping(1.0));
  comparison.expect(constant_damping(1.0), InverseOrder::second);
  comparison.expect(jacobian_damping(1.0, 0.5));
}

TEST(Truth, CorrelatedGeometricBrownianMotionFromAPoint) {
  GeometricBrownianMotion gbm;
  ModelBuilder& b = gbm.builder;
  const Expression x0 = b.parameter("x0", 1.1), y0 = b.parameter("y0", 0.9);
  b.initial_point(gbm.x, x0);
  b.initial_point(gbm.y, y0);
  Case c(b.build());
  c.law = [](Parameters g) {
    return log_density(GeometricBrownianMotion::logarithms(
                           g, {vector({std::log(g[5]), std::log(g[6])}), MatrixXd::Zero(2, 2)}),
                       true);
  };
  c.functions = for_heavy_tails(2);
  c.paths = 20'000;
  Comparison comparison(c);
  comparison.expect(constant_damping(1.0));
  comparison.expect(constant_damping(1.0), InverseOrder::second);
  comparison.expect(jacobian_damping(3.0, 0.5));
}

// One state starts at a point, the other from a law with a density: the start is score-free, but
// the responses know the density.
TEST(Truth, CorrelatedGeometricBrownianMotionFromAPointAndALaw) {
  GeometricBrownianMotion gbm;
  ModelBuilder& b = gbm.builder;
  const Expression x0 = b.parameter("x0", 1.1), m = b.parameter("m", 0.1);
  const Expression d = b.parameter("d", 0.5);
  b.initial_point(gbm.x, x0);
  b.initial_lognormal(gbm.y, m, d);
  Case c(b.build());
  c.law = [](Parameters g) {
    return log_density(
        GeometricBrownianMotion::logarithms(
            g, {vector({std::log(g[5]), g[6]}), matrix({{0.0, 0.0}, {0.0, g[7] * g[7]}})}),
        true);
  };
  c.functions = for_heavy_tails(2);
  c.paths = 20'000;
  Comparison(c).expect(constant_damping(1.0));
}

TEST(Truth, CoxIngersollRossFromAPoint) {
  ModelBuilder b("cir");
  const Expression a = b.parameter("a", 1.0), m = b.parameter("m", 1.0);
  const Expression s = b.parameter("s", 0.4), x0 = b.parameter("x0", 1.3);
  const Expression x = b.state("x");
  b.drift(x, a * (m - x));
  b.noise(x, "W", s * sqrt(x));
  b.initial_point(x, x0);
  b.time(0.0, 0.005, 1.0);
  Case c(b.build());
  c.law = [](Parameters g) { return cir_log_density(g[0], g[1], g[2], g[3], 1.0); };
  c.functions = for_heavy_tails(1);
  Comparison comparison(c);
  comparison.expect(constant_damping(1.0));
  comparison.expect(constant_damping(2.0), InverseOrder::second);
  comparison.expect(jacobian_damping(2.0, 0.5));
}

}  // namespace
}  // namespace divker
