// How long a model takes to forget its start, and whether it settles at all.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "divker/ensemble.hpp"
#include "divker/matrix.hpp"
#include "divker/model.hpp"

namespace divker {

// Two bounded functions of every state, u/(1+|u|) and |u|/(1+|u|) with u the distance from the
// median of a reference sample in halves of its interquartile range: their means tell of location
// and spread, have small errors for any tails, and move where the law moves.
class BoundedFunctions {
 public:
  explicit BoundedFunctions(const Matrix& reference);

  [[nodiscard]] std::size_t size() const { return 2 * median_.size(); }
  // Paths x size().
  [[nodiscard]] Matrix operator()(const Matrix& x) const;
  // "the location of x[3]", "the spread of x[3]".
  [[nodiscard]] static std::string name(const Model& model, std::size_t function);

 private:
  std::vector<double> median_;
  std::vector<double> scale_;
};

// Of numbers for each path (rows), the column whose mean is furthest from zero in standard errors.
struct Movement {
  std::size_t column = 0;
  double z = 0.0;
};
[[nodiscard]] Movement largest_movement(const Matrix& differences);

// Beyond so many standard errors a mean has moved: a chance of 1e-5 for a hundred means.
inline constexpr double movement_limit = 5.0;

struct Relaxation {
  double settled = 0.0;      // after this time the law moves no more than can be seen
  double correlation = 0.0;  // from this lag on all autocorrelations are below 0.14
  std::size_t paths = 0;     // simulated, over all attempts
};

// Follows 1024 paths of the states alone, doubling the time until the bounded functions have the
// same means at one half and at the end, and their correlations have died by a quarter of it.
// Error(numerical) where that takes more than 65,536 steps, naming what still moves.
[[nodiscard]] Relaxation measure_relaxation(const Model& model, const Sampling& sampling,
                                            const Session& session);

// States of `paths` paths at the time `after` the start, from other random numbers than the run's.
// Error(numerical) if none finished.
[[nodiscard]] Matrix states_after(const Model& model, const Sampling& sampling,
                                  const Session& session, double after, std::size_t paths);

}  // namespace divker
