#include "answer/step_bias_at_points.hpp"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <vector>

#include "estimate/parallel.hpp"

namespace divker {
namespace {

using Rows = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::RowVectorXd;
using Eigen::VectorXd;

Eigen::Map<const Rows> viewed(const Matrix& m) {
  return {m.data.data(), static_cast<Index>(m.rows), static_cast<Index>(m.cols)};
}

// What paths weigh in the change at a point, on both sides, and their residuals from m; `fitted` is
// what the change around the point explains of those of dt/2, and no error.
struct Weighing {
  std::vector<Index> rows;  // of the sample; the others weigh nothing
  VectorXd coarse, fine;
  MatrixXd coarse_residuals, fine_residuals;
  MatrixXd fitted;
};

// Of each column.
struct Change {
  RowVectorXd value, error;
};

// 1 and the coordinates.
MatrixXd linear(const MatrixXd& u) {
  MatrixXd result(u.rows(), u.cols() + 1);
  result << VectorXd::Ones(u.rows()), u;
  return result;
}

// And their products.
MatrixXd quadratic(const MatrixXd& u) {
  const Index d = u.cols();
  MatrixXd result(u.rows(), 1 + d + d * (d + 1) / 2);
  result.leftCols(1 + d) = linear(u);
  Index next = 1 + d;
  for (Index i = 0; i < d; ++i) {
    for (Index j = i; j < d; ++j) result.col(next++) = u.col(i).cwiseProduct(u.col(j));
  }
  return result;
}

VectorXd gaussian(const MatrixXd& u) { return (-0.5 * u.rowwise().squaredNorm().array()).exp(); }

// (F^T W F)^-1 right. A coordinate that does not vary leaves the matrix singular.
MatrixXd solved(const MatrixXd& features, const VectorXd& weights, const MatrixXd& right) {
  constexpr double ridge = 1e-10;
  MatrixXd gram = features.transpose() * weights.asDiagonal() * features;
  gram.diagonal().array() += ridge * gram(0, 0);
  return gram.ldlt().solve(right);
}

class PairedRegression {
 public:
  PairedRegression(const PairedSide& coarse, const PairedSide& fine)
      : rows_of_path_(static_cast<Index>(coarse.rows_of_path)),
        centre_(viewed(coarse.x).colwise().mean()),
        width_((viewed(coarse.x).rowwise() - centre_).colwise().norm() /
               std::sqrt(static_cast<double>(coarse.x.rows))),
        coarse_(scaled(viewed(coarse.x))),
        fine_(scaled(viewed(fine.x))),
        coarse_y_(viewed(coarse.y)),
        fine_y_(viewed(fine.y)) {
    if (!is_small()) prepare_plane();
  }

  // Into one row of the result.
  void measure(const Matrix& points, std::size_t r, StepBiases& result) const {
    const RowVectorXd point = scaled(viewed(points).row(static_cast<Index>(r)));
    const Change change = is_small() ? around(point) : change_by(on_the_plane(point), 1.0);
    for (Index c = 0; c < change.value.size(); ++c) {
      result.value(r, static_cast<std::size_t>(c)) = -2.0 * change.value[c];
      result.error(r, static_cast<std::size_t>(c)) = 2.0 * change.error[c];
    }
  }

 private:
  [[nodiscard]] bool is_small() const {
    constexpr Index few_states = 3;
    return centre_.size() <= few_states;
  }

  // In units of the widths. A state that does not vary is nowhere.
  [[nodiscard]] MatrixXd scaled(const Eigen::Ref<const Rows>& x) const {
    const RowVectorXd scale = (width_.array() > 0.0).select(width_.array().inverse(), 0.0);
    return (x.rowwise() - centre_) * scale.asDiagonal();
  }

  [[nodiscard]] Change change_by(const Weighing& at, double factor) const {
    const MatrixXd coarse = at.coarse.asDiagonal() * at.coarse_residuals;
    const MatrixXd fine = at.fine.asDiagonal() * at.fine_residuals;
    const MatrixXd noise = fine - at.fine.asDiagonal() * at.fitted - coarse;
    RowVectorXd squares = RowVectorXd::Zero(noise.cols()), of_path = squares;
    for (Index i = 0; i < noise.rows(); ++i) {
      of_path += noise.row(i);
      const auto k = static_cast<std::size_t>(i);
      const bool last =
          k + 1 == at.rows.size() || at.rows[k + 1] / rows_of_path_ != at.rows[k] / rows_of_path_;
      if (!last) continue;
      squares += of_path.cwiseAbs2();
      of_path.setZero();
    }
    return {fine.colwise().sum() - coarse.colwise().sum(), factor * squares.cwiseSqrt()};
  }

  // --- few states: m quadratic and the change linear around the point, under Gaussian weights ---

  // Far from all paths no row is left, and no change is seen.
  [[nodiscard]] Weighing weighed(const RowVectorXd& point, double bandwidth) const {
    constexpr double reach = 5.0;  // beyond it weights are below 1e-5
    const double limit = std::pow(reach * bandwidth, 2);
    Weighing at;
    for (Index r = 0; r < coarse_.rows(); ++r) {
      const double distance =
          std::min((coarse_.row(r) - point).squaredNorm(), (fine_.row(r) - point).squaredNorm());
      if (distance < limit) at.rows.push_back(r);
    }
    const MatrixXd coarse = (coarse_(at.rows, Eigen::all).rowwise() - point) / bandwidth;
    const MatrixXd fine = (fine_(at.rows, Eigen::all).rowwise() - point) / bandwidth;
    const VectorXd coarse_weights = gaussian(coarse), fine_weights = gaussian(fine);
    const MatrixXd curved = quadratic(coarse), coarse_y = coarse_y_(at.rows, Eigen::all);
    const MatrixXd m =
        solved(curved, coarse_weights, curved.transpose() * coarse_weights.asDiagonal() * coarse_y);
    at.coarse_residuals = coarse_y - curved * m;
    at.fine_residuals = fine_y_(at.rows, Eigen::all) - quadratic(fine) * m;
    const MatrixXd coarse_line = linear(coarse), fine_line = linear(fine);
    const VectorXd at_the_point =
        solved(fine_line, fine_weights, VectorXd::Unit(fine_line.cols(), 0));
    at.coarse = coarse_weights.cwiseProduct(coarse_line * at_the_point);
    at.fine = fine_weights.cwiseProduct(fine_line * at_the_point);
    at.fitted =
        fine_line *
        solved(fine_line, fine_weights,
               fine_line.transpose() * fine_weights.asDiagonal() * at.fine_residuals -
                   coarse_line.transpose() * coarse_weights.asDiagonal() * at.coarse_residuals);
    return at;
  }

  // What an error of few residuals counts for, as Student's t.
  [[nodiscard]] double widened(double effective) const {
    constexpr double most = 3.0;
    const double freedom = effective - static_cast<double>(1 + coarse_.cols());
    return freedom > 2.0 ? std::min(most, std::sqrt(effective / (freedom - 2.0))) : most;
  }

  // The widest weights whose change agrees with those of all narrower ones (Lepski's rule).
  [[nodiscard]] Change around(const RowVectorXd& point) const {
    constexpr double tolerance = 2.5, fewest = 16.0;
    constexpr std::size_t most_levels = 4;
    double bandwidth = std::pow(static_cast<double>(coarse_.rows()),
                                -1.0 / static_cast<double>(coarse_.cols() + 4));
    std::vector<Change> ladder;
    while (ladder.size() < most_levels) {
      const Weighing at = weighed(point, bandwidth);
      const double effective = 1.0 / at.fine.squaredNorm();
      if (!ladder.empty() && !(effective > fewest)) break;
      ladder.push_back(change_by(at, widened(effective)));
      bandwidth /= 2.0;
    }
    Change result = ladder.front();
    for (Index c = 0; c < result.value.size(); ++c) {
      std::size_t level = 0;
      const auto agrees = [&](const Change& narrower) {
        return !(std::fabs(ladder[level].value[c] - narrower.value[c]) >
                 tolerance * narrower.error[c]);
      };
      while (
          !std::all_of(ladder.begin() + static_cast<std::ptrdiff_t>(level), ladder.end(), agrees)) {
        ++level;
      }
      // A difference that is just tolerated is as large as the noise; one step further it is not.
      if (level > 0) level = std::min(level + 1, ladder.size() - 1);
      result.value[c] = ladder[level].value[c];
      result.error[c] = ladder[level].error[c];
    }
    return result;
  }

  // --- more states: m and the change linear on all of space -------------------------------------

  void prepare_plane() {
    const auto rows = static_cast<double>(coarse_.rows());
    const MatrixXd features = linear(coarse_);
    MatrixXd gram = features.transpose() * features / rows;
    gram.diagonal().array() += static_cast<double>(features.cols()) / rows;
    plane_ = gram.inverse() / rows;
    const MatrixXd m = plane_ * (features.transpose() * coarse_y_);
    all_.coarse_residuals = coarse_y_ - features * m;
    all_.fine_residuals = fine_y_ - linear(fine_) * m;
    all_.fitted = MatrixXd::Zero(coarse_y_.rows(), coarse_y_.cols());
    for (Index r = 0; r < coarse_.rows(); ++r) all_.rows.push_back(r);
  }
  [[nodiscard]] Weighing on_the_plane(const RowVectorXd& point) const {
    const VectorXd at_the_point = plane_ * linear(point).transpose();
    Weighing at = all_;
    at.coarse = linear(coarse_) * at_the_point;
    at.fine = linear(fine_) * at_the_point;
    return at;
  }

  Index rows_of_path_;
  RowVectorXd centre_, width_;
  MatrixXd coarse_, fine_;
  Eigen::Map<const Rows> coarse_y_, fine_y_;
  MatrixXd plane_;
  Weighing all_;
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
