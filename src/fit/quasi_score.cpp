#include "fit/quasi_score.hpp"

namespace divker::fit {
namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;

// The inverse of a covariance, zero in directions without variance.
MatrixXd inverse_of(const MatrixXd& covariance) {
  constexpr double singular = 1e-10;
  const VectorXd scale = covariance.diagonal().array().max(1e-300).rsqrt();
  const Eigen::SelfAdjointEigenSolver<MatrixXd> solver(scale.asDiagonal() * covariance *
                                                       scale.asDiagonal());
  const Eigen::ArrayXd values = solver.eigenvalues();
  const VectorXd inverses = (values > singular).select(values.max(singular).inverse(), 0.0);
  const MatrixXd inner =
      solver.eigenvectors() * inverses.asDiagonal() * solver.eigenvectors().transpose();
  return scale.asDiagonal() * inner * scale.asDiagonal();
}

MatrixXd mean_of(const std::vector<MatrixXd>& parts, std::size_t first, std::size_t stride) {
  MatrixXd sum = MatrixXd::Zero(parts.front().rows(), parts.front().cols());
  double count = 0.0;
  for (std::size_t k = first; k < parts.size(); k += stride, ++count) sum += parts[k];
  return sum / count;
}

}  // namespace

Matching quasi_score(const Matching& matching) {
  const std::vector<MatrixXd>& parts = matching.information_parts;
  const MatrixXd even = mean_of(parts, 0, 2);
  const MatrixXd odd = mean_of(parts, 1, 2);
  const MatrixXd mean = 0.5 * (even + odd);
  const MatrixXd inverse = inverse_of(matching.learned_covariance);
  const MatrixXd product = even.transpose() * inverse * odd;
  Matching result = matching;
  result.weights = mean.transpose() * inverse;
  result.psi = result.weights * matching.psi;
  result.information = 0.5 * (product + product.transpose());
  result.asymmetry = 0.5 * (product - product.transpose());
  const auto weighed = [&result](const MatrixXd& m) -> MatrixXd {
    return result.weights * m * result.weights.transpose();
  };
  result.data_covariance = weighed(matching.data_covariance);
  result.model_covariance = weighed(matching.model_covariance);
  // What each share adds to the product, to first order in its difference from the mean.
  Eigen::ArrayXd variance = Eigen::ArrayXd::Zero(mean.rows());
  for (MatrixXd& part : result.information_parts) {
    const MatrixXd along = result.weights * (part - mean);
    part = result.information + along + along.transpose();
    variance += 4.0 * along.diagonal().array().square();
  }
  const auto n = static_cast<double>(parts.size());
  result.effect =
      result.information.diagonal().array() / (variance / (n * (n - 1.0))).sqrt().max(1e-300);
  return result;
}

}  // namespace divker::fit
