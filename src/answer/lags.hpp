// Lags of a response function on the time grid, and what batches of paths say of them.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "answer/observable.hpp"
#include "divker/joint_estimate.hpp"
#include "divker/response_function.hpp"

namespace divker {

// Numbers of steps. Error(usage) for none, negative ones, lags off the grid (naming the nearest),
// or that do not ascend.
[[nodiscard]] std::vector<std::size_t> steps_of_lags(const std::vector<double>& lags,
                                                     const TimeGrid& grid);
// Error(usage) where no equation mentions the parameter.
void require_in_equations(const Model& model, std::size_t parameter);

// Consecutive paths that one error bar is made of: 16 to a whole group, so that there are a hundred
// batches and more wherever there are as many paths.
[[nodiscard]] std::size_t paths_per_batch(std::size_t paths);

// The part of a collector that holds batches.
struct BatchPart : Collector::Part {
  explicit BatchPart(std::size_t columns) : sums(columns) {}
  void transfer(Archive& archive) override { sums.transfer(archive); }
  BatchSums sums;
};

// Fills in everything but the record: `joint` and `bias` have the numbers of ResponseFunction.
[[nodiscard]] ResponseFunction function_of_lags(const Model& model, const Kick& kick,
                                                JointEstimate joint,
                                                std::optional<JointEstimate> bias, TimeStep policy);

// Where kicked paths start: the states of a law, a row for each path, for a time step and a
// sampling.
using KickStarts =
    std::function<std::shared_ptr<const Matrix>(double step, const Sampling& sampling)>;
// The response function of paths that are kicked in their first step, by their derivatives.
[[nodiscard]] ResponseFunction response_function_by_tangents(const Model& model,
                                                             const std::string& observable,
                                                             const Kick& kick,
                                                             const AnswerOptions& options,
                                                             KickStarts starts);
// Does Phi jump, or have slopes without bound, where the states decide? Derivatives miss that.
[[nodiscard]] bool jumps_with_states(const Model& model, const std::string& observable);

}  // namespace divker
