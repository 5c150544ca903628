// Is a model right about a time series? Predictions from each row of the one after it.
//
// With F_i the distribution function of state i at the time of the next row, given the row before,
//
//   u_k = F_i(y_k | x_k) ,   z_k = Phi^{-1}(u_k) :
//
// u is uniform on (0, 1) and independent from row to row if the model is right (M. Rosenblatt,
// Ann. Math. Stat. 23 (1952) 470). F is the rank of y among n paths from x and a tie broken at
// random, (rank + U)/(n + 1), which is uniform for any n.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "divker/matrix.hpp"
#include "divker/model.hpp"
#include "divker/moments.hpp"
#include "divker/record.hpp"
#include "divker/sampling.hpp"
#include "divker/series.hpp"

namespace divker {

struct ResidualOptions {
  std::size_t paths = 1000;  // from each row
  std::uint64_t seed = 1;
  Session session;
};

// p: the probability of a larger statistic if the model is right. Parameters that were fitted to
// the same rows make the p of `uniform` too large: the test rejects more rarely than it says.
struct ResidualTest {
  double statistic = 0.0;
  double p = 1.0;
};

struct StateResiduals {
  std::string name;
  Estimate mean;             // of z: zero, or the drift is wrong
  Estimate deviation;        // of z: one, or the noise is wrong
  ResidualTest uniform;      // u, by the largest distance of Kolmogorov and Smirnov
  ResidualTest independent;  // z, by G. M. Ljung, G. E. P. Box, Biometrika 65 (1978) 297
  ResidualTest steady;       // z^2, by the same: what the size of the noise remembers
  Estimate coverage;         // share of rows within the central 90% of their predictions
  // Mean of integral (F(v) - 1{v >= y})^2 dv, the continuous ranked probability score of J. E.
  // Matheson, R. L. Winkler, Manage. Sci. 22 (1976) 1087, in the unit of the state; and what the
  // model expects it to be.
  Estimate score;
  double expected_score = 0.0;
};

struct Residuals {
  std::vector<double> time;             // of the rows that were predicted
  std::vector<std::size_t> individual;  // of each: a place in SeriesData::names
  Matrix uniform;                       // u, rows x states
  std::vector<StateResiduals> states;
  std::size_t lags = 0;  // of the tests of independence, in rows
  RunRecord record;      // with what is wrong, as warnings
};

// The dt of the paths is that of the model. A warning says where half of the paths' steps would
// change mean or deviation of z by half of their errors.
//
// Error(usage) for a map and less than 20 paths; Error(model) for less than 20 transitions;
// Error(numerical) where more than a fifth of the paths fails. Cost: transitions * paths * steps,
// one and a half times. Memory: transitions * states numbers.
[[nodiscard]] Residuals residuals(const Model& model, const SeriesData& data,
                                  const ResidualOptions& options = {});

}  // namespace divker
