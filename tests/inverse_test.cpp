#include "numbers/inverse.hpp"

#include <gtest/gtest.h>

#include <Eigen/Dense>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "divker/kernel.hpp"
#include "numbers/aligned_array.hpp"

namespace divker::numbers {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;

// Matrices side by side, as a walker keeps them.
class Lanes {
 public:
  Lanes(std::size_t n, std::size_t lanes) : n_(n), lanes_(lanes) { values_.resize(n * n * lanes); }

  void set(std::size_t lane, const MatrixXd& m) {
    for (std::size_t k = 0; k < n_ * n_; ++k) {
      values_.data()[k * lanes_ + lane] = m(static_cast<Index>(k / n_), static_cast<Index>(k % n_));
    }
  }
  [[nodiscard]] MatrixXd get(std::size_t lane) const {
    const auto n = static_cast<Index>(n_);
    MatrixXd m(n, n);
    for (std::size_t k = 0; k < n_ * n_; ++k) {
      m(static_cast<Index>(k / n_), static_cast<Index>(k % n_)) = values_.data()[k * lanes_ + lane];
    }
    return m;
  }
  std::vector<std::int64_t> invert() {
    LaneInverse inverse(n_, lanes_);
    inverse(values_.data());
    return inverse.signs();
  }

 private:
  std::size_t n_, lanes_;
  AlignedArray values_;
};

MatrixXd random_matrix(std::mt19937_64& random, std::size_t n) {
  std::normal_distribution<double> normal;
  MatrixXd m(static_cast<Index>(n), static_cast<Index>(n));
  for (double& value : m.reshaped()) value = normal(random);
  return m;
}

std::vector<std::size_t> widths() {
  std::vector<std::size_t> lanes;
  for (const std::size_t width : {2U, 4U, 8U}) {
    if (width <= host_lanes()) lanes.push_back(width);
  }
  return lanes;
}

// Forward error of elimination with partial pivoting: condition x machine precision x a modest
// power of n; the growth factor of random matrices is of the order of n^(2/3).
double tolerance(const MatrixXd& m, const MatrixXd& inverse) {
  const auto n = static_cast<double>(m.rows());
  return 10.0 * n * std::numeric_limits<double>::epsilon() * m.norm() * inverse.norm();
}

TEST(LaneInverse, AgreesWithEigenInEveryLane) {
  std::mt19937_64 random(1);
  for (const std::size_t lanes : widths()) {
    for (const std::size_t n : {1U, 2U, 3U, 5U, 9U, 16U, 40U, 100U}) {
      SCOPED_TRACE(std::to_string(lanes) + " lanes, n = " + std::to_string(n));
      std::vector<MatrixXd> matrices;
      Lanes side_by_side(n, lanes);
      for (std::size_t lane = 0; lane < lanes; ++lane) {
        matrices.push_back(random_matrix(random, n));
        side_by_side.set(lane, matrices.back());
      }
      const std::vector<std::int64_t> signs = side_by_side.invert();
      for (std::size_t lane = 0; lane < lanes; ++lane) {
        const MatrixXd expected = matrices[lane].inverse();
        const double error = (side_by_side.get(lane) - expected).norm() / expected.norm();
        EXPECT_LT(error, tolerance(matrices[lane], expected));
        EXPECT_EQ(signs[lane], matrices[lane].determinant() > 0.0 ? 1 : -1);
      }
    }
  }
}

// Zeros on the diagonal, small pivots first: without exchanges of rows all is lost.
TEST(LaneInverse, ExchangesRowsInEachLaneForItself) {
  MatrixXd cycle = MatrixXd::Zero(3, 3);
  cycle(0, 1) = 2.0;
  cycle(1, 2) = 4.0;
  cycle(2, 0) = 8.0;
  MatrixXd swap = MatrixXd::Identity(3, 3);
  swap.row(0).swap(swap.row(2));
  MatrixXd tiny = MatrixXd::Ones(3, 3);
  tiny(0, 0) = 1e-17;
  tiny(1, 2) = -1.0;
  tiny(2, 1) = 4.0;
  for (const std::size_t lanes : widths()) {
    Lanes side_by_side(3, lanes);
    const std::vector<MatrixXd> matrices{cycle, swap, tiny, MatrixXd::Identity(3, 3)};
    for (std::size_t lane = 0; lane < lanes; ++lane) {
      side_by_side.set(lane, matrices[lane % matrices.size()]);
    }
    const std::vector<std::int64_t> signs = side_by_side.invert();
    for (std::size_t lane = 0; lane < lanes; ++lane) {
      const MatrixXd& m = matrices[lane % matrices.size()];
      EXPECT_LT((m * side_by_side.get(lane) - MatrixXd::Identity(3, 3)).norm(), 1e-14);
      EXPECT_EQ(signs[lane], m.determinant() > 0.0 ? 1 : -1);
    }
  }
}

TEST(LaneInverse, ASingularLaneIsTheOnlyOneThatSuffers) {
  std::mt19937_64 random(2);
  const MatrixXd sound = random_matrix(random, 5);
  MatrixXd singular = random_matrix(random, 5);
  singular.col(3).setZero();
  MatrixXd not_a_number = sound;
  not_a_number(2, 2) = std::nan("");
  for (const std::size_t lanes : widths()) {
    Lanes all_sound(5, lanes);
    for (std::size_t lane = 0; lane < lanes; ++lane) all_sound.set(lane, sound);
    (void)all_sound.invert();
    for (const MatrixXd& bad : {singular, not_a_number}) {
      Lanes one_bad(5, lanes);
      for (std::size_t lane = 0; lane < lanes; ++lane) one_bad.set(lane, lane == 1 ? bad : sound);
      const std::vector<std::int64_t> signs = one_bad.invert();
      EXPECT_EQ(signs[1], 0);
      EXPECT_FALSE(one_bad.get(1).allFinite());
      EXPECT_NE(signs[0], 0);
      EXPECT_EQ(one_bad.get(0), all_sound.get(0));
      EXPECT_EQ(all_sound.get(0), all_sound.get(lanes - 1));
    }
  }
}

}  // namespace
}  // namespace divker::numbers
