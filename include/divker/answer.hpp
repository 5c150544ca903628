// The questions a user asks, answered with error bars: score, response, simulation.
//
// Each function derives, compiles, chooses the damping, runs the ensemble and estimates. The parts
// are public too (ensemble.hpp, regressor.hpp, ...) for those who want the paths themselves.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "divker/damping.hpp"
#include "divker/ensemble.hpp"
#include "divker/matrix.hpp"
#include "divker/model.hpp"
#include "divker/moments.hpp"
#include "divker/pilot.hpp"
#include "divker/regressor.hpp"

namespace divker {

// The name in AnswerOptions::regressor of LocalSums: sums around the points, no arrays of paths. Up
// to 8 states. Chosen by default where the paths would need more than 2 GiB.
inline constexpr const char* local_sums_regressor = "local-sums";

// How to run. The damping inside `run` is replaced by what `damping` asks for.
struct AnswerOptions {
  RunOptions run;
  DampingRequest damping;
  InverseOrder order = InverseOrder::first;
  Scheme scheme = Scheme::euler;
  std::string regressor;  // empty: default_regressor(), or local_sums_regressor for large runs
  RegressorOptions regressor_options;
  // Of the run itself; the pilot and other small runs before it are made again, with equal results.
  Checkpoint checkpoint;
};

// What was done: recorded with every answer.
struct Effective {
  std::string alpha;      // the damping in words
  DampingChoice choice;   // and what it was compared with
  std::string regressor;  // for answers at points
  RunSummary summary;
  double compile_seconds = 0.0;  // spent compiling kernels, pilot included
};

// At m points; matrices are m x (M or P). `standard_error` includes the estimated bias of the
// regressor, sqrt(deviation^2 + bias^2).
struct PointAnswer {
  Matrix points;
  std::vector<std::string> names;  // states, or parameters
  Prediction prediction;
  Effective effective;
};

// s_T(y) = grad log h_T(y) = E[nu_T | x_T = y] at the points (m x M), at the last snapshot time.
// Error(usage) if points have the wrong number of columns, or are not finite (named).
[[nodiscard]] PointAnswer score_at(const Model& model, const Matrix& points,
                                   const AnswerOptions& options);

// d log h_T(y) / d gamma = E[I_T | x_T = y] at the points, for the parameters asked for.
[[nodiscard]] PointAnswer response_at(const Model& model,
                                      const std::vector<std::size_t>& parameters,
                                      const Matrix& points, const AnswerOptions& options);

struct ObservableAnswer {
  Estimate value;                  // E[Phi(x_T)]
  std::vector<std::string> names;  // of the parameters
  std::vector<Estimate> response;  // d E[Phi(x_T)] / d gamma
  Effective effective;
};

// d/dgamma E[Phi(x_T)] = E[(Phi - mean Phi) I_T] + E[dPhi/dgamma] for an expression in the model's
// names. Keeps sums only: memory does not grow with the number of paths.
[[nodiscard]] ObservableAnswer observable_response(const Model& model,
                                                   const std::vector<std::size_t>& parameters,
                                                   const std::string& observable,
                                                   const AnswerOptions& options);

// Means and standard deviations of the states at one snapshot, from sums alone.
struct StateMoments {
  double time = 0.0;
  Moments x;
};
struct MomentsAnswer {
  std::vector<StateMoments> snapshots;
  Effective effective;
};
[[nodiscard]] MomentsAnswer simulate_moments(const Model& model, const RunOptions& run,
                                             const Checkpoint& checkpoint = {});

// `count` points of a one-dimensional model between the 2% and 98% quantiles of a small sample.
[[nodiscard]] Matrix default_points(const Model& model, const RunOptions& run, std::size_t count);

}  // namespace divker
