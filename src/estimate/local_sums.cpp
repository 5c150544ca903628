#include "divker/local_sums.hpp"

#include <fmt/format.h>

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <limits>

#include "divker/error.hpp"

namespace divker {
namespace {

// Windows with fewer effective samples a coefficient say nothing of their own error.
constexpr double fewest_per_feature = 10.0;

// h_0: two standard deviations in every coordinate.
double widest(std::size_t dimension) { return 2.0 * std::sqrt(static_cast<double>(dimension)); }

double width(std::size_t dimension, std::size_t level) {
  return widest(dimension) * std::exp2(-0.5 * static_cast<double>(level));
}

// 1, u_1 ... u_d, then the products u_i u_j for i <= j.
void fill_features(std::span<const double> u, std::vector<double>& f) {
  std::size_t at = 0;
  f[at++] = 1.0;
  for (const double v : u) f[at++] = v;
  for (std::size_t i = 0; i < u.size(); ++i) {
    for (std::size_t j = i; j < u.size(); ++j) f[at++] = u[i] * u[j];
  }
}

// The fit by the first `used` features at the centre of the window: one value a column of Y.
Eigen::RowVectorXd value_at_centre(const std::vector<double>& sums, std::size_t features,
                                   std::size_t used, std::size_t outputs) {
  const auto n = static_cast<Eigen::Index>(used);
  const auto q = static_cast<Eigen::Index>(outputs);
  Eigen::MatrixXd gram(n, n);
  Eigen::MatrixXd products(n, q);
  std::size_t at = 0;
  for (std::size_t i = 0; i < features; ++i) {
    for (std::size_t j = i; j < features; ++j, ++at) {
      if (j >= used) continue;
      const auto row = static_cast<Eigen::Index>(i), column = static_cast<Eigen::Index>(j);
      gram(row, column) = gram(column, row) = sums[at];
    }
  }
  for (std::size_t i = 0; i < used; ++i) {
    for (std::size_t c = 0; c < outputs; ++c) {
      products(static_cast<Eigen::Index>(i), static_cast<Eigen::Index>(c)) =
          sums[at + i * outputs + c];
    }
  }
  // Coordinates that do not vary in the window leave the matrix singular.
  gram.diagonal().tail(n - 1).array() += 1e-12 * gram(0, 0);
  return gram.ldlt().solve(products).row(0);
}

}  // namespace

// One level of the ladder at one point.
struct LocalSums::Level {
  Eigen::RowVectorXd value, deviation, bias;
  double effective = 0.0;
  double centroid = 0.0;  // distance of the samples' mean from the point
  bool usable = false;
};

LocalSums::LocalSums(Matrix points, std::vector<double> scales, std::size_t outputs,
                     std::size_t expected)
    : points_(std::move(points)),
      scales_(std::move(scales)),
      outputs_(outputs),
      sums_(batches),
      spread_(outputs) {
  const std::size_t d = points_.cols;
  if (d == 0 || d > largest_dimension) {
    throw Error(ErrorKind::usage,
                fmt::format("local sums work in 1 to {} dimensions; the points have {}",
                            largest_dimension, d));
  }
  if (scales_.size() != d ||
      !std::all_of(scales_.begin(), scales_.end(), [](double s) { return s > 0.0; })) {
    throw Error(ErrorKind::usage, "local sums need one positive scale for each coordinate");
  }
  // The best width shrinks like n^{-1/(d+4)}; four levels more find out whether it is narrower.
  const double rate = 1.0 / (static_cast<double>(d) + 4.0);
  const auto n = static_cast<double>(std::max<std::size_t>(expected, 2));
  levels_ = 4 + static_cast<std::size_t>(std::ceil(2.0 * rate * std::log2(n)));
  features_ = (d + 1) * (d + 2) / 2;
  size_ = features_ * (features_ + 1) / 2 + features_ * outputs_ + 2;
}

std::span<double> LocalSums::window(std::size_t point, std::size_t level, std::size_t batch) {
  return {sums_[batch].data() + (point * levels_ + level) * size_, size_};
}

std::span<const double> LocalSums::window(std::size_t point, std::size_t level,
                                          std::size_t batch) const {
  return {sums_[batch].data() + (point * levels_ + level) * size_, size_};
}

void LocalSums::add(const Matrix& x, const Matrix& y, std::size_t batch) {
  if (x.cols != points_.cols || y.cols != outputs_ || x.rows != y.rows) {
    throw Error(ErrorKind::usage,
                fmt::format("local sums of {} coordinates and {} outputs were given samples of "
                            "{} x {} and {} x {}",
                            points_.cols, outputs_, x.rows, x.cols, y.rows, y.cols));
  }
  if (x.rows == 0) return;
  batch %= batches;
  if (sums_[batch].empty()) sums_[batch].assign(points_.rows * levels_ * size_, 0.0);
  spread_.add(y);
  const double reach = widest(x.cols) * widest(x.cols);
  std::vector<double> u(x.cols), f(features_);
  for (std::size_t r = 0; r < x.rows; ++r) {
    for (std::size_t p = 0; p < points_.rows; ++p) {
      double squared = 0.0;
      for (std::size_t c = 0; c < x.cols; ++c) {
        u[c] = (x(r, c) - points_(p, c)) / scales_[c];
        squared += u[c] * u[c];
      }
      if (!(squared < reach)) continue;
      fill_features(u, f);
      double ratio = squared / reach;  // (distance / width)^2: doubles from level to level
      for (std::size_t level = 0; level < levels_ && ratio < 1.0; ++level, ratio *= 2.0) {
        const double weight = 1.0 - ratio;
        double* sum = window(p, level, batch).data();
        for (std::size_t i = 0; i < features_; ++i) {
          for (std::size_t j = i; j < features_; ++j) *sum++ += weight * f[i] * f[j];
        }
        for (std::size_t i = 0; i < features_; ++i) {
          for (const double value : y.row(r)) *sum++ += weight * f[i] * value;
        }
        *sum++ += weight;
        *sum += weight * weight;
      }
    }
  }
}

void LocalSums::merge(const LocalSums& other) {
  for (std::size_t batch = 0; batch < batches; ++batch) {
    const std::vector<double>& from = other.sums_[batch];
    if (from.empty()) continue;
    if (sums_[batch].empty()) sums_[batch].assign(from.size(), 0.0);
    for (std::size_t i = 0; i < from.size(); ++i) sums_[batch][i] += from[i];
  }
  spread_.merge(other.spread_);
}

LocalSums::Level LocalSums::fit_level(std::size_t point, std::size_t level) const {
  std::vector<double> total(size_, 0.0);
  std::vector<std::size_t> filled;
  for (std::size_t batch = 0; batch < batches; ++batch) {
    if (sums_[batch].empty()) continue;
    const auto part = window(point, level, batch);
    if (part[size_ - 2] > 0.0) filled.push_back(batch);
    for (std::size_t i = 0; i < size_; ++i) total[i] += part[i];
  }
  Level result;
  const double weight = total[size_ - 2];
  result.effective = weight > 0.0 ? weight * weight / total[size_ - 1] : 0.0;
  const std::size_t linear = points_.cols + 1;
  if (result.effective < fewest_per_feature * static_cast<double>(linear) || filled.size() < 8) {
    return result;
  }
  result.usable = true;
  // The first row of the Gram matrix: the sums of 1, u_1 ... u_d.
  for (std::size_t c = 1; c < linear; ++c) {
    result.centroid = std::hypot(result.centroid, total[c] / weight);
  }
  result.value = value_at_centre(total, features_, linear, outputs_);
  const Eigen::RowVectorXd quadratic = value_at_centre(total, features_, features_, outputs_);
  result.bias = (quadratic - result.value).cwiseAbs();
  Eigen::MatrixXd without(static_cast<Eigen::Index>(filled.size()),
                          static_cast<Eigen::Index>(outputs_));
  for (std::size_t b = 0; b < filled.size(); ++b) {
    const auto part = window(point, level, filled[b]);
    std::vector<double> rest(size_);
    for (std::size_t i = 0; i < size_; ++i) rest[i] = total[i] - part[i];
    without.row(static_cast<Eigen::Index>(b)) = value_at_centre(rest, features_, linear, outputs_);
  }
  const auto n = static_cast<double>(filled.size());
  const double student = (n - 1.0) / (n - 3.0);
  const Eigen::RowVectorXd mean = without.colwise().mean();
  result.deviation =
      ((without.rowwise() - mean).colwise().squaredNorm() * ((n - 1.0) / n) * student).cwiseSqrt();
  return result;
}

void LocalSums::predict_point(std::size_t point, Prediction& prediction) const {
  constexpr double tolerance = 1.5;  // in deviations of the narrower of two windows
  std::vector<Level> ladder;
  for (std::size_t level = 0; level < levels_; ++level) {
    Level fitted = fit_level(point, level);
    if (!fitted.usable) break;
    ladder.push_back(std::move(fitted));
  }
  // The samples of even the narrowest window lie to one side: the fit reaches out of the sample.
  const bool outside =
      ladder.empty() || ladder.back().centroid > 0.5 * width(points_.cols, ladder.size() - 1);
  prediction.outside[point] = outside;
  prediction.effective_samples[point] = ladder.empty() ? 0.0 : ladder.front().effective;
  for (std::size_t c = 0; c < outputs_; ++c) {
    const double spread = std::sqrt(spread_.variance(c));
    const auto column = static_cast<Eigen::Index>(c);
    if (ladder.empty()) {
      prediction.value(point, c) = spread_.mean()[c];
      prediction.bias(point, c) = prediction.standard_error(point, c) = spread;
      continue;
    }
    const auto agrees = [&](std::size_t level) {
      for (std::size_t j = level + 1; j < ladder.size(); ++j) {
        const double gap = std::abs(ladder[level].value[column] - ladder[j].value[column]);
        if (gap > tolerance * ladder[j].deviation[column]) return false;
      }
      return true;
    };
    std::size_t level = 0;
    while (!agrees(level)) ++level;
    if (level > 0) level = std::min(level + 1, ladder.size() - 1);
    const Level& chosen = ladder[level];
    // The choice of the level is noisy too: the noise of the next narrower window covers it.
    const double deviation = ladder[std::min(level + 1, ladder.size() - 1)].deviation[column];
    const double bias = outside ? std::hypot(chosen.bias[column], spread) : chosen.bias[column];
    prediction.value(point, c) = chosen.value[column];
    prediction.deviation(point, c) = deviation;
    prediction.bias(point, c) = bias;
    prediction.standard_error(point, c) = std::hypot(deviation, bias);
    prediction.effective_samples[point] =
        std::min(prediction.effective_samples[point], chosen.effective);
  }
}

Prediction LocalSums::result() const {
  if (spread_.count() < 2) {
    throw Error(ErrorKind::usage,
                fmt::format("local sums have {} samples; expected at least 2", spread_.count()));
  }
  const Matrix empty(points_.rows, outputs_);
  Prediction prediction{empty,
                        empty,
                        empty,
                        empty,
                        std::vector<double>(points_.rows),
                        std::vector<bool>(points_.rows),
                        Matrix(points_.rows, outputs_, std::numeric_limits<double>::quiet_NaN())};
  for (std::size_t p = 0; p < points_.rows; ++p) predict_point(p, prediction);
  return prediction;
}

}  // namespace divker
