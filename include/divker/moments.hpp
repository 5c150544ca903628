// Streaming means, variances and covariances.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "divker/archive.hpp"
#include "divker/matrix.hpp"

namespace divker {

// A number and its standard error (one standard deviation of the estimator).
struct Estimate {
  double value = 0.0;
  double standard_error = 0.0;
};

// Mean and variance of each component of a stream of vectors, by the update of Welford (1962); two
// accumulators merge by the formula of Chan, Golub and LeVeque (1979). Both are stable for means
// that are large against the spread. The same samples added and merged in the same order give the
// same bits. Cost: O(size) a sample.
class Moments {
 public:
  Moments() = default;
  explicit Moments(std::size_t size);

  // Throws Error(usage) unless the size fits.
  void add(std::span<const double> sample);
  void add(const Matrix& samples);
  void merge(const Moments& other);
  void transfer(Archive& archive) { archive(count_, mean_, squares_); }

  [[nodiscard]] std::size_t size() const { return mean_.size(); }
  [[nodiscard]] std::size_t count() const { return count_; }
  [[nodiscard]] const std::vector<double>& mean() const { return mean_; }
  // With the divisor count - 1; NaN for fewer than two samples.
  [[nodiscard]] double variance(std::size_t i) const;
  // The mean with its standard error sqrt(variance / count).
  [[nodiscard]] Estimate estimate(std::size_t i) const;

 private:
  std::size_t count_ = 0;
  std::vector<double> mean_;
  std::vector<double> squares_;  // sums of squared deviations from the mean
};

// The same with the whole covariance matrix. Cost: O(size^2) a sample.
class CovarianceMoments {
 public:
  CovarianceMoments() = default;
  explicit CovarianceMoments(std::size_t size);

  void add(std::span<const double> sample);
  void add(const Matrix& samples);
  void merge(const CovarianceMoments& other);
  void transfer(Archive& archive) { archive(count_, mean_, products_, before_, after_); }

  [[nodiscard]] std::size_t size() const { return mean_.size(); }
  [[nodiscard]] std::size_t count() const { return count_; }
  [[nodiscard]] const std::vector<double>& mean() const { return mean_; }
  // Size x size, with the divisor count - 1; NaN for fewer than two samples.
  [[nodiscard]] Matrix covariance() const;

 private:
  void add_outer(std::span<const double> left, std::span<const double> right);

  std::size_t count_ = 0;
  std::vector<double> mean_;
  Matrix products_;  // sums of products of deviations; the upper triangle
  std::vector<double> before_;
  std::vector<double> after_;
};

}  // namespace divker
