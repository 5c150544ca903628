// The time of paths that are not at the same one, as their programs read it.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "divker/input.hpp"
#include "divker/model.hpp"
#include "fit/series/path_program.hpp"

namespace divker::fit {

// t of each path, with the inputs of the model at t and at t + dt beside it (derive/ports.hpp).
class PathClock {
 public:
  // `prefix`: of the names of the arrays "t" and "dt".
  explicit PathClock(const Model& model, std::string prefix = {});

  // Inputs are read at the times that paths have: Error(model) outside their knots.
  void set(PathBlock& block, std::size_t path, double t, double dt) const;
  // t + dt for all paths.
  void advance(PathBlock& block) const;
  [[nodiscard]] double* step_sizes(PathBlock& block) const { return block.array(step_array_, 1); }

 private:
  [[nodiscard]] std::size_t width() const { return 1 + 2 * inputs_.size(); }
  void set_time(PathBlock& block, double* times, std::size_t path, double t, double dt) const;

  std::string time_array_;
  std::string step_array_;
  std::vector<Input> inputs_;
};

}  // namespace divker::fit
