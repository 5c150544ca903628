// Learned damping: its polynomials against closed forms, and what it does to the variance.
#include <gtest/gtest.h>

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <map>
#include <random>
#include <vector>

#include "divker/language.hpp"
#include "divker/pilot.hpp"
#include "support/errors.hpp"
#include "support/identities.hpp"
#include "support/statistics.hpp"
#include "tune/covariance_regression.hpp"

namespace divker {
namespace {

using tune::CovarianceGroup;

Model model_of(const std::string& text) { return parse_model(text, "learned.sde"); }

Model two_states() {
  return model_of(
      "model pair\nstate x\nstate y\ndx = -x dt + 1 dW\ndy = -y dt + 1 dV\n"
      "init x ~ normal(0, 1)\ninit y ~ normal(0, 1)\ntime 0 : 0.01 : 1\n");
}

Model one_state(const std::string& attribute = "") {
  return model_of("model one\nstate x " + attribute +
                  "\ndx = -x dt + x dW\ninit x ~ lognormal(0, 1)\ntime 0 : 0.01 : 1\n");
}

const LearnedCovariance& learned_in(const Damping& damping) {
  return dynamic_cast<const LearnedCovariance&>(*damping.table);
}

// C(x) of a learned damping at a point, row <= column.
double entry_at(const Damping& damping, std::size_t row, std::size_t column,
                const std::vector<double>& x) {
  const LearnedCovariance& learned = learned_in(damping);
  const CovectorCovariance& c = *learned.shape;
  double entry = 0.0;
  for (const auto& term : c.terms) {
    if (term.row != row || term.column != column) continue;
    double product = learned.weights[term.weight];
    for (const std::size_t k : term.factors) {
      const std::size_t scale = c.scale_of[k];
      product *= std::clamp((x[k] - learned.centres[scale]) / learned.widths[scale],
                            -largest_standardised_state, largest_standardised_state);
    }
    entry += product;
  }
  return entry;
}

// Points of a law and, as nu, its exact score.
Snapshot snapshot_of(const std::vector<std::vector<double>>& x,
                     const std::vector<std::vector<double>>& nu) {
  Snapshot snapshot;
  for (const auto& [name, rows] : {std::pair{"x", &x}, std::pair{"nu", &nu}}) {
    Matrix& table = snapshot.table(name);
    table = Matrix(x.size(), x.front().size());
    for (std::size_t r = 0; r < x.size(); ++r) std::ranges::copy((*rows)[r], table.row(r).begin());
  }
  return snapshot;
}

// Where nu is the score itself, C = s s^T - (grad grad h)/h = -grad s. Of a Gaussian: P^{-1}.
TEST(Regression, FindsTheInverseCovarianceOfAGaussian) {
  Eigen::Matrix2d covariance;
  covariance << 2.0, 0.6, 0.6, 0.5;
  const Eigen::Matrix2d inverse = covariance.inverse();
  const Eigen::Matrix2d root = covariance.llt().matrixL();
  std::mt19937_64 random(1);
  std::normal_distribution<double> normal;
  std::vector<std::vector<double>> x;
  std::vector<std::vector<double>> nu;
  for (int r = 0; r < 100'000; ++r) {
    const double z0 = normal(random);
    const double z1 = normal(random);
    const Eigen::Vector2d point = root * Eigen::Vector2d(z0, z1);
    const Eigen::Vector2d score = -inverse * point;
    x.push_back({point[0], point[1]});
    nu.push_back({score[0], score[1]});
  }
  const Damping damping = tune::regress_covariance(two_states(), {snapshot_of(x, nu)});
  for (const std::vector<double>& at :
       std::vector<std::vector<double>>{{0, 0}, {1, 0.5}, {-1, 0}}) {
    EXPECT_NEAR(entry_at(damping, 0, 0, at), inverse(0, 0), 0.06 * inverse(0, 0));
    EXPECT_NEAR(entry_at(damping, 0, 1, at), inverse(0, 1), 0.06 * std::fabs(inverse(0, 1)));
    EXPECT_NEAR(entry_at(damping, 1, 1, at), inverse(1, 1), 0.06 * inverse(1, 1));
  }
}

// h ~ exp(-x^4/4): s = -x^3, C = 3 x^2, a polynomial of the candidates.
TEST(Regression, FindsTheCurvatureOfAPotential) {
  std::mt19937_64 random(2);
  std::uniform_real_distribution<double> uniform;
  std::vector<std::vector<double>> x;
  std::vector<std::vector<double>> nu;
  while (x.size() < 100'000) {
    const double point = 6.0 * uniform(random) - 3.0;
    if (uniform(random) > std::exp(-std::pow(point, 4) / 4.0)) continue;
    x.push_back({point});
    nu.push_back({-std::pow(point, 3)});
  }
  const Damping damping = tune::regress_covariance(one_state(), {snapshot_of(x, nu)});
  for (const double at : {-1.2, -0.5, 0.0, 0.7, 1.2}) {
    EXPECT_NEAR(entry_at(damping, 0, 0, {at}), 3.0 * at * at, 0.2) << "x = " << at;
  }
}

// Positive states enter by their logarithms: u = log w standard normal has C = 1, and h_w = h_u/w.
TEST(Regression, TakesTheLogarithmOfPositiveStates) {
  std::mt19937_64 random(3);
  std::normal_distribution<double> normal;
  std::vector<std::vector<double>> x;
  std::vector<std::vector<double>> nu;
  for (int r = 0; r < 100'000; ++r) {
    const double u = normal(random);
    x.push_back({std::exp(u)});
    nu.push_back({(-u - 1.0) / std::exp(u)});
  }
  const Damping damping = tune::regress_covariance(one_state("positive"), {snapshot_of(x, nu)});
  for (const double u : {-1.0, 0.0, 1.0}) EXPECT_NEAR(entry_at(damping, 0, 0, {u}), 1.0, 0.05);
}

TEST(Regression, StopsWhereFeaturesExplainNoMoreThanChance) {
  Eigen::MatrixXd gram = Eigen::MatrixXd::Identity(3, 3);
  Eigen::VectorXd target(3);
  target << 0.5, 0.25, 0.0;
  tune::ForwardSelection selection(gram, target, 1.0);
  EXPECT_EQ(selection.best(), 0);
  EXPECT_DOUBLE_EQ(selection.gain(0), 0.25);
  selection.add(0);
  EXPECT_DOUBLE_EQ(selection.left_over(), 0.75);
  EXPECT_EQ(selection.gain(0), 0.0);
  EXPECT_EQ(selection.best(), 1);
  selection.add(1);
  EXPECT_DOUBLE_EQ(selection.left_over(), 0.6875);
  EXPECT_DOUBLE_EQ(selection.weights()[0], 0.5);
  EXPECT_DOUBLE_EQ(selection.weights()[1], 0.25);
}

TEST(Candidates, FewStatesHaveAllEntries) {
  const auto groups = tune::covariance_groups(load_model("lorenz63"));
  ASSERT_EQ(groups.size(), 1U);
  EXPECT_EQ(groups[0].entries.size(), 6U);
  EXPECT_EQ(groups[0].features.size(), 35U);  // degree four in three variables
  EXPECT_EQ(groups[0].whole_sites, std::vector<std::size_t>{0});
}

TEST(Candidates, ManyStatesHaveTheirVariances) {
  std::string text = "model many\nstate a, b, c, d, e, f, g, h, i, j, k, l, m\n";
  for (const char name : std::string("abcdefghijklm")) {
    const std::string x(1, name);
    text += "d" + x + " = -" + x + " dt + 1 dW" + x + "\ninit " + x + " ~ normal(0, 1)\n";
  }
  const auto groups = tune::covariance_groups(model_of(text + "time 0 : 0.1 : 1\n"));
  ASSERT_EQ(groups.size(), 13U);
  for (const CovarianceGroup& group : groups) {
    EXPECT_EQ(group.entries.size(), 1U);
    EXPECT_EQ(group.features.size(), 3U);
  }
}

Model chain_of(std::size_t count, const std::string& attribute) {
  return model_of("model chain\nstate x[" + std::to_string(count) + "] " + attribute +
                  "\ndx[i] = -x[i] dt + 1 dW[i]\ninit x[i] ~ normal(0, 1)\ntime 0 : 0.1 : 1\n");
}

TEST(Candidates, RingsShareOneLaw) {
  const auto groups = tune::covariance_groups(chain_of(10, "periodic"));
  ASSERT_EQ(groups.size(), 1U);
  const CovarianceGroup& ring = groups[0];
  EXPECT_EQ(ring.entries.size(), 5U);  // 0 to 4 apart
  EXPECT_EQ(ring.features.size(), 1U + 7 + 28);
  EXPECT_EQ(ring.whole_sites.size(), 10U);
  // No place twice: an entry has one polynomial.
  std::map<std::pair<std::size_t, std::size_t>, int> uses;
  for (const auto& entry : ring.entries) {
    for (const auto& place : entry.places) ++uses[{place->row, place->column}];
  }
  EXPECT_EQ(uses.size(), 50U);
  EXPECT_EQ(tune::state_scales(chain_of(10, "periodic")), std::vector<std::size_t>(10, 0));
}

TEST(Candidates, OpenChainsEnd) {
  const auto groups = tune::covariance_groups(chain_of(12, ""));
  ASSERT_EQ(groups.size(), 1U);
  const CovarianceGroup& chain = groups[0];
  EXPECT_EQ(chain.whole_sites.front(), 3U);
  EXPECT_EQ(chain.whole_sites.back(), 8U);
  for (const auto& entry : chain.entries) {
    for (const auto& place : entry.places) {
      if (place) {
        EXPECT_LE(place->column - place->row, 4U);
      }
    }
  }
}

Sampling paths_of(std::size_t paths) {
  Sampling sampling;
  sampling.paths = paths;
  return sampling;
}

Method damped(const std::string& text) {
  Method method;
  method.damping = parse_damping(text);
  return method;
}

double mean_square_of_nu(const Model& model, const Damping& damping, std::size_t paths) {
  Method method;
  method.damping = damping;
  Sampling sampling = paths_of(paths);
  sampling.seed = 77;
  const Paths result = Ensemble(model, method).run(sampling);
  EXPECT_EQ(result.summary.failed, 0U);
  double sum = 0.0;
  for (const double nu : result.snapshots.back().nu().data) sum += nu * nu;
  return sum / static_cast<double>(result.snapshots.back().nu().data.size());
}

// The neuron is far from reversible, and nothing else knows where its law is narrow. Measured:
// 0.58; the standard error of the ratio is 0.01.
TEST(LearnedDamping, BeatsTheJacobianOnANeuron) {
  const Model model = load_model("fitzhugh_nagumo");
  const DampingChoice automatic = choose_damping(model, {}, {}, paths_of(20'000));
  const DampingChoice jacobian = choose_damping(model, damped("jacobian"), {}, paths_of(20'000));
  EXPECT_EQ(automatic.damping.text(), "learned");
  EXPECT_LT(mean_square_of_nu(model, automatic.damping, 20'000),
            0.65 * mean_square_of_nu(model, jacobian.damping, 20'000));
}

// With alpha = 5 the mean square is 254.0 +- 2.5, from a million paths (docs/damping.md: few paths
// decide, so that fewer of them are no reference). Measured: 4.174 +- 0.009, a 61st.
TEST(LearnedDamping, HasASixtiethOfTheVarianceOfAConstantInChaos) {
  const Model model = load_model("lorenz96");
  const DampingChoice automatic = choose_damping(model, {}, {}, paths_of(20'000));
  EXPECT_EQ(automatic.damping.text(), "learned");
  EXPECT_LT(mean_square_of_nu(model, automatic.damping, 20'000), 254.0 / 60.0);
}

// Short runs are over before anything is learned.
TEST(LearnedDamping, IsNotTriedForFewPaths) {
  const DampingChoice choice =
      choose_damping(load_model("fitzhugh_nagumo"), {}, {}, paths_of(4'000));
  for (const auto& candidate : choice.candidates) {
    EXPECT_NE(candidate.damping.form->name(), "learned");
  }
  Tuning tuning;
  tuning.may_learn = false;
  const DampingChoice unlearned =
      choose_damping(load_model("fitzhugh_nagumo"), {}, {}, paths_of(20'000), {}, tuning);
  EXPECT_NE(unlearned.damping.form->name(), "learned");
}

TEST(LearnedDamping, IsTheSameAgain) {
  const Model model = load_model("lorenz63");
  const DampingChoice one = choose_damping(model, damped("learned"), {}, paths_of(4'000));
  Session one_thread;
  one_thread.threads = 1;
  const DampingChoice two =
      choose_damping(model, damped("learned"), {}, paths_of(4'000), one_thread);
  EXPECT_EQ(learned_in(one.damping).weights, learned_in(two.damping).weights);
}

// What is estimated does not depend on the damping: the identities of MATH hold. Chaotic motion,
// noise that depends on the state, silent states.
TEST(LearnedDamping, KeepsTheIdentities) {
  for (const char* name :
       {"lorenz63", "fitzhugh_nagumo", "cir", "ring", "double_well", "langevin"}) {
    test::IdentityOptions options;
    options.paths = 20'000;
    options.order = InverseOrder::second;
    options.damping = parse_damping("learned");
    const auto report = test::check_identities(load_model(name), options);
    EXPECT_EQ(report.damping, "learned");
    EXPECT_EQ(report.failed, 0U) << name;
    for (const auto& check : report.checks) {
      EXPECT_LE(check.z(), test::z_limit)
          << name << ": " << check.what << ", " << check.difference.value << " +- "
          << check.difference.standard_error;
    }
  }
}

TEST(LearnedDamping, IsThereForRunsOfFewSteps) {
  for (const double end : {0.1, 0.2, 0.3, 0.5}) {
    const Model model = load_model("ou").with_time({0.0, 0.1, end});
    EXPECT_EQ(choose_damping(model, damped("learned"), {}, paths_of(1'000)).damping.text(),
              "learned");
  }
}

TEST(LearnedDamping, RefusesWhatHasNoUseForIt) {
  test::expect_error(
      ErrorKind::usage,
      "Learned damping is a rate, for SDEs, but model logistic is a discrete-time "
      "map.",
      [] { (void)choose_damping(load_model("logistic"), damped("learned"), {}, paths_of(1'000)); });
}

TEST(LearnedDamping, BelongsToOneEnsemble) {
  const Model model = load_model("lorenz63");
  const Damping damping = choose_damping(model, damped("learned"), {}, paths_of(1'000)).damping;
  Method method;
  method.damping = damping;
  Ensemble ensemble(model, method);
  const auto other = [&](const auto& change) {
    const LearnedCovariance& learned = learned_in(damping);
    auto table = std::make_shared<LearnedCovariance>();
    table->shape = learned.shape;
    table->centres = learned.centres;
    table->widths = learned.widths;
    table->weights = learned.weights;
    change(*table);
    return learned_damping(table, damping.alpha, damping.early);
  };
  const Damping short_of_one = other([](LearnedCovariance& l) { l.weights.pop_back(); });
  EXPECT_NE(
      test::message_of([&] { ensemble.set_damping(short_of_one); }).find("The learned damping has"),
      std::string::npos);
  const Damping of_another =
      other([](LearnedCovariance& l) { l.shape = std::make_shared<CovectorCovariance>(*l.shape); });
  EXPECT_EQ(test::message_of([&] { ensemble.set_damping(of_another); }),
            "The ensemble was compiled for another form of damping than 'learned'.");
}

}  // namespace
}  // namespace divker
