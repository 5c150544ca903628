#include "fit/training/density_ratio.hpp"

#include <algorithm>
#include <cmath>

#include "estimate/parallel.hpp"
#include "estimate/products.hpp"

namespace divker::fit {
namespace {

using Eigen::Index;

constexpr std::size_t ratio_block = 256;

std::size_t count_of(const RowMajor& rows) { return static_cast<std::size_t>(rows.rows()); }

// Weighted sums over rows of (features, 1).
struct WeightedSums {
  explicit WeightedSums(Index p)
      : first(Eigen::VectorXd::Zero(p)), gram(RowMajor::Zero(p, p)), weighted(first) {}
  void operator+=(const WeightedSums& other) {
    first += other.first;
    gram += other.gram;
    weighted += other.weighted;
    total += other.total;
    weight += other.weight;
  }
  Eigen::VectorXd first;     // sum a f
  RowMajor gram;             // sum b f f^T, the upper triangle
  Eigen::VectorXd weighted;  // sum b f
  double total = 0.0;        // sum a
  double weight = 0.0;       // sum b
};

// coefficient(r) gives a and b of row r.
template <class Coefficients>
WeightedSums weighted_sums(const RowMajor& features, std::size_t threads,
                           const Coefficients& coefficients) {
  const Index p = features.cols();
  const auto add = [&](std::size_t begin, std::size_t end, WeightedSums& sums) {
    const auto rows = static_cast<Index>(end - begin);
    const auto f = features.middleRows(static_cast<Index>(begin), rows);
    RowMajor scaled(rows, p);
    for (Index r = 0; r < rows; ++r) {
      const auto [a, b] = coefficients(static_cast<Index>(begin) + r);
      sums.first += a * f.row(r).transpose();
      scaled.row(r) = b * f.row(r);
      sums.total += a;
      sums.weight += b;
    }
    sums.weighted += scaled.colwise().sum().transpose();
    add_product({scaled.data(), static_cast<std::size_t>(p), end - begin},
                {f.data(), static_cast<std::size_t>(p), end - begin}, sums.gram.data(), true, 1);
  };
  WeightedSums sums = sum_over_rows(count_of(features), ratio_block, threads, WeightedSums(p), add);
  sums.gram.triangularView<Eigen::StrictlyLower>() = sums.gram.transpose();
  return sums;
}

struct Coefficient {
  double a, b;
};

}  // namespace

FeatureMoments moments_of(const RowMajor& features, std::size_t threads) {
  const auto n = static_cast<double>(features.rows());
  const WeightedSums sums = weighted_sums(features, threads, [](Index) {
    return Coefficient{1.0, 1.0};
  });
  const Eigen::VectorXd mean = sums.first / n;
  return {mean, sums.gram / n - mean * mean.transpose()};
}

DensityRatio::DensityRatio(const RowMajor& data, const FeatureMoments& of_data,
                           const RowMajor& model, const FeatureMoments& of_model,
                           std::size_t threads) {
  constexpr std::size_t most_steps = 20;
  constexpr double small_gain = 1e-6;
  const auto n = static_cast<double>(data.rows());
  const auto m = static_cast<double>(model.rows());
  const Index p = data.cols();
  // Both weigh one half, and between r = 1 and the data each coordinate is known to 1/n + 1/m in
  // the metric of the pooled covariance: what a prior of the size of the whole distance leaves.
  const Eigen::VectorXd apart = of_data.mean - of_model.mean;
  Eigen::MatrixXd pooled = 0.5 * (of_data.covariance + of_model.covariance);
  pooled.diagonal().array() += 1e-3 * std::max(pooled.diagonal().mean(), 1e-12);
  const double noise = static_cast<double>(p) * (1.0 / n + 1.0 / m);
  const double distance = apart.dot(pooled.llt().solve(apart));
  const double ridge = 0.25 * noise / std::max(distance - noise, 1e-3 * noise);
  weights_ = Eigen::VectorXd::Zero(p);
  for (std::size_t step = 0; step < most_steps; ++step) {
    const auto sums_of = [&](const RowMajor& rows, bool is_data, double each) {
      return weighted_sums(rows, threads, [&, is_data, each](Index r) {
        const double l = rows.row(r).dot(weights_) + offset_;
        const double of_the_data = 1.0 / (1.0 + std::exp(-l));
        return Coefficient{each * ((is_data ? 1.0 : 0.0) - of_the_data),
                           each * of_the_data * (1.0 - of_the_data)};
      });
    };
    WeightedSums sums = sums_of(data, true, 0.5 / n);
    sums += sums_of(model, false, 0.5 / m);
    Eigen::VectorXd gradient(p + 1);
    gradient << sums.first - ridge * (pooled * weights_), sums.total;
    Eigen::MatrixXd curvature(p + 1, p + 1);
    curvature << sums.gram + ridge * pooled, sums.weighted, sums.weighted.transpose(), sums.weight;
    curvature.diagonal().array() += 1e-12;
    const Eigen::VectorXd change = curvature.ldlt().solve(gradient);
    const double decrement = std::max(gradient.dot(change), 0.0);
    const double damping = 1.0 / (1.0 + std::sqrt(decrement));
    weights_ += damping * change.head(p);
    offset_ += damping * change[p];
    if (decrement < small_gain) break;
  }
}

Eigen::VectorXd DensityRatio::log_at(const RowMajor& features) const {
  return ((features * weights_).array() + offset_).cwiseMax(-most).cwiseMin(most);
}

}  // namespace divker::fit
