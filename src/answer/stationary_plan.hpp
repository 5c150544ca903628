// When a stationary run begins to count, how long it lasts, and which windows it carries.
#pragma once

#include <cstddef>
#include <vector>

#include "divker/stationary.hpp"

namespace divker {

// All in steps of the model's time grid.
struct StationaryPlan {
  std::size_t spinup = 0;
  std::size_t length = 0;
  std::size_t spacing = 1;           // between recorded times
  std::vector<std::size_t> windows;  // ascending, multiples of the spacing; none for a score
  std::size_t first_sample = 0;      // recorded times before it serve windows only
  double correlation = 0.0;
  std::size_t asked = 0;  // which of the windows the user asked for, or windows.size()

  [[nodiscard]] std::size_t recorded() const { return length / spacing + 1; }
  [[nodiscard]] std::size_t samples() const { return recorded() - first_sample; }
  // The model on the time grid of the run.
  [[nodiscard]] Model on_grid(const Model& model) const;
  // The same times in steps of half the length.
  [[nodiscard]] StationaryPlan at_half_the_step() const;
  // Recorded times: spinup + k * spacing.
  [[nodiscard]] std::vector<double> times(const TimeGrid& grid) const;
  [[nodiscard]] Stationary describe(const TimeGrid& grid) const;
};

// Error(usage) for bad options and models that depend on time, Error(numerical) for models that do
// not settle. `with_windows` is false for a score, which needs none.
[[nodiscard]] StationaryPlan plan_stationary(const Model& model, const StationaryOptions& options,
                                             bool with_windows);

}  // namespace divker
