// What dt adds to stationary answers, from long paths in pairs at dt and at dt/2.
#pragma once

#include <cstddef>
#include <vector>

#include "answer/stationary_samples.hpp"
#include "answer/step_bias_at_points.hpp"
#include "answer/time_step.hpp"

namespace divker {

// The same paths with both steps, recorded at the same times. Never moved: collectors refer to
// their plan.
template <class Samples>
struct AtBothSteps {
  template <class... More>
  AtBothSteps(const StationaryPlan& plan, const BoundedFunctions& functions, const More&... more)
      : half(plan.at_half_the_step()),
        coarse(plan, functions, more...),
        fine(half, functions, more...) {}
  ~AtBothSteps() = default;
  AtBothSteps(const AtBothSteps&) = delete;
  AtBothSteps& operator=(const AtBothSteps&) = delete;

  StationaryPlan half;
  Samples coarse, fine;
};

// Of the mean of Phi, then of the response to each parameter with the window taken for it.
[[nodiscard]] std::vector<StepBias> stationary_step_biases(const AtBothSteps<PathAverages>& pairs,
                                                           const std::vector<std::size_t>& taken);

// At points: of scores where none is taken, else of responses with these windows.
[[nodiscard]] StepBiases stationary_step_biases(const AtBothSteps<PooledSamples>& pairs,
                                                const std::vector<std::size_t>& taken,
                                                const Matrix& points, std::size_t threads);

}  // namespace divker
