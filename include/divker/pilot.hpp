// The choice of the damping by measurement: a pilot run of few paths for every candidate.
#pragma once

#include <cstddef>
#include <functional>
#include <limits>
#include <vector>

#include "divker/damping.hpp"
#include "divker/ensemble.hpp"
#include "divker/method.hpp"
#include "divker/model.hpp"

namespace divker {

// The variances that the choice is to make small, from the paths of one snapshot: what the user
// asked for. Empty: the variance of every component of nu and of every response.
using VarianceMeasure = std::function<std::vector<double>(const Snapshot&)>;

// The Pareto k (tail_index.hpp) of the summands behind these variances. Empty: not measured.
using TailMeasure = std::function<std::vector<double>(const Snapshot&)>;

// What a choice is for.
struct Tuning {
  VarianceMeasure measure;
  // Whether learned damping is among the candidates of `auto`. Its steps are longer: it pays where
  // variance at equal paths counts, at points and wherever paths must be kept, and not where a mean
  // over paths takes as long as the paths.
  bool may_learn = true;
  // The parameters will take other values. A map that is one to one here may fold there: `auto` is
  // then the pure kernel for maps.
  bool parameters_move = false;
  TailMeasure tails = {};
  // Of derivatives of paths: what is asked for jumps with the states at the end, where nothing of
  // them may be left.
  bool hands_over = false;
};

struct DampingCandidate {
  Damping damping;
  // Geometric mean of the variances; infinite if a path failed. Of the divergence steps of a map:
  // two of its standard errors higher.
  double cost = 0.0;
  // The heaviest of the summands; NaN where it was not measured, as in the first round.
  double tail_index = std::numeric_limits<double>::quiet_NaN();
};
struct DampingChoice {
  Damping damping;
  double cost = 0.0;
  std::vector<DampingCandidate> candidates;  // all that were tried, in the order of their cost
  std::size_t paths = 0;                     // of the final comparison
  double seconds = 0.0;
  double compile_seconds = 0.0;  // of the trials
};

// Fills in what the damping of a method leaves open: nothing, or the best of
//   constants alpha over four decades below 1/dt, the best also with the early rule 1/t,
//   Jacobian damping for alpha at and below the best constant and beta = 0.5, 1,
//   Gaussian damping A = E[S S^T] P_t^{-1}, P_t the covariance of the pilot's paths (M <= 64),
//   the pure kernel step, with the exact scheme alone,
//   neighbours of the winner,
//   and learned damping, if it leaves at least a tenth less variance than all of these, with no
//   heavier tails: for runs of 16384 paths and more, up to 128 states, where the request allows it.
// In the last round, a candidate whose summands have a tail index of 0.5 and above counts as a
// quarter costlier: light tails are worth bars a tenth wider, and no more, as the pilot knows the
// index to a tenth or two alone.
// The path does not depend on the damping, so all candidates see the same paths (common random
// numbers) and their costs compare far better than each is known. All are screened with 256 paths,
// the best four with up to 1024. Cost: at most about 12,000 paths, and one compilation per form;
// 4096 paths (16,384 for up to six states) and two compilations more where damping is learned.
// A map gets the pure kernel step with the likelihood ratio, unless one of these has less variance
// on the same paths, by more than two standard errors of that variance (itself known within half):
// the exact divergence step with the share a = 0, 0.1, 0.25, 0.5, 0.75, 0.9 or 1 of the kernel, the
// best of them with the shares c = 0.25, 0.5, 0.75 of the likelihood ratio in the response, and
// Gaussian damping. Where the step has kinks, or some path finds its Jacobian turned over, the
// divergence step does not hold and is no candidate; nor is it beyond 64 states, whose programs
// take minutes to compile, unless a silent state leaves no other.
// Derivatives of paths (Asked::tangents) have a choice of their own: constants from 0 and from one
// over the length of the paths upwards, half decades apart, and around the best of them its
// neighbours and the same without damping for the last eighth to half of the time; where nothing
// may be left at the end, the `late` damping at these rates. Each has a 64th of the paths of the
// run (128 to 1024), about a fifth in all. Of those with at most 15% more variance than the best
// the most damped one is taken. `off` where the noise is singular. Throws Error(usage) for a
// damping that the model or its scheme have no use for, and Error(numerical) if damping was to be
// learned and a path of the pilot failed.
[[nodiscard]] DampingChoice choose_damping(const Model& model, const Method& method,
                                           const Asked& asked, const Sampling& sampling,
                                           const Session& session = {}, const Tuning& tuning = {});

// A = E[S S^T] P_t^{-1} along the time grid, noisy rows only, from paths simulated for the purpose.
// Error(numerical) if a covariance is singular.
[[nodiscard]] Damping gaussian_damping(const Model& model, const Sampling& sampling,
                                       const Session& session = {});

}  // namespace divker
