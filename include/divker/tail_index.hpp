// The tail index of the summands of a mean: whether the mean has an error bar at all.
#pragma once

#include <cstddef>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "divker/archive.hpp"
#include "divker/matrix.hpp"

namespace divker {

// The Pareto k of the tail of |z|: P(|z| > t) falls like t^(-1/k), so that moments below the order
// 1/k exist. At and above 0.5 the variance of z does not exist, and with it no error bar of the
// mean of z; above 0.7 means do not settle at numbers of samples that can be had; at and above 1
// the mean does not exist either (Vehtari, Simpson, Gelman, Yao and Gabry, arXiv:1507.02646).
//
// `largest` holds the largest values of |z|, in any order. The smallest of them is the threshold; a
// generalised Pareto distribution is fitted to the excesses over it, by the posterior mean of Zhang
// and Stephens (Technometrics 51, 2009), with the weak prior of 10 values at k = 0.5 (appendix C
// of the former), as in the packages loo and ArviZ.
//
// With m excesses the standard error of k is about (1 + k) / sqrt(m), and the prior moves k by
// (0.5 - k) 10 / (m + 10). k describes the tail as deep as the samples reach: tails between those
// of the normal law and a power, such as that of a product of many normal numbers, have the limit
// 0 and read as more, m / n of n samples being beyond the threshold. Cost: O(m^1.5).
//
// Values equal to the threshold are no excesses. NaN for fewer than 5 excesses, as of bounded
// numbers that mostly are at their bound; infinity if a value is infinite. Throws Error(usage) for
// a NaN or a negative value.
[[nodiscard]] double pareto_k(std::span<const double> largest);

struct TailIndex {
  double k = std::numeric_limits<double>::quiet_NaN();
  std::size_t values = 0;  // the m largest values, those beyond the threshold
};

// The largest absolute values of a stream, in constant memory. Of n values
//
//   m = min(n / 5, 3 sqrt(n), 512) ,
//
// rounded up, are fitted; the first two bounds are those of the paper. The third holds from 29,127
// values on and makes the standard error of k at least (1 + k) / 23: more values would make it
// smaller, the same number of larger ones brings the fit closer to the limit of the tail.
//
// The largest values are a set: values added and samples merged in any order and any grouping give
// the same index to the bit. A NaN counts as infinite: no mean is left then either. Cost: a
// comparison a value, and O(log m) for those that are larger than what is kept; 4 KiB.
class TailSample {
 public:
  void add(std::span<const double> values);
  void merge(const TailSample& other);
  void transfer(Archive& archive) { archive(count_, largest_); }

  [[nodiscard]] std::size_t count() const { return count_; }
  [[nodiscard]] TailIndex index() const;

 private:
  void keep(std::span<const double> values);

  std::size_t count_ = 0;
  std::vector<double> largest_;  // once it is full, a heap with the smallest at its front
};

// k of each column of |y - median|, as TailSample has it. A mean would follow its own outliers: one
// huge value would move all others to nearly the same distance from it.
[[nodiscard]] std::vector<double> tail_indices(const Matrix& y);

// The exponent of a power tail, P(|y - median| > u) like u^-value, by the m largest of the values,
// m as TailSample has it. Infinite with an error of zero where the tail is no power.
struct TailExponent {
  double value = std::numeric_limits<double>::infinity();
  double standard_error = 0.0;
  std::size_t values = 0;
};
// One over the mean of log(z_i / z_m) (B. M. Hill, Ann. Stat. 3 (1975) 1163), error value /
// sqrt(m): of any sample a power, biased towards heavier tails by as much as the tail is not yet
// one.
[[nodiscard]] TailExponent hill_exponent(std::span<const double> y);
// By two moments of the logarithms, which know tails that are no powers (A. L. M. Dekkers,
// J. H. J. Einmahl, L. de Haan, Ann. Stat. 17 (1989) 1833): k = M1 + 1 - 1/(2 (1 - M1^2/M2)), of
// standard error sqrt(1 + k^2) / sqrt(m); the exponent is 1/k, and infinite for k <= 0.
[[nodiscard]] TailExponent moment_exponent(std::span<const double> y);

// A sentence about the mean `name` whose summands have the tail index k; none unless k > 0.7.
[[nodiscard]] std::optional<std::string> tail_warning(const std::string& name, double k);

}  // namespace divker
