#include "answer/step_bias_at_points.hpp"

#include <Eigen/Dense>
#include <cmath>

#include "estimate/parallel.hpp"

namespace divker {
namespace {

using Rows = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

Eigen::Map<const Rows> viewed(const Matrix& m) {
  return {m.data.data(), static_cast<Index>(m.rows), static_cast<Index>(m.cols)};
}

// The regressions of both sides around a point: linear coefficients of m, and what each path
// weighs in the mean of its residuals.
struct Weighing {
  MatrixXd coefficients;
  VectorXd coarse, fine;
};

class PairedRegression {
 public:
  PairedRegression(const PairedSide& coarse, const PairedSide& fine)
      : rows_of_path_(static_cast<Index>(coarse.rows_of_path)),
        centre_(viewed(coarse.x).colwise().mean()),
        width_((viewed(coarse.x).rowwise() - centre_).colwise().norm() /
               std::sqrt(static_cast<double>(coarse.x.rows))),
        coarse_(features(coarse.x)),
        fine_(features(fine.x)),
        coarse_y_(viewed(coarse.y)),
        fine_y_(viewed(fine.y)) {
    if (is_small()) return;
    const double rows = static_cast<double>(coarse_.rows());
    MatrixXd gram = coarse_.transpose() * coarse_ / rows;
    gram.diagonal().array() += static_cast<double>(coarse_.cols()) / rows;
    plane_ = gram.inverse();
    coefficients_ = plane_ * (coarse_.transpose() * coarse_y_) / rows;
  }

  // Into one row of the result.
  void measure(const Matrix& points, std::size_t r, StepBiases& result) const {
    const Eigen::RowVectorXd point = features(viewed(points).row(static_cast<Index>(r)));
    const Weighing at = is_small() ? by_neighbours(point) : by_a_plane(point);
    const MatrixXd change = at.fine.asDiagonal() * (fine_y_ - fine_ * at.coefficients) -
                            at.coarse.asDiagonal() * (coarse_y_ - coarse_ * at.coefficients);
    for (Index c = 0; c < change.cols(); ++c) {
      const auto of_paths = change.col(c).reshaped(rows_of_path_, change.rows() / rows_of_path_);
      result.value(r, static_cast<std::size_t>(c)) = -2.0 * change.col(c).sum();
      result.error(r, static_cast<std::size_t>(c)) = 2.0 * of_paths.colwise().sum().norm();
    }
  }

 private:
  [[nodiscard]] bool is_small() const {
    constexpr Index few_states = 3;
    return centre_.size() <= few_states;
  }

  // 1, and the states in units of their widths. A state that does not vary is none of them.
  [[nodiscard]] MatrixXd features(const Eigen::Ref<const Rows>& x) const {
    MatrixXd result(x.rows(), x.cols() + 1);
    result.col(0).setOnes();
    for (Index i = 0; i < x.cols(); ++i) {
      const double scale = width_[i] > 0.0 ? 1.0 / width_[i] : 0.0;
      result.col(i + 1) = (x.col(i).array() - centre_[i]) * scale;
    }
    return result;
  }
  [[nodiscard]] MatrixXd features(const Matrix& x) const {
    return features(Eigen::Ref<const Rows>(viewed(x)));
  }

  [[nodiscard]] VectorXd weights(const MatrixXd& side, const Eigen::RowVectorXd& point) const {
    const double bandwidth =
        std::pow(static_cast<double>(side.rows()), -1.0 / static_cast<double>(side.cols() + 3));
    const VectorXd squares = (side.rowwise() - point).rowwise().squaredNorm();
    return (squares.array() * (-0.5 / (bandwidth * bandwidth))).exp();
  }

  // Far from all paths the weights are zero, and the result is not a number.
  [[nodiscard]] Weighing by_neighbours(const Eigen::RowVectorXd& point) const {
    Weighing at{{}, weights(coarse_, point), weights(fine_, point)};
    at.coarse /= at.fine.sum();
    at.fine /= at.fine.sum();
    const MatrixXd weighed = at.coarse.asDiagonal() * coarse_;
    MatrixXd gram = coarse_.transpose() * weighed;
    constexpr double ridge = 1e-10;
    gram.diagonal().array() += ridge;
    at.coefficients = gram.ldlt().solve(weighed.transpose() * coarse_y_);
    return at;
  }
  [[nodiscard]] Weighing by_a_plane(const Eigen::RowVectorXd& point) const {
    const VectorXd reach = plane_ * point.transpose() / static_cast<double>(coarse_.rows());
    return {coefficients_, coarse_ * reach, fine_ * reach};
  }

  Index rows_of_path_;
  Eigen::RowVectorXd centre_, width_;
  MatrixXd coarse_, fine_;
  Eigen::Map<const Rows> coarse_y_, fine_y_;
  MatrixXd plane_, coefficients_;
};

}  // namespace

StepBiases step_bias_at_points(const PairedSide& coarse, const PairedSide& fine,
                               const Matrix& points, std::size_t threads) {
  const PairedRegression regression(coarse, fine);
  StepBiases result{Matrix(points.rows, coarse.y.cols), Matrix(points.rows, coarse.y.cols)};
  for_each_block(points.rows, 1, threads, [&](std::size_t begin, std::size_t end) {
    for (std::size_t r = begin; r < end; ++r) regression.measure(points, r, result);
  });
  return result;
}

}  // namespace divker
