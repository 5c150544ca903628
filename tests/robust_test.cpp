// Drifts that explode under plain Euler steps, states that must stay positive, and how a dt that is
// too large is found out: docs/robust.md.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "answer/drift_rates.hpp"
#include "divker/answer.hpp"
#include "divker/diagnose.hpp"
#include "divker/ensemble.hpp"
#include "divker/error.hpp"
#include "divker/exact_density.hpp"
#include "divker/language.hpp"
#include "march/stability.hpp"
#include "support/command.hpp"
#include "support/errors.hpp"
#include "support/identities.hpp"
#include "support/statistics.hpp"

namespace divker {
namespace {

using test::consistent;
using test::Mean;
using test::message_of;
using ::testing::HasSubstr;

Matrix states_of(const Model& model, std::size_t paths, double failed_share = 1e-3) {
  Sampling sampling;
  sampling.paths = paths;
  sampling.failed_share = failed_share;
  return Ensemble(model, {}, Asked::states()).run(sampling).snapshots.back().x();
}

// --- tamed grids ------------------------------------------------------------------------------

TEST(Tamed, OneStepIsTheFormula) {
  const auto end_of = [](const std::string& grid) {
    return states_of(parse_model("model fast\nparam s = 1e-9\nstate x, y\ndx = 1000 dt + s dW\n"
                                 "dy = -3*y dt + s dV\ninit x = 0\ninit y = 2\ntime 0 : 0.01 : " +
                                 grid),
                     1);
  };
  const Matrix plain = end_of("0.01");
  EXPECT_NEAR(plain(0, 0), 10.0, 1e-8);
  EXPECT_NEAR(plain(0, 1), 2.0 - 0.06, 1e-8);
  const Matrix tamed = end_of("0.01 tamed");
  EXPECT_NEAR(tamed(0, 0), 10.0 / std::sqrt(101.0), 1e-8);
  EXPECT_NEAR(tamed(0, 1), 2.0 - 0.06 / std::sqrt(1.0 + 0.06 * 0.06), 1e-8);
  EXPECT_NEAR(end_of("0.01 tamed 5")(0, 0), 10.0 / std::sqrt(5.0), 1e-8);
}

TEST(Tamed, IsPartOfTheModel) {
  const Model tamed = load_model("quintic");
  EXPECT_EQ(tamed.time().tamed, 0.1);
  EXPECT_THAT(tamed.text(), HasSubstr("time 0 : 0.005 : 2 tamed 0.1\n"));
  const Model plain = tamed.with_value("tamed", 0.0);
  EXPECT_THAT(plain.text(), HasSubstr("time 0 : 0.005 : 2\n"));
  EXPECT_NE(plain.hash(), tamed.hash());
  const Model wide = tamed.with_value("tamed", 2.5);
  EXPECT_NE(wide.hash(), tamed.hash());
  for (const Model& model : {tamed, plain, wide, tamed.with_value("tamed", 1.0)}) {
    const Model again = parse_model(model.text());
    EXPECT_EQ(again.text(), model.text());
    EXPECT_EQ(again.hash(), model.hash());
    EXPECT_EQ(again.time().tamed, model.time().tamed);
  }
  EXPECT_EQ(tamed.with_value("dt", 0.02).hash(), tamed.hash());
}

TEST(Tamed, FaultsAreNamed) {
  const std::string start = "model m\nstate x\ndx = -x dt + dW\ninit x ~ normal(0, 1)\ntime ";
  const auto fault = [&](const std::string& grid) {
    return message_of([&] { (void)parse_model(start + grid); });
  };
  EXPECT_THAT(fault("0 : 0.1 : 1 tamed 0"),
              HasSubstr("5:24: The limit of a tamed step is 0; it must"));
  EXPECT_THAT(fault("0 : 0.1 : 1 tamed -2"), HasSubstr("The limit of a tamed step is -2; it must"));
  EXPECT_THAT(fault("0 : 0.1 : 1 tame"), HasSubstr("An operator was expected before"));
  EXPECT_THAT(fault("0 : 0.1 : 1 tamed 2 3"), HasSubstr("An operator was expected before"));
  EXPECT_THAT(message_of([] { (void)load_model("logistic").with_value("tamed", 1.0); }),
              HasSubstr("The model logistic is a map: it has no drift that could be tamed."));
  EXPECT_THAT(message_of([] { (void)load_model("ou").with_value("tamed", -1.0); }),
              HasSubstr("The limit of a tamed time grid is -1; it must be positive"));
}

// One in twenty paths of the plain chain explodes; the error says why, and what dt would do.
TEST(Tamed, PlainStepsExplode) {
  const Model tamed = load_model("quintic").with_value("dt", 0.01);
  const Model plain = tamed.with_value("tamed", 0.0);
  EXPECT_EQ(states_of(tamed, 20'000).rows, 20'000U);
  const std::size_t sound = states_of(plain, 20'000, 1.0).rows;
  EXPECT_LT(sound, 19'000U);
  EXPECT_GT(sound, 10'000U);
  const std::string message = message_of([&] { (void)states_of(plain, 1'000); });
  EXPECT_THAT(message, HasSubstr("dt = 0.01 is too large for the drift: at t = "));
  EXPECT_THAT(message, HasSubstr("beyond the limit 2; take dt = "));
  EXPECT_THAT(message, HasSubstr("tame the drift (`--tamed`)"));
}

// The mean of phi and its responses, from the density on a grid between `from` and `to` that holds
// all but a negligible part of it, and from paths of the model at dt and at dt/2, which follow the
// same Brownian paths: the difference of the two tells what is left to dt.
struct GridQuestion {
  std::string observable;
  std::function<double(double)> phi;
  double from, to;                  // where the density is above the errors of the grid
  double lower, upper;              // ends of the grid
  double mean_bias, response_bias;  // at the model's dt, relative to the mean: the bounds stated
};

void check_against_grid(const Model& model, const GridQuestion& question) {
  const std::vector<std::size_t> parameters = model.parameter_indices("s");
  constexpr double width = 0.01;
  std::vector<double> grid;
  for (double x = question.from; x < question.to; x += width) grid.push_back(x);
  const ExactDensity exact = exact_density(model, parameters, grid, question.lower, question.upper);
  std::vector<double> expected(2, 0.0);
  for (std::size_t k = 0; k < grid.size(); ++k) {
    const double weight = question.phi(grid[k]) * std::exp(exact.log_density[k]) * width;
    expected[0] += weight;
    expected[1] += weight * exact.response(k, 0);
  }
  const auto answer_at = [&](double dt, std::size_t increments) {
    AnswerOptions options;
    options.sampling.paths = 40'000;
    options.sampling.increments_per_step = increments;
    options.method.damping = parse_damping("jacobian:4,0.5");
    options.method.order = InverseOrder::second;
    const auto answer =
        observable_response(model.with_value("dt", dt), parameters, question.observable, options);
    EXPECT_EQ(answer.record.summary.failed, 0U);
    return std::vector<Estimate>{answer.value, answer.response.front()};
  };
  const double dt = model.time().step;
  const std::vector<Estimate> coarse = answer_at(dt, 2);
  const std::vector<Estimate> fine = answer_at(0.5 * dt, 1);
  for (std::size_t q = 0; q < expected.size(); ++q) {
    const double change = coarse[q].value - fine[q].value;
    // The two are correlated so closely that the extrapolation costs hardly any precision.
    const Estimate extrapolated{fine[q].value - change, 1.2 * fine[q].standard_error};
    EXPECT_TRUE(consistent(extrapolated, expected[q], 0.5 * std::fabs(change))) << q;
    const double bias = q == 0 ? question.mean_bias : question.response_bias;
    EXPECT_TRUE(consistent({coarse[q].value, coarse[q].standard_error}, expected[q],
                           bias * std::fabs(expected[0])))
        << q;
  }
}

TEST(Tamed, AgreesWithFokkerPlanck) {
  check_against_grid(load_model("quintic"),
                     {"x^2", [](double x) { return x * x; }, -2.1, 2.1, -9.0, 9.0, 0.01, 0.03});
}

// The expanded step against the exact one of the same tamed chain, on the same noise: the
// difference of E[nu x] and of E[I x] is the bias of the expansion, of first order in dt.
TEST(Tamed, StepAgreesWithTheExactChainToFirstOrder) {
  const Model model = parse_model(
      "model cubic\nparam b = 1\nparam s = 0.8\nstate x\ndx = (x - b*x^3) dt + s dW\n"
      "init x ~ normal(0, 1.5)\ntime 0 : 0.02 : 0.8 tamed 0.1\n");
  const std::vector<double> steps{0.02, 0.01, 0.005};
  std::vector<Estimate> of_score, of_response;
  for (const double dt : steps) {
    std::vector<Snapshot> ends;
    for (const Scheme scheme : {Scheme::euler, Scheme::exact}) {
      Method method;
      method.scheme = scheme;
      method.damping = constant_damping(3.0);
      Sampling sampling;
      sampling.paths = 200'000;
      // The same limit for the drift F itself at every dt, so that dt is all that changes.
      const Model tamed = model.with_value("dt", dt).with_value("tamed", 5.0 * dt);
      ends.push_back(
          Ensemble(tamed, method, Asked::responses_to({0})).run(sampling).snapshots.back());
    }
    Mean score, response;
    for (std::size_t r = 0; r < ends[0].x().rows; ++r) {
      ASSERT_NEAR(ends[0].x()(r, 0), ends[1].x()(r, 0), 1e-9);
      const double phi = std::sin(ends[0].x()(r, 0));
      score.add((ends[0].nu()(r, 0) - ends[1].nu()(r, 0)) * phi);
      response.add((ends[0].responses()(r, 0) - ends[1].responses()(r, 0)) * phi * phi);
    }
    of_score.push_back(score.estimate());
    of_response.push_back(response.estimate());
  }
  for (const auto& differences : {of_score, of_response}) {
    const test::Slope slope = test::log_slope(steps, differences);
    // Terms of second order take less than a tenth off the slope at these dt.
    EXPECT_NEAR(slope.value, 1.0, test::z_limit * slope.standard_error + 0.1);
  }
}

// The identities with finite differences of the tamed chain, where taming acts the most: steps all
// but turn over, and only the exact one is without bias. tests/identities_test.cpp has the model at
// its own dt.
TEST(Tamed, IdentitiesHold) {
  test::IdentityOptions options;
  options.paths = 20'000;
  options.scheme = Scheme::exact;
  const Model model = load_model("quintic").with_value("dt", 0.02).with_value("tamed", 1.0);
  const auto report = test::check_identities(model, options);
  EXPECT_EQ(report.failed, 0U);
  EXPECT_LE(report.worst().z(), test::z_limit) << report.worst().what;
}

// --- positive states --------------------------------------------------------------------------

// Geometric Brownian motion is exact in its logarithm at any dt: log w_T is normal.
Model geometric(const std::string& start) {
  return parse_model(
      "model geometric\nparam mu = 0.3\nparam v = 0.5 in (0, inf)\nparam m = 0.2\n"
      "state w positive\ndw = mu*w dt + v*w dW\n" +
      start + "\ntime 0 : 0.25 : 1\n");
}

struct Lognormal {
  double mean = 0.0;
  double variance = 0.0;
  [[nodiscard]] double score(double w) const {
    return (-(std::log(w) - mean) / variance - 1.0) / w;
  }
  // d log h / d gamma, of derivatives of the mean and of the variance.
  [[nodiscard]] double response(double w, double d_mean, double d_variance) const {
    const double z = std::log(w) - mean;
    return z * d_mean / variance + 0.5 * (z * z / variance - 1.0) * d_variance / variance;
  }
};

// E[(nu - score) phi] = 0 and E[(I - response) phi] = 0 at a dt of a quarter of the time.
void check_geometric(const Model& model, const Lognormal& law, double d_mean_of_m, Scheme scheme,
                     Damping damping) {
  Method method;
  method.scheme = scheme;
  method.damping = std::move(damping);
  Sampling sampling;
  sampling.paths = 20'000;
  const Model from_rows = model.with_samples(std::make_shared<Matrix>(1, 1, std::exp(0.2)));
  const Paths paths = Ensemble(from_rows, method, Asked::responses_to({0, 1, 2})).run(sampling);
  EXPECT_EQ(paths.summary.failed, 0U);
  const Snapshot& end = paths.snapshots.back();
  const double v = 0.5;
  // Without damping the score of a Gaussian start has no variance at all.
  constexpr double rounding = 1e-12;
  for (const int kind : {0, 1, 2}) {
    Mean score, mu, noise, start;
    for (std::size_t r = 0; r < end.x().rows; ++r) {
      const double w = end.x()(r, 0);
      EXPECT_GT(w, 0.0);
      const double phi = kind == 0 ? 1.0 : (kind == 1 ? std::sin(w) : std::cos(w));
      score.add((end.nu()(r, 0) - law.score(w)) * phi);
      mu.add((end.responses()(r, 0) - law.response(w, 1.0, 0.0)) * phi);
      noise.add((end.responses()(r, 1) - law.response(w, -v, 2.0 * v)) * phi);
      start.add((end.responses()(r, 2) - law.response(w, d_mean_of_m, 0.0)) * phi);
    }
    EXPECT_TRUE(consistent(score.estimate(), 0.0, rounding));
    EXPECT_TRUE(consistent(mu.estimate(), 0.0, rounding));
    EXPECT_TRUE(consistent(noise.estimate(), 0.0, rounding));
    EXPECT_TRUE(consistent(start.estimate(), 0.0, rounding));
  }
}

TEST(Positive, GeometricBrownianMotionIsExactAtAnyStep) {
  const double drift = 0.3 - 0.125;
  const Lognormal from_density{0.2 + drift, 0.25 + 0.16};
  const Model model = geometric("init w ~ lognormal(m, 0.4)");
  constexpr Scheme euler = Scheme::euler, exact = Scheme::exact;
  for (const double alpha : {0.0, 1.0}) {
    check_geometric(model, from_density, 1.0, euler, constant_damping(alpha));
    check_geometric(model, from_density, 1.0, exact, constant_damping(alpha));
  }
  check_geometric(model, from_density, 1.0, euler, jacobian_damping(1.0, 0.5));
  check_geometric(model, from_density, 1.0, euler, gaussian_damping(model, {}));
  // From a point and from samples the start is without a score.
  const Lognormal from_point{0.2 + drift, 0.25};
  check_geometric(geometric("init w = exp(m)"), from_point, 1.0, euler, {});
  check_geometric(geometric("init w = exp(m)"), from_point, 1.0, exact, {});
  check_geometric(geometric("init w ~ samples(\"w.npy\")"), from_point, 0.0, euler, {});
}

// The covariance of logarithms makes the Gaussian damping that of a linear system, for which the
// score has no variance at all.
TEST(Positive, GaussianDampingIsThatOfTheLogarithms) {
  const Model model = geometric("init w ~ lognormal(m, 0.4)").with_value("dt", 0.01);
  Sampling sampling;
  sampling.paths = 2'000;
  Method method;
  method.damping = gaussian_damping(model, sampling);
  const Snapshot end = Ensemble(model, method).run(sampling).snapshots.back();
  const Lognormal law{0.2 + 0.3 - 0.125, 0.25 + 0.16};
  Mean deviation;
  for (std::size_t r = 0; r < end.x().rows; ++r) {
    deviation.add(end.x()(r, 0) * (end.nu()(r, 0) - law.score(end.x()(r, 0))));
  }
  EXPECT_LT(deviation.root_mean_square(), 0.1);  // constants leave 0.5 and more
}

// Plain steps of this size of the 3/2 model go negative or explode.
TEST(Positive, AgreesWithFokkerPlanck) {
  check_against_grid(load_model("three_halves").with_value("dt", 0.01),
                     {"log(1 + r)", [](double r) { return std::log(1.0 + r); }, 0.12, 20.0, 0.0,
                      30.0, 0.005, 0.03});
}

// Shared noise, silent states beside positive ones, vectors, tamed logarithms.
TEST(Positive, IdentitiesHold) {
  const std::vector<std::string> models{
      "model heston\nparam k = 4\nparam m = 0.2\nparam e = 0.4\nparam r = -0.7 in (-1, 1)\n"
      "state y, v positive\nlet sd = sqrt(v)\ndy = -v/2 dt + sd dU\n"
      "dv = k*(m - v) dt + e*r*sd dU + e*sqrt(1 - r^2)*sd dW\ninit y ~ normal(0, 0.1)\n"
      "init v ~ lognormal(-1.6, 0.3)\ntime 0 : 0.01 : 0.5\n",
      "model food_chain\nparam a = 1\nparam c = 0.8\nparam s = 0.3\nstate n[3] positive\n"
      "dn[i] = n[i]*(a - n[i]) dt + s*n[i] dW[i]\n"
      "dn[1] = n[1]*(c*n[0] - n[1]) dt + s*n[1] dW[1]\n"
      "dn[2] = n[2]*(c*n[1] - n[2]) dt + s*n[2] dW[2]\n"
      "init n ~ lognormal(0, 0.3)\ntime 0 : 0.02 : 1 tamed\n",
      "model silent\nparam k = 1\nparam g = 0.5\nparam s = 0.4\nstate stock positive, w positive\n"
      "dstock = stock*(log(w) - k*log(stock)) dt\ndw = -g*w*log(w) dt + s*w dW\n"
      "init state ~ lognormal(0, 0.5)\ntime 0 : 0.02 : 1\n"};
  for (const std::string& text : models) {
    const Model model = parse_model(text);
    test::IdentityOptions options;
    options.paths = 20'000;
    for (const Scheme scheme : {Scheme::exact, Scheme::euler}) {
      options.scheme = scheme;
      options.order = scheme == Scheme::exact ? InverseOrder::first : InverseOrder::second;
      const auto report = test::check_identities(model, options);
      EXPECT_EQ(report.failed, 0U) << model.name();
      EXPECT_LE(report.worst().z(), test::z_limit) << model.name() << ": " << report.worst().what;
    }
  }
}

TEST(Positive, IsPartOfTheModel) {
  const std::string text =
      "model m\nstate w positive, x[3] periodic positive, y\ndw = -w dt + w dW\n"
      "dx[i] = x[i]*(x[i+1] - x[i]) dt + x[i] dV[i]\ndy = -y dt + dU\ninit w = 1\n"
      "init x ~ lognormal(0, 1)\ninit y ~ normal(0, 1)\ntime 0 : 0.1 : 1\n";
  const Model model = parse_model(text);
  EXPECT_EQ(model.text(), text);
  EXPECT_TRUE(model.has_bounded_states());
  EXPECT_EQ(model.states()[3].range, Range::positive());
  EXPECT_TRUE(model.states()[4].range.is_whole());
  EXPECT_FALSE(load_model("ou").has_bounded_states());

  ModelBuilder b("built");
  const Expression w = b.state("w", true);
  const std::vector<Expression> x = b.states("x", 2, false, true);
  for (const Expression& state : {w, x[0], x[1]}) {
    b.drift(state, -state);
    b.initial_lognormal(state, b.graph().constant(0.0), b.graph().constant(1.0));
  }
  b.noise(w, "W", w);
  b.noise(x[0], "V", x[0]);
  b.noise(x[1], "U", x[1]);
  b.time(0.0, 0.1, 1.0, 2.0);
  const Model built = b.build();
  EXPECT_THAT(built.text(), HasSubstr("state w positive\nstate x[2] positive\n"));
  EXPECT_THAT(built.text(), HasSubstr("time 0 : 0.1 : 1 tamed 2\n"));
  EXPECT_EQ(parse_model(built.text()).hash(), built.hash());
  std::string without = built.text();
  without.erase(without.find(" positive"), std::string(" positive").size());
  EXPECT_NE(parse_model(without).hash(), built.hash());
}

TEST(Positive, FaultsAreNamed) {
  const auto fault = [](const std::string& lines) {
    return message_of([&] { (void)parse_model("model m\n" + lines); });
  };
  const std::string equation = "state w positive\ndw = -w dt + w dW\ntime 0 : 0.1 : 1\n";
  EXPECT_THAT(fault(equation + "init w ~ normal(1, 0.1)\n"),
              HasSubstr("The state w is positive, but its initial law is normal, which is not; "
                        "write init w ~ lognormal(mu, sd)"));
  EXPECT_THAT(fault(equation + "init w = -2\n"),
              HasSubstr("The state w is positive, but starts from -2."));
  EXPECT_THAT(fault("state w positive\nw' = w + xi\ninit w = 1\ntime 0 : 1 : 5\n"),
              HasSubstr("The state w of the map m cannot be declared positive"));
  EXPECT_THAT(fault("state positive\n"), HasSubstr("is a word of the language"));
  EXPECT_THAT(fault("state w positive positive\n"), HasSubstr("The end of the line was expected"));

  auto samples = std::make_shared<Matrix>(3, 1, 1.0);
  (*samples)(2, 0) = 0.0;
  const Model model = geometric("init w ~ samples(\"w.npy\")").with_samples(samples);
  Sampling sampling;
  sampling.paths = 4;
  EXPECT_THAT(message_of([&] { (void)Ensemble(model, {}).run(sampling); }),
              HasSubstr("The initial samples hold w = 0 in row 2, but the state w is declared "
                        "positive."));
  EXPECT_THAT(
      message_of(
          [&] { (void)score_at(geometric("init w = 1"), Matrix(1, 1, -1.0), AnswerOptions{}); }),
      HasSubstr("Point number 0 has the value -1 for state w, which is declared positive."));
}

// --- a dt that is too large -------------------------------------------------------------------

TEST(Stability, TheRateIsTheSpectralRadius) {
  const auto rates = [](const std::string& lines, const Matrix& x) {
    const Model model = parse_model("model m\n" + lines);
    return march::DriftRate(model)(x, std::vector<double>{0.0});
  };
  Matrix x(2, 1);
  x.data = {1.0, -2.0};
  const std::string line = "state x\ndx = -x^3 dt + dW\ninit x ~ normal(0, 1)\ntime 0 : 0.1 : 1";
  EXPECT_NEAR(rates(line, x)[0], 0.3, 1e-12);
  EXPECT_NEAR(rates(line, x)[1], 1.2, 1e-12);
  // Of the tamed drift: F' / (1 + (dt F)^2)^(3/2).
  EXPECT_NEAR(rates(line + " tamed", x)[1], 1.2 / std::pow(1.0 + 0.64, 1.5), 1e-12);
  // Of log w: d/du (1 - e^u - s^2/2) = -w.
  x.data = {1.0, 3.0};
  EXPECT_NEAR(
      rates("state w positive\ndw = w*(1 - w) dt + 0.5*w dW\ninit w = 1\ntime 0 : 0.1 : 1", x)[1],
      0.3, 1e-12);
  // A spiral with eigenvalues -1 +- 10i, and a diagonal beside it.
  const std::vector<double> spiral = rates(
      "state p, q, z\ndp = (-p - 10*q) dt + dW\ndq = (10*p - q) dt + dV\n"
      "dz = -4*z dt + dU\ninit state ~ normal(0, 1)\ntime 0 : 0.1 : 1",
      Matrix(1, 3, 0.0));
  EXPECT_NEAR(spiral[0], 0.1 * std::sqrt(101.0), 0.01);
}

TEST(Stability, ASmallerStepIsRoundedDown) {
  EXPECT_NEAR(march::smaller_step(0.01, 3.0), 0.0033, 1e-12);
  EXPECT_NEAR(march::smaller_step(0.1, 1.25), 0.08, 1e-12);
  EXPECT_NEAR(march::smaller_step(2.0, 1.5), 1.3, 1e-12);
}

Check check_named(const Diagnosis& diagnosis, const std::string& name) {
  for (const Check& check : diagnosis.checks) {
    if (check.name == name) return check;
  }
  return {};
}

TEST(Stability, DiagnosisTellsOfAStepThatIsTooLarge) {
  DiagnoseOptions options;
  options.answer.sampling.paths = 1'000;
  options.answer.sampling.failed_share = 0.5;
  options.answer.method.damping = parse_damping("jacobian:4,0.5");
  options.parameters = {0};
  const Model model = load_model("double_well");
  const auto stability = [&](double dt) {
    return check_named(diagnose(model.with_value("dt", dt), options), "stability");
  };
  EXPECT_EQ(stability(0.01).verdict, Verdict::good);
  const Check coarse = stability(0.2);
  EXPECT_GE(coarse.verdict, Verdict::caution);
  EXPECT_THAT(coarse.advice, HasSubstr("take dt = 0."));
  EXPECT_THAT(coarse.advice, HasSubstr("or tame the drift (`--tamed`)"));
}

TEST(Stability, ShippedModelsKeepBelowTheTurningLimit) {
  std::size_t varying = 0;
  for (const ShippedModel& shipped : shipped_models()) {
    const Model model = load_model(shipped.name);
    if (model.dynamics() == Dynamics::map) continue;
    const DriftRates rates = drift_rates(model, {}, {});
    EXPECT_GE(rates.points, 100U) << shipped.name;
    EXPECT_LT(rates.largest, march::turning_limit) << shipped.name;
    if (rates.largest > 0.0) ++varying;  // all but market_gbm, whose drift is constant
  }
  EXPECT_GE(varying, 18U);
}

// A failure for another reason is not blamed on dt.
TEST(Stability, OtherFailuresAreNotBlamedOnTheStep) {
  const Model model =
      parse_model("model edge\nstate x\ndx = dt + sqrt(x) dW\ninit x = 0.05\ntime 0 : 0.01 : 1\n");
  const std::string message = message_of([&] { (void)states_of(model, 1'000); });
  EXPECT_THAT(message, HasSubstr("A smaller dt, or stronger damping"));
}

// --- the command ------------------------------------------------------------------------------

class RobustCommand : public test::CommandTest {};

TEST_F(RobustCommand, TamesAndTellsWhenItShould) {
  const test::Json tamed = json_of({"simulate", "quintic", "--paths", "1000"});
  EXPECT_EQ(tamed["time_grid"]["tamed"], 0.1);
  EXPECT_EQ(tamed["failed_paths"], 0);
  const test::Words plain{"simulate", "quintic", "--paths", "1000", "--set", "tamed=0"};
  expect_failure(plain, 4, "is too large for the drift: at t = 0");
  test::Words again = plain;
  again.emplace_back("--tamed");
  const test::Json flag = json_of(again);
  EXPECT_EQ(flag["time_grid"]["tamed"], 1.0);
  EXPECT_EQ(flag["failed_paths"], 0);
  EXPECT_EQ(json_of({"show", "ou", "--tamed"})["model_text"].get<std::string>().substr(0, 1), "#");
  expect_failure({"simulate", "logistic", "--tamed"}, 3, "has no drift that could be tamed");
  // Tolerated failures leave an answer, and on the standard error the reason.
  test::Words tolerant = plain;
  tolerant.insert(tolerant.end(), {"--failed-share", "0.5"});
  const test::Outcome outcome = run(tolerant);
  EXPECT_EQ(outcome.code, 0);
  EXPECT_THAT(outcome.err, HasSubstr("divker: on path "));
  tolerant.emplace_back("--json");
  EXPECT_THAT(test::Json::parse(run(tolerant).out)["failure_cause"].get<std::string>(),
              HasSubstr("dt = 0.005 is too large for the drift"));
  EXPECT_EQ(tamed["failure_cause"], "");
  EXPECT_THAT(outcome.err, HasSubstr("tame the drift (`--tamed`)"));
}

TEST_F(RobustCommand, FitsAPositiveState) {
  std::string text = geometric("init w ~ lognormal(0.2, 0.4)").text();
  const std::string unused = "param m = 0.2\n";
  text.erase(text.find(unused), unused.size());
  write("geometric.sde", text);
  ASSERT_EQ(run({"sample", "geometric.sde", "-n", "2000", "--seed", "7", "--out", "w.npy"}).code,
            0);
  const test::Json fit = json_of({"fit", "geometric.sde", "--data", "w.npy", "--set", "mu=0",
                                  "--set", "v=0.8", "--paths", "10000"});
  const std::vector<double> truth{0.3, 0.5};
  for (std::size_t p = 0; p < truth.size(); ++p) {
    const double error = fit["stderr"][p];
    EXPECT_LT(error, 0.1);
    EXPECT_NEAR(fit["estimate"][p].get<double>(), truth[p], test::z_limit * error);
  }
  write("bad.csv", "w\n1\n0\n");
  expect_failure({"fit", "geometric.sde", "--data", "bad.csv"}, 3, "Line 3 of bad.csv has 'w' = 0");
}

}  // namespace
}  // namespace divker
