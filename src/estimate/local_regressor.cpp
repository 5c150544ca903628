#include "estimate/local_regressor.hpp"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "divker/tail_index.hpp"
#include "estimate/parallel.hpp"

namespace divker {
namespace {

using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

// Points that one thread takes at a time: enough for the blocks of a brute-force search.
constexpr std::size_t kBlock = 16;

enum class Shape { constant, linear, additive, quadratic };

std::size_t features(Shape shape, std::size_t d) {
  switch (shape) {
    case Shape::constant:
      return 1;
    case Shape::linear:
      return 1 + d;
    case Shape::additive:
      return 1 + 2 * d;
    case Shape::quadratic:
      return 1 + d + d * (d + 1) / 2;
  }
  return 1;
}

// The richest surface that the samples carry; beyond 8-D cross terms would need too many.
Shape affordable(std::size_t samples, std::size_t d) {
  if (d <= 8 && samples >= 2 * features(Shape::quadratic, d)) return Shape::quadratic;
  if (samples >= 2 * features(Shape::additive, d)) return Shape::additive;
  return samples >= 2 * features(Shape::linear, d) ? Shape::linear : Shape::constant;
}

void fill_features(Shape shape, std::span<const double> u, double* out) {
  *out++ = 1.0;
  if (shape == Shape::constant) return;
  for (const double v : u) *out++ = v;
  if (shape == Shape::linear) return;
  for (std::size_t i = 0; i < u.size(); ++i) {
    const std::size_t last = shape == Shape::additive ? i + 1 : u.size();
    for (std::size_t j = i; j < last; ++j) *out++ = u[i] * u[j];
  }
}

// How many neighbours the surface is fitted to.
std::size_t surface_size(double wanted, std::size_t d, std::size_t n) {
  const std::size_t parameters = features(d <= 8 ? Shape::quadratic : Shape::additive, d);
  return std::min(n, std::max(static_cast<std::size_t>(std::ceil(wanted)), 4 * parameters));
}

// A quadratic surface around a point, by weighted least squares to every stride-th neighbour.
struct Surface {
  Shape shape = Shape::constant;
  std::size_t stride = 1;
  double unit = 1.0;             // offsets from the point are taken times this
  Eigen::MatrixXd coefficients;  // features x q; the first row is the value at the point
  RowMajor residuals;            // of the neighbours it is fitted to

  // The surface's own mean under the weights of the nearest neighbours: 1 x q.
  [[nodiscard]] Eigen::RowVectorXd mean(std::span<const double> point,
                                        std::span<const Neighbour> list, const Matrix& x,
                                        const std::vector<double>& weights) const {
    Eigen::RowVectorXd sum = Eigen::RowVectorXd::Zero(coefficients.rows());
    Eigen::RowVectorXd f(coefficients.rows());
    for (std::size_t i = 0; i < weights.size(); ++i) {
      fill(point, x.row(list[i].index), f.data());
      sum += weights[i] * f;
    }
    return sum * coefficients;
  }

  void fill(std::span<const double> point, std::span<const double> at, double* out) const {
    thread_local std::vector<double> u;
    u.resize(point.size());
    for (std::size_t c = 0; c < u.size(); ++c) u[c] = (at[c] - point[c]) * unit;
    fill_features(shape, u, out);
  }
};

Surface fit_surface(std::span<const double> point, std::span<const Neighbour> list,
                    std::size_t size, const Matrix& x, const Matrix& y) {
  // So many tell the curvature well enough; more only cost time.
  constexpr std::size_t kEnough = 4096;
  Surface s;
  size = std::min(size, list.size());
  s.stride = std::max<std::size_t>(1, size / kEnough);
  const std::size_t used = (size + s.stride - 1) / s.stride;
  s.shape = affordable(used, x.cols);
  const double reach = std::sqrt(list[size - 1].squared_distance);
  s.unit = reach > 0.0 ? 1.0 / reach : 1.0;
  const auto rows = static_cast<Eigen::Index>(used);
  RowMajor f(rows, static_cast<Eigen::Index>(features(s.shape, x.cols)));
  RowMajor targets(rows, static_cast<Eigen::Index>(y.cols));
  Eigen::VectorXd weights(rows);
  for (Eigen::Index i = 0; i < rows; ++i) {
    const Neighbour& neighbour = list[static_cast<std::size_t>(i) * s.stride];
    s.fill(point, x.row(neighbour.index), f.row(i).data());
    const auto target = y.row(neighbour.index);
    std::copy(target.begin(), target.end(), targets.row(i).data());
    weights[i] = 1.01 - neighbour.squared_distance * s.unit * s.unit;
  }
  const RowMajor weighted = weights.asDiagonal() * f;
  Eigen::MatrixXd gram = weighted.transpose() * f;
  // Coordinates that do not vary here leave the matrix singular.
  gram.diagonal().tail(gram.rows() - 1).array() += 1e-12 * gram(0, 0);
  s.coefficients = gram.ldlt().solve(weighted.transpose() * targets);
  s.residuals = targets - f * s.coefficients;
  return s;
}

Matrix rows_between(const Matrix& m, std::size_t begin, std::size_t end) {
  Matrix block(end - begin, m.cols);
  std::copy_n(m.row(begin).data(), block.data.size(), block.data.begin());
  return block;
}

Matrix one_row(std::span<const double> point) {
  Matrix row(1, point.size());
  std::copy(point.begin(), point.end(), row.data.begin());
  return row;
}

// Of fewer samples the index is known to a fifth at best, which among many points is above any
// limit now and then.
double tail_index_of(std::span<const Neighbour> near, const Matrix& y, std::size_t column) {
  constexpr std::size_t fewest = 400;
  if (near.size() < fewest) return std::numeric_limits<double>::quiet_NaN();
  Matrix values(near.size(), 1);
  for (std::size_t i = 0; i < near.size(); ++i) values(i, 0) = y(near[i].index, column);
  return tail_indices(values).front();
}

void normalise(std::vector<double>& weights) {
  const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
  for (double& w : weights) w /= sum;
}

}  // namespace

double Isolation::threshold(const NeighbourIndex& index, std::size_t threads) {
  const Matrix& x = index.points();
  const std::size_t sample = index.search() == NeighbourSearch::brute_force ? 200 : 1000;
  const std::size_t size = std::min(sample, x.rows);
  std::vector<double> distances(size);
  for_each_block(size, kBlock, threads, [&](std::size_t begin, std::size_t end) {
    Matrix block(end - begin, x.cols);
    for (std::size_t i = begin; i < end; ++i) {
      const auto row = x.row(i * x.rows / size);
      std::copy(row.begin(), row.end(), block.row(i - begin).begin());
    }
    // One more than the rank, because each finds itself first.
    const auto lists = index.nearest(block, std::min(x.rows, rank(x.rows) + 1));
    for (std::size_t i = begin; i < end; ++i) {
      distances[i] = lists[i - begin].back().squared_distance;
    }
  });
  std::sort(distances.begin(), distances.end());
  return distances[static_cast<std::size_t>(0.999 * static_cast<double>(size - 1))];
}

void LocalRegressor::do_fit(const Matrix& x, const Matrix& y) {
  scaling_ = Standardisation(x);
  index_.emplace(scaling_(x));
  y_ = y;
  Moments moments(y.cols);
  moments.add(y);
  spread_.assign(y.cols, 0.0);
  for (std::size_t c = 0; c < y.cols; ++c) spread_[c] = std::sqrt(moments.variance(c));
  threshold_found_ = std::make_unique<std::once_flag>();
  prepare(index_->points());
}

std::vector<Neighbour> LocalRegressor::near(std::span<const double> point) const {
  constexpr std::size_t kFewest = 10;  // where nothing lies within the radius
  std::vector<Neighbour> list = index_->within(point, radius(point));
  const std::size_t fewest = std::min(kFewest, y_.rows);
  if (list.size() >= fewest) return list;
  return index_->nearest(one_row(point), fewest).front();
}

Matrix LocalRegressor::values(const Matrix& scaled, bool leave_out) const {
  Matrix result(scaled.rows, y_.cols);
  for_each_block(scaled.rows, kBlock, options().threads, [&](std::size_t begin, std::size_t end) {
    const Matrix block = rows_between(scaled, begin, end);
    std::vector<std::vector<Neighbour>> lists;
    if (count() > 0) {
      const std::size_t wanted = fewest() > 0 ? reach() : count();
      lists = index_->nearest(block, std::min(y_.rows, wanted + (leave_out ? 1 : 0)));
    }
    std::vector<double> weights;
    std::vector<std::size_t> uses;
    for (std::size_t r = begin; r < end; ++r) {
      std::vector<Neighbour> list = count() > 0 ? std::move(lists[r - begin]) : near(scaled.row(r));
      if (leave_out) {
        const auto self = std::find_if(list.begin(), list.end(),
                                       [&](const Neighbour& n) { return n.index == r; });
        // Among many equal points the row itself may have been left off already.
        list.erase(self != list.end() ? self : list.end() - 1);
      }
      if (fewest() > 0) {
        const Estimate chosen = choose(scaled.row(r), list, uses);
        std::copy(chosen.value.begin(), chosen.value.end(), result.row(r).begin());
        continue;
      }
      weights.assign(list.size(), 0.0);
      weigh(scaled.row(r), list, index_->points(), weights);
      normalise(weights);
      for (std::size_t i = 0; i < list.size(); ++i) {
        const auto target = y_.row(list[i].index);
        for (std::size_t c = 0; c < y_.cols; ++c) result(r, c) += weights[i] * target[c];
      }
    }
  });
  return result;
}

Matrix LocalRegressor::do_evaluate(const Matrix& points) const {
  return values(scaling_(points), false);
}

Matrix LocalRegressor::do_leave_one_out() const { return values(index_->points(), true); }

Prediction LocalRegressor::do_predict(const Matrix& points) const {
  std::call_once(*threshold_found_,
                 [&] { threshold_ = Isolation::threshold(*index_, options().threads); });
  const Matrix scaled = scaling_(points);
  const Matrix empty(points.rows, y_.cols);
  Prediction prediction{empty, empty, empty, empty, std::vector<double>(points.rows), {}, empty};
  std::vector<char> outside(points.rows);
  const std::size_t wanted = reach();
  for_each_block(points.rows, kBlock, options().threads, [&](std::size_t begin, std::size_t end) {
    std::vector<std::vector<Neighbour>> lists;
    if (wanted > 0) lists = index_->nearest(rows_between(scaled, begin, end), wanted);
    for (std::size_t r = begin; r < end; ++r) {
      const auto point = scaled.row(r);
      outside[r] =
          predict_row(point, wanted > 0 ? std::move(lists[r - begin]) : near(point), r, prediction);
    }
  });
  prediction.outside.assign(outside.begin(), outside.end());
  return prediction;
}

std::size_t LocalRegressor::reach() const {
  if (count() == 0) return 0;
  return std::max(count(), surface_size(breadth() * static_cast<double>(count()),
                                        index_->points().cols, y_.rows));
}

LocalRegressor::Estimate LocalRegressor::estimate(std::span<const double> point, std::size_t use,
                                                  std::vector<Neighbour>& list) const {
  const Matrix& x = index_->points();
  std::vector<double> weights(use);
  weigh(point, {list.data(), use}, x, weights);
  normalise(weights);
  double squares = 0.0;
  for (const double w : weights) squares += w * w;
  const double basis = count() > 0 ? static_cast<double>(use) : 1.0 / squares;
  const std::size_t size = surface_size(breadth() * basis, x.cols, x.rows);
  if (count() == 0 && size > list.size()) list = index_->nearest(one_row(point), size).front();
  const Surface surface = fit_surface(point, list, size, x, y_);
  const auto used = static_cast<double>(surface.residuals.rows());
  const double freedom = used - static_cast<double>(surface.coefficients.rows());
  const double correction = used / std::max(1.0, freedom);
  // The variance of Student's t, because the noise itself is estimated.
  const double student = freedom > 3.0 ? freedom / (freedom - 2.0) : 3.0;
  const Eigen::RowVectorXd smooth = surface.mean(point, list, x, weights);
  const std::vector<double> zero(y_.cols);
  Estimate result{zero, zero, zero, 1.0 / squares};
  for (std::size_t c = 0; c < y_.cols; ++c) {
    const auto column = static_cast<Eigen::Index>(c);
    for (std::size_t i = 0; i < use; ++i) result.value[c] += weights[i] * y_(list[i].index, c);
    double local = 0.0;
    for (Eigen::Index i = 0; i < surface.residuals.rows(); ++i) {
      const std::size_t at = static_cast<std::size_t>(i) * surface.stride;
      if (at >= use) break;
      const double share = weights[at] * surface.residuals(i, column);
      local += share * share;
    }
    local *= static_cast<double>(surface.stride);
    const double pooled = surface.residuals.col(column).squaredNorm() / used * squares;
    result.deviation[c] = std::sqrt(std::max(local, pooled) * correction * student);
    result.bias[c] = std::abs(smooth[column] - surface.coefficients(0, column));
    if (surface.shape == Shape::constant) result.bias[c] = std::hypot(result.bias[c], spread_[c]);
  }
  return result;
}

LocalRegressor::Estimate LocalRegressor::choose(std::span<const double> point,
                                                std::vector<Neighbour>& list,
                                                std::vector<std::size_t>& uses) const {
  // In deviations of the narrower of two estimates, what noise explains.
  constexpr double kTolerance = 2.5;
  std::vector<Estimate> ladder;
  const std::size_t most = count() > 0 ? std::min(count(), list.size()) : list.size();
  std::size_t use = most;
  ladder.push_back(estimate(point, use, list));
  while (fewest() > 0 && use / 2 >= fewest()) {
    use /= 2;
    ladder.push_back(estimate(point, use, list));
  }
  Estimate result = ladder.front();
  uses.assign(y_.cols, most);
  for (std::size_t c = 0; c < y_.cols; ++c) {
    const auto agrees = [&](std::size_t level) {
      for (std::size_t j = level + 1; j < ladder.size(); ++j) {
        const double gap = std::abs(ladder[level].value[c] - ladder[j].value[c]);
        if (gap > kTolerance * ladder[j].deviation[c]) return false;
      }
      return true;
    };
    std::size_t level = 0;
    while (!agrees(level)) ++level;
    // The bias that the test just tolerates is as large as the noise; one step further it is not.
    if (level > 0) level = std::min(level + 1, ladder.size() - 1);
    result.value[c] = ladder[level].value[c];
    result.deviation[c] = ladder[level].deviation[c];
    result.bias[c] = ladder[level].bias[c];
    result.effective = std::min(result.effective, ladder[level].effective);
    uses[c] = most >> level;
  }
  return result;
}

bool LocalRegressor::predict_row(std::span<const double> point, std::vector<Neighbour> list,
                                 std::size_t row, Prediction& prediction) const {
  std::vector<std::size_t> uses;
  const Estimate chosen = choose(point, list, uses);
  const std::size_t rank = Isolation::rank(y_.rows);
  const double distance = list[std::min(rank, list.size()) - 1].squared_distance;
  const bool outside = distance > threshold_;
  // Where most samples coincide, the threshold is zero.
  const double remoteness =
      threshold_ > 0.0 ? std::sqrt(distance / threshold_) : 1.0 + std::sqrt(distance);
  for (std::size_t c = 0; c < y_.cols; ++c) {
    const double bias =
        outside ? std::hypot(chosen.bias[c], spread_[c] * remoteness) : chosen.bias[c];
    prediction.value(row, c) = chosen.value[c];
    prediction.deviation(row, c) = chosen.deviation[c];
    prediction.bias(row, c) = bias;
    prediction.standard_error(row, c) = std::hypot(chosen.deviation[c], bias);
    prediction.tail_index(row, c) = tail_index_of({list.data(), uses[c]}, y_, c);
  }
  prediction.effective_samples[row] = chosen.effective;
  return outside;
}

}  // namespace divker
