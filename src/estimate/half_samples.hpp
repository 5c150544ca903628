// Standard errors of a regression whose samples are correlated within groups.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "divker/matrix.hpp"
#include "divker/regressor.hpp"

namespace divker {

// Samples come in so many groups: independent between groups, not necessarily within one.
inline constexpr std::size_t half_sample_groups = 32;

// Predictions at points from all samples, and from halves of the groups.
//
// Balanced repeated replication (P. McCarthy, Rev. Int. Stat. Inst. 37 (1969) 239): the halves are
// the rows of a Hadamard matrix of order 32. For a linear estimator the mean square of (half -
// whole) is its variance without bias. A number of neighbours in the options is halved for the
// halves, so that they smooth as the whole does.
struct HalfSamplePrediction {
  Prediction prediction;       // its `deviation` takes samples as independent: do not use it
  std::vector<Matrix> halves;  // 31 tables: points x columns

  // Of sums of columns at one point: combination i sums the columns first ... first + i. Widened by
  // the variance of Student's t.
  [[nodiscard]] Matrix covariance_of_sums(std::size_t point, std::size_t first,
                                          std::size_t count) const;
};

// Group g has the rows boundaries[g] ... boundaries[g + 1] - 1. Cost: 17 fits.
// Error(usage) unless there are 33 boundaries.
[[nodiscard]] HalfSamplePrediction predict_with_halves(const std::string& regressor,
                                                       const RegressorOptions& options,
                                                       const Matrix& x, const Matrix& y,
                                                       std::span<const std::size_t> boundaries,
                                                       const Matrix& points);

}  // namespace divker
