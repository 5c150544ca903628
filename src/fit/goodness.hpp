// Two samples: do they follow one law?
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "divker/matrix.hpp"

namespace divker::fit {

struct TestResult {
  double statistic = 0.0;
  double p = 1.0;  // probability of a larger one if both samples follow one law
};

// Kolmogorov and Smirnov's largest distance of the distribution functions; p from the asymptotic
// law with the correction of Stephens (1970). Conservative for data with ties.
[[nodiscard]] TestResult kolmogorov_smirnov(std::vector<double> a, std::vector<double> b);
// The same of numbers in (0, 1) and the uniform law.
[[nodiscard]] TestResult uniform_distance(std::vector<double> u);

// Anderson and Darling's distance of two samples, which weighs (F - G)^2 by 1/(H(1 - H)), H the law
// of both together (A. N. Pettitt, Biometrika 63 (1976) 161); p from its limiting law (G.
// Marsaglia, J. Marsaglia, J. Stat. Softw. 9(2) (2004)). Equal values of both samples are spread
// evenly among each other.
[[nodiscard]] TestResult anderson_darling(std::vector<double> a, std::vector<double> b);

// The energy distance of Szekely and Rizzo (2004), in one dimension 2 integral (F - G)^2; p from
// 199 random exchanges of the labels, with numbers of this seed.
[[nodiscard]] TestResult energy_distance(std::span<const double> a, std::span<const double> b,
                                         std::uint64_t seed);

// The same of points of several coordinates, each in units of its deviation over both samples:
// 2 E|X - Y| - E|X - X'| - E|Y - Y'|; of the first `most` rows of each. Cost: the distances of all
// pairs once, and 199 sums over them.
[[nodiscard]] TestResult energy_distance(const Matrix& a, const Matrix& b, std::size_t most,
                                         std::uint64_t seed);

// Its statistic alone, without p.
[[nodiscard]] double energy_statistic(std::span<const double> a, std::span<const double> b);

// P(X > x) for X of the chi-square law, and the x with P(X > x) = p: Wilson and Hilferty (1931).
[[nodiscard]] double chi_square_tail(double x, double freedom);
[[nodiscard]] double chi_square_quantile(double p, double freedom);

struct ChiSquare {
  double statistic = 0.0;
  std::size_t freedom = 0;
  double p = 1.0;
};
// Means and covariances of the normal scores of all coordinates, by ranks in the sample: what they
// differ by, in the metric of their covariance. It sees what tests of single coordinates cannot.
// Freedom: d + d(d+1)/2, less where the data have not five rows for each or it passes 600; then
// covariances of coordinates near in order are kept, and none at all if even the means are too
// many: freedom 0. Cost: rows * freedom^2.
[[nodiscard]] ChiSquare joint_moments(const Matrix& data, const Matrix& sample);

// Mean of log density at the points, the density by Gaussian kernels on the sample (Silverman's
// bandwidth, 0.9 min(deviation, range of quartiles / 1.34) n^(-1/5)).
[[nodiscard]] double mean_log_density(std::vector<double> sample, std::span<const double> points);

}  // namespace divker::fit
