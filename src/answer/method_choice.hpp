// Which method answers for a mean with the least error^2 x work: --method auto.
#pragma once

#include <string>
#include <vector>

#include "divker/answer.hpp"

namespace divker {

// The answer by the method that small runs on other paths recommend, with all of them in its
// record. Work is counted in operations, not in seconds, so that the choice is the same every time.
// Each run takes a 16th of the paths or less, a fifth in all; too few paths for that (20,480) get
// the path kernel, and where that refuses, what a method left open gets. It carries a derivative
// for each parameter, and is left out for more than 24. Finite differences, whose steps take paths
// to choose, are compared where 2048 paths and their pilot are no more than a 16th.
[[nodiscard]] ObservableAnswer response_by_choice(const Model& model,
                                                  const std::vector<std::size_t>& parameters,
                                                  const std::string& observable,
                                                  const AnswerOptions& options);

}  // namespace divker
