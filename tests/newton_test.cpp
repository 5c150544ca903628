#include "fit/newton.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "fit/spectrum.hpp"

namespace divker::fit {
namespace {

const Eigen::Vector2d strong = Eigen::Vector2d(1.0, 1.0).normalized();
const Eigen::Vector2d weak = Eigen::Vector2d(1.0, -1.0).normalized();
constexpr double strong_eigenvalue = 1.999;
constexpr double weak_eigenvalue = 0.001;

// Two parameters with the given noise of the eigenvalues of H, known from 1000 rows.
Matching two_parameters(const Eigen::Vector2d& psi, double noise) {
  Matching matching;
  matching.psi = psi;
  matching.information =
      strong_eigenvalue * strong * strong.transpose() + weak_eigenvalue * weak * weak.transpose();
  matching.asymmetry = Eigen::Matrix2d{{0.0, noise}, {-noise, 0.0}};
  matching.data_covariance = matching.information / 1000.0;
  matching.model_covariance = Eigen::Matrix2d::Zero();
  matching.effect = Eigen::Vector2d::Constant(1000.0);
  matching.information_parts = {matching.information, matching.information};
  return matching;
}

TEST(NewtonStep, IsThatOfNewtonWhereItFits) {
  const Matching matching = two_parameters(0.2 * strong + 1e-4 * weak, 1e-5);
  const Step step = newton_step(matching, 10.0, Eigen::Vector2d::Constant(1.0));
  EXPECT_NEAR(step.change.dot(strong), 0.2 / strong_eigenvalue, 1e-12);
  EXPECT_NEAR(step.change.dot(weak), 1e-4 / weak_eigenvalue, 1e-9);
  EXPECT_FALSE(step.limited);
}

// Newton's step would be 7 in each coordinate, all of it along the weak direction.
TEST(NewtonStep, TooLongInACoordinateIsShortenedInTheWeakDirectionAlone) {
  const Matching matching = two_parameters(0.2 * strong + 0.01 * weak, 5e-4);
  const Step step = newton_step(matching, 100.0, Eigen::Vector2d::Constant(1.0));
  EXPECT_LE(step.change.cwiseAbs().maxCoeff(), 1.0);
  EXPECT_NEAR(step.change.dot(strong), 0.2 / strong_eigenvalue, 1e-12);
  EXPECT_GT(step.change.dot(weak), 0.3);
  EXPECT_TRUE(step.limited);
}

TEST(PsiOverNoise, LeavesOutDirectionsThatDrown) {
  const Eigen::Vector2d psi = 3.0 * std::sqrt(weak_eigenvalue / 1000.0) * weak;
  const double all = std::sqrt(9.0 / 2.0);
  EXPECT_NEAR(psi_over_noise(two_parameters(psi, 1e-4)), all, 1e-9);
  EXPECT_NEAR(determined_psi_over_noise(two_parameters(psi, 1e-4)), all, 1e-9);
  EXPECT_NEAR(determined_psi_over_noise(two_parameters(psi, 1e-2)), 0.0, 1e-9);
}

}  // namespace
}  // namespace divker::fit
