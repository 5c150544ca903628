#include "fit/newton.hpp"

#include <algorithm>
#include <cmath>

namespace divker::fit {
namespace {

constexpr double least_eigenvalue = 1e-9;
constexpr Eigen::Index fewest_in_block = 3;

Eigen::VectorXd unit_scale(const Eigen::MatrixXd& m) {
  return m.diagonal().array().max(1e-300).rsqrt();
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

namespace {

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

Step newton_step(const Matching& matching, double radius, const Eigen::VectorXd& largest) {
  const Spectrum spectrum = spectrum_of(matching);
  Step step;
  // A step that is too long, in all or in one coordinate, is shortened in the weak directions
  // first: they cost the most length for the least gain.
  const double strongest = spectrum.values[spectrum.values.size() - 1];
  for (double least = 1.0;; least *= 3.0) {
    step.change = spectrum.inverse(least) * matching.psi;
    // With the same floor under the eigenvalues, the length cannot come out as zero.
    step.length = std::sqrt(std::max(step.change.dot(matching.psi), 0.0));
    const bool fits = (step.change.array().abs() <= largest.array()).all();
    if ((step.length <= radius && fits) || least * spectrum.noise[0] > 0.1 * strongest) break;
    step.limited = true;
  }
  double factor = 1.0;
  if (step.length > radius) factor = radius / step.length;
  for (Eigen::Index i = 0; i < step.change.size(); ++i) {
    const double size = std::fabs(step.change[i]) * factor;
    if (size > largest[i]) factor *= largest[i] / size;
  }
  step.limited = step.limited || factor < 1.0;
  step.change *= factor;
  step.length *= factor;
  return step;
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
