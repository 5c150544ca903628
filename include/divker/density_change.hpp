// How the density, or a mean, changes between two sets of parameters a finite distance apart.
//
//   log h(y; gamma1) - log h(y; gamma0) = int_0^1 sum_p (gamma1 - gamma0)_p d log h / d gamma_p du
//
// along the straight line gamma(u) = gamma0 + u (gamma1 - gamma0), by Gauss-Legendre quadrature
// with independent runs at its nodes; means of observables in the same way. Source: A. Ni,
// arXiv:2509.03992, on ratios of densities.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "divker/answer.hpp"
#include "divker/matrix.hpp"
#include "divker/model.hpp"
#include "divker/moments.hpp"

namespace divker {

// Nodes and weights of a rule on [0, 1]: Gauss-Legendre with n nodes, ascending, and the weights of
// the rule that uses every second of them alone (the first, third, ...; zero elsewhere), whose
// difference to the first measures the error of the quadrature. 2 to 64 nodes, else Error(usage).
struct Quadrature {
  std::vector<double> nodes;
  std::vector<double> weights;
  std::vector<double> lower_weights;
};
[[nodiscard]] Quadrature gauss_legendre(std::size_t nodes);

struct ChangeOptions {
  AnswerOptions answer;   // `sampling.paths` at every node
  std::size_t nodes = 0;  // 0: 5, then 9 and 17 while the quadrature limits
};

// One number with the parts of its error: standard_error^2 = deviation^2 + bias^2 + max(0,
// quadrature^2 - its own sampling variance).
struct Change {
  double value = 0.0;
  double standard_error = 0.0;
  double deviation = 0.0;   // sampling, of the independent runs at the nodes
  double bias = 0.0;        // of the regression; 0 for observables
  double quadrature = 0.0;  // difference to the rule of lower order
  double tail_index = 0.0;  // the heaviest of the responses at the nodes; NaN if it is not known
};

struct ChangeAnswer {
  std::vector<Change> change;  // for each point, or one for an observable
  std::vector<bool> outside;   // for each point: the sample of some node says little there
  std::size_t nodes = 0;
  std::size_t path_runs = 0;  // over all nodes and attempts
  RunRecord record;           // of the last node; the summary is that of all
};

// `target` has a value for every parameter of the model, inside its bounds: Error(model) otherwise.
// Error(usage) if it changes nothing.
[[nodiscard]] ChangeAnswer log_density_change(const Model& model, std::span<const double> target,
                                              const Matrix& points, const ChangeOptions& options);
// E[Phi] at the target minus E[Phi] at the model's own parameters.
[[nodiscard]] ChangeAnswer observable_change(const Model& model, std::span<const double> target,
                                             const std::string& observable,
                                             const ChangeOptions& options);

}  // namespace divker
