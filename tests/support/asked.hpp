// What many tests ask for: so many paths, and points of one state.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "divker/answer.hpp"
#include "divker/ensemble.hpp"
#include "divker/matrix.hpp"

namespace divker::test {

[[nodiscard]] inline AnswerOptions with_paths(std::size_t paths) {
  AnswerOptions options;
  options.sampling.paths = paths;
  return options;
}

// States at the end of the time grid.
[[nodiscard]] inline Matrix sample(const Model& model, std::size_t count, std::uint64_t seed) {
  Sampling sampling;
  sampling.paths = count;
  sampling.seed = seed;
  return Ensemble(model, {}, Asked::states()).run(sampling).snapshots.back().x();
}

[[nodiscard]] inline Matrix column(std::vector<double> values) {
  Matrix points(values.size(), 1);
  points.data = std::move(values);
  return points;
}

}  // namespace divker::test
