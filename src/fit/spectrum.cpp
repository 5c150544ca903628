#include "fit/spectrum.hpp"

#include <algorithm>
#include <cmath>

namespace divker::fit {
namespace {

constexpr double least_eigenvalue = 1e-9;
constexpr Eigen::Index fewest_in_block = 3;

Eigen::VectorXd unit_scale(const Eigen::MatrixXd& m) {
  return m.diagonal().array().max(1e-300).rsqrt();
}

// sqrt(psi^T covariance^{-1} psi / P).
double length_over(const Eigen::VectorXd& psi, const Eigen::MatrixXd& covariance) {
  const Eigen::VectorXd scale = unit_scale(covariance);
  const Eigen::MatrixXd scaled = scale.asDiagonal() * covariance * scale.asDiagonal();
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(scaled);
  const Eigen::ArrayXd components = solver.eigenvectors().transpose() * (scale.asDiagonal() * psi);
  const Eigen::ArrayXd values = solver.eigenvalues().array().max(1e-6);
  return std::sqrt((components.square() / values).mean());
}

}  // namespace

Matching in_coordinates(const Matching& matching, const Eigen::VectorXd& slopes) {
  const auto both = [&slopes](const Eigen::MatrixXd& m) -> Eigen::MatrixXd {
    return slopes.asDiagonal() * m * slopes.asDiagonal();
  };
  Matching result = matching;
  result.psi = slopes.asDiagonal() * matching.psi;
  result.information = both(matching.information);
  result.asymmetry = both(matching.asymmetry);
  result.data_covariance = both(matching.data_covariance);
  result.model_covariance = both(matching.model_covariance);
  return result;
}

double psi_over_noise(const Matching& matching) {
  return length_over(matching.psi, matching.data_covariance + matching.model_covariance);
}

double determined_psi_over_noise(const Matching& matching) {
  const Spectrum spectrum = spectrum_of(matching);
  // Eigenvalues ascend, and so does what can be told from noise.
  const auto determined = (spectrum.values.array() > spectrum.noise.array()).count();
  if (determined == 0) return psi_over_noise(matching);
  const Eigen::MatrixXd directions =
      spectrum.scale.asDiagonal() * spectrum.vectors.rightCols(determined);
  const Eigen::MatrixXd covariance = matching.data_covariance + matching.model_covariance;
  return length_over(directions.transpose() * matching.psi,
                     directions.transpose() * covariance * directions);
}

Spectrum spectrum_of(const Matching& matching) {
  Spectrum spectrum;
  // A diagonal below its own standard error is noise, and counts as that.
  const Eigen::ArrayXd diagonal = matching.information.diagonal();
  const Eigen::ArrayXd error = diagonal.abs() / matching.effect.array().abs().max(1e-300);
  spectrum.scale = diagonal.max(error).max(1e-300).rsqrt();
  const auto scaled = [&spectrum](const Eigen::MatrixXd& m) -> Eigen::MatrixXd {
    return spectrum.scale.asDiagonal() * m * spectrum.scale.asDiagonal();
  };
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(scaled(matching.information));
  spectrum.values = solver.eigenvalues();
  spectrum.vectors = solver.eigenvectors();
  // The antisymmetric part has the noise of the symmetric one. What it does between directions that
  // are strong and weak leaves a small eigenvalue alone, so each is held against the part of the
  // directions no stronger than itself.
  const Eigen::MatrixXd asymmetry =
      solver.eigenvectors().transpose() * scaled(matching.asymmetry) * solver.eigenvectors();
  const Eigen::Index count = spectrum.values.size();
  spectrum.noise = Eigen::VectorXd::Constant(count, least_eigenvalue);
  for (Eigen::Index k = 0; k < count; ++k) {
    const Eigen::Index block = std::min(count, std::max<Eigen::Index>(k + 1, fewest_in_block));
    const Eigen::MatrixXd weaker = asymmetry.topLeftCorner(block, block);
    // The singular values of an antisymmetric matrix come in pairs; its square is symmetric.
    const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> squares(weaker.transpose() * weaker,
                                                                 Eigen::EigenvaluesOnly);
    const double norm = std::sqrt(std::max(squares.eigenvalues()[block - 1], 0.0));
    // H has no negative eigenvalues: one that comes out so is noise.
    spectrum.noise[k] = std::max(
        {norm, spectrum.noise[std::max<Eigen::Index>(k - 1, 0)], -2.0 * spectrum.values[0]});
  }
  return spectrum;
}

Eigen::MatrixXd Spectrum::inverse(double least) const {
  const Eigen::VectorXd inverses = values.array().max(least * noise.array()).inverse();
  const Eigen::MatrixXd inner = vectors * inverses.asDiagonal() * vectors.transpose();
  return scale.asDiagonal() * inner * scale.asDiagonal();
}

EstimateCovariance covariance_of(const Matching& matching) {
  const Spectrum spectrum = spectrum_of(matching);
  // An eigenvalue that drowns in noise is taken as its noise: what is said of that direction is
  // then a lower bound.
  const Eigen::MatrixXd inverse = spectrum.inverse(0.5);
  return {inverse * matching.data_covariance * inverse,
          inverse * matching.model_covariance * inverse};
}

}  // namespace divker::fit
