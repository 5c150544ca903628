// What the matching equations tell, and how far it is above their noise.
#pragma once

#include <Eigen/Dense>
#include <vector>

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
// Combinations that no path notices are left out: there are as many fewer values, and columns of
// vectors.
struct Spectrum {
  Eigen::VectorXd scale;    // 1 / sqrt(H_ii)
  Eigen::VectorXd values;   // ascending
  Eigen::MatrixXd vectors;  // columns
  Eigen::VectorXd noise;    // of each eigenvalue, from those up to it; ascending
  // The inverse of H, zero in what is left out; eigenvalues below this multiple of their noise
  // count as that.
  [[nodiscard]] Eigen::MatrixXd inverse(double least) const;
  [[nodiscard]] double largest_noise() const { return noise[noise.size() - 1]; }
};
[[nodiscard]] Spectrum spectrum_of(const Matching& matching);
// The eigenvalues that cannot be told from zero: they are within twice their noise, and within
// three standard errors by the scatter of the information over shares of the paths.
[[nodiscard]] std::vector<Eigen::Index> drowned(const Matching& matching, const Spectrum& spectrum);

// Directions, in the columns, along which nothing says where to go: those that no path notices, and
// those that drown and where psi is within three standard errors of zero.
[[nodiscard]] Eigen::MatrixXd blind_directions(const Matching& matching);
// psi_over_noise in the other directions: what a step can make smaller.
[[nodiscard]] double seen_psi_over_noise(const Matching& matching);

// A change less its part along some directions: the shortest that differs from it by these alone.
[[nodiscard]] Eigen::VectorXd without(const Eigen::MatrixXd& directions,
                                      const Eigen::VectorXd& change);

// Covariances of the estimate: H^-1 C H^-1 for the data, and for the paths.
struct EstimateCovariance {
  Eigen::MatrixXd data;
  Eigen::MatrixXd model;
};
[[nodiscard]] EstimateCovariance covariance_of(const Matching& matching);

}  // namespace divker::fit
