// Fits at horizons that the law has forgotten its start at: responses over the last time alone.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "divker/fit.hpp"
#include "divker/language.hpp"
#include "fit/quasi_score.hpp"
#include "fit/window.hpp"
#include "support/asked.hpp"
#include "support/statistics.hpp"

namespace divker {
namespace {

using test::sample;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

const char* const relaxation = R"(model relaxation
param m = 1
param s = 1 in (0, inf)
state x
dx = (m - x) dt + s dW
init x ~ normal(0, 0.5)
time 0 : 0.02 : 12
)";

FitResult fit_sample(const Model& model, const Matrix& y, const FitOptions& options) {
  return fit_parameters(model, match_data(model, {{"data", {}, y, {}}}, {}), options);
}

FitResult fit_relaxation(double window, std::uint64_t seed) {
  const Model model = parse_model(relaxation);
  FitOptions options;
  options.sampling.paths = 16'000;
  options.sampling.seed = seed;
  options.method.damping = constant_damping(2.0);
  options.window = window;
  options.time_step = TimeStep::ignored;
  return fit_sample(model.with_value("m", 1.5).with_value("s", 1.4),
                    sample(model, 2000, 100 + seed), options);
}

// Of the stationary law of the chain, variance v = s^2 dt / (1 - (1 - dt)^2): the Fisher
// information of m is 1 / v, that of s is 2 / s^2.
TEST(FitWindow, LeavesEstimatesAndBarsAsTheyAre) {
  const double variance = 0.02 / (1.0 - 0.98 * 0.98);
  const std::vector<double> fisher{std::sqrt(variance / 2000), std::sqrt(0.5 / 2000)};
  test::Mean squares;
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    const FitResult result = fit_relaxation(2.0, seed);
    EXPECT_TRUE(result.state.converged) << result.state.reason;
    EXPECT_EQ(result.window, 2.0);
    // exp(-4) of the response of m is older than two windows; the noise of the pilot is more.
    EXPECT_LT(result.window_bias, 0.1);
    for (std::size_t i = 0; i < 2; ++i) {
      const double error = result.standard_error[i];
      EXPECT_GT(error, 0.95 * fisher[i]);
      EXPECT_LT(error, 1.4 * fisher[i]);
      squares.add(std::pow((result.estimate[i] - 1.0) / error, 2));
    }
  }
  // Bars are at most a third too wide.
  EXPECT_LT(squares.estimate().value, 1.0 + 4.5 * squares.estimate().standard_error);
  EXPECT_GT(squares.estimate().value, 0.55 - 4.5 * squares.estimate().standard_error);
}

// In a quarter of a relaxation time the law has hardly begun to forget.
TEST(FitWindow, SaysWhereItIsTooShort) {
  const FitResult result = fit_relaxation(0.25, 3);
  EXPECT_GT(result.window_bias, 0.2);
  EXPECT_THAT(result.remarks, Contains(HasSubstr("longer than the window of 0.25")));
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_TRUE(test::consistent({result.estimate[i], result.standard_error[i]}, 1.0));
  }
}

// Whatever is asked for, all of the time is all of the time.
TEST(FitWindow, OfAllTheTimeIsNone) {
  const FitResult whole = fit_relaxation(12.0, 1);
  EXPECT_FALSE(whole.window.has_value());
  EXPECT_EQ(whole.window_bias, 0.0);
}

// A ring of five forgets in a few time units; of twenty, most of what responses add up is noise.
TEST(FitWindow, IsChosenAtLongHorizons) {
  const Model start = parse_model(R"(model forced_ring
const n = 5
param F[n] = 4
state x[n] periodic
dx[i] = ((x[i+1] - x[i-2])*x[i-1] - x[i] + F[i]) dt + dW[i]
init x[i] ~ normal(1, 0.5)
time 0 : 0.02 : 20
)");
  const std::vector<double> truth{4.246, 3.483, 4.590, 4.885, 3.478};
  FitOptions options;
  options.sampling.paths = 20'000;
  options.time_step = TimeStep::ignored;
  const FitResult result =
      fit_sample(start, sample(start.with_parameters(truth), 1000, 7), options);
  EXPECT_LT(result.state.history.back().psi_over_noise, 1.0) << result.state.reason;
  ASSERT_TRUE(result.window.has_value());
  EXPECT_LE(*result.window, 5.0);
  EXPECT_LT(result.window_bias, 0.2);
  for (std::size_t i = 0; i < truth.size(); ++i) {
    EXPECT_LT(result.standard_error[i], 0.25);
    EXPECT_TRUE(test::consistent({result.estimate[i], result.standard_error[i]}, truth[i]))
        << result.names[i];
  }
}

TEST(FitWindow, HalvesAndDoubles) {
  const TimeGrid grid{0.0, 0.1, 10.0};
  EXPECT_THAT(fit::halved_windows(grid, 10.0), ElementsAre(10.0, 5.0, 2.5, 1.25));
  EXPECT_THAT(fit::doubled_windows(2.0, 10.0), ElementsAre(8.0, 4.0, 2.0));
  EXPECT_THAT(fit::doubled_windows(3.0, 10.0), ElementsAre(10.0, 6.0, 3.0));
  EXPECT_THAT(fit::doubled_windows(10.0, 10.0), ElementsAre(10.0));
}

fit::Matching matching_of(const Eigen::MatrixXd& information, const Eigen::MatrixXd& covariance) {
  fit::Matching matching;
  matching.psi = Eigen::VectorXd::LinSpaced(information.rows(), 1.0, 2.0);
  matching.information = information;
  matching.learned_covariance = covariance;
  matching.data_covariance = covariance / 50.0;
  matching.model_covariance = covariance / 200.0;
  matching.information_parts.assign(4, information);
  return matching;
}

// The best combination of equations that are already the best is themselves.
TEST(QuasiScore, LeavesAScoreAlone) {
  Eigen::MatrixXd h(2, 2);
  h << 2.0, 0.5, 0.5, 1.0;
  const fit::Matching same = fit::quasi_score(matching_of(h, h));
  EXPECT_TRUE(same.weights.isIdentity(1e-12));
  EXPECT_TRUE(same.information.isApprox(h, 1e-12));
  EXPECT_LT(same.asymmetry.norm(), 1e-12);
}

TEST(QuasiScore, IsSymmetricWithTheSameRootAndCovariance) {
  Eigen::MatrixXd h(2, 2);
  Eigen::MatrixXd k(2, 2);
  h << 2.0, 0.9, -0.3, 1.0;
  k << 1.5, 0.2, 0.2, 0.7;
  const fit::Matching plain = matching_of(h, k);
  const fit::Matching best = fit::quasi_score(plain);
  EXPECT_TRUE(best.information.isApprox(h.transpose() * k.inverse() * h, 1e-12));
  EXPECT_LT(best.asymmetry.norm(), 1e-12);
  // H^-1 psi, and its covariance, are those of the equations as they were.
  EXPECT_TRUE((best.information.inverse() * best.psi).isApprox(h.inverse() * plain.psi, 1e-12));
  const Eigen::MatrixXd inverse = best.information.inverse();
  EXPECT_TRUE((inverse * best.data_covariance * inverse)
                  .isApprox(h.inverse() * plain.data_covariance * h.inverse().transpose(), 1e-12));
}

// Noise in H does not add up in H^T K^-1 H: its even shares meet the odd ones.
TEST(QuasiScore, DoesNotSquareNoise) {
  Eigen::MatrixXd h(1, 1);
  h << 1.0;
  fit::Matching noisy = matching_of(h, h);
  for (const std::size_t k : {0, 2}) noisy.information_parts[k](0, 0) += 0.5;
  for (const std::size_t k : {1, 3}) noisy.information_parts[k](0, 0) -= 0.5;
  EXPECT_NEAR(fit::quasi_score(noisy).information(0, 0), 0.75, 1e-12);
}

}  // namespace
}  // namespace divker
