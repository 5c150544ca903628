// What `divker fit` says about its result.
#pragma once

#include "command.hpp"
#include "divker/fit.hpp"

namespace divker::app {

// The JSON object, and what a picture shows beside it: the data and the model's sample of every
// coordinate and time.
[[nodiscard]] Json fit_picture(const CommonOptions& options, const FitResult& result);

// Prints the tables or the JSON object. Returns the exit code.
int report_fit(const CommonOptions& options, const FitResult& result);

}  // namespace divker::app
