// What the matching equations tell, and how far it is above their noise.
#pragma once

#include <Eigen/Dense>

#include "fit/matching.hpp"

namespace divker::fit {

// psi, H and covariances in other coordinates: u with d gamma / d u = slopes.
[[nodiscard]] Matching in_coordinates(const Matching& matching, const Eigen::VectorXd& slopes);

// sqrt(psi^T C^-1 psi / P): |psi| against its own noise. Independent of coordinates.
[[nodiscard]] double psi_over_noise(const Matching& matching);
// The same in the combinations of parameters whose eigenvalue of H is above its noise; along the
// others psi is noise wherever one stands.
[[nodiscard]] double determined_psi_over_noise(const Matching& matching);

// H scaled to a unit diagonal, its eigenvectors, and the sampling noise of its eigenvalues.
struct Spectrum {
  Eigen::VectorXd scale;    // 1 / sqrt(H_ii)
  Eigen::VectorXd values;   // ascending
  Eigen::MatrixXd vectors;  // columns
  Eigen::VectorXd noise;    // of each eigenvalue, from those up to it; ascending
  // The inverse of H; eigenvalues below this multiple of their noise count as that.
  [[nodiscard]] Eigen::MatrixXd inverse(double least) const;
  [[nodiscard]] double largest_noise() const { return noise[noise.size() - 1]; }
};
[[nodiscard]] Spectrum spectrum_of(const Matching& matching);

// Covariances of the estimate: H^-1 C H^-1 for the data, and for the paths.
struct EstimateCovariance {
  Eigen::MatrixXd data;
  Eigen::MatrixXd model;
};
[[nodiscard]] EstimateCovariance covariance_of(const Matching& matching);

}  // namespace divker::fit
