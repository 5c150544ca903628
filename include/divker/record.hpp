// What was done: recorded with every answer, and printed from what ran, not from what was asked.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "divker/method.hpp"
#include "divker/moments.hpp"
#include "divker/paths.hpp"
#include "divker/pilot.hpp"
#include "divker/sampling.hpp"

namespace divker {

// What an estimator that needs more than one run has taken.
struct Effort {
  std::size_t path_runs = 0;          // paths simulated for the answer, over all runs
  std::size_t pair_runs = 0;          // and to measure the bias of dt: paths at dt and at dt/2
  std::size_t pilot_runs = 0;         // and to choose the steps of finite differences, or a method
  std::vector<double> steps;          // h for each parameter (finite difference)
  std::vector<double> bandwidths;     // of the density estimate, for each parameter
  std::vector<double> truncation;     // estimated bias of h for each parameter (observables)
  std::vector<Estimate> log_density;  // at the points (finite difference)
};

// What the reader of an answer has to know before its numbers.
struct Warning {
  std::string what;  // a word for programs: "method", "variance", "window"
  std::string sentence;
};

// A method that small runs compared with others: error^2 x operations as a multiple of the best
// one's, infinite with the reason where it refused.
struct ComparedMethod {
  std::string name;
  double work = 0.0;
  std::string problem;
};

struct RunRecord {
  Method method;          // as it ran: estimator, scheme, order and damping
  std::string alpha;      // the damping in words; empty where none was used
  std::string steps;      // Plan::text()
  Sampling sampling;      // of the main run
  DampingChoice choice;   // what the damping was compared with
  std::string regressor;  // for answers at points
  RunSummary summary;
  double compile_seconds = 0.0;  // spent compiling kernels, pilot included
  Effort effort;
  std::vector<ComparedMethod> compared;  // the best first, where the method was chosen so
  std::vector<Warning> warnings;
};

}  // namespace divker
