// The exact step against its formulas by differences, and against closed forms and identities of
// the chain; the choice between divergence and kernel.
#include "divker/exact_step.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "divker/answer.hpp"
#include "divker/ensemble.hpp"
#include "divker/error.hpp"
#include "divker/language.hpp"
#include "divker/plan.hpp"
#include "support/by_hand.hpp"
#include "support/statistics.hpp"
#include "tune/trial.hpp"

namespace divker {
namespace {

using namespace test;
using ::testing::HasSubstr;

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

// --- the formulas -----------------------------------------------------------------------------

// A map of two states with three random numbers and parameters everywhere.
template <class Number>
std::vector<Number> mean_of(const std::vector<Number>& x, const std::vector<Number>& g) {
  using std::exp, std::sin;
  return {g[0] * x[0] + 0.4 * sin(x[1]), 0.3 * exp(-x[0] * x[0]) + g[1] * x[1] * x[1] + x[1]};
}
template <class Number>
std::vector<Number> noise_of(const std::vector<Number>& x, const std::vector<Number>& g) {
  using std::cos;
  return {g[2] * (1.0 + 0.3 * cos(x[1])), 0.2 * x[0], g[2] * g[2], 0.1 * g[1] * x[1],
          0.7 + 0.1 * x[0] * x[1],        0.3 * g[0]};
}
const std::vector<double> gamma_values{0.9, 0.25, 0.6};

Model twisted_map() {
  ModelBuilder b("twisted", Dynamics::map);
  std::vector<Expression> g;
  for (std::size_t p = 0; p < 3; ++p) {
    g.push_back(b.parameter("g" + std::to_string(p), gamma_values[p]));
  }
  const std::vector<Expression> x = b.states("x", 2);
  const auto mean = mean_of(x, g);
  auto noise = noise_of(x, g);
  for (std::size_t i = 0; i < 2; ++i) {
    b.drift(x[i], mean[i]);
    for (std::size_t k = 0; k < 3; ++k) b.noise(x[i], "xi" + std::to_string(k), noise[i * 3 + k]);
    b.initial_normal(x[i], 0.1, 0.5);
  }
  b.time(0.0, 1.0, 3.0);
  return b.build();
}

Point arrival(const Point& x, const Point& gamma, const Point& noise) {
  Point next = mean_of(x, gamma);
  const Point s = noise_of(x, gamma);
  for (std::size_t i = 0; i < 2; ++i) {
    for (std::size_t k = 0; k < 3; ++k) next[i] += s[i * 3 + k] * noise[k];
  }
  return next;
}

struct Hand {
  Point x, nu, b, gamma;

  [[nodiscard]] FieldOf map() const {
    return [this](const Point& at) { return arrival(at, gamma, b); };
  }
  // J^{-T} ( nu - grad log|det J| )
  [[nodiscard]] VectorL covector() const {
    const auto log_det = [this](const Point& at) {
      return std::log(std::fabs(jacobian(map(), at).determinant()));
    };
    VectorL reduced(2);
    for (std::size_t i = 0; i < 2; ++i) {
      reduced[static_cast<Eigen::Index>(i)] = nu[i] - partial(log_det, x, i);
    }
    return jacobian(map(), x).transpose().inverse() * reduced;
  }
  // div dx + nu . dx with dx = -J^{-1} d x'
  [[nodiscard]] Real increment(std::size_t p) const {
    const FieldOf shift = [this, p](const Point& at) {
      VectorL change(2);
      for (std::size_t i = 0; i < 2; ++i) {
        const auto component = [&](const Point& g) { return arrival(at, g, b)[i]; };
        change[static_cast<Eigen::Index>(i)] = partial(component, gamma, p);
      }
      const VectorL dx = -(jacobian(map(), at).inverse() * change);
      return Point{dx[0], dx[1]};
    };
    return weighted_divergence(shift, nu, x);
  }
  [[nodiscard]] VectorL told_by_noise() const {  // -(S S^T)^{-1} S b
    const Point s = noise_of(x, gamma);
    MatrixL m(2, 3);
    VectorL noise(3);
    for (Eigen::Index k = 0; k < 6; ++k) m(k / 3, k % 3) = s[static_cast<std::size_t>(k)];
    for (Eigen::Index k = 0; k < 3; ++k) noise[k] = b[static_cast<std::size_t>(k)];
    return -((m * m.transpose()).inverse() * (m * noise));
  }
};

Method method_with(const Damping& damping, Scheme scheme = Scheme::automatic) {
  Method method;
  method.damping = damping;
  method.scheme = scheme;
  return method;
}

// The two programs with the inverse between them. `damping`: the values of the step argument.
Values exact_step(const Model& model, const Hand& h, const Damping& form,
                  const std::vector<double>& damping, double dt = 1.0) {
  Values arguments{{"x", doubles(h.x)}, {"nu", doubles(h.nu)}, {"b", doubles(h.b)},
                   {"t", {0.0}},        {"damping", damping},  {"parameters", doubles(h.gamma)},
                   {"dt", {dt}}};
  const JacobianProgram entries = derive_step_jacobian(model);
  const std::vector<double> values = run_program(entries.program, arguments).at("jacobian");
  const auto n = static_cast<Eigen::Index>(h.x.size());
  using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  RowMajor j = RowMajor::Zero(n, n);
  for (std::size_t e = 0; e < values.size(); ++e) j.data()[entries.places[e]] = values[e];
  const RowMajor inverse = j.inverse();
  arguments["inverse"] = {inverse.data(), inverse.data() + n * n};
  return run_program(derive_exact_step(model, method_with(form), all_responses(model)), arguments);
}

void expect_near(const std::vector<double>& found, const Point& expected, double tolerance) {
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    const auto value = static_cast<double>(expected[i]);
    EXPECT_NEAR(found[i], value, tolerance * (1.0 + std::fabs(value))) << i;
  }
}

class ExactStep : public ::testing::Test {
 protected:
  [[nodiscard]] Hand random_moment() {
    return {random_point(random_, 2, 0.7), random_point(random_, 2), random_point(random_, 3),
            Point(gamma_values.begin(), gamma_values.end())};
  }
  std::mt19937_64 random_{7};
  Model model_ = twisted_map();
};

TEST_F(ExactStep, IsTheFormulaWrittenByHand) {
  for (int repeat = 0; repeat < 5; ++repeat) {
    const Hand h = random_moment();
    const Values found = exact_step(model_, h, constant_damping(0.0), {0.0});
    const VectorL nu = h.covector();
    expect_near(found.at("x"), arrival(h.x, h.gamma, h.b), 1e-14);
    expect_near(found.at("nu"), {nu[0], nu[1]}, 1e-7);
    expect_near(found.at("I"), {h.increment(0), h.increment(1), h.increment(2)}, 1e-7);
  }
}

TEST_F(ExactStep, MixesTheKernelIn) {
  const Hand h = random_moment();
  const VectorL nu_div = h.covector();
  const VectorL told = h.told_by_noise();
  const Values some = exact_step(model_, h, constant_damping(0.3), {0.3});
  for (Eigen::Index i = 0; i < 2; ++i) {
    const Real expected = 0.7L * nu_div[i] + 0.3L * told[i];
    EXPECT_NEAR(some.at("nu")[static_cast<std::size_t>(i)], static_cast<double>(expected), 1e-6);
  }
  // A^T acts on nu_div + S^{-T} b.
  const std::vector<double> a{0.2, -0.1, 0.4, 0.6};
  const Values by_matrix = exact_step(model_, h, matrix_damping({}, {}), a);
  const VectorL w = nu_div - told;
  for (std::size_t j = 0; j < 2; ++j) {
    const Real expected = nu_div[static_cast<Eigen::Index>(j)] - a[j] * w[0] - a[2 + j] * w[1];
    EXPECT_NEAR(by_matrix.at("nu")[j], static_cast<double>(expected), 1e-6);
  }
  // The response does not know the damping of its own step.
  EXPECT_EQ(by_matrix.at("I"), some.at("I"));
}

TEST_F(ExactStep, MixesTheLikelihoodRatioIn) {
  const Hand h = random_moment();
  const Values divergence = exact_step(model_, h, constant_damping(0.5), {0.5});
  const Values mixed = exact_step(model_, h, mixed_damping(0.5, 0.2), {0.5, 0.2});
  const Program noise_only = derive_noise_step(model_, all_responses(model_), false);
  const Values ratio = run_program(noise_only, {{"x", doubles(h.x)},
                                                {"b", doubles(h.b)},
                                                {"t", {0.0}},
                                                {"parameters", gamma_values},
                                                {"dt", {1.0}}});
  for (std::size_t p = 0; p < 3; ++p) {
    EXPECT_NEAR(mixed.at("I")[p], 0.8 * divergence.at("I")[p] + 0.2 * ratio.at("I")[p], 1e-12);
  }
  EXPECT_EQ(mixed.at("nu"), divergence.at("nu"));
}

// Only the entries that exist are computed.
TEST(ExactStepCost, SparseJacobiansStaySparse) {
  const Model ring = parse_model(
      "model ring\nparam a = 0.3\nstate x[20] periodic\nx[i]' = a*x[i] + 0.2*sin(x[i+1]) + xi[i]\n"
      "init x ~ normal(0, 1)\ntime 0 : 1 : 2");
  EXPECT_EQ(derive_step_jacobian(ring).places.size(), 40U);
  const Program step = derive_exact_step(ring, {}, all_responses(ring));
  // 2 M^2 for J^{-T} v, and a few dozen operations a state.
  EXPECT_LT(operation_count(*step.graph, step.roots()), 2U * 400U + 20U * 40U);
}

TEST(ExactStepRefusals, AreSentences) {
  const Model tent = load_model("tent");
  expect_error(ErrorKind::model,
               "The step of model tent has a kink (abs): its Jacobian jumps there, and the exact "
               "divergence step would miss what the fold contributes; the damping 'kernel' needs "
               "no Jacobian.",
               [&] { (void)plan(tent, {}, {}); });
  EXPECT_EQ(kink_of(tent), "abs");
  EXPECT_EQ(kink_of(load_model("logistic")), std::nullopt);
  expect_error(
      ErrorKind::usage,
      "Jacobian damping is made of the drift of an SDE, but model logistic is a "
      "discrete-time map.",
      [] { (void)plan(load_model("logistic"), method_with(jacobian_damping(1.0, 0.0)), {}); });
  for (const Damping& damping : {kernel_damping(), mixed_damping(1.0, 0.0)}) {
    expect_error(ErrorKind::usage, "The damping '" + damping.text() + "' belongs to exact steps",
                 [&] { (void)plan(load_model("ou"), method_with(damping), {}); });
  }
  const Model wide = parse_model(
      "model wide\nstate x[129]\nx[i]' = 0.5*x[i] + xi[i]\ninit x ~ normal(0, 1)\ntime 0 : 1 : 2");
  expect_error(ErrorKind::usage,
               "The exact step inverts a matrix as wide as the model has states: model wide has "
               "129, the limit is 128.",
               [&] { (void)plan(wide, {}, {}); });
  const Model half_silent = parse_model(
      "model silent\nparam a = 0.5\nstate x, y\nx' = a*x + y + xi\ny' = x\n"
      "init state ~ normal(0, 1)\ntime 0 : 1 : 2");
  expect_error(ErrorKind::model, "State y of model silent carries no noise", [&] {
    (void)plan(half_silent, method_with(mixed_damping(0.5, 0.5)), all_responses(half_silent));
  });
  Method second;
  second.order = InverseOrder::second;
  expect_error(ErrorKind::usage,
               "The order in the inverse is that of an expansion in dt, but model logistic is a "
               "discrete-time map, whose step is exact.",
               [&] { (void)Ensemble(load_model("logistic"), second); });
  second.scheme = Scheme::exact;
  expect_error(ErrorKind::usage, "the exact scheme keeps all orders",
               [&] { (void)Ensemble(load_model("ou"), second); });
}

// The kernel form has a step of its own, without J, and minds no kink.
TEST(ExactStepRefusals, TheKernelNeedsNoJacobian) {
  const Method kernel = method_with(kernel_damping());
  for (const char* name : {"logistic", "tent"}) {
    const Model model = load_model(name);
    const Plan planned = plan(model, kernel, all_responses(model));
    ASSERT_EQ(planned.step.size(), 1U);
    EXPECT_FALSE(planned.step.front().inversion.has_value());
    const Program& step = planned.step.front().program;
    for (const Argument& argument : step.arguments) {
      EXPECT_NE(argument.name, covector_array);
      EXPECT_NE(argument.role, Role::schedule);
    }
    EXPECT_EQ(operation_count(*step.graph, step.roots()),
              derive_noise_step(model, all_responses(model), false).operations());
  }
}

// --- identities of the chain ------------------------------------------------------------------

struct Phi {
  std::function<double(std::span<const double>)> value;
  std::function<double(std::span<const double>, std::size_t)> derivative;
};
std::vector<Phi> test_functions() {
  return {{[](auto x) { return std::tanh(x[0]); },
           [](auto x, std::size_t i) {
             return i == 0 ? 1.0 - std::tanh(x[0]) * std::tanh(x[0]) : 0.0;
           }},
          {[](auto x) { return std::sin(x[0] + 0.7 * x[x.size() - 1]); },
           [](auto x, std::size_t i) {
             const double weight = (i == 0 ? 1.0 : 0.0) + (i == x.size() - 1 ? 0.7 : 0.0);
             return weight * std::cos(x[0] + 0.7 * x[x.size() - 1]);
           }}};
}

// E[nu phi + grad phi] = 0, and E[I phi] = d/dgamma E[phi] by differences with common noise.
class Identities {
 public:
  Identities(const Model& model, const Damping& damping, Scheme scheme, std::size_t paths)
      : model_(model) {
    sampling_.paths = paths;
    const Ensemble ensemble(model, method_with(damping, scheme), all_responses(model));
    found_ = ensemble.run(sampling_).snapshots.front();
  }

  [[nodiscard]] Estimate score_defect(const Phi& phi, std::size_t i) const {
    Mean mean;
    for (std::size_t r = 0; r < found_.x().rows; ++r) {
      const auto x = found_.x().row(r);
      mean.add(found_.nu()(r, i) * phi.value(x) + phi.derivative(x, i));
    }
    return mean.estimate();
  }

  [[nodiscard]] Estimate response_defect(const Phi& phi, std::size_t p) const {
    const double h = 1e-4;
    const std::string& name = model_.parameters()[p].name;
    const double value = model_.parameters()[p].value;
    Ensemble ensemble(model_.with_value(name, value + h), {}, Asked::states());
    const Snapshot above = ensemble.run(sampling_).snapshots.front();
    ensemble.set_model(model_.with_value(name, value - h));
    const Snapshot below = ensemble.run(sampling_).snapshots.front();
    Mean mean;
    for (std::size_t r = 0; r < found_.x().rows; ++r) {
      const double by_difference =
          (phi.value(above.x().row(r)) - phi.value(below.x().row(r))) / (2.0 * h);
      mean.add(found_.responses()(r, p) * phi.value(found_.x().row(r)) - by_difference);
    }
    return mean.estimate();
  }

  void expect_all() const {
    for (const Phi& phi : test_functions()) {
      for (std::size_t i = 0; i < model_.dimension(); ++i) {
        EXPECT_TRUE(consistent(score_defect(phi, i), 0.0)) << "score " << i;
      }
      // The difference of differences leaves h^2/6 times a third derivative of order one.
      for (std::size_t p = 0; p < found_.responses().cols; ++p) {
        EXPECT_TRUE(consistent(response_defect(phi, p), 0.0, 1e-7)) << "response " << p;
      }
    }
  }

 private:
  const Model& model_;
  Sampling sampling_;
  Snapshot found_;
};

// Smooth, one to one, and with noise that would have to leave twelve deviations to fold it.
const char* const gentle_map =
    "model gentle\nparam a = 0.9\nparam c = 0.3\nparam s = 0.4\nstate x, y\n"
    "x' = a*x + c*sin(y) + s*(1 + 0.1*sin(y))*xi1\n"
    "y' = 0.8*y - c*tanh(x) + 0.5*s*xi1 + (0.3 + 0.03*cos(x))*xi2\n"
    "init x ~ normal(a, 0.7)\ninit y ~ normal(0, 0.6)\ntime 0 : 1 : 4";

TEST(Identities, OfAMapWithVaryingNoise) {
  const Model model = parse_model(gentle_map);
  for (const Damping& damping :
       {constant_damping(0.0), constant_damping(0.4), constant_damping(1.0),
        mixed_damping(0.4, 0.5), mixed_damping(0.0, 1.0), kernel_damping()}) {
    SCOPED_TRACE(damping.text());
    Identities(model, damping, Scheme::automatic, 200'000).expect_all();
  }
}

// A state without noise of its own: the kernel cannot be had, the divergence step can.
TEST(Identities, OfAMapWithASilentState) {
  const Model model = parse_model(
      "model henon\nparam a = 0.4\nparam b = 0.6\nparam s = 0.2\nstate x, y\n"
      "x' = a*sin(x) + y + s*xi\ny' = b*x\ninit x ~ normal(0, 0.5)\ninit y ~ normal(0, 0.5)\n"
      "time 0 : 1 : 4");
  for (const double a : {0.0, 0.3}) {
    Identities(model, constant_damping(a), Scheme::automatic, 200'000).expect_all();
  }
}

TEST(Identities, OfTheEulerChainWithLargeSteps) {
  const char* const equation =
      "model bent\nparam a = 1.2\nparam s = 0.5\nstate x\n"
      "dx = (0.8*sin(2*x) - a*x) dt + s*(1 + 0.2*sin(2*x)) dW\n"
      "init x ~ normal(0.3, 0.8)\ntime 0 : 0.1 : 1";
  const Model model = parse_model(equation);
  for (const Damping& damping : {constant_damping(0.0), constant_damping(3.0), kernel_damping()}) {
    SCOPED_TRACE(damping.text());
    Identities(model, damping, Scheme::exact, 400'000).expect_all();
  }
  // The same tests see the bias of the expanded step.
  const Identities expanded(model, constant_damping(0.0), Scheme::euler, 400'000);
  const Estimate defect = expanded.score_defect(test_functions().front(), 0);
  EXPECT_GT(std::fabs(defect.value), z_limit * defect.standard_error);
}

TEST(Identities, OfAnEulerChainOfTwoStatesWithFullNoise) {
  const Model model = parse_model(
      "model full\nparam a = 1\nparam s = 0.4\nstate x, y\n"
      "dx = (-a*x + sin(y)) dt + s*(1 + 0.2*sin(y)) dU + 0.1*x dV\n"
      "dy = (x - a*y) dt + s dV + 0.3 dW\n"
      "init x ~ normal(0.2, 0.6)\ninit y ~ normal(0, 0.5)\ntime 0 : 0.1 : 0.5");
  for (const Damping& damping : {constant_damping(0.0), constant_damping(2.0)}) {
    SCOPED_TRACE(damping.text());
    Identities(model, damping, Scheme::exact, 400'000).expect_all();
  }
  Identities(model, jacobian_damping(2.0, 0.5), Scheme::exact, 200'000).expect_all();
}

TEST(Identities, OfAChainFromAPoint) {
  const Model model = parse_model(
      "model start\nparam a = 0.8\nparam s = 0.5\nparam m = 0.3\nstate x\n"
      "x' = 0.3*sin(x) + a*x + s*xi\ninit x = m\ntime 0 : 1 : 3");
  for (const Damping& damping :
       {constant_damping(0.2), mixed_damping(0.5, 0.5), kernel_damping()}) {
    SCOPED_TRACE(damping.text());
    Identities(model, damping, Scheme::automatic, 200'000).expect_all();
  }
}

Sampling sampling_of(std::size_t paths) {
  Sampling sampling;
  sampling.paths = paths;
  return sampling;
}

// The score and the responses of a linear chain with Gaussian damping have no variance.
TEST(GaussianDamping, OfALinearMapHasNoVariance) {
  const Model model = parse_model(
      "model linear\nparam a = 0.7\nstate x\nx' = a*x + 0.5*xi\ninit x ~ normal(0, 1)\n"
      "time 0 : 1 : 6");
  std::vector<double> times;
  std::vector<Matrix> matrices;
  double variance = 1.0;
  for (int n = 1; n <= 6; ++n) {
    variance = 0.49 * variance + 0.25;
    times.push_back(n);
    matrices.emplace_back(1, 1, 0.25 / variance);
  }
  const Ensemble ensemble(model, method_with(matrix_damping(times, matrices)), {});
  const Snapshot found = ensemble.run(sampling_of(1000)).snapshots.front();
  ASSERT_EQ(found.x().rows, 1000U);
  for (std::size_t r = 0; r < found.x().rows; ++r) {
    EXPECT_NEAR(found.nu()(r, 0), -found.x()(r, 0) / variance, 1e-12);
  }
}

// --- where the divergence step does not hold --------------------------------------------------

TEST(SingularJacobians, FailWithASentence) {
  const Ensemble ensemble(load_model("logistic"), method_with(constant_damping(0.5)), {});
  Sampling sampling = sampling_of(1000);
  expect_error(ErrorKind::numerical, "its inverse Jacobian was not finite at t = ", [&] {
    (void)ensemble.run(sampling);
  });
  expect_error(ErrorKind::numerical,
               "The Jacobian of a step is singular or turns over, and then the exact divergence "
               "step does not hold; the damping 'kernel' needs no Jacobian.",
               [&] { (void)ensemble.run(sampling); });
  sampling.failed_share = 1.0;
  const RunSummary summary = ensemble.run(sampling).summary;
  EXPECT_GT(summary.failed, 900U);
  EXPECT_EQ(summary.first_failures.front().what, "inverse Jacobian");
}

TEST(MapPilot, TakesTheKernelWhereTheMapFolds) {
  for (const char* name : {"tent", "logistic"}) {
    const Model model = load_model(name);
    const DampingChoice choice =
        choose_damping(model, {}, all_responses(model), sampling_of(20'000));
    EXPECT_EQ(choice.damping.text(), "kernel") << name;
  }
}

// Noise of order one that turns J over now and then; and a saturating network, whose J never
// turns but comes so close to singular that the variance of the divergence step means nothing.
TEST(MapPilot, TakesTheKernelWhereTheDivergenceStepIsWild) {
  const Model turning = parse_model(
      "model turning\nparam a = 0.6\nparam s = 1\nstate x, y\n"
      "x' = a*x + 0.3*sin(y) + s*(1 + 0.5*sin(x))*xi1\ny' = 0.5*y + 0.2*x + s*xi2\n"
      "init x ~ normal(0, 1)\ninit y ~ normal(0, 1)\ntime 0 : 1 : 5");
  for (const Model& model : {turning, load_model("random_network")}) {
    const DampingChoice choice =
        choose_damping(model, {}, all_responses(model), sampling_of(20'000));
    EXPECT_EQ(choice.damping.text(), "kernel") << model.name();
  }
}

// Weak noise: the kernel's score has the variance 1/s^2 and its response more at every step.
TEST(MapPilot, TakesTheDivergenceWhereItIsClearlyBetter) {
  const Model model = parse_model(
      "model weak\nparam a = 1.1\nparam s = 0.02\nstate x\nx' = a*x + 0.3*sin(x) + s*xi\n"
      "init x ~ normal(0, 1)\ntime 0 : 1 : 4");
  AnswerOptions options;
  options.sampling.paths = 20'000;
  const ObservableAnswer answer = observable_response(model, {0}, "tanh(x)", options);
  EXPECT_NE(answer.record.alpha, "kernel");
  options.method.damping = kernel_damping();
  const ObservableAnswer by_kernel = observable_response(model, {0}, "tanh(x)", options);
  EXPECT_LT(answer.response[0].standard_error, 0.5 * by_kernel.response[0].standard_error);
  const double error =
      std::hypot(answer.response[0].standard_error, by_kernel.response[0].standard_error);
  EXPECT_TRUE(consistent({answer.response[0].value, error}, by_kernel.response[0].value));
}

TEST(MapPilot, DoesWithoutTheKernelIfAStateIsSilent) {
  const Model model = parse_model(
      "model silent\nparam a = 0.5\nstate x, y\nx' = a*sin(x) + y + 0.3*xi\ny' = 0.5*x\n"
      "init state ~ normal(0, 1)\ntime 0 : 1 : 3");
  const DampingChoice choice = choose_damping(model, {}, all_responses(model), sampling_of(10'000));
  EXPECT_NE(choice.damping.text(), "kernel");
  EXPECT_TRUE(std::isfinite(choice.cost));
}

// The standard error of a variance, by the fourth moment: sqrt(3/n) for normal numbers, near one
// where one number decides, as with the pole 1/x.
TEST(MapPilot, KnowsWhichVariancesMeanNothing) {
  constexpr std::size_t n = 4096;
  std::mt19937_64 random(3);
  std::normal_distribution<double> normal;
  Matrix light(n, 2), heavy(n, 2), constant_column(n, 1, 2.0);
  for (std::size_t r = 0; r < n; ++r) {
    const double x = normal(random);
    light(r, 0) = heavy(r, 0) = x;
    light(r, 1) = 5.0 + 1e-3 * normal(random);
    heavy(r, 1) = 1.0 / x;
  }
  EXPECT_NEAR(tune::variance_error(light), std::sqrt(3.0 / n), 0.3 * std::sqrt(3.0 / n));
  EXPECT_GT(tune::variance_error(heavy), 0.5);
  EXPECT_LE(tune::variance_error(heavy), 1.0);
  EXPECT_EQ(tune::variance_error(constant_column), 0.0);
}

TEST(MapPilot, RefusesWhatAMapHasNoUseFor) {
  const Model model = load_model("logistic");
  const auto refuses = [&](const std::string& text, const std::string& sentence) {
    expect_error(ErrorKind::usage, sentence, [&] {
      (void)choose_damping(model, method_with(parse_damping(text)), {}, sampling_of(100));
    });
  };
  refuses("jacobian", "Jacobian damping is made of the drift of an SDE, but model logistic is a");
  refuses("jacobian:1,0.5", "Jacobian damping is made of the drift of an SDE");
  refuses("early:0.5",
          "The damping 'early' forgets the start of an SDE at the rate 1/t, but model");
  refuses("1.5",
          "The damping alpha = 1.5 is above 1: it is the share of the kernel in a step, because "
          "model logistic is a discrete-time map.");
  for (const char* text : {"kernel", "mixed:0.5,0.5"}) {
    expect_error(ErrorKind::usage,
                 std::string("The damping '") + text +
                     "' belongs to exact steps: those of maps, and those of the SDE ou with the "
                     "exact scheme.",
                 [&] {
                   (void)choose_damping(load_model("ou"), method_with(parse_damping(text)), {},
                                        sampling_of(100));
                 });
  }
  expect_error(ErrorKind::usage, "The share c = 2 of the likelihood ratio is outside [0, 1].",
               [] { (void)parse_damping("mixed:0.5,2"); });
  expect_error(ErrorKind::usage, "The damping 'mixed:0.5' is not understood",
               [] { (void)parse_damping("mixed:0.5"); });
  EXPECT_EQ(parse_damping("mixed:0.5,0.25").text(), "mixed:0.5,0.25");
  EXPECT_EQ(parse_damping("kernel").text(), "kernel");
}

TEST(MapPilot, OfAnExactChainOfAnSde) {
  Method exact;
  exact.scheme = Scheme::exact;
  const Model model = load_model("ou").with_time({0.0, 0.1, 1.0});
  const DampingChoice choice = choose_damping(model, exact, {}, sampling_of(4096));
  EXPECT_EQ(choice.damping.text(), "gaussian");
}

// --- to the bit -------------------------------------------------------------------------------

TEST(ExactRuns, DoNotDependOnThreadsAndBlocks) {
  for (const bool is_map : {true, false}) {
    const Model model =
        is_map ? parse_model(gentle_map) : load_model("lorenz63").with_time({0.0, 0.01, 0.23});
    const Damping damping = constant_damping(is_map ? 0.5 : 5.0);
    const Ensemble ensemble(model, method_with(damping, Scheme::exact), all_responses(model));
    Sampling sampling = sampling_of(1003);
    Session session;
    session.threads = 1;
    session.block = 8;
    const Snapshot reference = ensemble.run(sampling, session).snapshots.front();
    ASSERT_EQ(reference.x().rows, 1003U);
    for (const unsigned threads : {1U, 2U, 3U}) {
      for (const std::size_t block : {0U, 16U, 64U, 256U}) {
        session.threads = threads;
        session.block = block;
        const Snapshot found = ensemble.run(sampling, session).snapshots.front();
        EXPECT_TRUE(found.x() == reference.x());
        EXPECT_TRUE(found.nu() == reference.nu());
        EXPECT_TRUE(found.responses() == reference.responses());
      }
    }
    // One path of the middle, alone.
    sampling.first_path = 600;
    sampling.paths = 1;
    const Snapshot one = ensemble.run(sampling, session).snapshots.front();
    EXPECT_EQ(one.nu()(0, 0), reference.nu()(600, 0));
    EXPECT_EQ(one.responses()(0, 0), reference.responses()(600, 0));
  }
}

// The path of the exact scheme is the Euler path.
TEST(ExactRuns, RideOnTheEulerPath) {
  const Model model = load_model("bumpy");
  Method exact;
  exact.scheme = Scheme::exact;
  const Snapshot by_euler = Ensemble(model, {}, {}).run(sampling_of(500)).snapshots.front();
  const Snapshot by_exact = Ensemble(model, exact, {}).run(sampling_of(500)).snapshots.front();
  ASSERT_EQ(by_exact.x().rows, 500U);
  for (std::size_t r = 0; r < 500; ++r) {
    EXPECT_NEAR(by_euler.x()(r, 0), by_exact.x()(r, 0), 1e-11);
  }
}

}  // namespace
}  // namespace divker
