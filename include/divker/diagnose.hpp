// Can these answers be trusted, and is this the method to use? Checks on the user's own model.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "divker/answer.hpp"
#include "divker/matrix.hpp"
#include "divker/model.hpp"

namespace divker {

enum class Verdict { good, caution, bad };
[[nodiscard]] std::string name_of(Verdict verdict);  // "good", "caution", "bad"

// One line of a diagnosis: what was looked at, what was found with figures, what to do about it.
struct Check {
  std::string name;
  Verdict verdict = Verdict::good;
  std::string finding;
  std::string advice;  // empty where nothing is to be done
};

// One method at the response of the observable to all parameters.
struct MethodCost {
  std::string method;                   // name of its estimator
  std::vector<double> standard_errors;  // one for each parameter
  std::size_t path_runs = 0;
  double seconds = 0.0;  // wall time, compilation included
  std::string problem;   // why it could not be used; then the rest is empty
};

struct DiagnoseOptions {
  AnswerOptions answer;                 // sampling.paths paths for every run of the diagnosis
  std::vector<std::size_t> parameters;  // at least one
  std::string observable;               // empty: the mean square of the states
  Matrix points;                        // none: a grid for a model of one state, else left out
};

struct Diagnosis {
  std::vector<Check> checks;
  std::vector<MethodCost> methods;
  std::string observable;
  RunRecord record;  // of the main run; choice.candidates holds what the pilot of `auto` tried
};

// The checks, all at the last snapshot time:
//   damping             the choice of `auto` against what was asked for and against constants
//   failed paths        how many, which first
//   heavy tails         the largest share that one path has in a mean square of nu or I
//   score identity      E[nu_i x_i] = -1 for densities that fall off fast enough
//   mass                E[I] = 0
//   time step           the observable, its responses and E[nu x] at dt against dt/2 on the same
//                       Brownian paths: 2 (A(dt) - A(dt/2)) estimates the bias of A(dt)
//   finite differences  each response against a central difference with common random numbers
//   points              effective samples of the regression at each point
//   method              standard error^2 x time of every method, for these parameters
// Cost: a pilot, about 7 + 2P runs of sampling.paths paths. Errors as observable_response().
[[nodiscard]] Diagnosis diagnose(const Model& model, const DiagnoseOptions& options);

}  // namespace divker
