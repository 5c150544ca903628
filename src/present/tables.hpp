// Answers as tables of numbers, for files, and what files say of them.
#pragma once

#include <vector>

#include "divker/fit.hpp"
#include "divker/table.hpp"
#include "present/reply.hpp"

namespace divker::present {

//   of paths    t, then mean.x, stderr.x, deviation.x of each state
//   at points   the states, then score.x, stderr.x, time_step.x or response.a, ... of each, outside
//   of a mean   value, value_stderr, then response.a, stderr.a, time_step.a of each parameter
//   a change    the states, log_ratio, stderr, quadrature, outside; of a mean change, stderr,
//               quadrature
//   of a model  path_runs, seconds, stderr.a of each parameter; a row for each usable method
[[nodiscard]] Table table_of(const Reply& reply);
// One row an iteration: iteration, paths, gain, psi_over_noise, step, halvings, the parameters.
[[nodiscard]] Table history_table(const FitResult& result);

// Means of the states, their standard errors, and deviations.
struct MomentColumns {
  std::vector<double> mean, error, deviation;
  explicit MomentColumns(const StateMoments& snapshot);
};

// What the Fokker-Planck equation says in the place of the estimates.
[[nodiscard]] Matrix exact_values(const ExactDensity& density, const std::string& key);

// What a file says of the run.
[[nodiscard]] Attributes attributes_of(const Model& model, const RunRecord& record);

}  // namespace divker::present
