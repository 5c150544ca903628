// Where a model leads from measured points: states alone, at their dt and at twice their dt.
#pragma once

#include <Eigen/Dense>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "divker/model.hpp"
#include "fit/series/legs.hpp"
#include "fit/series/path_clock.hpp"
#include "fit/series/path_program.hpp"

namespace divker::fit {

// Points that march together: the k-th leg of each takes steps[k] steps, an even number.
struct Departures {
  Eigen::MatrixXd from;  // M x points
  std::vector<double> time;
  Eigen::MatrixXd duration;  // legs x points, each leg from the end of the one before
  std::vector<std::size_t> steps;

  [[nodiscard]] std::size_t size() const { return time.size(); }
};

// The states of all paths at the end of a leg, M x (points * paths), point after point: at dt, and
// at 2 dt on the same Brownian paths. The bias of the former is their difference, to first order.
struct Arrivals {
  Eigen::MatrixXd fine, coarse;
};

// State i on the paths of one point, of `fine` or `coarse`.
[[nodiscard]] std::vector<double> sample_of_point(const Eigen::MatrixXd& states, std::size_t i,
                                                  std::size_t point, std::size_t paths);

class PredictivePaths {
 public:
  // Steps as the model's simulations take them, in the roots of states that would be negative.
  // Error(usage) for a map.
  PredictivePaths(const Model& model, const Session& session);

  [[nodiscard]] const Model& model() const { return model_; }
  // The even number of steps of the model's dt in a duration.
  [[nodiscard]] std::size_t steps_in(double duration) const;
  // One for each leg. Path p of point i has the random numbers of path (first + i) paths + p.
  // Cost: points * paths * steps, and half of it.
  [[nodiscard]] std::vector<Arrivals> walk(const Departures& departures, std::size_t paths,
                                           std::uint64_t seed, std::size_t first) const;
  // Points that fit a processor's memory together.
  [[nodiscard]] std::size_t together(std::size_t paths) const;

 private:
  Model model_;
  LegRules rules_;
  std::vector<double> parameters_;
  PathClock clock_, coarse_clock_;
  PathProgram step_, coarse_step_;
};

}  // namespace divker::fit
