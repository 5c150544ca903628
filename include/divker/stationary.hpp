// Score and response of the stationary (invariant) density, and of averages under it, from long
// paths.
//
//   grad log h(y)        = E[ nu_t | x_t = y ]
//   d log h(y) / d gamma = E[ I_t - I_{t-W} | x_t = y ]
//   d E[Phi] / d gamma   = E[ (Phi(x_t) - mean) (I_t - I_{t-W}) ] + E[dPhi/d gamma]
//
// for t after a spin-up. The response is exact for an infinite window W: its bias falls like the
// correlations die, its variance grows like W. Several windows are carried in one run, and the
// shortest is taken whose estimate agrees with those of all longer ones. Every path is used many
// times; its samples are taken as correlated, paths as independent.
// Source: A. Ni, arXiv:2509.03992, section on long times; the choice of the window is by Lepski's
// rule (O. Lepski, Theory Probab. Appl. 35 (1990) 454). docs/stationary.md tells more.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "divker/answer.hpp"
#include "divker/matrix.hpp"
#include "divker/model.hpp"

namespace divker {

// What is left empty is chosen. All in the model's unit of time (steps, for a map).
struct StationaryOptions {
  AnswerOptions answer;          // `sampling.snapshots` is not used
  std::optional<double> window;  // W; half and twice of it are carried too
  std::optional<double> spinup;  // time before the first window begins
  std::optional<double> length;  // time that each path is followed after the spin-up
  std::size_t grid = 9;          // points where none are given (1-D)
};

// Enough for standard errors of a few per cent, and for all cores of most machines.
inline constexpr std::size_t stationary_paths = 4096;

// How the stationary density was sampled: recorded with every answer.
struct Stationary {
  TimeGrid grid;  // of the run
  double spinup = 0.0;
  double length = 0.0;
  double correlation = 0.0;     // lag at which autocorrelations have died; 0 if not measured
  double spacing = 0.0;         // between two samples of one path
  std::size_t samples = 0;      // of each path
  std::vector<double> windows;  // that were carried; none for a score
  std::vector<double> window;   // that was taken, for each parameter
  std::vector<bool> plateau;    // for each parameter: do the longer windows agree?
};

// `answer.prediction.standard_error` is sqrt(deviation^2 + bias^2 + window_error^2 +
// time_step^2).
struct StationaryPointAnswer {
  PointAnswer answer;
  Matrix window_error;  // points x parameters: how far from an infinite window; empty for a score
  Stationary stationary;
};
struct StationaryObservableAnswer {
  ObservableAnswer answer;           // errors include window_error
  std::vector<double> window_error;  // for each parameter
  Stationary stationary;
};

// At the points, or for a model of one state and no points at `grid` of them.
// Cost: paths * (spin-up + length) / dt steps, and a pilot. Memory: paths * samples * (2M +
// parameters * windows) doubles for answers at points, sums for observables.
// Error(usage) for another estimator than the divergence kernel, a model whose coefficients depend
// on time, a window that is not positive or longer than the run; Error(numerical) where the law
// does not settle, or still moves while it is sampled.
[[nodiscard]] StationaryPointAnswer stationary_score_at(const Model& model, const Matrix& points,
                                                        const StationaryOptions& options);
[[nodiscard]] StationaryPointAnswer stationary_response_at(
    const Model& model, const std::vector<std::size_t>& parameters, const Matrix& points,
    const StationaryOptions& options);
[[nodiscard]] StationaryObservableAnswer stationary_observable_response(
    const Model& model, const std::vector<std::size_t>& parameters, const std::string& observable,
    const StationaryOptions& options);

}  // namespace divker
