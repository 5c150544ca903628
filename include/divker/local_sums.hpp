// Conditional expectations E[Y | X = x] at points known beforehand, from sums alone: for runs whose
// samples do not fit into memory.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "divker/archive.hpp"
#include "divker/matrix.hpp"
#include "divker/moments.hpp"
#include "divker/regressor.hpp"

namespace divker {

// Local linear least squares around each point, under the weight 1 - (distance / bandwidth)^2, for
// a ladder of bandwidths at once: level l has the width h_l = h_0 2^{-l/2}, in units of `scales`.
//
//   value      local linear fit at the level of Lepski's rule: the widest that agrees with all
//              narrower ones, then one step narrower
//   deviation  jackknife over `batches` interleaved parts of the sample with Student's correction,
//              one level narrower, which covers the noise of the choice too
//   bias       the distance between the linear and the quadratic fit in the same window
//
// Memory: points * levels * batches * F (F + q) doubles, F = (d + 1)(d + 2) / 2, whatever the
// number of samples. Cost a sample: O(points d), and O(F (F + q)) for each window that it falls
// into. Samples added and sums merged in the same order give the same bits.
class LocalSums {
 public:
  static constexpr std::size_t batches = 32;
  static constexpr std::size_t largest_dimension = 8;

  // points m x d (d at most largest_dimension), scales one positive number a coordinate, q columns
  // of Y; `expected` samples decide how far down the ladder goes. Error(usage) otherwise.
  LocalSums(Matrix points, std::vector<double> scales, std::size_t outputs, std::size_t expected);

  // Samples of one batch (taken modulo `batches`): x is n x d, y is n x q.
  void add(const Matrix& x, const Matrix& y, std::size_t batch);
  // Sums of other samples at the same points.
  void merge(const LocalSums& other);
  // The sums; both sides know the points.
  void transfer(Archive& archive) { archive(sums_, spread_); }

  // Error(usage) without samples.
  [[nodiscard]] Prediction result() const;
  [[nodiscard]] std::size_t levels() const { return levels_; }

 private:
  // Sums of one window and batch: the upper triangle of the Gram matrix and the products with Y,
  // then the sums of the weights and of their squares.
  [[nodiscard]] std::span<double> window(std::size_t point, std::size_t level, std::size_t batch);
  [[nodiscard]] std::span<const double> window(std::size_t point, std::size_t level,
                                               std::size_t batch) const;

  struct Level;
  [[nodiscard]] Level fit_level(std::size_t point, std::size_t level) const;
  void predict_point(std::size_t point, Prediction& prediction) const;

  Matrix points_;
  std::vector<double> scales_;
  std::size_t outputs_ = 0;
  std::size_t levels_ = 0;
  std::size_t features_ = 0;
  std::size_t size_ = 0;  // of one window
  // One block of windows a batch, made when its first sample comes.
  std::vector<std::vector<double>> sums_;
  Moments spread_;
};

}  // namespace divker
