// Data that lie far outside the law at the start: mostly they are in other units.
#pragma once

#include <string>
#include <vector>

#include "fit/evaluation.hpp"

namespace divker::fit {

// A sentence for each observed coordinate, all its times together, whose data have
//
//   |mean - mean of the model| > 20 deviations of the model , or
//   a deviation more than 30 times the model's, or (of five values or more) less than 1/30 of it.
//
// At most three, and one that counts the others. `start` is the law where the fit begins.
[[nodiscard]] std::vector<std::string> far_from_start(const Model& model, const FitData& data,
                                                      const Evaluation& start);

}  // namespace divker::fit
