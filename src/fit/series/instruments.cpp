#include "fit/series/instruments.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace divker::fit {
namespace {

using Eigen::Index;

constexpr double farthest_deviation = 8.0;
constexpr std::size_t largest_degree = 4;

// Rows of unit variance without correlation that span the given ones; constant rows are left out.
Eigen::MatrixXd whitened_rows(const Eigen::MatrixXd& rows) {
  constexpr double negligible = 1e-8;
  const auto count = static_cast<double>(rows.cols());
  Eigen::MatrixXd centred = rows.colwise() - rows.rowwise().mean();
  std::vector<Index> varying;
  for (Index i = 0; i < rows.rows(); ++i) {
    const double deviation = std::sqrt(centred.row(i).squaredNorm() / count);
    const double size = rows.row(i).cwiseAbs().maxCoeff();
    if (!(deviation > negligible * size)) continue;
    centred.row(i) /= deviation;
    varying.push_back(i);
  }
  Eigen::MatrixXd kept = centred(varying, Eigen::all);
  if (varying.empty()) return kept;
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(kept * kept.transpose() / count);
  const Eigen::VectorXd& values = solver.eigenvalues();
  std::vector<Index> wide;
  for (Index k = 0; k < values.size(); ++k) {
    if (values[k] > negligible * values[values.size() - 1]) wide.push_back(k);
  }
  const Eigen::MatrixXd vectors = solver.eigenvectors()(Eigen::all, wide);
  return values(wide).cwiseSqrt().cwiseInverse().asDiagonal() * vectors.transpose() * kept;
}

// He_0 ... He_degree of every entry.
std::vector<Eigen::ArrayXXd> hermite_polynomials(const Eigen::ArrayXXd& z, std::size_t degree) {
  std::vector<Eigen::ArrayXXd> result{Eigen::ArrayXXd::Ones(z.rows(), z.cols()), z};
  for (std::size_t n = 2; n <= degree; ++n) {
    result.emplace_back(z * result[n - 1] - static_cast<double>(n - 1) * result[n - 2]);
  }
  return result;
}

// Those with a factor among the first `needed` variables.
std::vector<numbers::Monomial> products_up_to(std::size_t degree, std::size_t needed,
                                              std::size_t variables) {
  std::vector<numbers::Monomial> all = numbers::monomials_up_to(variables, degree);
  std::erase_if(all, [needed](const numbers::Monomial& factors) {
    return factors.empty() || factors.front() >= needed;
  });
  return all;
}

std::size_t degree_within(std::size_t most, std::size_t needed, std::size_t variables) {
  for (std::size_t degree = largest_degree; degree > 1; --degree) {
    const std::size_t count = numbers::count_monomials(variables, degree) -
                              numbers::count_monomials(variables - needed, degree);
    if (count <= most) return degree;
  }
  return 1;
}

Eigen::MatrixXd start_variables(const Legs& legs, bool with_time) {
  constexpr double equal_intervals = 1e-6;
  const Index dimension = legs.start.rows();
  const Eigen::RowVectorXd logarithms = legs.interval.transpose().array().log();
  const bool intervals_vary = logarithms.maxCoeff() - logarithms.minCoeff() > equal_intervals;
  Eigen::MatrixXd rows(dimension + (intervals_vary ? 1 : 0) + (with_time ? 1 : 0),
                       legs.start.cols());
  rows.topRows(dimension) = legs.start;
  if (intervals_vary) rows.row(dimension) = logarithms;
  if (with_time) rows.bottomRows(1) = legs.time.transpose();
  return whitened_rows(rows);
}

}  // namespace

Instruments::Instruments(const Legs& legs, bool with_time, CompanionScores scores,
                         std::size_t most_products)
    : scores_(std::move(scores)) {
  const Eigen::MatrixXd start =
      start_variables(legs, with_time).cwiseMax(-farthest_deviation).cwiseMin(farthest_deviation);
  const auto dimension = legs.dimension();
  const std::size_t variables = dimension + static_cast<std::size_t>(start.rows());
  degree_ = degree_within(most_products, dimension, variables);
  Eigen::MatrixXd design(start.rows() + 1, start.cols());
  design << Eigen::RowVectorXd::Ones(start.cols()), start;
  const Eigen::MatrixXd coefficients =
      (design * design.transpose()).ldlt().solve(design * legs.end.transpose());
  predicted_ = coefficients.transpose() * design;
  const Eigen::MatrixXd residual = legs.end - predicted_;
  Eigen::MatrixXd covariance = residual * residual.transpose() / static_cast<double>(start.cols());
  covariance.diagonal() *= 1.0 + 1e-10;
  root_ = covariance.llt().matrixL();
  const auto powers = hermite_polynomials(start.array(), degree_);
  for (const numbers::Monomial& factors : products_up_to(degree_, dimension, variables)) {
    Product product{std::vector<std::size_t>(dimension, 0),
                    std::vector<std::size_t>(variables - dimension, 0)};
    for (const std::size_t factor : factors) {
      ++(factor < dimension ? product.of_residual[factor] : product.of_start[factor - dimension]);
    }
    products_.push_back(std::move(product));
  }
  start_part_ = Eigen::MatrixXd::Ones(static_cast<Index>(products_.size()), start.cols());
  for (std::size_t k = 0; k < products_.size(); ++k) {
    for (std::size_t v = 0; v < products_[k].of_start.size(); ++v) {
      start_part_.row(static_cast<Index>(k)).array() *=
          powers[products_[k].of_start[v]].row(static_cast<Index>(v));
    }
  }
}

Eigen::MatrixXd Instruments::products_of(const Eigen::MatrixXd& residuals, std::size_t begin,
                                         std::size_t paths, Index rows) const {
  const auto powers = hermite_polynomials(
      residuals.array().cwiseMax(-farthest_deviation).cwiseMin(farthest_deviation), degree_);
  Eigen::MatrixXd result(rows, residuals.cols());
  Eigen::RowVectorXd product(residuals.cols());
  for (std::size_t k = 0; k < products_.size(); ++k) {
    product.setOnes();
    for (std::size_t i = 0; i < products_[k].of_residual.size(); ++i) {
      if (products_[k].of_residual[i] == 0) continue;
      product.array() *= powers[products_[k].of_residual[i]].row(static_cast<Index>(i));
    }
    const auto row = static_cast<Index>(k);
    const auto many = static_cast<Index>(paths);
    for (Index at = 0; at < residuals.cols(); at += many) {
      product.segment(at, many) *= start_part_(row, static_cast<Index>(begin) + at / many);
    }
    result.row(row) = product;
  }
  return result;
}

Eigen::MatrixXd Instruments::at(const Eigen::MatrixXd& ends, std::size_t begin,
                                std::size_t paths) const {
  Eigen::MatrixXd residuals = ends;
  const auto many = static_cast<Index>(paths);
  for (Index at = 0; at < ends.cols(); at += many) {
    residuals.middleCols(at, many).colwise() -=
        predicted_.col(static_cast<Index>(begin) + at / many);
  }
  residuals = root_.triangularView<Eigen::Lower>().solve(residuals);
  Eigen::MatrixXd result = products_of(residuals, begin, paths, static_cast<Index>(count()));
  const Eigen::MatrixXd z = scores_.whitened(ends, begin, paths)
                                .cwiseMax(-farthest_deviation)
                                .cwiseMin(farthest_deviation);
  result.bottomRows(static_cast<Index>(scores_.parameters())) = scores_.at(z, begin, paths);
  return result;
}

Eigen::MatrixXd Instruments::controls_at(const Eigen::MatrixXd& normal, std::size_t begin,
                                         std::size_t paths) const {
  return products_of(normal, begin, paths, static_cast<Index>(controls()));
}

}  // namespace divker::fit
