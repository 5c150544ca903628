// What `divker fit` says about its result.
#pragma once

#include <string>
#include <vector>

#include "command.hpp"
#include "divker/fit.hpp"

namespace divker::app {

// What was done to the data.
struct DataRemarks {
  double largest_shift = 0.0;
  std::vector<std::string> ignored;
};

// One row an iteration: iteration, paths, gain, psi_over_noise, step, halvings, the parameters.
[[nodiscard]] Table history_table(const FitResult& result);

// The JSON object, and what a picture shows beside it: the data and the model's sample of every
// coordinate and time.
[[nodiscard]] Json fit_picture(const CommonOptions& options, const FitResult& result);

// Prints the tables or the JSON object. Returns the exit code.
int report_fit(const CommonOptions& options, const DataRemarks& remarks, const FitResult& result);

}  // namespace divker::app
