#include "divker/moments.hpp"

#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "divker/error.hpp"

namespace divker {
namespace {

void check_size(std::size_t expected, std::size_t given) {
  if (expected == given) return;
  throw Error(ErrorKind::usage,
              fmt::format("the sample has {} components; expected {}", given, expected));
}

}  // namespace

Moments::Moments(std::size_t size) : mean_(size), squares_(size) {}

void Moments::add(std::span<const double> sample) {
  check_size(size(), sample.size());
  const double weight = 1.0 / static_cast<double>(++count_);
  for (std::size_t i = 0; i < sample.size(); ++i) {
    const double before = sample[i] - mean_[i];
    mean_[i] += before * weight;
    squares_[i] += before * (sample[i] - mean_[i]);
  }
}

void Moments::add(const Matrix& samples) {
  for (std::size_t r = 0; r < samples.rows; ++r) add(samples.row(r));
}

void Moments::merge(const Moments& other) {
  check_size(size(), other.size());
  if (other.count_ == 0) return;
  const auto mine = static_cast<double>(count_);
  const auto theirs = static_cast<double>(other.count_);
  const double total = mine + theirs;
  for (std::size_t i = 0; i < size(); ++i) {
    const double difference = other.mean_[i] - mean_[i];
    mean_[i] += difference * (theirs / total);
    squares_[i] += other.squares_[i] + difference * difference * (mine * theirs / total);
  }
  count_ += other.count_;
}

double Moments::variance(std::size_t i) const {
  if (count_ < 2) return std::numeric_limits<double>::quiet_NaN();
  return squares_[i] / static_cast<double>(count_ - 1);
}

Estimate Moments::estimate(std::size_t i) const {
  return {mean_[i], std::sqrt(variance(i) / static_cast<double>(count_))};
}

CovarianceMoments::CovarianceMoments(std::size_t size)
    : mean_(size), products_(size, size), before_(size), after_(size) {}

void CovarianceMoments::add_outer(std::span<const double> left, std::span<const double> right) {
  for (std::size_t i = 0; i < size(); ++i) {
    for (std::size_t j = i; j < size(); ++j) products_(i, j) += left[i] * right[j];
  }
}

void CovarianceMoments::add(std::span<const double> sample) {
  check_size(size(), sample.size());
  const double weight = 1.0 / static_cast<double>(++count_);
  for (std::size_t i = 0; i < sample.size(); ++i) {
    before_[i] = sample[i] - mean_[i];
    mean_[i] += before_[i] * weight;
    after_[i] = sample[i] - mean_[i];
  }
  add_outer(before_, after_);
}

void CovarianceMoments::add(const Matrix& samples) {
  for (std::size_t r = 0; r < samples.rows; ++r) add(samples.row(r));
}

void CovarianceMoments::merge(const CovarianceMoments& other) {
  check_size(size(), other.size());
  if (other.count_ == 0) return;
  const auto mine = static_cast<double>(count_);
  const auto theirs = static_cast<double>(other.count_);
  const double total = mine + theirs;
  for (std::size_t i = 0; i < size(); ++i) {
    before_[i] = other.mean_[i] - mean_[i];
    after_[i] = before_[i] * (mine * theirs / total);
    mean_[i] += before_[i] * (theirs / total);
  }
  add_outer(before_, after_);
  for (std::size_t i = 0; i < products_.data.size(); ++i) {
    products_.data[i] += other.products_.data[i];
  }
  count_ += other.count_;
}

Matrix CovarianceMoments::covariance() const {
  Matrix result(size(), size(), std::numeric_limits<double>::quiet_NaN());
  if (count_ < 2) return result;
  for (std::size_t i = 0; i < size(); ++i) {
    for (std::size_t j = i; j < size(); ++j) {
      result(i, j) = result(j, i) = products_(i, j) / static_cast<double>(count_ - 1);
    }
  }
  return result;
}

}  // namespace divker
