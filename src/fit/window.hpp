// Over how much of the time before a snapshot responses are accumulated.
//
// Centred matching is consistent with any functions Ihat, hence with any window W. The covariance
// of I grows like W, and with it the noise of what is learned from paths; what the law has
// forgotten after less than W adds nothing else. The derivative of psi, H = E[Ihat I^T], is right
// with the whole I; with that of a window of 2 W it lacks what is forgotten after so long.
#pragma once

#include <Eigen/Dense>
#include <vector>

#include "divker/fit_data.hpp"
#include "divker/model.hpp"
#include "fit/matching.hpp"

namespace divker::fit {

// All of the time before the last snapshot.
[[nodiscard]] double longest_window(const TimeGrid& grid, const FitData& data);

// The longest, a half of it, a quarter, ... while there are a few steps in it.
[[nodiscard]] std::vector<double> halved_windows(const TimeGrid& grid, double longest);

// Four times a window, twice, and itself, no longer than the longest.
[[nodiscard]] std::vector<double> doubled_windows(double window, double longest);

// For each parameter, the others known, one over the variance of its estimate from one path, as far
// as the instruments Ihat go: the diagonal of H^T K^-1 H, see quasi_score.hpp. Where it is noise,
// values below zero occur.
struct Precision {
  Eigen::ArrayXd values;
  Eigen::ArrayXd effect;  // over their standard errors
};
[[nodiscard]] Precision precision_of(const Matching& matching);

// (one - other) / (one + other), the mean over the parameters that one of both sees: from -1 to 1,
// and 0 where there are none.
[[nodiscard]] double gain_of(const Precision& one, const Precision& other);

}  // namespace divker::fit
