// What the pilot makes small, and how small it becomes.
#include "divker/pilot.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "answer/questions.hpp"
#include "divker/language.hpp"

namespace divker {
namespace {

// y_0 = x_0^2 x_1 + z/2, y_1 = z: a quarter and one are not explained by x.
TEST(UnexplainedVariance, IsWhatPolynomialsLeave) {
  std::mt19937_64 random(4);
  std::normal_distribution<double> normal;
  Matrix x(20'000, 2);
  Matrix y(20'000, 2);
  for (std::size_t r = 0; r < x.rows; ++r) {
    x(r, 0) = 5.0 + 3.0 * normal(random);
    x(r, 1) = normal(random);
    const double z = normal(random);
    y(r, 0) = x(r, 0) * x(r, 0) * x(r, 1) + 0.5 * z;
    y(r, 1) = z;
  }
  const std::vector<double> left = unexplained_variances(x, y);
  ASSERT_EQ(left.size(), 2U);
  EXPECT_NEAR(left[0], 0.25, 0.0125);  // five standard errors of a variance, sqrt(2/n)
  EXPECT_NEAR(left[1], 1.0, 0.05);
}

TEST(UnexplainedVariance, IsAllOfItWhereRowsAreFew) {
  Matrix x(10, 3);
  Matrix y(10, 1);
  for (std::size_t r = 0; r < 10; ++r) {
    x(r, 0) = static_cast<double>(r);
    y(r, 0) = static_cast<double>(r);
  }
  EXPECT_EQ(unexplained_variances(x, y), column_variances(y));
}

TEST(UnexplainedVariance, BearsColumnsThatDoNotVary) {
  Matrix x(100, 2, 1.0);
  Matrix y(100, 1);
  for (std::size_t r = 0; r < 100; ++r) {
    x(r, 0) = static_cast<double>(r % 7);
    y(r, 0) = 3.0 * x(r, 0) + (r % 2 == 0 ? 1.0 : -1.0);
  }
  EXPECT_NEAR(unexplained_variances(x, y).front(), 1.0, 0.1);
}

// Mean square of nu - s(x) at the end of a long run, where s = 2F/sigma^2.
double variance_about_truth(const Model& model, const Damping& damping) {
  Method method;
  method.damping = damping;
  Sampling sampling;
  sampling.paths = 20'000;
  sampling.seed = 5;
  sampling.failed_share = 1.0;
  const Paths paths = Ensemble(model, method).run(sampling);
  if (paths.summary.failed != 0) return std::numeric_limits<double>::infinity();
  const Snapshot& end = paths.snapshots.back();
  double sum = 0.0;
  for (std::size_t r = 0; r < end.x().rows; ++r) {
    const double x = end.x()(r, 0);
    sum += std::pow(end.nu()(r, 0) - 2.0 * (x - x * x * x) / 0.64, 2);
  }
  return sum / static_cast<double>(end.x().rows);
}

// Motion in a double well, from a wrong start to the stationary law. The part of nu that x explains
// is the same for all dampings, and most of the variance: the rest must decide. Measured: a learned
// damping, 0.228 +- 0.014 against 4.22 +- 0.07.
TEST(Pilot, FindsTheDampingOfADoubleWell) {
  const Model model = load_model("double_well").with_time({0.0, 0.001, 12.0});
  Sampling sampling;
  sampling.paths = 20'000;
  Tuning tuning;
  tuning.measure = [](const Snapshot& snapshot) {
    return unexplained_variances(snapshot.x(), snapshot.nu());
  };
  const Damping chosen = choose_damping(model, {}, {}, sampling, {}, tuning).damping;
  double best_constant = std::numeric_limits<double>::infinity();
  for (const double alpha : {5.0, 6.0, 7.0, 8.0, 10.0}) {
    best_constant = std::min(best_constant, variance_about_truth(model, constant_damping(alpha)));
  }
  EXPECT_LT(15.0 * variance_about_truth(model, chosen), best_constant);
}

}  // namespace
}  // namespace divker
