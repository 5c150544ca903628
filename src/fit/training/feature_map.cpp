#include "fit/training/feature_map.hpp"

#include <algorithm>
#include <cmath>

#include "divker/random.hpp"
#include "estimate/parallel.hpp"

namespace divker::fit {
namespace {

using Eigen::Index;

constexpr double most_feature_deviations = 8.0;
constexpr double slowest_wave = 0.5;
constexpr double fastest_wave = 8.0;
constexpr std::size_t coordinates_of_wave = 3;
constexpr std::uint64_t seed_of_waves = 0x5EEDFEA7;

// Wave k of d coordinates.
Eigen::VectorXd wave(std::size_t k, std::size_t d) {
  const NormalSource random(seed_of_waves, Stream::pick);
  Eigen::VectorXd direction = Eigen::VectorXd::Zero(static_cast<Index>(d));
  for (std::size_t i = 0; i < std::min(d, coordinates_of_wave); ++i) {
    const std::size_t coordinate =
        d <= coordinates_of_wave
            ? i
            : static_cast<std::size_t>(random.uniform(k, 1 + i) * static_cast<double>(d));
    direction[static_cast<Index>(coordinate)] += random.normal(k, i, 0, 1);
  }
  const double part = random.uniform(k, 0);
  const double number = slowest_wave * std::pow(fastest_wave / slowest_wave, part);
  return number * direction / std::max(direction.norm(), 1e-12);
}

}  // namespace

FeatureMap::FeatureMap(const Matrix& values, std::size_t count) {
  const Eigen::Map<const RowMajor> data(values.data.data(), static_cast<Index>(values.rows),
                                        static_cast<Index>(values.cols));
  const auto d = static_cast<Index>(values.cols);
  mean_ = data.colwise().mean();
  const Eigen::RowVectorXd variance =
      (data.rowwise() - mean_).colwise().squaredNorm() / static_cast<double>(values.rows);
  scale_ = (variance.array() > 0.0).select(variance.array().rsqrt(), 1.0);
  for (Index reach = 0; reach < d; ++reach) {
    if (static_cast<std::size_t>(d) + pairs_.size() + static_cast<std::size_t>(d - reach) >
        count / 2) {
      break;
    }
    for (Index i = 0; i + reach < d; ++i) pairs_.emplace_back(i, i + reach);
  }
  const std::size_t left = count - std::min(count, static_cast<std::size_t>(d) + pairs_.size());
  waves_.resize(d, static_cast<Index>(left / 2));
  for (Index k = 0; k < waves_.cols(); ++k) {
    waves_.col(k) = wave(static_cast<std::size_t>(k), values.cols);
  }
}

std::size_t FeatureMap::size() const {
  return static_cast<std::size_t>(mean_.size() + 2 * waves_.cols()) + pairs_.size();
}

RowMajor FeatureMap::at(const Matrix& points, std::size_t begin, std::size_t end) const {
  const auto rows = static_cast<Index>(end - begin);
  const Index d = mean_.size();
  const Eigen::Map<const RowMajor> y(points.data.data() + begin * points.cols, rows, d);
  const RowMajor z = ((y.rowwise() - mean_) * scale_.asDiagonal())
                         .cwiseMax(-most_feature_deviations)
                         .cwiseMin(most_feature_deviations);
  RowMajor f(rows, static_cast<Index>(size()));
  f.leftCols(d) = z;
  Index at = d;
  for (const auto& [i, j] : pairs_) f.col(at++) = z.col(i).cwiseProduct(z.col(j));
  const RowMajor phase = z * waves_;
  f.middleCols(at, waves_.cols()) = phase.array().cos();
  f.rightCols(waves_.cols()) = phase.array().sin();
  return f;
}

RowMajor FeatureMap::at(const Matrix& points, std::size_t threads) const {
  constexpr std::size_t block = 256;
  RowMajor f(static_cast<Index>(points.rows), static_cast<Index>(size()));
  for_each_block(points.rows, block, threads, [&](std::size_t begin, std::size_t end) {
    f.middleRows(static_cast<Index>(begin), static_cast<Index>(end - begin)) =
        at(points, begin, end);
  });
  return f;
}

}  // namespace divker::fit
