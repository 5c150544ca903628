// The choice of a window: estimates from longer and longer windows, until they move no more.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "divker/matrix.hpp"

namespace divker {

// One quantity estimated with each of several windows, shortest first, from the same paths.
struct WindowEstimates {
  std::vector<double> value;
  Matrix covariance;  // of the estimates with each other

  // Of estimate i minus estimate j: the paths are the same, so it is known better than either.
  [[nodiscard]] double difference(std::size_t i, std::size_t j) const {
    return value[i] - value[j];
  }
  [[nodiscard]] double difference_error(std::size_t i, std::size_t j) const;
};

// Do the estimates with window i agree with those of every longer one? For n quantities the largest
// difference may be sqrt(6.25 + 2 log n) of its standard errors.
[[nodiscard]] bool agrees_with_longer(std::span<const WindowEstimates> quantities, std::size_t i);

struct Plateau {
  std::size_t window = 0;
  bool found = false;  // false: the longest window, because no shorter one agrees with it
};
// The shortest window that agrees with every longer one, among those at most half as long as the
// longest: bias falls with the window, variance grows like it (Lepski's rule).
[[nodiscard]] Plateau find_plateau(std::span<const WindowEstimates> quantities,
                                   std::span<const double> windows);

// How far the estimate may be from that of an infinite window: the difference to the shortest
// window of at least twice the length, or the standard error of this difference if that is larger.
// Where correlations die exponentially, windows beyond twice the length add little. For the longest
// window itself the comparison is with the longest of at most half its length, which says too much.
[[nodiscard]] double window_error(const WindowEstimates& quantity, std::span<const double> windows,
                                  std::size_t chosen);

}  // namespace divker
