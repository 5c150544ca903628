#include "estimate/polynomial_regressor.hpp"

#include <Eigen/Dense>
#include <Eigen/Eigenvalues>
#include <algorithm>
#include <cmath>
#include <limits>
#include <mutex>
#include <optional>

#include "divker/neighbours.hpp"
#include "divker/tail_index.hpp"
#include "estimate/local_regressor.hpp"
#include "estimate/parallel.hpp"
#include "estimate/products.hpp"
#include "estimate/standardise.hpp"

namespace divker {
namespace {

using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using Eigen::Index;

constexpr std::size_t kRowsAtATime = 256;  // rows whose features exist at a time

Index signed_size(std::size_t size) { return static_cast<Index>(size); }

void multiply(const RowMajor& a, const RowMajor& b, RowMajor& c, bool upper, std::size_t threads) {
  const auto rows = static_cast<std::size_t>(a.rows());
  add_product({a.data(), static_cast<std::size_t>(a.cols()), rows},
              {b.data(), static_cast<std::size_t>(b.cols()), rows}, c.data(), upper, threads);
}

// (T + ridge) x = b for the symmetric tridiagonal T: Gaussian elimination without exchanges, which
// is stable because the matrix is positive definite.
Eigen::MatrixXd solve_tridiagonal(const Eigen::VectorXd& diagonal, const Eigen::VectorXd& off,
                                  double ridge, Eigen::MatrixXd b) {
  Eigen::VectorXd pivots = diagonal.array() + ridge;
  for (Index i = 1; i < pivots.size(); ++i) {
    const double factor = off[i - 1] / pivots[i - 1];
    pivots[i] -= factor * off[i - 1];
    b.row(i) -= factor * b.row(i - 1);
  }
  const Index last = pivots.size() - 1;
  b.row(last) /= pivots[last];
  for (Index i = last - 1; i >= 0; --i) {
    b.row(i) = (b.row(i) - off[i] * b.row(i + 1)) / pivots[i];
  }
  return b;
}

// The ridge that minimises the generalised cross-validation of Golub, Heath and Wahba (1979),
// sum over the columns of RSS / (1 - freedom / n)^2, each relative to its total sum of squares.
// The Gram matrix is brought to tridiagonal form once; each ridge then costs O(p) a column.
double choose_ridge(const Eigen::MatrixXd& gram, const Eigen::MatrixXd& moments,
                    const Eigen::VectorXd& totals, double n) {
  const Eigen::Tridiagonalization<Eigen::MatrixXd> reduced(gram);
  const Eigen::VectorXd diagonal = reduced.diagonal();
  const Eigen::VectorXd off = reduced.subDiagonal();
  const Eigen::MatrixXd rotated = reduced.matrixQ().transpose() * moments;
  Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver;
  solver.computeFromTridiagonal(diagonal, off, Eigen::EigenvaluesOnly);
  const Eigen::ArrayXd eigenvalues = solver.eigenvalues().array().max(0.0);

  double best = n * 1e-9;
  double least = std::numeric_limits<double>::infinity();
  for (int step = -18; step <= 6; ++step) {
    const double ridge = n * std::pow(10.0, 0.5 * step);
    const double freedom = 1.0 + (eigenvalues / (eigenvalues + ridge)).sum();
    if (freedom > 0.95 * n) continue;
    const Eigen::MatrixXd solution = solve_tridiagonal(diagonal, off, ridge, rotated);
    double score = 0.0;
    for (Index c = 0; c < moments.cols(); ++c) {
      if (!(totals[c] > 0.0)) continue;
      const double rss =
          totals[c] - rotated.col(c).dot(solution.col(c)) - ridge * solution.col(c).squaredNorm();
      score += std::max(rss, 0.0) / totals[c];
    }
    score /= std::pow(1.0 - freedom / n, 2);
    // An exact fit scores rounding errors; then the smallest ridge stays.
    if (score < least * (1.0 - 1e-9) && (least > 1e-18 || step == -18)) {
      least = score;
      best = ridge;
    }
  }
  return best;
}

class Polynomial final : public Regressor {
 public:
  using Regressor::Regressor;

 private:
  void do_fit(const Matrix& x, const Matrix& y) override;
  [[nodiscard]] Prediction do_predict(const Matrix& points) const override;
  [[nodiscard]] Matrix do_evaluate(const Matrix& points) const override {
    return evaluate_scaled(scaling_(points));
  }
  [[nodiscard]] Matrix do_leave_one_out() const override;

  [[nodiscard]] Matrix evaluate_scaled(const Matrix& scaled) const;
  // Products of the coordinates of rows [begin, end), centred and with unit variance.
  [[nodiscard]] RowMajor features(const Matrix& scaled, std::size_t begin, std::size_t end) const;
  void centre_features();
  void accumulate(RowMajor& gram, RowMajor& moments) const;
  void prepare_errors() const;
  // leverages of rows of features, f^T (G + ridge)^-1 f + 1/n
  [[nodiscard]] Eigen::VectorXd leverages(const RowMajor& f) const;
  void add_variances(const Matrix& scaled, RowMajor& variances, RowMajor& shrinkage) const;
  [[nodiscard]] double misfit(std::span<const Neighbour> near, std::size_t column) const;

  Standardisation scaling_;
  Matrix x_;
  Matrix y_;
  std::size_t size_ = 0;  // features, without the constant
  Eigen::VectorXd centre_;
  Eigen::VectorXd unit_;
  Eigen::VectorXd mean_;        // of each column of Y
  std::vector<double> spread_;  // and its standard deviation
  Eigen::LLT<Eigen::MatrixXd> factor_;
  RowMajor coefficients_;  // size x q
  double ridge_ = 0.0;

  // What only error bars ask for, found at the first of them.
  struct Errors {
    std::once_flag found;
    Matrix residuals;
    std::vector<double> tail_index;  // of each column
    double threshold = 0.0;          // of the leverage
    std::optional<NeighbourIndex> index;
  };
  std::unique_ptr<Errors> errors_;
};

RowMajor Polynomial::features(const Matrix& scaled, std::size_t begin, std::size_t end) const {
  RowMajor f(signed_size(end - begin), signed_size(size_));
  const bool squares = size_ > scaled.cols;
  for (std::size_t r = begin; r < end; ++r) {
    const auto u = scaled.row(r);
    double* out = f.row(signed_size(r - begin)).data();
    for (const double v : u) *out++ = v;
    for (std::size_t i = 0; squares && i < u.size(); ++i) {
      for (std::size_t j = i; j < u.size(); ++j) *out++ = u[i] * u[j];
    }
  }
  f.rowwise() -= centre_.transpose();
  return f * unit_.asDiagonal();
}

void Polynomial::centre_features() {
  centre_ = Eigen::VectorXd::Zero(signed_size(size_));
  unit_ = Eigen::VectorXd::Ones(signed_size(size_));
  Eigen::VectorXd sum = centre_;
  Eigen::VectorXd squares = centre_;
  const auto n = static_cast<double>(x_.rows);
  for (std::size_t begin = 0; begin < x_.rows; begin += kRowsAtATime) {
    const RowMajor f = features(x_, begin, std::min(x_.rows, begin + kRowsAtATime));
    sum += f.colwise().sum().transpose();
    squares += f.colwise().squaredNorm().transpose();
  }
  centre_ = sum / n;
  for (Index i = 0; i < unit_.size(); ++i) {
    const double variance = squares[i] / n - centre_[i] * centre_[i];
    // Features that do not vary are only noise of rounding.
    unit_[i] = variance > 1e-20 * squares[i] / n ? 1.0 / std::sqrt(variance) : 0.0;
  }
}

void Polynomial::accumulate(RowMajor& gram, RowMajor& moments) const {
  for (std::size_t begin = 0; begin < x_.rows; begin += kRowsAtATime) {
    const std::size_t end = std::min(x_.rows, begin + kRowsAtATime);
    const RowMajor f = features(x_, begin, end);
    RowMajor targets = Eigen::Map<const RowMajor>(y_.row(begin).data(), signed_size(end - begin),
                                                  signed_size(y_.cols));
    targets.rowwise() -= mean_.transpose();
    multiply(f, f, gram, true, options().threads);
    multiply(f, targets, moments, false, options().threads);
  }
  gram.triangularView<Eigen::StrictlyLower>() = gram.transpose();
}

void Polynomial::do_fit(const Matrix& x, const Matrix& y) {
  scaling_ = Standardisation(x);
  x_ = scaling_(x);
  y_ = y;
  size_ = x.cols + (options().degree == 1 ? 0 : x.cols * (x.cols + 1) / 2);
  errors_ = std::make_unique<Errors>();
  const auto n = static_cast<double>(x.rows);
  Moments target_moments(y.cols);
  target_moments.add(y);
  mean_ = Eigen::Map<const Eigen::VectorXd>(target_moments.mean().data(), signed_size(y.cols));
  Eigen::VectorXd totals(signed_size(y.cols));
  spread_.clear();
  for (std::size_t c = 0; c < y.cols; ++c) {
    spread_.push_back(std::sqrt(target_moments.variance(c)));
    totals[signed_size(c)] = target_moments.variance(c) * (n - 1.0);
  }
  centre_features();
  const Index p = signed_size(size_);
  RowMajor gram = RowMajor::Zero(p, p);
  RowMajor moments = RowMajor::Zero(p, mean_.size());
  accumulate(gram, moments);
  Eigen::MatrixXd system = gram;
  ridge_ = choose_ridge(system, moments, totals, n);
  system.diagonal().array() += ridge_;
  factor_.compute(system);
  coefficients_ = factor_.solve(moments);
}

Matrix Polynomial::evaluate_scaled(const Matrix& scaled) const {
  Matrix result(scaled.rows, y_.cols);
  for_each_block(
      scaled.rows, kRowsAtATime, options().threads, [&](std::size_t begin, std::size_t end) {
        // Transposed, so that the sum runs over the features as add_product wants it.
        const RowMajor f = features(scaled, begin, end).transpose();
        Eigen::Map<RowMajor> out(result.row(begin).data(), signed_size(end - begin), mean_.size());
        RowMajor values = RowMajor::Zero(out.rows(), out.cols());
        multiply(f, coefficients_, values, false, 1);
        out = values.rowwise() + mean_.transpose();
      });
  return result;
}

Eigen::VectorXd Polynomial::leverages(const RowMajor& f) const {
  const Eigen::MatrixXd half = factor_.matrixL().solve(f.transpose());
  return half.colwise().squaredNorm().transpose().array() + 1.0 / static_cast<double>(x_.rows);
}

// A linear smoother's shortcut: y - fit without y = (y - fit) / (1 - leverage).
Matrix Polynomial::do_leave_one_out() const {
  Matrix result = evaluate_scaled(x_);
  for_each_block(x_.rows, kRowsAtATime, options().threads, [&](std::size_t begin, std::size_t end) {
    const Eigen::VectorXd h = leverages(features(x_, begin, end));
    for (std::size_t r = begin; r < end; ++r) {
      const double share = std::min(h[signed_size(r - begin)], 1.0 - 1e-9);
      for (std::size_t c = 0; c < y_.cols; ++c) {
        result(r, c) = y_(r, c) - (y_(r, c) - result(r, c)) / (1.0 - share);
      }
    }
  });
  return result;
}

void Polynomial::prepare_errors() const {
  Errors& errors = *errors_;
  errors.residuals = evaluate_scaled(x_);
  for (std::size_t i = 0; i < y_.data.size(); ++i) {
    errors.residuals.data[i] = y_.data[i] - errors.residuals.data[i];
  }
  errors.tail_index = tail_indices(errors.residuals);
  // Where Y itself has no mean, least squares follow single values and spread them over all
  // residuals.
  const std::vector<double> of_values = tail_indices(y_);
  for (std::size_t c = 0; c < y_.cols; ++c) {
    if (of_values[c] >= 1.0) errors.tail_index[c] = std::max(errors.tail_index[c], of_values[c]);
  }
  constexpr std::size_t kSample = 2000;
  const std::size_t size = std::min(kSample, x_.rows);
  Matrix sample(size, x_.cols);
  for (std::size_t i = 0; i < size; ++i) {
    const auto row = x_.row(i * x_.rows / size);
    std::copy(row.begin(), row.end(), sample.row(i).begin());
  }
  Eigen::VectorXd h = leverages(features(sample, 0, size));
  std::sort(h.data(), h.data() + h.size());
  errors.threshold = h[static_cast<Index>(0.999 * static_cast<double>(size - 1))];
  errors.index.emplace(x_);
}

// The sandwich of White (1980): variance of the value at each point is sum_i (a . f_i)^2 r_i^2 with
// a = (G + ridge)^-1 f(point); the bias of the ridge is -ridge a . coefficients.
void Polynomial::add_variances(const Matrix& scaled, RowMajor& variances,
                               RowMajor& shrinkage) const {
  const auto n = static_cast<double>(x_.rows);
  const RowMajor f = features(scaled, 0, scaled.rows);
  const RowMajor a = factor_.solve(f.transpose());  // size x m
  shrinkage = ridge_ * (a.transpose() * coefficients_).cwiseAbs();
  for (std::size_t begin = 0; begin < x_.rows; begin += kRowsAtATime) {
    const std::size_t end = std::min(x_.rows, begin + kRowsAtATime);
    const RowMajor transposed = features(x_, begin, end).transpose();
    RowMajor weights = RowMajor::Zero(signed_size(end - begin), a.cols());
    multiply(transposed, a, weights, false, options().threads);
    weights = (weights.array() + 1.0 / n).square();
    const RowMajor squares = Eigen::Map<const RowMajor>(errors_->residuals.row(begin).data(),
                                                        signed_size(end - begin), mean_.size())
                                 .array()
                                 .square();
    multiply(weights, squares, variances, false, options().threads);
  }
}

// The mean residual of the neighbours beyond what their noise explains.
double Polynomial::misfit(std::span<const Neighbour> near, std::size_t column) const {
  const auto count = static_cast<double>(near.size());
  double mean = 0.0;
  for (const Neighbour& n : near) mean += errors_->residuals(n.index, column) / count;
  double squares = 0.0;
  for (const Neighbour& n : near) {
    squares += std::pow(errors_->residuals(n.index, column) - mean, 2);
  }
  const double noise = squares / (count - 1.0) / count;
  return std::sqrt(std::max(0.0, mean * mean - noise));
}

Prediction Polynomial::do_predict(const Matrix& points) const {
  std::call_once(errors_->found, [&] { prepare_errors(); });
  const Matrix scaled = scaling_(points);
  const Matrix empty(points.rows, y_.cols);
  Prediction prediction{
      evaluate_scaled(scaled),        empty, empty, empty, std::vector<double>(points.rows),
      std::vector<bool>(points.rows), empty};
  RowMajor variances = RowMajor::Zero(signed_size(points.rows), mean_.size());
  RowMajor shrinkage;
  add_variances(scaled, variances, shrinkage);
  const Eigen::VectorXd h = leverages(features(scaled, 0, points.rows));
  const auto n = static_cast<double>(x_.rows);
  // Residuals are smaller than the noise by the freedom that the fit took.
  const double freedom = std::max(1.0, n - 1.0 - static_cast<double>(size_));
  const double correction = n / freedom * (freedom > 3.0 ? freedom / (freedom - 2.0) : 3.0);
  // Wider than a regressor would look, because the residuals left are small against the noise.
  const std::size_t k = std::clamp<std::size_t>(4 * default_neighbours(x_.cols, x_.rows), 2,
                                                std::max<std::size_t>(2, x_.rows / 4));
  const auto lists = errors_->index->nearest(scaled, k);
  for (std::size_t r = 0; r < points.rows; ++r) {
    const Index row = signed_size(r);
    const bool outside = h[row] > errors_->threshold;
    const double remoteness = outside ? std::sqrt(h[row] / errors_->threshold) : 0.0;
    for (std::size_t c = 0; c < y_.cols; ++c) {
      const Index column = signed_size(c);
      const double variance = variances(row, column) * correction;
      const double bias =
          std::hypot(shrinkage(row, column) + misfit(lists[r], c), remoteness * spread_[c]);
      prediction.deviation(r, c) = std::sqrt(variance);
      prediction.bias(r, c) = bias;
      prediction.standard_error(r, c) = std::sqrt(variance + bias * bias);
      prediction.tail_index(r, c) = errors_->tail_index[c];
    }
    prediction.effective_samples[r] = 1.0 / h[row];
    prediction.outside[r] = outside;
  }
  return prediction;
}

}  // namespace

std::unique_ptr<Regressor> make_polynomial(const RegressorOptions& options) {
  return std::make_unique<Polynomial>(options);
}

}  // namespace divker
