// Which couplings are zero: the selection against all subsets and its rate of false discoveries,
// and fits of linear systems against what is known of them.
#include "divker/structure.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

#include "divker/error.hpp"
#include "divker/language.hpp"
#include "divker/series.hpp"
#include "fit/structure/sparse_selection.hpp"

namespace divker {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr double rate = 0.05;

std::vector<Eigen::Index> all_of(Eigen::Index count) {
  std::vector<Eigen::Index> places(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < places.size(); ++i) places[i] = static_cast<Eigen::Index>(i);
  return places;
}

// A precision with correlated estimates: a random Gram matrix of 3 P vectors.
Eigen::MatrixXd random_precision(Eigen::Index count, std::mt19937_64& random) {
  std::normal_distribution<double> normal;
  const Eigen::MatrixXd factors =
      Eigen::MatrixXd::NullaryExpr(3 * count, count, [&] { return normal(random); });
  return factors.transpose() * factors;
}

// Normal, of mean `truth` and this precision.
Eigen::VectorXd drawn(const Eigen::VectorXd& truth, const Eigen::MatrixXd& precision,
                      std::mt19937_64& random) {
  std::normal_distribution<double> normal;
  const Eigen::VectorXd noise =
      Eigen::VectorXd::NullaryExpr(truth.size(), [&] { return normal(random); });
  return truth + Eigen::LLT<Eigen::MatrixXd>(precision).matrixU().solve(noise);
}

TEST(SparseSelection, KnowsTheNormalLaw) {
  EXPECT_NEAR(fit::normal_excess(0.025), 1.959963984540054, 1e-10);
  EXPECT_NEAR(fit::normal_excess(0.5), 0.0, 1e-10);
  // The first of m is Bonferroni's; the last of m = 1 the plain test.
  EXPECT_NEAR(fit::discovery_threshold(1, 1, rate),
              std::pow(fit::normal_excess(0.5 * rate / (2.0 - 0.95)), 2), 1e-9);
  for (std::size_t i = 1; i < 40; ++i) {
    EXPECT_GT(fit::discovery_threshold(i, 40, rate), fit::discovery_threshold(i + 1, 40, rate));
  }
}

TEST(SparseSelection, IsTheSmallestPenalisedFormOfAllSubsets) {
  constexpr Eigen::Index count = 8;
  std::mt19937_64 random(3);
  std::size_t same = 0;
  constexpr std::size_t draws = 60;
  for (std::size_t draw = 0; draw < draws; ++draw) {
    fit::QuadraticForm form;
    form.precision = random_precision(count, random);
    Eigen::VectorXd truth = Eigen::VectorXd::Zero(count);
    truth[1] = 0.8;
    truth[5] = -0.7;
    form.centre = drawn(truth, form.precision, random);
    // Component 0 is no candidate: it is in every subset.
    std::vector<Eigen::Index> candidates = all_of(count);
    candidates.erase(candidates.begin());
    double smallest = std::numeric_limits<double>::infinity();
    for (unsigned subset = 0; subset < (1U << (count - 1)); ++subset) {
      std::vector<Eigen::Index> zero;
      double penalty = 0.0;
      std::size_t kept = 0;
      for (const Eigen::Index k : candidates) {
        if ((subset >> (k - 1) & 1U) != 0) {
          penalty += fit::discovery_threshold(++kept, candidates.size(), rate);
        } else {
          zero.push_back(k);
        }
      }
      // The form with the rest free is that of the marginal law of what is zero.
      double left = 0.0;
      if (!zero.empty()) {
        const Eigen::MatrixXd covariance = form.precision.inverse();
        const Eigen::VectorXd centre = form.centre(zero);
        left = centre.dot(covariance(zero, zero).ldlt().solve(centre));
      }
      smallest = std::min(smallest, left + penalty);
    }
    const fit::SparseSelection found = fit::select_sparse(form, candidates, rate);
    double value = found.left;
    for (std::size_t i = 1; i <= found.kept.size(); ++i) {
      value += fit::discovery_threshold(i, candidates.size(), rate);
    }
    EXPECT_GT(value, smallest - 1e-6);
    if (value < smallest + 1e-6) ++same;
    // What it says of its mean.
    const Eigen::VectorXd off = form.centre - found.mean;
    EXPECT_NEAR(off.dot(form.precision * off), found.left, 1e-8 * (1.0 + found.left));
    EXPECT_EQ(found.freedom, candidates.size() - found.kept.size());
  }
  EXPECT_EQ(same, draws);
}

// Independent estimates: the rate of false discoveries is at most `rate`, and near it.
TEST(SparseSelection, KeepsTheRateOfFalseDiscoveries) {
  constexpr Eigen::Index count = 40;
  constexpr std::size_t draws = 600;
  for (const bool correlated : {false, true}) {
    std::mt19937_64 random(11);
    double sum = 0.0, squares = 0.0, found_true = 0.0;
    for (std::size_t draw = 0; draw < draws; ++draw) {
      fit::QuadraticForm form;
      form.precision = correlated ? random_precision(count, random)
                                  : Eigen::MatrixXd(Eigen::MatrixXd::Identity(count, count));
      const Eigen::VectorXd errors = form.precision.inverse().diagonal().cwiseSqrt();
      Eigen::VectorXd truth = Eigen::VectorXd::Zero(count);
      truth.head(8) = 4.0 * errors.head(8);
      form.centre = drawn(truth, form.precision, random);
      const fit::SparseSelection found = fit::select_sparse(form, all_of(count), rate);
      const auto right = static_cast<double>(
          std::ranges::count_if(found.kept, [](Eigen::Index k) { return k < 8; }));
      const auto kept = static_cast<double>(found.kept.size());
      const double share = kept > 0.0 ? (kept - right) / kept : 0.0;
      sum += share;
      squares += share * share;
      found_true += right / 8.0;
    }
    const double mean = sum / draws;
    const double error = std::sqrt((squares / draws - mean * mean) / draws);
    EXPECT_LT(mean, rate + 3.0 * error) << (correlated ? "correlated" : "independent");
    EXPECT_GT(mean, 0.5 * rate);
    EXPECT_GT(found_true / draws, 0.8);
  }
}

const char* const linear = R"(model linear
param A[3,3] = [[-1, 0.1, 0.1], [0.1, -1, 0.1], [0.1, 0.1, -1]]
param k1 = 0.2
param k2 = 0.2
param s[3] = 0.5 in (0, inf)
state x[3]
dx[i] = ((A*x)[i] + k1 + k2*tanh(x[2])) dt + s[i] dW[i]
init x[i] ~ normal(0, 1)
time 0 : 0.05 : 1
)";

TEST(Structure, FindsParametersByPatterns) {
  const Model model = parse_model(linear, "linear.sde");
  EXPECT_EQ(parameters_like(model, "A").size(), 9U);
  EXPECT_EQ(parameters_like(model, "A[i,j]").size(), 6U);
  EXPECT_THAT(parameters_like(model, "A[i,i]"), ElementsAre(0, 4, 8));
  EXPECT_THAT(parameters_like(model, "A[*,1]"), ElementsAre(1, 4, 7));
  EXPECT_THAT(parameters_like(model, "A[ 1, j ]"), ElementsAre(3, 4, 5));
  EXPECT_THAT(parameters_like(model, "k*"), ElementsAre(9, 10));
  EXPECT_THAT(parameters_like(model, "s[2]"), ElementsAre(13));
  try {
    (void)parameters_like(model, "q*");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    EXPECT_THAT(error.what(), HasSubstr("is like 'q*'; its parameters are: A, k1, k2 and s."));
  }
}

TEST(Structure, TellsWhatDrivesWhat) {
  const Model model = parse_model(linear, "linear.sde");
  const std::vector<Coupling> one = couplings_through(model, model.parameter_index("A[0,2]"));
  ASSERT_EQ(one.size(), 1U);
  EXPECT_EQ(one[0].from, "x[2]");
  EXPECT_EQ(one[0].to, "x[0]");
  EXPECT_FALSE(one[0].by_noise);
  const std::vector<Coupling> constant = couplings_through(model, model.parameter_index("k1"));
  ASSERT_EQ(constant.size(), 3U);
  EXPECT_EQ(constant[1].from, "");
  EXPECT_EQ(constant[1].to, "x[1]");
  const std::vector<Coupling> noise = couplings_through(model, model.parameter_index("s[1]"));
  ASSERT_EQ(noise.size(), 1U);
  EXPECT_TRUE(noise[0].by_noise);
}

const char* const three = R"(model three
param A[3,3] = [[-1, 0.1, 0.1], [0.1, -1, 0.1], [0.1, 0.1, -1]]
param s[3] = 0.5 in (0, inf)
state x[3]
dx[i] = (A*x)[i] dt + s[i] dW[i]
init x[i] ~ normal(0, 1)
time 0 : 0.05 : 1
)";

// A path of the system whose couplings are A[0,1] = 0.8 and A[2,0] = -0.6 alone, in small steps.
SeriesData observed(std::size_t rows, std::uint64_t seed, const Model& model) {
  constexpr double interval = 0.3;
  constexpr int substeps = 60;
  Eigen::Matrix3d a;
  a << -1.0, 0.8, 0.0, 0.0, -1.0, 0.0, -0.6, 0.0, -1.0;
  std::mt19937_64 random(seed);
  std::normal_distribution<double> normal;
  const double dt = interval / substeps;
  DataTable table{"path.csv", {"t", "x[0]", "x[1]", "x[2]"}, Matrix(rows, 4), {}};
  Eigen::Vector3d x = Eigen::Vector3d::Zero();
  for (std::size_t r = 0; r < rows; ++r) {
    for (int k = 0; k < substeps; ++k) {
      const Eigen::Vector3d noise(normal(random), normal(random), normal(random));
      x += dt * (a * x) + 0.5 * std::sqrt(dt) * noise;
    }
    table.values(r, 0) = interval * static_cast<double>(r + 1);
    for (std::size_t i = 0; i < 3; ++i) table.values(r, i + 1) = x[static_cast<Eigen::Index>(i)];
  }
  DataOptions columns;
  columns.time_column = "t";
  return match_series(model, {table}, columns);
}

Refitting refitting_of(const SeriesData& data) {
  Refitting refitting;
  refitting.fit = [&data](const Model& model) { return fit_series(model, data); };
  refitting.look = [&data](const Model& model) {
    SeriesOptions options;
    options.iterations = 0;
    return fit_series(model, data, options);
  };
  return refitting;
}

TEST(Structure, FindsTheCouplingsOfALinearSystemInASeries) {
  const Model model = parse_model(three, "three.sde");
  const SeriesData data = observed(1500, 5, model);
  StructureOptions options;
  options.candidates = parameters_like(model, "A[i,j]");
  const FitResult full = fit_series(model, data);
  const FitResult result = without_zeros(model, full, options, refitting_of(data));
  ASSERT_TRUE(result.structure.has_value());
  EXPECT_TRUE(result.state.converged);
  EXPECT_THAT(result.structure->kept, ElementsAre("A[0,1]", "A[2,0]"));
  EXPECT_EQ(result.structure->zero.size(), 4U);
  EXPECT_EQ(result.structure->freedom, 4U);
  EXPECT_GT(result.structure->p, 0.001);
  EXPECT_LT(result.structure->p, 0.999);
  ASSERT_EQ(result.structure->couplings.size(), 2U);
  EXPECT_EQ(result.structure->couplings[0].from, "x[1]");
  // Zero is zero, has no error, and is free again in the model that comes out.
  EXPECT_EQ(std::ranges::find(result.names, "A[1,0]"), result.names.end());
  const Model& fitted = result.model;
  EXPECT_EQ(fitted.parameters()[fitted.parameter_index("A[1,0]")].value, 0.0);
  EXPECT_EQ(fitted.free_parameters().size(), model.free_parameters().size());
  const auto at =
      static_cast<std::size_t>(std::ranges::find(result.names, "A[0,1]") - result.names.begin());
  EXPECT_NEAR(result.estimate[at], 0.8, 4.0 * result.standard_error[at]);
  // Fewer parameters, smaller errors.
  const auto before =
      static_cast<std::size_t>(std::ranges::find(full.names, "A[0,1]") - full.names.begin());
  EXPECT_LT(result.standard_error[at], 1.02 * full.standard_error[before]);
  EXPECT_THAT(fitted_text(result), HasSubstr("# Set to zero at a false discovery rate of 0.05"));
}

TEST(Structure, RefusesWhatCannotBeZero) {
  const Model model = parse_model(three, "three.sde");
  const SeriesData data = observed(200, 5, model);
  FitResult full = fit_series(model, data);
  const auto sentence = [&](const StructureOptions& options) -> std::string {
    try {
      (void)without_zeros(model, full, options, refitting_of(data));
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::usage);
      return error.what();
    }
    return "";
  };
  EXPECT_THAT(sentence({parameters_like(model, "s"), rate}),
              HasSubstr("The parameter s[0] is in (0, inf) and cannot be zero"));
  EXPECT_THAT(sentence({parameters_like(model, "A"), 1.5}), HasSubstr("is 1.5; it must be"));
  EXPECT_THAT(sentence({}), HasSubstr("No parameter is named"));
  full.precision = {};
  EXPECT_THAT(sentence({parameters_like(model, "A"), rate}), HasSubstr("no standard errors"));
}

}  // namespace
}  // namespace divker
