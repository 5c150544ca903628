// What many tests ask for: so many paths, and points of one state.
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include "divker/answer.hpp"
#include "divker/matrix.hpp"

namespace divker::test {

[[nodiscard]] inline AnswerOptions with_paths(std::size_t paths) {
  AnswerOptions options;
  options.sampling.paths = paths;
  return options;
}

[[nodiscard]] inline Matrix column(std::vector<double> values) {
  Matrix points(values.size(), 1);
  points.data = std::move(values);
  return points;
}

}  // namespace divker::test
