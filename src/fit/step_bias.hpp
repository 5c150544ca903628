// What dt does to the estimates of a fit.
#pragma once

#include <Eigen/Dense>
#include <optional>
#include <vector>

#include "answer/time_step.hpp"
#include "fit/evaluation.hpp"

namespace divker::fit {

// gamma(dt) - gamma(0) of each parameter at the root. From dt to dt/2, on the same Brownian paths,
// the mean of the learned responses over the model moves by d, which moves the root of the matching
// equations by -H^-1 d: the bias is 2 H^-1 d + O(dt^2). Paths carry states alone; they are a share
// of the fit's, and take less than a quarter of the time of one run of it. None for maps, for
// matching equations that are not centred, where the run is interrupted, or too few pairs finish.
[[nodiscard]] std::optional<std::vector<StepBias>> step_biases(const Model& at,
                                                               const Evaluation& evaluation,
                                                               const Evaluator& evaluator);

}  // namespace divker::fit
