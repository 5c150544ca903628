#include "estimate/half_samples.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "divker/error.hpp"

namespace divker {
namespace {

// Entry of the Hadamard matrix of Sylvester: is the group in the half?
bool contains(std::size_t half, std::size_t group) { return std::popcount(half & group) % 2 == 0; }

Matrix rows_of_half(const Matrix& m, std::span<const std::size_t> boundaries, std::size_t half) {
  Matrix rows(0, m.cols);
  rows.data.reserve(m.data.size() / 2 + m.cols);
  for (std::size_t g = 0; g < half_sample_groups; ++g) {
    if (!contains(half, g)) continue;
    const auto at = [&](std::size_t row) {
      return m.data.begin() + static_cast<std::ptrdiff_t>(row * m.cols);
    };
    rows.data.insert(rows.data.end(), at(boundaries[g]), at(boundaries[g + 1]));
    rows.rows += boundaries[g + 1] - boundaries[g];
  }
  return rows;
}

}  // namespace

Matrix HalfSamplePrediction::covariance_of_sums(std::size_t point, std::size_t first,
                                                std::size_t count) const {
  const auto replicates = static_cast<double>(halves.size());
  Matrix sums(halves.size(), count);
  std::vector<double> mean(count, 0.0);
  for (std::size_t h = 0; h < halves.size(); ++h) {
    double sum = 0.0;
    for (std::size_t i = 0; i < count; ++i) {
      sum += halves[h](point, first + i);
      sums(h, i) = sum;
      mean[i] += sum / replicates;
    }
  }
  const double freedom = replicates - 1.0;
  const double student = freedom / (freedom - 2.0);
  Matrix covariance(count, count);
  for (std::size_t h = 0; h < halves.size(); ++h) {
    for (std::size_t i = 0; i < count; ++i) {
      for (std::size_t j = 0; j < count; ++j) {
        covariance(i, j) += student / freedom * (sums(h, i) - mean[i]) * (sums(h, j) - mean[j]);
      }
    }
  }
  return covariance;
}

HalfSamplePrediction predict_with_halves(const std::string& regressor,
                                         const RegressorOptions& options, const Matrix& x,
                                         const Matrix& y, std::span<const std::size_t> boundaries,
                                         const Matrix& points) {
  if (boundaries.size() != half_sample_groups + 1) {
    throw Error(ErrorKind::usage, fmt::format("half samples take {} boundaries of groups; got {}",
                                              half_sample_groups + 1, boundaries.size()));
  }
  HalfSamplePrediction result;
  const auto whole = make_regressor(regressor, options);
  whole->fit(x, y);
  result.prediction = whole->predict(points);
  RegressorOptions of_half = options;  // as wide as the whole
  of_half.neighbours = (options.neighbours + 1) / 2;
  for (std::size_t half = 1; half < half_sample_groups; ++half) {
    const auto part = make_regressor(regressor, of_half);
    part->fit(rows_of_half(x, boundaries, half), rows_of_half(y, boundaries, half));
    result.halves.push_back(part->evaluate(points));
  }
  return result;
}

}  // namespace divker
