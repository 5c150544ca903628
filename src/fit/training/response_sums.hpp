// Covariances of responses with functions of what is observed, summed up along the paths: no table
// of paths x parameters is ever made.
#pragma once

#include <Eigen/Dense>
#include <functional>
#include <vector>

#include "divker/study.hpp"
#include "fit/instrument.hpp"
#include "fit/observed_paths.hpp"

namespace divker::fit {

// Functions of the observed points of a block: points x observed to points x functions.
using Functions = std::function<RowMajor(const Matrix&)>;

struct ResponseSums {
  // For each block E[(g - mean) (I - mean)^T], functions x parameters.
  std::vector<RowMajor> covariance;
  std::vector<Eigen::VectorXd> variance;  // of the responses
  RunSummary summary;
};

// Cost beside the paths: paths * functions * parameters. Memory: functions x parameters for each
// thread, and the paths of one group.
[[nodiscard]] ResponseSums sum_responses(const Observer& observer, Study& study,
                                         const std::vector<Functions>& functions);

}  // namespace divker::fit
