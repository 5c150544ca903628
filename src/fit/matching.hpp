// The matching equations: psi, its derivative, and how well both are known.
#pragma once

#include <Eigen/Dense>
#include <array>
#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "divker/fit_data.hpp"
#include "divker/regressor.hpp"
#include "fit/instrument.hpp"
#include "fit/observed_paths.hpp"

namespace divker::fit {

using Learned = std::function<Matrix(const Matrix&)>;

// Ihat of a block of the data, from either half of the paths, and the block's share of the rows.
struct LearnedBlock {
  std::array<Learned, 2> halves;
  double share = 0.0;
};

struct Matching {
  // psi = mean over data of Ihat - mean over model of Ihat, an estimate of the derivative of the
  // mean log-likelihood of the data; P entries, summed over the blocks by their share of the rows.
  Eigen::VectorXd psi;
  // E[(Ihat - mean) (I - mean)^T]: minus the derivative of psi, symmetrised.
  Eigen::MatrixXd information;
  // The antisymmetric part, zero but for sampling noise, and hence a measure of it.
  Eigen::MatrixXd asymmetry;
  Eigen::MatrixXd data_covariance;     // of psi, from the sampling of the data
  Eigen::MatrixXd model_covariance;    // of psi, from the number of paths
  Eigen::MatrixXd learned_covariance;  // of Ihat over the model: H, where Ihat is E[I | observed]
  // The combination of the equations that all of the above is of; empty: themselves. See
  // quasi_score.hpp.
  Eigen::MatrixXd weights;
  // z values of the diagonal of `information` against zero: does the parameter do anything?
  Eigen::VectorXd effect;
  // The information from equal shares of the paths, half after half: how well it is known.
  std::vector<Eigen::MatrixXd> information_parts;
  // Columns span the combinations of parameters whose change no path notices: there the responses
  // of every path cancel. No columns where there are none.
  Eigen::MatrixXd unnoticed;
  // Pareto k (divker/tail_index.hpp) of the summands (Ihat_p - mean) (I_p - mean) of the diagonal
  // of `information`, which all errors of the estimates rest on.
  std::vector<double> tail_index;
  std::vector<LearnedBlock> learned;  // as the blocks of the data
};

struct MatchingOptions {
  std::string regressor;           // "hermite": instrument.hpp; else one of make_regressor()
  Detail detail = Detail::coarse;  // of the former
  RegressorOptions regressor_options;
};

// Ihat learned from one half of the paths is averaged over the other half and over the data, and
// the two ways are averaged. At the true law psi is zero in expectation whatever the regressor.
[[nodiscard]] Matching match_centred(const ObservedPaths& paths, const FitData& data,
                                     const MatchingOptions& options);
// psi alone is another: Ihat, learned from all paths, is averaged over the data alone. This is the
// estimator of A. Ni, arXiv:2509.03992, biased by what the regressor smooths away.
[[nodiscard]] Matching match_uncentred(const ObservedPaths& paths, const FitData& data,
                                       const MatchingOptions& options);

struct Matcher {
  std::string name;
  Matching (*match)(const ObservedPaths&, const FitData&, const MatchingOptions&);
  std::string regressor;  // if none is asked for
  bool centred = true;    // psi has mean zero at the true law
};
// Error(usage) for an unknown name, with the known ones.
[[nodiscard]] const Matcher& matcher_named(const std::string& name);

}  // namespace divker::fit
