// The derived programs against the formulas of the method, evaluated by hand with differences.
#include "divker/step.hpp"

#include <gtest/gtest.h>

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "divker/error.hpp"
#include "divker/plan.hpp"
#include "support/by_hand.hpp"
#include "support/errors.hpp"

namespace divker {
namespace {

using namespace test;

// --- the divergence step ----------------------------------------------------------------------

template <class Equations>
void expect_step_by_hand(const Equations& equations, std::uint64_t seed) {
  const Model model = build_model(equations);
  const Program program = derive_divergence_step(model, {}, all_responses(model));
  std::mt19937_64 random(seed);
  for (int trial = 0; trial < 4; ++trial) {
    const Moment m = random_moment(random, equations);
    const ByHand<Equations> hand(equations, m);
    const Values result = run_program(program, arguments_of(m, equations.gamma, {0.0}));
    const Point arrival = hand.arrival(m.x);
    const Point nu = hand.covector();
    for (std::size_t i = 0; i < equations.states; ++i) {
      EXPECT_NEAR(result.at("x")[i], static_cast<double>(arrival[i]), 1e-13);
      EXPECT_NEAR(result.at("nu")[i], static_cast<double>(nu[i]), 1e-9);
    }
    for (std::size_t p = 0; p < equations.gamma.size(); ++p) {
      EXPECT_NEAR(result.at("I")[p], static_cast<double>(hand.increment(p)), 1e-8) << "gamma " << p;
    }
  }
}

TEST(DivergenceStep, OneDimensionByHand) { expect_step_by_hand(OneDimension{}, 1); }
TEST(DivergenceStep, FullNoiseByHand) { expect_step_by_hand(FullNoise{}, 2); }
TEST(DivergenceStep, SquareNoiseByHand) { expect_step_by_hand(SquareNoise{}, 3); }
TEST(DivergenceStep, CommonAmplitudeByHand) { expect_step_by_hand(CommonAmplitude{}, 4); }
TEST(DivergenceStep, DegenerateByHand) { expect_step_by_hand(Degenerate{}, 5); }
TEST(DivergenceStep, AdditiveByHand) { expect_step_by_hand(Additive{}, 6); }

// nu_div = nu + dt (-F' nu - F'' + s'^2 nu + 2 s' s'') - db (s' nu + s''), as printed.
TEST(DivergenceStep, MatchesTheFormulaOfOneDimension) {
  const OneDimension equations;
  const Model model = build_model(equations);
  const Program program = derive_divergence_step(model, {}, all_responses(model));
  std::mt19937_64 random(7);
  const auto& g = equations.gamma;
  for (int trial = 0; trial < 20; ++trial) {
    const Moment m = random_moment(random, equations);
    const auto x = static_cast<double>(m.x[0]), nu = static_cast<double>(m.nu[0]);
    const auto dt = static_cast<double>(m.dt);
    const double db = std::sqrt(dt) * static_cast<double>(m.b[0]);
    const double f1 = -g[0] + 2.0 * g[1] * std::cos(2.0 * x), f2 = -4.0 * g[1] * std::sin(2.0 * x);
    const double s1 = g[2] * 1.2 * std::cos(3.0 * x), s2 = -g[2] * 3.6 * std::sin(3.0 * x);
    const double expected =
        nu + dt * (-f1 * nu - f2 + s1 * s1 * nu + 2.0 * s1 * s2) - db * (s1 * nu + s2);
    const Values result = run_program(program, arguments_of(m, g, {0.0}));
    EXPECT_NEAR(result.at("nu")[0], expected, 1e-13 * (1.0 + std::fabs(expected)));
  }
}

// For one amplitude s(x) on independent motions, the sum of (grad S_k) dS_k is (ds) grad s.
TEST(DivergenceStep, CollapsesForOneAmplitude) {
  const CommonAmplitude equations;
  const Model model = build_model(equations);
  const Program program = derive_divergence_step(model, {}, all_responses(model));
  std::mt19937_64 random(8);
  const Moment m = random_moment(random, equations);
  const ByHand<CommonAmplitude> hand(equations, m);
  const Values result = run_program(program, arguments_of(m, equations.gamma, {0.0}));
  const Point gamma(equations.gamma.begin(), equations.gamma.end());
  const auto amplitude_at = [&](const Point& x) { return equations.amplitude(x, gamma); };
  for (std::size_t p = 0; p < gamma.size(); ++p) {
    const auto by_gamma = [&](const Point& x) {
      return partial([&](const Point& y) { return equations.amplitude(x, y); }, gamma, p);
    };
    const FieldOf collapsed = [&](const Point& x) {
      Point value;
      for (std::size_t i = 0; i < 3; ++i)
        value.push_back(by_gamma(x) * partial(amplitude_at, x, i));
      return value;
    };
    Real expected = m.dt * (weighted_divergence(collapsed, m.nu, m.x) -
                            weighted_divergence(hand.drift_by(p), m.nu, m.x));
    for (std::size_t k = 0; k < 3; ++k) {
      expected -= hand.db(k) * (partial(by_gamma, m.x, k) + m.nu[k] * by_gamma(m.x));
    }
    EXPECT_NEAR(result.at("I")[p], static_cast<double>(expected), 1e-9);
  }
}

// dx = (c - x^3) dt + (s + u sin x) dV + r^2 dW at one moment, damped at a rate.
Values alike_step(double varying, InverseOrder order, double rate) {
  ModelBuilder b("alike");
  const Expression c = b.parameter("c", 0.3), s = b.parameter("s", 0.5), r = b.parameter("r", 0.7);
  const Expression x = b.state("x");
  b.drift(x, c - x * x * x);
  b.noise(x, "V", varying == 0.0 ? s : s + varying * sin(x));
  b.noise(x, "W", r * r);
  b.initial_normal(x, 0.0, 1.0);
  b.time(0.0, 0.01, 1.0);
  const Model model = b.build();
  Method method;
  method.order = order;
  method.damping = constant_damping(rate);
  return run_program(derive_divergence_step(model, method, all_responses(model)),
                     {{"x", {0.6}},
                      {"nu", {-1.1}},
                      {"b", {0.8, -1.3}},
                      {"t", {0.0}},
                      {"dt", {0.04}},
                      {"parameters", {0.3, 0.5, 0.7}},
                      {"damping", {rate}}});
}

// What moves all points alike leaves J alone: a constant of the drift answers by the very covector
// that the step returns, under any noise, and amplitudes of additive noise by that before damping.
TEST(DivergenceStep, AnswersForWhatMovesAllAlikeByTheCovectorAtTheNewPoint) {
  for (const InverseOrder order : {InverseOrder::first, InverseOrder::second}) {
    for (const double varying : {0.0, 0.2}) {
      const Values result = alike_step(varying, order, 3.0);
      EXPECT_NEAR(result.at("I")[0], -result.at("nu")[0] * 0.04, 1e-15);
    }
    const Values damped = alike_step(0.0, order, 3.0), undamped = alike_step(0.0, order, 0.0);
    const double nu_div = undamped.at("nu")[0], root = 0.2;
    EXPECT_NE(damped.at("nu")[0], nu_div);
    EXPECT_NEAR(damped.at("I")[1], -nu_div * 0.8 * root, 1e-14);
    EXPECT_NEAR(damped.at("I")[2], nu_div * 2.0 * 0.7 * 1.3 * root, 1e-14);
  }
}

TEST(DivergenceStep, LeavesOutWhatIsNotAskedFor) {
  const Model model = build_model(FullNoise{});
  const Program one = derive_divergence_step(model, {}, Asked::responses_to({2}));
  std::mt19937_64 random(9);
  const Moment m = random_moment(random, FullNoise{});
  const Values arguments = arguments_of(m, FullNoise{}.gamma, {0.5});
  const Values all =
      run_program(derive_divergence_step(model, {}, all_responses(model)), arguments);
  const Values some = run_program(one, arguments);
  ASSERT_EQ(some.at("I").size(), 1U);
  EXPECT_NEAR(some.at("I")[0], all.at("I")[2], 1e-14);
  const Program plain = derive_divergence_step(model, {}, Asked::states());
  ASSERT_EQ(plain.results.size(), 1U);
  EXPECT_EQ(run_program(plain, arguments).at("x"), all.at("x"));
}

TEST(DivergenceStep, RefusesMaps) {
  ModelBuilder b("logistic", Dynamics::map);
  const Expression x = b.state("x");
  b.drift(x, 0.5 * x);
  b.noise(x, "W", b.graph().constant(1.0));
  b.initial_normal(x, 0.0, 1.0);
  b.time(0.0, 1.0, 3.0);
  const Model model = b.build();
  Method method;
  method.scheme = Scheme::euler;
  expect_error(ErrorKind::usage,
               "The scheme euler is for SDEs: model logistic is a discrete-time map, whose step is "
               "exact.",
               [&] { (void)plan(model, method, {}); });
}

// --- damping ----------------------------------------------------------------------------------

// Everything about the noise at a moment, as matrices.
template <class Equations>
struct NoiseAlgebra {
  NoiseAlgebra(const Equations& equations, const Point& x, Real t) {
    const Point gamma(equations.gamma.begin(), equations.gamma.end());
    const Point s = equations.noise(t, x, gamma);
    const auto columns = static_cast<Eigen::Index>(equations.motions);
    for (std::size_t i = 0; i < equations.states; ++i) {
      const Eigen::Map<const VectorL> row(s.data() + i * equations.motions, columns);
      if (row.norm() > 0) rows.push_back(static_cast<Eigen::Index>(i));
    }
    S.resize(static_cast<Eigen::Index>(rows.size()), columns);
    for (std::size_t e = 0; e < rows.size(); ++e) {
      S.row(static_cast<Eigen::Index>(e)) =
          Eigen::Map<const VectorL>(s.data() + rows[e] * columns, columns).transpose();
    }
    D = S * S.transpose();
  }
  std::vector<Eigen::Index> rows;  // the noisy states
  MatrixL S, D;
};

template <class Equations>
class DampingByHand {
 public:
  DampingByHand(const Equations& equations, const Moment& m)
      : equations_(equations), m_(m), here_(equations, m.x, m.t), hand_(equations, m) {
    const Point nu = hand_.covector();
    nu_div_ = Eigen::Map<const VectorL>(nu.data(), static_cast<Eigen::Index>(nu.size()));
    VectorL db(here_.S.cols());
    for (Eigen::Index k = 0; k < db.size(); ++k) db[k] = hand_.db(static_cast<std::size_t>(k));
    w_ = m.dt * nu_div_(here_.rows) + here_.D.inverse() * here_.S * db;
  }

  [[nodiscard]] VectorL scalar(Real alpha) const {
    VectorL nu = nu_div_;
    nu(here_.rows) -= alpha * w_;
    return nu;
  }
  // A is noisy rows x M.
  [[nodiscard]] VectorL matrix(const MatrixL& a) const { return nu_div_ - a.transpose() * w_; }
  // A^T w = alpha w - beta (grad F^T + D^{-1} grad F D)(x', t + dt) w, on noisy rows.
  [[nodiscard]] VectorL jacobian_form(Real alpha, Real beta) const {
    const Point arrival = hand_.arrival(m_.x);
    Moment later = m_;
    later.t = m_.t + m_.dt;
    const ByHand<Equations> there(equations_, later);
    const NoiseAlgebra<Equations> noise(equations_, arrival, later.t);
    const MatrixL grad_f = jacobian(there.drift(), arrival);
    const MatrixL noisy_rows = grad_f(noise.rows, Eigen::all);
    const MatrixL noisy_block = grad_f(noise.rows, noise.rows);
    VectorL nu = scalar(alpha) + beta * noisy_rows.transpose() * w_;
    nu(noise.rows) += beta * noise.D.inverse() * noisy_block * noise.D * w_;
    return nu;
  }
  // A^T w = alpha w + gain C(x') D(x', t + dt) w for the entries of C given as a function of x'.
  [[nodiscard]] VectorL learned(Real alpha, Real gain,
                                const std::function<MatrixL(const Point&)>& c) const {
    const Point arrival = hand_.arrival(m_.x);
    const NoiseAlgebra<Equations> noise(equations_, arrival, m_.t + m_.dt);
    const MatrixL columns = c(arrival)(Eigen::all, noise.rows);
    return scalar(alpha) - gain * columns * noise.D * w_;
  }
  [[nodiscard]] const NoiseAlgebra<Equations>& noise() const { return here_; }

 private:
  Equations equations_;
  Moment m_;
  NoiseAlgebra<Equations> here_;
  ByHand<Equations> hand_;
  VectorL nu_div_, w_;
};

template <class Equations>
void expect_damping_by_hand(const Equations& equations, std::uint64_t seed) {
  const Model model = build_model(equations);
  std::mt19937_64 random(seed);
  const Moment m = random_moment(random, equations);
  const DampingByHand<Equations> hand(equations, m);
  // `values`: of the step argument of the form.
  const auto expect = [&](const Damping& damping, const std::vector<double>& values,
                          const VectorL& expected) {
    Method method;
    method.damping = damping;
    const Program program = derive_divergence_step(model, method, {});
    const Values result = run_program(program, arguments_of(m, equations.gamma, values));
    for (std::size_t i = 0; i < equations.states; ++i) {
      EXPECT_NEAR(result.at("nu")[i], static_cast<double>(expected[static_cast<Eigen::Index>(i)]),
                  1e-8)
          << "component " << i << ", damping " << damping.text();
    }
  };
  expect(constant_damping(1.7), {1.7}, hand.scalar(1.7L));
  const std::size_t noisy = hand.noise().rows.size();
  const Point entries = random_point(random, noisy * equations.states, 3.0);
  MatrixL a(static_cast<Eigen::Index>(noisy), static_cast<Eigen::Index>(equations.states));
  for (std::size_t i = 0; i < entries.size(); ++i) {
    a(static_cast<Eigen::Index>(i / equations.states),
      static_cast<Eigen::Index>(i % equations.states)) = entries[i];
  }
  expect(matrix_damping({}, {}), doubles(entries), hand.matrix(a));
  expect(jacobian_damping(2.5, 0.0), {2.5, 0.0}, hand.scalar(2.5L));
  expect(jacobian_damping(2.5, 0.75), {2.5, 0.75}, hand.jacobian_form(2.5L, 0.75L));
}

// C = weights x (1 on the diagonal; z_0 and z_0 z_last on the entry between the first state and the
// last), where z_0 is far beyond the cut.
template <class Equations>
void expect_learned_by_hand(const Equations& equations, std::uint64_t seed) {
  const Model model = build_model(equations);
  std::mt19937_64 random(seed);
  const Moment m = random_moment(random, equations);
  const DampingByHand<Equations> hand(equations, m);
  const std::size_t last = equations.states - 1;
  auto covariance = std::make_shared<CovectorCovariance>();
  covariance->scales = 2;
  covariance->scale_of.assign(equations.states, 1);
  covariance->scale_of[0] = 0;
  covariance->weights = 3;
  for (std::size_t i = 0; i <= last; ++i) covariance->terms.push_back({i, i, {}, 0});
  covariance->terms.push_back({0, last, {0}, 1});
  covariance->terms.push_back({0, last, {0, last}, 2});
  auto shape = std::make_shared<LearnedCovariance>();
  shape->shape = covariance;
  Method method;
  method.damping = learned_damping(shape);
  const auto far = static_cast<double>(m.x[0]) - 50.0;
  const std::vector<double> values{0.3, 0.8, far, 0.25, 1.0, 0.5, 1.25, 0.5, -0.75};
  const auto c = [&](const Point& x) {
    const Real z0 = largest_standardised_state;
    const Real z_last = last == 0 ? z0 : std::clamp((x[last] - 0.25L) * 0.5L, -3.0L, 3.0L);
    MatrixL matrix = 1.25L * MatrixL::Identity(static_cast<Eigen::Index>(equations.states),
                                               static_cast<Eigen::Index>(equations.states));
    const Real entry = 0.5L * z0 - 0.75L * z0 * z_last;
    const auto corner = static_cast<Eigen::Index>(last);
    matrix(0, corner) += entry;
    if (last != 0) matrix(corner, 0) += entry;
    return matrix;
  };
  const VectorL expected = hand.learned(0.3L, 0.8L, c);
  const Program program = derive_divergence_step(model, method, {});
  const Values result = run_program(program, arguments_of(m, equations.gamma, values));
  for (std::size_t i = 0; i < equations.states; ++i) {
    EXPECT_NEAR(result.at("nu")[i], static_cast<double>(expected[static_cast<Eigen::Index>(i)]),
                1e-8)
        << "component " << i;
  }
}

TEST(DampedStep, LearnedInOneDimension) { expect_learned_by_hand(OneDimension{}, 31); }
TEST(DampedStep, LearnedWithMoreMotionsThanStates) { expect_learned_by_hand(FullNoise{}, 32); }
TEST(DampedStep, LearnedWithOneAmplitude) { expect_learned_by_hand(CommonAmplitude{}, 33); }
TEST(DampedStep, LearnedActsThroughNoisyStatesOnly) { expect_learned_by_hand(Degenerate{}, 34); }

TEST(DampedStep, LearnedNeedsItsPolynomials) {
  const Model model = build_model(OneDimension{});
  Method method;
  method.damping = learned_damping(nullptr);
  const char* const sentence = "The learned form of damping needs its polynomials.";
  expect_error(ErrorKind::usage, sentence,
               [&] { (void)derive_divergence_step(model, method, {}); });
  expect_error(ErrorKind::usage, sentence, [&] { (void)plan(model, method, {}); });
}

TEST(DampedStep, OneDimension) { expect_damping_by_hand(OneDimension{}, 11); }
TEST(DampedStep, MoreMotionsThanStates) { expect_damping_by_hand(FullNoise{}, 12); }
TEST(DampedStep, AsManyMotionsAsStates) { expect_damping_by_hand(SquareNoise{}, 13); }
TEST(DampedStep, OneAmplitude) { expect_damping_by_hand(CommonAmplitude{}, 14); }
TEST(DampedStep, ActsThroughNoisyStatesOnly) { expect_damping_by_hand(Degenerate{}, 15); }
TEST(DampedStep, AdditiveNoise) { expect_damping_by_hand(Additive{}, 16); }

// alpha dt = 1 leaves the kernel formula alone: nu' = -S^{-T} db / dt.
TEST(DampedStep, FullDampingForgetsTheCovector) {
  const FullNoise equations;
  const Model model = build_model(equations);
  const Program divergence = derive_divergence_step(model, {}, {});
  const Program noise_only = derive_noise_step(model, {}, false);
  std::mt19937_64 random(17);
  const Moment m = random_moment(random, equations);
  const Values arguments = arguments_of(m, equations.gamma, {1.0 / static_cast<double>(m.dt)});
  const Values by_divergence = run_program(divergence, arguments);
  const Values by_noise = run_program(noise_only, arguments);
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_NEAR(by_divergence.at("nu")[i], by_noise.at("nu")[i], 1e-10);
    EXPECT_NEAR(by_divergence.at("x")[i], by_noise.at("x")[i], 1e-14);
  }
}

// --- the noise-only step ----------------------------------------------------------------------

// log density of one step from `from` to `to`.
template <class Equations>
Real log_transition(const Equations& equations, Real t, Real dt, const Point& from, const Point& to,
                    const Point& gamma) {
  const Point f = equations.drift(t, from, gamma);
  const Point s = equations.noise(t, from, gamma);
  const auto n = static_cast<Eigen::Index>(equations.states);
  const auto k = static_cast<Eigen::Index>(equations.motions);
  const Eigen::Map<const Eigen::Matrix<Real, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>> S(
      s.data(), n, k);
  const MatrixL c = dt * S * S.transpose();
  VectorL r(n);
  for (Eigen::Index i = 0; i < n; ++i) {
    const auto e = static_cast<std::size_t>(i);
    r[i] = to[e] - from[e] - dt * f[e];
  }
  return -r.dot(c.inverse() * r) / 2 - std::log(c.determinant()) / 2;
}

template <class Equations>
void expect_likelihood_ratio(const Equations& equations, std::uint64_t seed) {
  const Model model = build_model(equations);
  const Program program = derive_noise_step(model, all_responses(model), true);
  std::mt19937_64 random(seed);
  const Moment m = random_moment(random, equations);
  const Point to = ByHand<Equations>(equations, m).arrival(m.x);
  const Point gamma(equations.gamma.begin(), equations.gamma.end());
  const Values result = run_program(program, arguments_of(m, equations.gamma, {}));
  for (std::size_t i = 0; i < equations.states; ++i) {
    const auto by_arrival = [&](const Point& y) {
      return log_transition(equations, m.t, m.dt, m.x, y, gamma);
    };
    EXPECT_NEAR(result.at("nu")[i], static_cast<double>(partial(by_arrival, to, i)), 1e-7);
  }
  for (std::size_t p = 0; p < gamma.size(); ++p) {
    const auto by_gamma = [&](const Point& g) {
      return log_transition(equations, m.t, m.dt, m.x, to, g);
    };
    EXPECT_NEAR(result.at("I")[p], static_cast<double>(partial(by_gamma, gamma, p)), 1e-7);
  }
}

TEST(NoiseStep, IsTheDerivativeOfTheTransitionDensity) {
  expect_likelihood_ratio(OneDimension{}, 21);
  expect_likelihood_ratio(FullNoise{}, 22);
  expect_likelihood_ratio(SquareNoise{}, 23);
  expect_likelihood_ratio(CommonAmplitude{}, 24);
  expect_likelihood_ratio(Additive{}, 25);
}

// From a point that is itself a function of the parameters, drift and noise change with it.
TEST(NoiseStep, DifferentiatesThroughThePointItStartsFrom) {
  ModelBuilder b("start");
  const Expression g = b.parameter("g", 0.6), s = b.parameter("s", 0.5),
                   x0 = b.parameter("x0", 0.9);
  const Expression x = b.state("x");
  b.drift(x, -g * sin(x));
  b.noise(x, "W", s * (2.0 + cos(x)));
  b.initial_point(x, x0 * x0 + g);
  b.time(0.0, 0.01, 1.0);
  const Model model = b.build();
  const Asked asked = all_responses(model);
  const double dt = 0.02, normal = 0.7;
  const auto start = [](const Point& p) { return p[2] * p[2] + p[0]; };
  const Point gamma{0.6L, 0.5L, 0.9L};
  const Real from = start(gamma);
  const Real to = from - gamma[0] * std::sin(from) * dt +
                  gamma[1] * (2 + std::cos(from)) * std::sqrt(Real(dt)) * normal;
  const auto log_density = [&](const Point& p) {
    const Real at = start(p);
    const Real deviation = p[1] * (2 + std::cos(at)) * std::sqrt(Real(dt));
    const Real r = (to - at + p[0] * std::sin(at) * dt) / deviation;
    return -r * r / 2 - std::log(deviation);
  };
  Values arguments{{"x", {static_cast<double>(from)}},
                   {"b", {normal}},
                   {"t", {0.0}},
                   {"parameters", {0.6, 0.5, 0.9}},
                   {"dt", {dt}}};
  const Values through = run_program(derive_noise_step(model, asked, true), arguments);
  for (std::size_t p = 0; p < 3; ++p) {
    EXPECT_NEAR(through.at("I")[p], static_cast<double>(partial(log_density, gamma, p)), 1e-8);
  }
  const Values fixed = run_program(derive_noise_step(model, asked, false), arguments);
  EXPECT_EQ(fixed.at("I")[2], 0.0);
}

TEST(NoiseStep, RefusesSilentStates) {
  const Model model = build_model(Degenerate{});
  try {
    (void)derive_noise_step(model, {}, true);
    FAIL() << "a silent state cannot be forgotten";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::model);
    EXPECT_STREQ(error.what(),
                 "State x0 of model test carries no noise, so a step cannot forget where it "
                 "started: this needs noise on every state, or an initial law with a density on "
                 "every state.");
  }
}

// --- the start --------------------------------------------------------------------------------

TEST(StartProgram, GivesScoreAndResponseOfTheInitialLaw) {
  ModelBuilder b("mixed");
  const Expression m = b.parameter("m", 0.3), s = b.parameter("s", 0.8);
  const Expression u = b.state("u"), v = b.state("v"), w = b.state("w");
  for (const Expression& state : {u, v, w}) {
    b.drift(state, -state);
    b.noise(state, "W" + std::to_string(state.id()), b.graph().constant(1.0));
  }
  b.initial_normal(u, 2.0 * m, s * s);
  b.initial_lognormal(v, m * s, s);
  b.initial_point(w, m + s);
  b.time(0.0, 0.1, 1.0);
  const Model model = b.build();
  const Program program = derive_start(model, all_responses(model));
  const Values result = run_program(program, {{"z", {0.4, -1.1, 0.9}}, {"parameters", {0.3, 0.8}}});
  const Point x{0.6L + 0.64L * 0.4L, std::exp(0.24L - 0.8L * 1.1L), 1.1L};
  const auto log_density = [](const Point& at, const Point& g) {
    const Real a = (at[0] - 2 * g[0]) / (g[1] * g[1]);
    const Real c = (std::log(at[1]) - g[0] * g[1]) / g[1];
    return -a * a / 2 - std::log(g[1] * g[1]) - c * c / 2 - std::log(g[1]) - std::log(at[1]);
  };
  const Point gamma{0.3L, 0.8L};
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_NEAR(result.at("x")[i], static_cast<double>(x[i]), 1e-14);
    const auto by_x = [&](const Point& y) { return log_density(y, gamma); };
    EXPECT_NEAR(result.at("nu")[i], static_cast<double>(partial(by_x, x, i)), 1e-9);
  }
  for (std::size_t p = 0; p < 2; ++p) {
    const auto by_gamma = [&](const Point& g) { return log_density(x, g); };
    EXPECT_NEAR(result.at("I")[p], static_cast<double>(partial(by_gamma, gamma, p)), 1e-9);
  }
}

TEST(StartProgram, TakesSamplesAsTheyAre) {
  ModelBuilder b("sampled");
  const Expression m = b.parameter("m", 0.3);
  const Expression u = b.state("u"), v = b.state("v");
  for (const Expression& state : {u, v}) {
    b.drift(state, -state);
    b.noise(state, "W" + std::to_string(state.id()), b.graph().constant(1.0));
  }
  b.initial_samples(u, "u.npy");
  b.initial_normal(v, m, b.graph().constant(2.0));
  b.time(0.0, 0.1, 1.0);
  const Model model = b.build();
  const Values result =
      run_program(derive_start(model, all_responses(model)),
                  {{"z", {0.4, 0.5}}, {"sample", {7.0, 8.0}}, {"parameters", {0.3}}});
  EXPECT_EQ(result.at("x"), (std::vector<double>{7.0, 1.3}));
  EXPECT_EQ(result.at("nu"), (std::vector<double>{0.0, -0.25}));
  EXPECT_NEAR(result.at("I")[0], 0.25, 1e-15);
}

// --- orders of the inverse --------------------------------------------------------------------

Method of_order(InverseOrder order) {
  Method method;
  method.order = order;
  return method;
}

struct Defect {
  Real covector = 0;
  std::vector<Real> responses;
};

template <class Equations>
Defect defect(const Equations& equations, InverseOrder order, Moment m) {
  const Model model = build_model(equations);
  const Program program = derive_divergence_step(model, of_order(order), all_responses(model));
  const Values result = run_program(program, arguments_of(m, equations.gamma, {0.0}));
  const ByHand<Equations> hand(equations, m);
  const Point exact = hand.exact_covector();
  Defect d;
  for (std::size_t i = 0; i < exact.size(); ++i) {
    d.covector = std::max(d.covector, std::fabs(result.at("nu")[i] - exact[i]));
  }
  for (std::size_t p = 0; p < equations.gamma.size(); ++p) {
    d.responses.push_back(std::fabs(result.at("I")[p] - hand.exact_increment(p)));
  }
  return d;
}

// The slope of the defect between two steps at the same normals.
template <class Equations>
Defect defect_slopes(const Equations& equations, InverseOrder order) {
  std::mt19937_64 random(31);
  Moment m = random_moment(random, equations);
  m.dt = 0.01L;
  const Defect coarse = defect(equations, order, m);
  m.dt = 0.0025L;
  const Defect fine = defect(equations, order, m);
  Defect slopes;
  slopes.covector = std::log(coarse.covector / fine.covector) / std::log(4.0L);
  for (std::size_t p = 0; p < coarse.responses.size(); ++p) {
    slopes.responses.push_back(std::log(coarse.responses[p] / fine.responses[p]) / std::log(4.0L));
  }
  return slopes;
}

// With additive noise J = Id + dt grad F, so that the first order leaves dt^2 and the second dt^3.
// A parameter that moves all points alike has no other error than that of the covector, times the
// displacement: sqrt(dt) for a noise amplitude, dt for a constant of the drift.
TEST(InverseOrders, LeaveTheirPowersOfTheStep) {
  const Defect first = defect_slopes(Additive{}, InverseOrder::first);
  const Defect second = defect_slopes(Additive{}, InverseOrder::second);
  EXPECT_NEAR(static_cast<double>(first.covector), 2.0, 0.1);
  EXPECT_NEAR(static_cast<double>(second.covector), 3.0, 0.1);
  for (const std::size_t drift_parameter : {0U, 1U}) {
    EXPECT_NEAR(static_cast<double>(first.responses[drift_parameter]), 2.0, 0.1);
    EXPECT_NEAR(static_cast<double>(second.responses[drift_parameter]), 3.0, 0.1);
  }
  EXPECT_NEAR(static_cast<double>(first.responses[2]), 2.5, 0.1);
  EXPECT_NEAR(static_cast<double>(second.responses[2]), 3.5, 0.1);
  EXPECT_NEAR(static_cast<double>(first.responses[3]), 3.0, 0.1);
  EXPECT_NEAR(static_cast<double>(second.responses[3]), 4.0, 0.1);
}

// What is odd in the noise is, for small noise, the product of drift and noise: the first order
// leaves it, dt^{3/2}, and the second takes it away, down to dt^{5/2}.
template <class Equations>
std::vector<Real> odd_defects(const Equations& equations, InverseOrder order, Moment m) {
  const Model model = build_model(equations);
  const Program program = derive_divergence_step(model, of_order(order), all_responses(model));
  std::vector<Real> odd(equations.states + equations.gamma.size());
  for (const Real sign : {1.0L, -1.0L}) {
    for (Real& b : m.b) b = -b;
    const Values result = run_program(program, arguments_of(m, equations.gamma, {0.0}));
    const ByHand<Equations> hand(equations, m);
    const Point exact = hand.exact_covector();
    for (std::size_t i = 0; i < exact.size(); ++i) odd[i] += sign * (result.at("nu")[i] - exact[i]);
    for (std::size_t p = 0; p < equations.gamma.size(); ++p) {
      odd[exact.size() + p] += sign * (result.at("I")[p] - hand.exact_increment(p));
    }
  }
  return odd;
}

template <class Equations>
void expect_odd_slopes(const Equations& equations) {
  std::mt19937_64 random(32);
  Moment m = random_moment(random, equations);
  for (Real& b : m.b) b *= 1e-3L;
  for (const auto& [order, least] :
       {std::pair{InverseOrder::first, 1.4}, {InverseOrder::second, 2.4}}) {
    m.dt = 0.01L;
    const std::vector<Real> coarse = odd_defects(equations, order, m);
    m.dt = 0.0025L;
    const std::vector<Real> fine = odd_defects(equations, order, m);
    for (std::size_t i = 0; i < coarse.size(); ++i) {
      if (std::fabs(coarse[i]) < 1e-11L) continue;  // nothing left but rounding
      const auto slope =
          static_cast<double>(std::log(std::fabs(coarse[i] / fine[i])) / std::log(4.0L));
      EXPECT_GT(slope, least) << "result " << i << ": " << static_cast<double>(coarse[i]) << ", "
                              << static_cast<double>(fine[i]);
      EXPECT_LT(slope, least + 0.3) << "result " << i;
    }
  }
}

TEST(InverseOrders, TheSecondKeepsTheProductsOfDriftAndVaryingNoise) {
  expect_odd_slopes(OneDimension{});
  expect_odd_slopes(FullNoise{});
  expect_odd_slopes(CommonAmplitude{});
}

// Averages over the normal b by Gauss-Hermite quadrature, exact for polynomials of degree 9: with
// noise that varies the step agrees with the exact one in the mean to dt^2, and in the mean with b
// to dt^{3/2}: weak order 1.
TEST(InverseOrders, FirstOrderIsWeaklyFirstOrder) {
  const std::vector<std::pair<Real, Real>> quadrature{
      {-2.85697001387280565416L, 0.011257411327720688933L},
      {-1.35562617997426586583L, 0.22207592200561264440L},
      {0.0L, 0.533333333333333333333L},
      {1.35562617997426586583L, 0.22207592200561264440L},
      {2.85697001387280565416L, 0.011257411327720688933L}};
  const OneDimension equations;
  const Model model = build_model(equations);
  const Program program = derive_divergence_step(model, {}, all_responses(model));
  const auto average = [&](Real dt, int power) {
    std::vector<Real> mean(1 + equations.gamma.size());
    for (const auto& [b, weight] : quadrature) {
      const Moment m{{0.4L}, {-0.9L}, {b}, 0.3L, dt};
      const Values result = run_program(program, arguments_of(m, equations.gamma, {0.0}));
      const ByHand<OneDimension> hand(equations, m);
      const Real moment = weight * std::pow(b, static_cast<Real>(power));
      mean[0] += moment * (result.at("nu")[0] - hand.exact_covector()[0]);
      for (std::size_t p = 0; p < equations.gamma.size(); ++p) {
        mean[p + 1] += moment * (result.at("I")[p] - hand.exact_increment(p));
      }
    }
    return mean;
  };
  for (const auto& [power, least] : {std::pair{0, 1.9}, {1, 1.4}}) {
    const std::vector<Real> coarse = average(4e-3L, power), fine = average(1e-3L, power);
    for (std::size_t i = 0; i < coarse.size(); ++i) {
      const Real slope = std::log(std::fabs(coarse[i] / fine[i])) / std::log(4.0L);
      EXPECT_GT(static_cast<double>(slope), least) << "result " << i << ", moment " << power;
    }
  }
}

// --- cost -------------------------------------------------------------------------------------

enum class Noise { additive, common_amplitude, per_site_forcing };

Model lorenz96(std::size_t size, Noise noise) {
  ModelBuilder b("lorenz96");
  const bool per_site = noise == Noise::per_site_forcing;
  const Expression s = b.parameter("s", 1.0);
  std::vector<Expression> forcing;
  if (per_site) {
    forcing = b.parameters("F", std::vector<double>(size, 8.0));
  } else {
    forcing.assign(size, b.parameter("F", 8.0));
  }
  const std::vector<Expression> x = b.states("x", size, true);
  Expression amplitude = s;
  if (noise == Noise::common_amplitude) amplitude = exp(-0.5 * dot(b.graph(), x, x)) + s;
  for (std::size_t i = 0; i < size; ++i) {
    const auto at = [&](std::size_t shift) { return x[(i + shift) % size]; };
    b.drift(x[i], (at(1) - at(size - 2)) * at(size - 1) - (1.0 + 0.01 * x[i]) * x[i] + forcing[i]);
    b.noise(x[i], "W[" + std::to_string(i) + "]", amplitude);
    b.initial_normal(x[i], 0.0, 2.0);
  }
  b.time(0.0, 0.01, 1.0);
  return b.build();
}

std::size_t operations(const Model& model, const Damping& damping, InverseOrder order) {
  Method method = of_order(order);
  method.damping = damping;
  const Program program = derive_divergence_step(model, method, all_responses(model));
  return operation_count(*program.graph, program.roots());
}

void expect_linear(Noise noise, const Damping& damping, InverseOrder order = InverseOrder::first) {
  const std::size_t small = operations(lorenz96(40, noise), damping, order);
  const std::size_t large = operations(lorenz96(400, noise), damping, order);
  EXPECT_NEAR(static_cast<double>(large) / static_cast<double>(small), 10.0, 0.2)
      << small << " operations for 40 components, " << large << " for 400";
  ::testing::Test::RecordProperty("operations_per_component", std::to_string(small / 40));
}

TEST(Cost, GrowsLinearlyWithAdditiveNoise) {
  expect_linear(Noise::additive, constant_damping(1.0));
  expect_linear(Noise::additive, constant_damping(1.0), InverseOrder::second);
}
TEST(Cost, GrowsLinearlyWithACommonAmplitude) {
  expect_linear(Noise::common_amplitude, constant_damping(1.0));
  expect_linear(Noise::common_amplitude, constant_damping(1.0), InverseOrder::second);
}
TEST(Cost, GrowsLinearlyWithJacobianDamping) {
  expect_linear(Noise::additive, jacobian_damping(1.0, 0.5));
}
TEST(Cost, GrowsLinearlyWithAForcingForEachSite) {
  expect_linear(Noise::per_site_forcing, constant_damping(1.0));
}

}  // namespace
}  // namespace divker
