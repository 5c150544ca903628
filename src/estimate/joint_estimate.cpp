#include "divker/joint_estimate.hpp"

#include <cmath>
#include <numeric>

#include "divker/error.hpp"

namespace divker {
namespace {

// From numbers of each batch that add up to those of all, and of how many paths each is.
JointEstimate estimate_from(const Matrix& sums, const std::vector<double>& counts) {
  const double paths = std::accumulate(counts.begin(), counts.end(), 0.0);
  std::size_t used = 0;
  for (const double count : counts) used += count > 0.0 ? 1 : 0;
  if (used < 2) {
    throw Error(ErrorKind::usage, "An error bar takes at least two batches of paths.");
  }
  JointEstimate result{std::vector<double>(sums.cols, 0.0), Matrix(sums.rows, sums.cols)};
  for (std::size_t b = 0; b < sums.rows; ++b) {
    for (std::size_t q = 0; q < sums.cols; ++q) result.value[q] += sums(b, q) / paths;
  }
  const double spread = std::sqrt(static_cast<double>(used) / static_cast<double>(used - 1));
  for (std::size_t b = 0; b < sums.rows; ++b) {
    for (std::size_t q = 0; q < sums.cols; ++q) {
      result.influence(b, q) = spread * (sums(b, q) - counts[b] * result.value[q]) / paths;
    }
  }
  return result;
}

}  // namespace

Estimate JointEstimate::operator[](std::size_t q) const {
  double squares = 0.0;
  for (std::size_t b = 0; b < influence.rows; ++b) squares += std::pow(influence(b, q), 2);
  return {value[q], std::sqrt(squares)};
}

Estimate JointEstimate::of(std::span<const double> weights) const {
  double squares = 0.0;
  for (std::size_t b = 0; b < influence.rows; ++b) {
    const auto row = influence.row(b);
    squares += std::pow(std::inner_product(row.begin(), row.end(), weights.begin(), 0.0), 2);
  }
  return {std::inner_product(value.begin(), value.end(), weights.begin(), 0.0), std::sqrt(squares)};
}

void BatchSums::begin(std::size_t paths) {
  counts_.push_back(static_cast<double>(paths));
  z_.resize(z_.size() + columns(), 0.0);
  c_.resize(c_.size() + columns(), 0.0);
}

void BatchSums::add(std::size_t column, double z, double control) {
  const std::size_t at = z_.size() - columns() + column;
  z_[at] += z;
  c_[at] += control;
  zc_[column] += z * control;
  cc_[column] += control * control;
}

void BatchSums::append(const BatchSums& other) {
  counts_.insert(counts_.end(), other.counts_.begin(), other.counts_.end());
  z_.insert(z_.end(), other.z_.begin(), other.z_.end());
  c_.insert(c_.end(), other.c_.begin(), other.c_.end());
  for (std::size_t q = 0; q < columns(); ++q) {
    zc_[q] += other.zc_[q];
    cc_[q] += other.cc_[q];
  }
}

double BatchSums::paths() const { return std::accumulate(counts_.begin(), counts_.end(), 0.0); }

std::vector<double> BatchSums::controls() const {
  std::vector<double> mean_z(columns(), 0.0), mean_c(columns(), 0.0);
  const double n = paths();
  for (std::size_t b = 0; b < batches(); ++b) {
    for (std::size_t q = 0; q < columns(); ++q) {
      mean_z[q] += z_[b * columns() + q] / n;
      mean_c[q] += c_[b * columns() + q] / n;
    }
  }
  std::vector<double> result(columns(), 0.0);
  for (std::size_t q = 0; q < columns(); ++q) {
    const double variance = cc_[q] / n - mean_c[q] * mean_c[q];
    if (variance > 0.0) result[q] = (zc_[q] / n - mean_z[q] * mean_c[q]) / variance;
  }
  return result;
}

JointEstimate BatchSums::result(std::span<const double> controls) const {
  Matrix sums(batches(), columns());
  for (std::size_t b = 0; b < batches(); ++b) {
    for (std::size_t q = 0; q < columns(); ++q) {
      sums(b, q) = z_[b * columns() + q] - controls[q] * c_[b * columns() + q];
    }
  }
  return estimate_from(sums, counts_);
}

JointEstimate BatchSums::difference(const BatchSums& other, double scale) const {
  const std::vector<double> k = controls();
  Matrix sums(batches(), columns());
  std::vector<double> counts = counts_;
  for (std::size_t b = 0; b < batches(); ++b) {
    if (counts_[b] != other.counts_[b]) counts[b] = 0.0;
    for (std::size_t q = 0; q < columns() && counts[b] > 0.0; ++q) {
      const std::size_t at = b * columns() + q;
      sums(b, q) = scale * (z_[at] - other.z_[at] - k[q] * (c_[at] - other.c_[at]));
    }
  }
  return estimate_from(sums, counts);
}

}  // namespace divker
