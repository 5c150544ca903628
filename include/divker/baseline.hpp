// Responses by the methods that the divergence kernel is measured against, and by itself: for
// comparisons at equal numbers of paths and steps.
//
//   likelihood ratio    d E[Phi] = E[(Phi - mean) L],  d log h(y) = E[L | x_T = y] with the score
//                       of the law of the whole path of the Euler chain,
//                         L = d log h_0(x_0) + sum_n { (S^{-1} dF) . db + r . C^{-1} dC C^{-1} r
//                             / (2 dt) - tr(C^{-1} dC) / 2 },   r = S db,  C = S S^T
//                       (Girsanov; P. Glynn, Comm. ACM 33 (1990) 75). Exact for the chain. The
//                       variance grows with time and like 1/noise^2, for parameters of the noise
//                       also like 1/dt.
//   finite difference   {E[Phi](gamma + h) - E[Phi](gamma - h)} / (2h) with common random numbers:
//                       path j has the same noise at both ends. Bias of the order h^2.
// docs/baselines.md tells which is best when.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "divker/answer.hpp"
#include "divker/matrix.hpp"
#include "divker/model.hpp"
#include "divker/moments.hpp"

namespace divker {

enum class Method { divergence_kernel, likelihood_ratio, finite_difference };
// "divergence-kernel", "likelihood-ratio", "finite-difference".
[[nodiscard]] std::string name_of(Method method);
[[nodiscard]] std::vector<std::string> method_names();
// Error(usage) for another name, listing these.
[[nodiscard]] Method parse_method(std::string_view name);

struct BaselineOptions {
  AnswerOptions answer;
  Method method = Method::divergence_kernel;
  double step = 0.0;  // h of the finite difference, for every parameter; 0: chosen for each
};

// What it took: recorded with every answer.
struct Baseline {
  Method method = Method::divergence_kernel;
  std::size_t path_runs = 0;          // paths simulated for the answer, over all runs
  std::size_t pilot_runs = 0;         // and to choose the steps of finite differences
  std::vector<double> steps;          // h for each parameter (finite difference)
  std::vector<double> bandwidths;     // of the density estimate, for each parameter
  std::vector<double> truncation;     // estimated bias of h for each parameter (observables)
  std::vector<std::string> warnings;  // full sentences
};

// Standard errors of finite differences are sqrt(deviation^2 + truncation^2).
struct BaselineAnswer {
  ObservableAnswer answer;
  Baseline baseline;
};
struct BaselinePointAnswer {
  PointAnswer answer;
  std::vector<Estimate> log_density;  // at the points (finite difference)
  Baseline baseline;
};

// d E[Phi(x_T)] / d gamma; as observable_response(). A finite difference takes 2P + 1 runs of
// `paths` paths for P parameters and 8 bytes a path; the other methods one run.
// The step of a finite difference is chosen for each parameter by a pilot of paths/8 (256 to 8192)
// paths at six steps, each half of the one before: the differences between neighbouring steps tell
// the bias c h^2, their spread the noise, and the step is taken that makes the mean square error of
// the whole run least.
// Error(usage) for a step that leaves the bounds of a parameter; Error(model) for the likelihood
// ratio of a model with a state without noise.
[[nodiscard]] BaselineAnswer baseline_response(const Model& model,
                                               const std::vector<std::size_t>& parameters,
                                               const std::string& observable,
                                               const BaselineOptions& options);

// d log h_T(y) / d gamma at points; as response_at(). Finite differences: of the logarithms of
// Gaussian kernel estimates of the density, one state only, with a bandwidth chosen together with
// the step; `prediction.bias` holds what both are estimated to add. 2P + 1 runs.
[[nodiscard]] BaselinePointAnswer baseline_response_at(const Model& model,
                                                       const std::vector<std::size_t>& parameters,
                                                       const Matrix& points,
                                                       const BaselineOptions& options);

}  // namespace divker
