// The bias of dt, measured: paths at dt and at dt/2 on the same Brownian motion.
//
// An answer A(dt) of a scheme of weak order 1 has the bias A(dt) - A(0) = 2 (A(dt) - A(dt/2)) +
// O(dt^2). Paired, the two differ far less than either varies, so that few paths tell it.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "answer/step_bias_at_points.hpp"
#include "divker/answer.hpp"
#include "divker/study.hpp"

namespace divker {

// A bias of dt and the standard error of its measurement.
struct StepBias {
  double value = 0.0;
  double error = 0.0;
};

// How many pairs go with a run of so many paths: they take a quarter of its time up to 10,000
// paths, and beyond a share that falls like the fourth root, to a twelfth for a million. At least
// 128 where there are as many paths, and at most 500,000, which fit in memory.
[[nodiscard]] std::size_t pairs_for(std::size_t paths);

// Rows belong together: path j at dt and at dt/2. Paths that failed at either are left out.
struct StepPairs {
  Snapshot coarse;
  Snapshot fine;
};
// The paths that both runs have, in the same rows: the first of dt, the second of dt/2. None where
// a run was interrupted or they are too few.
[[nodiscard]] std::optional<std::pair<Paths, Paths>> common_paths(Paths coarse, Paths fine);
// The sampling of such pairs, on other random numbers than those of a run: at dt/2, and, with two
// increments to a step, at dt.
[[nodiscard]] Sampling sampling_of_pairs(const Sampling& run);
[[nodiscard]] Sampling at_both_increments(const Sampling& pairs);
[[nodiscard]] Model at_half_the_step(const Model& model);

// At the last snapshot of the study, on paths that it has not used; counted in its record. None
// where the plan has no dt, where the run before was interrupted, or where too few pairs finish.
[[nodiscard]] std::optional<StepPairs> step_pairs(Study& study);
// The same at every snapshot.
[[nodiscard]] std::vector<StepPairs> step_pairs_at_all_times(Study& study);

// An estimate with what is measured of its bias, as `policy` says; `counted` is what the bar then
// has of it. A bias that stands out of the noise of its measurement counts in full. Another is
// taken as one of three times the size of the sampling error s, of which a measurement with the
// error e tells the share (3s)^2 / ((3s)^2 + e^2), and leaves the error sqrt(share) e. Both count,
// the latter up to s: else the noise of a poor measurement would be the bar.
struct Stepped {
  double value = 0.0;
  double standard_error = 0.0;
  double counted = 0.0;
};
[[nodiscard]] Stepped with_step_bias(double value, double standard_error, const StepBias& bias,
                                     TimeStep policy);

// Into the errors of the mean and of its responses, in this order; into those at points. The record
// gets a warning where dt is nearly all of an error bar and more than a twentieth of the largest
// answer of its kind.
void add_step_biases(ObservableAnswer& answer, const std::vector<StepBias>& biases, TimeStep policy,
                     double dt);
void add_step_biases(PointAnswer& answer, const StepBiases& biases, TimeStep policy, double dt);
void add_step_biases(PointValues& answer, const StepBiases& biases, TimeStep policy, double dt,
                     RunRecord& record);

}  // namespace divker
