#include "fit/spectrum.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

namespace divker::fit {
namespace {

constexpr double least_eigenvalue = 1e-9;
constexpr Eigen::Index fewest_in_block = 3;
// What is below this many standard errors is not told from zero.
constexpr double least_significance = 3.0;

Eigen::VectorXd unit_scale(const Eigen::MatrixXd& m) {
  return m.diagonal().array().max(1e-300).rsqrt();
}

// Orthonormal columns orthogonal to those of m, which are independent.
Eigen::MatrixXd complement(const Eigen::MatrixXd& m) {
  const Eigen::MatrixXd unit = m.colwise().normalized();
  const Eigen::HouseholderQR<Eigen::MatrixXd> factors(unit);
  const Eigen::MatrixXd all = factors.householderQ();
  return all.rightCols(m.rows() - m.cols());
}

// sqrt(psi^T covariance^{-1} psi / P), P less the number of columns of `unnoticed`, in which both
// are zero.
double length_over(const Eigen::VectorXd& psi, const Eigen::MatrixXd& covariance,
                   const Eigen::MatrixXd& unnoticed = {}) {
  const Eigen::VectorXd scale = unit_scale(covariance);
  const Eigen::MatrixXd scaled = scale.asDiagonal() * covariance * scale.asDiagonal();
  if (unnoticed.cols() > 0) {
    const Eigen::MatrixXd noticed = complement(scale.cwiseInverse().asDiagonal() * unnoticed);
    return length_over(noticed.transpose() * (scale.asDiagonal() * psi),
                       noticed.transpose() * scaled * noticed);
  }
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(scaled);
  const Eigen::ArrayXd components = solver.eigenvectors().transpose() * (scale.asDiagonal() * psi);
  const Eigen::ArrayXd values = solver.eigenvalues().array().max(1e-6);
  return std::sqrt((components.square() / values).mean());
}

// The same along some directions of the spectrum.
double length_along(const Matching& matching, const Spectrum& spectrum,
                    const std::vector<Eigen::Index>& some) {
  const Eigen::MatrixXd directions =
      spectrum.scale.asDiagonal() * spectrum.vectors(Eigen::all, some);
  const Eigen::MatrixXd covariance = matching.data_covariance + matching.model_covariance;
  return length_over(directions.transpose() * matching.psi,
                     directions.transpose() * covariance * directions);
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
  for (Eigen::MatrixXd& part : result.information_parts) part = both(part);
  if (matching.unnoticed.cols() > 0) {
    result.unnoticed = slopes.cwiseInverse().asDiagonal() * matching.unnoticed;
  }
  return result;
}

double psi_over_noise(const Matching& matching) {
  return length_over(matching.psi, matching.data_covariance + matching.model_covariance,
                     matching.unnoticed);
}

double determined_psi_over_noise(const Matching& matching) {
  const Spectrum spectrum = spectrum_of(matching);
  std::vector<Eigen::Index> determined;
  for (Eigen::Index k = 0; k < spectrum.values.size(); ++k) {
    if (spectrum.values[k] > spectrum.noise[k]) determined.push_back(k);
  }
  if (determined.empty()) return psi_over_noise(matching);
  return length_along(matching, spectrum, determined);
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
  Eigen::MatrixXd information = scaled(matching.information);
  Eigen::MatrixXd noticed;
  if (matching.unnoticed.cols() > 0) {
    noticed = complement(spectrum.scale.cwiseInverse().asDiagonal() * matching.unnoticed);
    information = noticed.transpose() * information * noticed;
  }
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(information);
  spectrum.values = solver.eigenvalues();
  spectrum.vectors = solver.eigenvectors();
  if (noticed.size() > 0) spectrum.vectors = noticed * spectrum.vectors;
  // The antisymmetric part has the noise of the symmetric one. What it does between directions that
  // are strong and weak leaves a small eigenvalue alone, so each is held against the part of the
  // directions no stronger than itself.
  const Eigen::MatrixXd asymmetry =
      spectrum.vectors.transpose() * scaled(matching.asymmetry) * spectrum.vectors;
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

std::vector<Eigen::Index> drowned(const Matching& matching, const Spectrum& spectrum) {
  const auto parts = static_cast<double>(matching.information_parts.size());
  std::vector<Eigen::Index> result;
  for (Eigen::Index k = 0; k < spectrum.values.size(); ++k) {
    const double value = spectrum.values[k];
    if (value > 2.0 * spectrum.noise[k]) continue;
    const Eigen::VectorXd direction = spectrum.scale.asDiagonal() * spectrum.vectors.col(k);
    double squares = 0.0;
    for (const Eigen::MatrixXd& part : matching.information_parts) {
      squares += std::pow(direction.dot(part * direction) - value, 2);
    }
    const double error = std::sqrt(squares / (parts * (parts - 1.0)));
    if (value <= least_significance * error) result.push_back(k);
  }
  return result;
}

namespace {

// Those that drown and along which psi is noise, too.
std::vector<Eigen::Index> blind(const Matching& matching, const Spectrum& spectrum) {
  const Eigen::MatrixXd covariance = matching.data_covariance + matching.model_covariance;
  std::vector<Eigen::Index> result;
  for (const Eigen::Index k : drowned(matching, spectrum)) {
    const Eigen::VectorXd direction = spectrum.scale.asDiagonal() * spectrum.vectors.col(k);
    const double noise = std::sqrt(direction.dot(covariance * direction));
    if (std::fabs(direction.dot(matching.psi)) <= least_significance * noise) result.push_back(k);
  }
  return result;
}

}  // namespace

double seen_psi_over_noise(const Matching& matching) {
  const Spectrum spectrum = spectrum_of(matching);
  const std::vector<Eigen::Index> unseen = blind(matching, spectrum);
  if (unseen.empty()) return psi_over_noise(matching);
  std::vector<Eigen::Index> seen;
  for (Eigen::Index k = 0; k < spectrum.values.size(); ++k) {
    if (!std::binary_search(unseen.begin(), unseen.end(), k)) seen.push_back(k);
  }
  return seen.empty() ? 0.0 : length_along(matching, spectrum, seen);
}

Eigen::MatrixXd blind_directions(const Matching& matching) {
  const Spectrum spectrum = spectrum_of(matching);
  Eigen::MatrixXd directions = matching.unnoticed;
  for (const Eigen::Index k : blind(matching, spectrum)) {
    directions.conservativeResize(spectrum.scale.size(), directions.cols() + 1);
    directions.rightCols(1) = spectrum.scale.asDiagonal() * spectrum.vectors.col(k);
  }
  return directions;
}

Eigen::VectorXd without(const Eigen::MatrixXd& directions, const Eigen::VectorXd& change) {
  if (directions.cols() == 0) return change;
  return change - directions * directions.colPivHouseholderQr().solve(change);
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
