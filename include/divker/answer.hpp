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

#include "divker/matrix.hpp"
#include "divker/method.hpp"
#include "divker/model.hpp"
#include "divker/moments.hpp"
#include "divker/record.hpp"
#include "divker/regressor.hpp"
#include "divker/sampling.hpp"

namespace divker {

// The name in AnswerOptions::regressor of LocalSums: sums around the points, no arrays of paths. Up
// to 8 states. Chosen by default where the paths would need more than 2 GiB.
inline constexpr const char* local_sums_regressor = "local-sums";

// What is done about the bias of dt, which paths in pairs at dt and dt/2 measure: of an answer
// A(dt) it is 2 (A(dt) - A(dt/2)) + O(dt^2), for the schemes are of weak order 1 (D. Talay, L.
// Tubaro, Stoch. Anal. Appl. 8 (1990) 483). Cost: a quarter of the run's steps up to 10,000 paths,
// less beyond. Maps have no dt, and nothing is measured.
enum class TimeStep {
  in_bar,        // it is part of the standard error, which then is that of the SDE's answer
  extrapolated,  // it is taken off the value (Richardson); its own error is part of the bar
  ignored,       // nothing is measured: the bar is that of the Euler chain's answer
};

// How to answer. What `method` leaves open is chosen.
struct AnswerOptions {
  Method method;
  Sampling sampling;
  Session session;
  std::string regressor;  // empty: default_regressor(), or local_sums_regressor for large runs
  RegressorOptions regressor_options;
  TimeStep time_step = TimeStep::in_bar;
  double difference_step =
      0.0;  // h of a finite difference, for every parameter; 0: chosen for each
};

// At m points; matrices are m x the number of names. `standard_error` includes the estimated bias
// of the estimate and that of dt, sqrt(deviation^2 + bias^2 + time_step^2).
struct PointValues {
  Matrix points;
  std::vector<std::string> names;  // of what is told at each point: states, or parameters
  Prediction prediction;           // its tail_index above 0.7 comes with a warning in the record
  Matrix time_step;                // what dt adds to the error; empty where it was not measured
  Matrix fit_error = {};           // and what the errors of a fit add; empty where not asked for
};
struct PointAnswer : PointValues {
  RunRecord record;
};

// s_T(y) = grad log h_T(y) = E[nu_T | x_T = y] at the points (m x M), at the last snapshot time.
// Error(usage) if points have the wrong number of columns, or are not finite (named).
[[nodiscard]] PointAnswer score_at(const Model& model, const Matrix& points,
                                   const AnswerOptions& options);

// d log h_T(y) / d gamma at the points, for the parameters asked for, by the method's estimator.
[[nodiscard]] PointAnswer response_at(const Model& model,
                                      const std::vector<std::size_t>& parameters,
                                      const Matrix& points, const AnswerOptions& options);

struct ObservableAnswer {
  Estimate value;                  // E[Phi(x_T)]
  std::vector<std::string> names;  // of the parameters
  std::vector<Estimate> response;  // d E[Phi(x_T)] / d gamma
  // Pareto k (tail_index.hpp) of the summands that the bar of each response is made of: those of
  // ResponseAccumulator, so that a heavy observable counts as much as a heavy weight; the
  // differences of pairs of paths for finite differences; the averages of these summands along
  // each path where the answer is stationary. Below 0.5 bars hold, up to 0.7 they are somewhat
  // short, above they mean little, and the record has a warning.
  std::vector<double> tail_index;
  // Of value and responses in this order: what dt adds to their errors, and these without it, which
  // is sqrt(deviation^2 + time_step^2). Empty where it was not measured.
  std::vector<double> time_step;
  std::vector<double> deviation;
  // Of the same: what the errors of a fit add to theirs. Empty where not asked for.
  std::vector<double> fit_error = {};
  RunRecord record;
};

// d/dgamma E[Phi(x_T)] for an expression in the model's names, by the method's estimator. The
// divergence kernel keeps sums only: memory does not grow with the number of paths.
[[nodiscard]] ObservableAnswer observable_response(const Model& model,
                                                   const std::vector<std::size_t>& parameters,
                                                   const std::string& observable,
                                                   const AnswerOptions& options);

// Is it the time of a passage, which may not have happened?
[[nodiscard]] bool is_passage(const PathFunctional& functional);

// Means and standard deviations of the states at one snapshot, and then of the functionals of the
// path, a passage by whether it has happened; from sums alone.
struct StateMoments {
  double time = 0.0;
  Moments x;
};
struct MomentsAnswer {
  std::vector<StateMoments> snapshots;
  RunRecord record;
};
[[nodiscard]] MomentsAnswer simulate_moments(const Model& model, const Sampling& sampling,
                                             const Session& session = {});

// `count` points between the 2% and 98% quantiles of a small sample of a model of one state; of two
// states count x count points, the first state the slowest.
[[nodiscard]] Matrix default_points(const Model& model, const Sampling& sampling,
                                    const Session& session, std::size_t count);

}  // namespace divker
