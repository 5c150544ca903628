#include <fmt/format.h>

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>

#include "divker/error.hpp"
#include "estimate/local_regressor.hpp"

namespace divker {
namespace {

std::size_t checked_neighbours(std::size_t asked, std::size_t chosen, std::size_t samples) {
  if (asked > samples) {
    throw Error(ErrorKind::usage,
                fmt::format("the regressor is to use {} neighbours, but the sample has only {}",
                            asked, samples));
  }
  return std::min(asked > 0 ? asked : chosen, samples);
}

// Bins with equally many samples.
class Bins final : public LocalRegressor {
 public:
  using LocalRegressor::LocalRegressor;

 private:
  void prepare(const Matrix& x) override {
    if (x.cols != 1) {
      throw Error(
          ErrorKind::usage,
          fmt::format("the regressor 'bins' works in 1 dimension; the points have {}", x.cols));
    }
    if (options().bins > x.rows) {
      throw Error(ErrorKind::usage,
                  fmt::format("the regressor is to use {} bins, but the sample has only {}",
                              options().bins, x.rows));
    }
    const auto rule = static_cast<std::size_t>(2.0 * std::cbrt(static_cast<double>(x.rows)));
    const std::size_t bins = options().bins > 0 ? options().bins : std::max<std::size_t>(2, rule);
    std::vector<double> sorted = x.data;
    std::sort(sorted.begin(), sorted.end());
    lowest_ = sorted.front();
    highest_ = sorted.back();
    edges_.clear();
    for (std::size_t b = 1; b < bins; ++b) {
      const std::size_t at = b * x.rows / bins;
      edges_.push_back(0.5 * (sorted[at - 1] + sorted[at]));
    }
  }

  [[nodiscard]] std::size_t bin(double value) const {
    return static_cast<std::size_t>(std::upper_bound(edges_.begin(), edges_.end(), value) -
                                    edges_.begin());
  }

  [[nodiscard]] double radius(std::span<const double> point) const override {
    const std::size_t b = bin(point[0]);
    const double low = b == 0 ? lowest_ : edges_[b - 1];
    const double high = b == edges_.size() ? highest_ : edges_[b];
    return std::max(std::abs(point[0] - low), std::abs(high - point[0])) * (1.0 + 1e-12);
  }

  void weigh(std::span<const double> point, std::span<const Neighbour> neighbours, const Matrix& x,
             std::vector<double>& weights) const override {
    const std::size_t mine = bin(point[0]);
    bool empty = true;
    for (std::size_t i = 0; i < neighbours.size(); ++i) {
      weights[i] = bin(x(neighbours[i].index, 0)) == mine ? 1.0 : 0.0;
      empty = empty && weights[i] == 0.0;
    }
    // A bin whose only sample is left out falls back on the nearest ones.
    if (empty) weights.assign(neighbours.size(), 1.0);
  }

  std::vector<double> edges_;
  double lowest_ = 0.0;
  double highest_ = 0.0;
};

// The plain mean of the k nearest.
class Neighbours final : public LocalRegressor {
 public:
  using LocalRegressor::LocalRegressor;

 private:
  void prepare(const Matrix& x) override {
    count_ = checked_neighbours(options().neighbours, default_neighbours(x.cols, x.rows), x.rows);
  }
  [[nodiscard]] std::size_t count() const override { return count_; }
  void weigh(std::span<const double>, std::span<const Neighbour>, const Matrix&,
             std::vector<double>& weights) const override {
    std::fill(weights.begin(), weights.end(), 1.0);
  }

  std::size_t count_ = 0;
};

// Nadaraya (1964) and Watson (1964) with a Gaussian, cut off at four bandwidths.
class Kernel final : public LocalRegressor {
 public:
  using LocalRegressor::LocalRegressor;

 private:
  void prepare(const Matrix& x) override {
    const auto d = static_cast<double>(x.cols);
    const auto n = static_cast<double>(x.rows);
    // Silverman (1986), eq. 4.14.
    const double rule = std::pow(4.0 / ((d + 2.0) * n), 1.0 / (d + 4.0));
    bandwidth_ = options().bandwidth > 0.0 ? options().bandwidth : rule;
  }
  [[nodiscard]] double radius(std::span<const double>) const override { return 4.0 * bandwidth_; }
  // A Gaussian's tails reach far beyond its effective samples.
  [[nodiscard]] double breadth() const override { return 2.0; }
  void weigh(std::span<const double>, std::span<const Neighbour> neighbours, const Matrix&,
             std::vector<double>& weights) const override {
    // Relative to the nearest, so that far from the sample the weights do not all underflow.
    const double nearest = neighbours.front().squared_distance;
    const double rate = 0.5 / (bandwidth_ * bandwidth_);
    for (std::size_t i = 0; i < neighbours.size(); ++i) {
      weights[i] = std::exp((nearest - neighbours[i].squared_distance) * rate);
    }
  }

  double bandwidth_ = 1.0;
};

// A linear fit to the k nearest with tricube weights (Cleveland 1979), as weights of the samples.
class LocalLinear final : public LocalRegressor {
 public:
  using LocalRegressor::LocalRegressor;

 private:
  void prepare(const Matrix& x) override {
    // Tricube weights count for about half; a linear fit asks for a few samples a coefficient.
    const std::size_t rule = std::max(2 * default_neighbours(x.cols, x.rows), 4 * (x.cols + 1));
    count_ = checked_neighbours(options().neighbours, rule, x.rows);
    if (count_ < x.cols + 2) {
      throw Error(ErrorKind::usage,
                  fmt::format("the regressor 'local-linear' has {} neighbours in {} dimensions; "
                              "expected at least {}",
                              count_, x.cols, x.cols + 2));
    }
    constexpr std::size_t kFewest = 32;
    fewest_ = options().neighbours > 0 ? 0 : std::max(kFewest, 8 * (x.cols + 1));
  }
  [[nodiscard]] std::size_t count() const override { return count_; }
  [[nodiscard]] std::size_t fewest() const override { return fewest_; }

  void weigh(std::span<const double> point, std::span<const Neighbour> neighbours, const Matrix& x,
             std::vector<double>& weights) const override {
    // A little beyond the last, which would else weigh nothing.
    const double reach = std::sqrt(neighbours.back().squared_distance) * 1.05;
    const auto rows = static_cast<Eigen::Index>(neighbours.size());
    const auto cols = static_cast<Eigen::Index>(point.size()) + 1;
    if (!(reach > 0.0)) return std::fill(weights.begin(), weights.end(), 1.0);
    Eigen::MatrixXd f(rows, cols);
    Eigen::VectorXd tricube(rows);
    for (Eigen::Index i = 0; i < rows; ++i) {
      const Neighbour& neighbour = neighbours[static_cast<std::size_t>(i)];
      const auto at = x.row(neighbour.index);
      f(i, 0) = 1.0;
      for (Eigen::Index c = 1; c < cols; ++c) {
        const auto k = static_cast<std::size_t>(c - 1);
        f(i, c) = (at[k] - point[k]) / reach;
      }
      const double r = std::sqrt(neighbour.squared_distance) / reach;
      const double fall = 1.0 - r * r * r;
      tricube[i] = fall * fall * fall;
    }
    const Eigen::MatrixXd weighted = tricube.asDiagonal() * f;
    Eigen::MatrixXd gram = weighted.transpose() * f;
    gram.diagonal().tail(cols - 1).array() += 1e-12 * gram(0, 0);
    const Eigen::VectorXd solution = gram.ldlt().solve(Eigen::VectorXd::Unit(cols, 0));
    const Eigen::VectorXd result = weighted * solution;
    std::copy(result.data(), result.data() + rows, weights.begin());
  }

  std::size_t count_ = 0;
  std::size_t fewest_ = 0;
};

}  // namespace

std::unique_ptr<Regressor> make_bins(const RegressorOptions& options) {
  return std::make_unique<Bins>(options);
}
std::unique_ptr<Regressor> make_neighbours(const RegressorOptions& options) {
  return std::make_unique<Neighbours>(options);
}
std::unique_ptr<Regressor> make_kernel(const RegressorOptions& options) {
  return std::make_unique<Kernel>(options);
}
std::unique_ptr<Regressor> make_local_linear(const RegressorOptions& options) {
  return std::make_unique<LocalLinear>(options);
}

}  // namespace divker
