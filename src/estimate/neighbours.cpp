#include "divker/neighbours.hpp"

#include <fmt/format.h>

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <limits>
#include <nanoflann.hpp>
#include <numeric>
#include <utility>

#include "divker/error.hpp"

namespace divker {
namespace {

using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

// Every search uses this one sum, so that all agree to the bit.
double squared_distance(const double* a, const double* b, std::size_t size) {
  double sum = 0.0;
  for (std::size_t i = 0; i < size; ++i) sum += (a[i] - b[i]) * (a[i] - b[i]);
  return sum;
}

// The k nearest so far, the farthest on top of a heap.
class Nearest {
 public:
  explicit Nearest(std::size_t k) : k_(k) { heap_.reserve(k); }

  [[nodiscard]] bool full() const { return heap_.size() == k_; }
  [[nodiscard]] std::size_t size() const { return heap_.size(); }
  // One bit above the farthest, so that points at the same distance are offered too and the row
  // number decides.
  [[nodiscard]] double worstDist() const {  // NOLINT: the name that nanoflann calls
    constexpr double kInfinity = std::numeric_limits<double>::infinity();
    return full() ? std::nextafter(heap_.front().squared_distance, kInfinity)
                  : std::numeric_limits<double>::max();
  }
  bool addPoint(double squared, std::size_t index) {  // NOLINT: the name that nanoflann calls
    const Neighbour neighbour{squared, index};
    if (!full()) {
      heap_.push_back(neighbour);
      std::push_heap(heap_.begin(), heap_.end());
    } else if (neighbour < heap_.front()) {
      std::pop_heap(heap_.begin(), heap_.end());
      heap_.back() = neighbour;
      std::push_heap(heap_.begin(), heap_.end());
    }
    return true;
  }
  [[nodiscard]] std::vector<Neighbour> sorted() && {
    std::sort_heap(heap_.begin(), heap_.end());
    return std::move(heap_);
  }

 private:
  std::size_t k_;
  std::vector<Neighbour> heap_;
};

// Everything within a radius.
class Within {
 public:
  explicit Within(double squared) : squared_(squared) {}
  [[nodiscard]] bool full() const { return true; }
  [[nodiscard]] std::size_t size() const { return found_.size(); }
  [[nodiscard]] double worstDist() const {  // NOLINT: the name that nanoflann calls
    return std::nextafter(squared_, std::numeric_limits<double>::infinity());
  }
  bool addPoint(double squared, std::size_t index) {  // NOLINT: the name that nanoflann calls
    if (squared <= squared_) found_.push_back({squared, index});
    return true;
  }
  [[nodiscard]] std::vector<Neighbour> sorted() && {
    std::sort(found_.begin(), found_.end());
    return std::move(found_);
  }

 private:
  double squared_;
  std::vector<Neighbour> found_;
};

// What nanoflann asks of a data set.
struct Cloud {
  const Matrix& points;
  mutable std::size_t evaluations = 0;

  [[nodiscard]] std::size_t kdtree_get_point_count() const { return points.rows; }
  [[nodiscard]] double kdtree_get_pt(std::size_t row, std::size_t column) const {
    return points(row, column);
  }
  template <typename Box>
  bool kdtree_get_bbox(Box& /*box*/) const {
    return false;
  }
};

template <bool counting>
struct Metric {
  using ElementType = double;
  using DistanceType = double;
  const Cloud& cloud;
  explicit Metric(const Cloud& source) : cloud(source) {}

  double evalMetric(const double* a, std::size_t row, std::size_t size) const {  // NOLINT
    if constexpr (counting) ++cloud.evaluations;
    return squared_distance(a, cloud.points.row(row).data(), size);
  }
  template <typename U, typename V>
  double accum_dist(const U a, const V b, std::size_t) const {  // NOLINT
    return (a - b) * (a - b);
  }
};

template <bool counting>
using Tree = nanoflann::KDTreeSingleIndexAdaptor<Metric<counting>, Cloud, -1, std::size_t>;

constexpr std::size_t kLeaf = 16;

// The share of the rows whose distance a tree evaluates for ten neighbours, on a small sample.
double share_visited(const Matrix& points) {
  constexpr std::size_t kSample = 4096;
  constexpr std::size_t kQueries = 32;
  const std::size_t rows = std::min(points.rows, kSample);
  Matrix sample(rows, points.cols);
  for (std::size_t r = 0; r < rows; ++r) {
    const auto row = points.row(r * points.rows / rows);
    std::copy(row.begin(), row.end(), sample.row(r).begin());
  }
  const Cloud cloud{sample};
  const Tree<true> tree(static_cast<int>(points.cols), cloud, {kLeaf});
  for (std::size_t q = 0; q < kQueries; ++q) {
    Nearest result(std::min<std::size_t>(10, rows));
    tree.findNeighbors(result, sample.row(q * rows / kQueries).data(), {});
  }
  return static_cast<double>(cloud.evaluations) / static_cast<double>(kQueries * rows);
}

NeighbourSearch choose_search(const Matrix& points) {
  if (points.cols == 1) return NeighbourSearch::sorted;
  // Measured: a distance in a tree costs as much as about four in a matrix product, and the share
  // falls as the rows become more than the sample.
  constexpr double kWorthwhile = 0.5;
  return share_visited(points) < kWorthwhile ? NeighbourSearch::tree : NeighbourSearch::brute_force;
}

}  // namespace

class NeighbourIndex::Implementation {
 public:
  Implementation(Matrix points, NeighbourSearch search) : points_(std::move(points)) {
    if (points_.rows == 0 || points_.cols == 0) {
      throw Error(ErrorKind::usage, "neighbours are sought among no points; expected at least one");
    }
    search_ = search == NeighbourSearch::automatic ? choose_search(points_) : search;
    if (search_ == NeighbourSearch::sorted) {
      sort_rows();
    } else if (search_ == NeighbourSearch::tree) {
      tree_ = std::make_unique<Tree<false>>(static_cast<int>(points_.cols), cloud_,
                                            nanoflann::KDTreeSingleIndexAdaptorParams(kLeaf));
    } else {
      squares_ = view().rowwise().squaredNorm();
    }
  }

  [[nodiscard]] const Matrix& points() const { return points_; }
  [[nodiscard]] NeighbourSearch search() const { return search_; }

  [[nodiscard]] std::vector<std::vector<Neighbour>> nearest(const Matrix& queries,
                                                            std::size_t k) const {
    if (search_ == NeighbourSearch::brute_force) return nearest_by_force(queries, k);
    std::vector<std::vector<Neighbour>> lists;
    lists.reserve(queries.rows);
    for (std::size_t q = 0; q < queries.rows; ++q) {
      if (search_ == NeighbourSearch::sorted) {
        lists.push_back(nearest_sorted(queries(q, 0), k));
      } else {
        Nearest result(k);
        tree_->findNeighbors(result, queries.row(q).data(), {});
        lists.push_back(std::move(result).sorted());
      }
    }
    return lists;
  }

  [[nodiscard]] std::vector<Neighbour> within(std::span<const double> point, double radius) const {
    Within result(radius * radius);
    if (search_ == NeighbourSearch::tree) {
      tree_->findNeighbors(result, point.data(), {});
    } else if (search_ == NeighbourSearch::sorted) {
      const auto low = std::lower_bound(sorted_.begin(), sorted_.end(), point[0] - radius);
      const auto high = std::upper_bound(low, sorted_.end(), point[0] + radius);
      return nearest_sorted(point[0], static_cast<std::size_t>(high - low));
    } else {
      for (std::size_t r = 0; r < points_.rows; ++r) {
        result.addPoint(squared_distance(point.data(), points_.row(r).data(), points_.cols), r);
      }
    }
    return std::move(result).sorted();
  }

 private:
  [[nodiscard]] Eigen::Map<const RowMajor> view() const { return view(points_); }
  static Eigen::Map<const RowMajor> view(const Matrix& m) { return rows_of(m, 0, m.rows); }
  static Eigen::Map<const RowMajor> rows_of(const Matrix& m, std::size_t first, std::size_t count) {
    return {m.data.data() + first * m.cols, static_cast<Eigen::Index>(count),
            static_cast<Eigen::Index>(m.cols)};
  }

  void sort_rows() {
    if (points_.cols != 1) {
      throw Error(
          ErrorKind::usage,
          fmt::format("a sorted search works in 1 dimension; the points have {}", points_.cols));
    }
    order_.resize(points_.rows);
    std::iota(order_.begin(), order_.end(), std::size_t{0});
    std::sort(order_.begin(), order_.end(), [&](std::size_t a, std::size_t b) {
      return std::pair(points_.data[a], a) < std::pair(points_.data[b], b);
    });
    for (const std::size_t row : order_) sorted_.push_back(points_.data[row]);
  }

  // A window that grows to whichever side is nearer.
  [[nodiscard]] std::vector<Neighbour> nearest_sorted(double point, std::size_t k) const {
    const auto square = [&](std::size_t i) { return squared_distance(&point, &sorted_[i], 1); };
    auto right = static_cast<std::size_t>(std::lower_bound(sorted_.begin(), sorted_.end(), point) -
                                          sorted_.begin());
    std::size_t left = right;
    std::vector<Neighbour> list;
    if (k == 0) return list;
    list.reserve(k);
    double farthest = 0.0;
    // Beyond k only for ties with the last, which the row number decides.
    for (;;) {
      const bool has_left = left > 0;
      const bool has_right = right < sorted_.size();
      if (!has_left && !has_right) break;
      const bool take_left = has_left && (!has_right || square(left - 1) < square(right));
      const std::size_t i = take_left ? left - 1 : right;
      const double squared = square(i);
      if (list.size() >= k && squared > farthest) break;
      list.push_back({squared, order_[i]});
      farthest = squared;
      take_left ? --left : ++right;
    }
    // Out of order only where distances are equal.
    if (!std::is_sorted(list.begin(), list.end())) std::sort(list.begin(), list.end());
    list.resize(k);
    return list;
  }

  // Blocks of points pass by blocks of queries, so that approximate distances stay in the cache.
  [[nodiscard]] std::vector<std::vector<Neighbour>> nearest_by_force(const Matrix& queries,
                                                                     std::size_t k) const {
    constexpr std::size_t kQueriesAtATime = 16;
    constexpr std::size_t kPointsAtATime = 4096;
    const auto cols = static_cast<Eigen::Index>(points_.cols);
    const double largest = squares_.maxCoeff();
    RowMajor distances;
    std::vector<std::vector<Neighbour>> lists;
    lists.reserve(queries.rows);
    for (std::size_t begin = 0; begin < queries.rows; begin += kQueriesAtATime) {
      const std::size_t count = std::min(kQueriesAtATime, queries.rows - begin);
      const auto block = rows_of(queries, begin, count);
      std::vector<Nearest> approximate(count, Nearest(k));
      std::vector<std::vector<Neighbour>> candidates(count);
      std::vector<double> slack(count);
      for (std::size_t q = 0; q < count; ++q) {
        // The rounding of |x|^2 - 2 q.x + |q|^2, generously.
        const double square = block.row(static_cast<Eigen::Index>(q)).squaredNorm();
        slack[q] = 4.0 * 1e-15 * static_cast<double>(cols + 8) * (largest + square);
      }
      for (std::size_t first = 0; first < points_.rows; first += kPointsAtATime) {
        const std::size_t size = std::min(kPointsAtATime, points_.rows - first);
        distances.noalias() = -2.0 * (block * rows_of(points_, first, size).transpose());
        distances.rowwise() +=
            squares_.segment(static_cast<Eigen::Index>(first), static_cast<Eigen::Index>(size))
                .transpose();
        for (std::size_t q = 0; q < count; ++q) {
          const double* row = distances.row(static_cast<Eigen::Index>(q)).data();
          collect({row, size}, first, slack[q], approximate[q], candidates[q]);
        }
      }
      for (std::size_t q = 0; q < count; ++q) {
        const double limit = approximate[q].worstDist() + slack[q];
        lists.push_back(select(candidates[q], limit, queries.row(begin + q), k));
      }
    }
    return lists;
  }

  // The rows that may be among the k nearest, by what is known so far.
  static void collect(std::span<const double> distances, std::size_t first, double slack,
                      Nearest& nearest, std::vector<Neighbour>& candidates) {
    double least = nearest.worstDist();
    for (std::size_t r = 0; r < distances.size(); ++r) {
      if (distances[r] > least + slack) continue;
      candidates.push_back({distances[r], first + r});
      if (distances[r] >= least) continue;
      nearest.addPoint(distances[r], first + r);
      least = nearest.worstDist();
    }
  }

  // Exact distances for the candidates whose approximate one may be among the k least.
  [[nodiscard]] std::vector<Neighbour> select(std::span<const Neighbour> candidates, double limit,
                                              std::span<const double> point, std::size_t k) const {
    Nearest result(k);
    for (const Neighbour& candidate : candidates) {
      if (candidate.squared_distance > limit) continue;
      const std::size_t r = candidate.index;
      result.addPoint(squared_distance(point.data(), points_.row(r).data(), points_.cols), r);
    }
    return std::move(result).sorted();
  }

  Matrix points_;
  NeighbourSearch search_ = NeighbourSearch::automatic;
  Cloud cloud_{points_};
  std::unique_ptr<Tree<false>> tree_;
  std::vector<std::size_t> order_;  // sorted search: rows by value
  std::vector<double> sorted_;      // and their values
  Eigen::VectorXd squares_;         // brute force: squared norms
};

NeighbourIndex::NeighbourIndex(Matrix points, NeighbourSearch search)
    : implementation_(std::make_unique<Implementation>(std::move(points), search)) {}
NeighbourIndex::~NeighbourIndex() = default;
NeighbourIndex::NeighbourIndex(NeighbourIndex&&) noexcept = default;
NeighbourIndex& NeighbourIndex::operator=(NeighbourIndex&&) noexcept = default;

const Matrix& NeighbourIndex::points() const { return implementation_->points(); }
NeighbourSearch NeighbourIndex::search() const { return implementation_->search(); }

std::vector<std::vector<Neighbour>> NeighbourIndex::nearest(const Matrix& queries,
                                                            std::size_t k) const {
  if (k == 0 || k > points().rows) {
    throw Error(ErrorKind::usage,
                fmt::format("{} neighbours are asked of {} points; expected 1 to {}", k,
                            points().rows, points().rows));
  }
  return implementation_->nearest(queries, k);
}

std::vector<Neighbour> NeighbourIndex::within(std::span<const double> point, double radius) const {
  return implementation_->within(point, radius);
}

}  // namespace divker
