// Where a fit of several starts begins.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "fit/evaluation.hpp"

namespace divker::fit {

// Of the state's parameters and of others around them the ones whose marginals are nearest to those
// of the data. Those around them are spread by a factor of e, or by the value itself where there
// are no bounds. Nothing if a run was interrupted.
[[nodiscard]] std::optional<std::vector<double>> nearest_start(const Model& model,
                                                               const FitData& data,
                                                               const FitState& state,
                                                               std::size_t starts,
                                                               Evaluator& evaluator);

}  // namespace divker::fit
