// Central differences with common random numbers, and the choice of their step.
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <vector>

#include "divker/matrix.hpp"
#include "divker/model.hpp"
#include "divker/study.hpp"

namespace divker {

// One number for each path at the last snapshot, as a function of what it recorded; NaN where the
// path failed, so that numbers of the same path under other parameters keep their place.
using PathFunction = std::function<std::vector<double>(const Model&, const Snapshot& paths)>;

// Runs of one model at shifted parameters, with the same random numbers.
class ShiftedRuns {
 public:
  // More failed paths in one run than the share of the sampling are Error(numerical). Nothing is
  // saved: the runs are many. `functionals` of the path are carried along.
  ShiftedRuns(const Model& model, const Sampling& sampling, const Session& session,
              PathFunction function, std::vector<std::size_t> functionals = {});

  // The first `paths` paths with the parameter moved by `shift`.
  [[nodiscard]] std::vector<double> at(std::size_t parameter, double shift, std::size_t paths);
  // How far apart the means of the states at both ends of a difference are, in standard deviations
  // of the state: the largest of all states that have a spread.
  [[nodiscard]] double displacement(std::size_t parameter, double h, std::size_t paths);
  // What the runs since there were `before` of them were for is the choice of a step.
  void count_as_pilot(std::size_t before);
  [[nodiscard]] std::size_t paths_run() const { return study_.record().effort.path_runs; }
  // Of all runs together.
  [[nodiscard]] RunRecord record() const;
  [[nodiscard]] bool has_time_step() const { return study_.plan().has_time_step; }

 private:
  [[nodiscard]] Model shifted(std::size_t parameter, double shift) const;
  void add(const RunSummary& run, std::size_t lost);

  const Model& model_;
  Sampling sampling_;
  PathFunction function_;
  Study study_;
  std::size_t pilot_runs_ = 0;
  std::size_t paths_aside_ = 0;  // that told of displacements
  RunSummary total_;
};

// Derivatives of some quantities, each with its influence function: what each path adds to the
// error. Paths that failed at either end are left out (their influence is zero).
struct Differences {
  std::vector<double> value;
  Matrix influence;       // paths x quantities
  std::size_t paths = 0;  // that count

  [[nodiscard]] double error(std::size_t quantity) const;
};

// What one quantity differs by between two sets of differences on the same paths, a minus b, and
// the paired standard error of it.
struct Gap {
  double value = 0.0;
  double error = 0.0;
};
[[nodiscard]] Gap gap_between(const Differences& a, const Differences& b, std::size_t quantity);

// The bias of h that stands out between differences over h and over h/2.
[[nodiscard]] double truncation_seen(const Differences& at_h, const Differences& at_half,
                                     std::size_t quantity);

// Makes differences from the numbers of the paths at gamma + h and gamma - h.
using Differencing = std::function<Differences(std::span<const double> above,
                                               std::span<const double> below, double h)>;

// Of the mean.
[[nodiscard]] Differences mean_difference(std::span<const double> above,
                                          std::span<const double> below, double h);
// Of the log density at points by Gaussian kernels: quantity k * bandwidths + b.
[[nodiscard]] Differences log_density_difference(std::span<const double> above,
                                                 std::span<const double> below, double h,
                                                 std::span<const double> points,
                                                 std::span<const double> bandwidths);

// A step, chosen by a pilot that compares each step h with 2h and h/2.
struct StepChoice {
  double h = 0.0;
  std::size_t variant = 0;
  std::vector<double> truncation;  // estimated bias c h^2 of the chosen h, for each quantity
};

// The quantities come in groups of `variants`; one variant is taken for all groups. `extra_bias`
// may be empty, or gives for a variant and quantity a bias beyond that of h. `fixed` > 0: only that
// step. Error(usage) if it leaves the bounds of the parameter.
struct StepRequest {
  std::size_t parameter = 0;
  double fixed = 0.0;
  std::size_t paths = 0;  // of the run that the step is for
  std::size_t variants = 1;
  std::function<double(const Differences&, std::size_t quantity)> extra_bias;
  bool has_jumps = false;  // of what is averaged, or in the equations: larger steps are tried too
  // Of step_of_moved_jump(): h is then a whole number of time steps, for the Euler chain makes a
  // staircase of such a jump.
  double moved_in_time = 0.0;
};
// dt where the parameter moves the time of a jump of drift or noise; 0 elsewhere.
[[nodiscard]] double step_of_moved_jump(const Model& model, std::size_t parameter);
[[nodiscard]] StepChoice choose_step(const Model& model, ShiftedRuns& runs,
                                     const Differencing& differencing, const StepRequest& request);

// A Gaussian kernel estimate of the log density at a point, and its influence function.
struct LogDensity {
  double value = 0.0;
  std::vector<double> influence;   // for each sample; zero where it is NaN
  double effective_samples = 0.0;  // (sum of weights)^2 / sum of their squares
};
[[nodiscard]] LogDensity kernel_log_density(std::span<const double> samples, double point,
                                            double bandwidth);

}  // namespace divker
