// The maximum of the likelihood of records.
#pragma once

#include <Eigen/Dense>
#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "divker/fit.hpp"
#include "divker/model.hpp"
#include "divker/sampling.hpp"
#include "fit/hidden/likelihood.hpp"

namespace divker::fit {

// Where it is, in the coordinates of bounds.hpp.
struct Summit {
  std::vector<double> parameters;
  LogDensities base;
  Ascent ascent;
  Eigen::VectorXd steps;        // by which differences are taken
  Eigen::MatrixXd information;  // minus the second derivative, or the squares of the scores of rows
  bool converged = false;
  std::string reason;
};

// Steps H^{-1} psi, shortened until the likelihood rises. Ended where psi^T H^{-1} psi is below
// `small`^2. H is minus the second derivative where that is asked for and positive, else the
// squares of the scores of rows (E. Berndt, B. Hall, R. Hall, J. Hausman, Ann. Econ. Soc. Meas. 3
// (1974) 653), which for guided paths contain the noise of what the paths know of the rows ahead.
struct AscentRules {
  std::size_t iterations = 50;
  double small = 0.05;
  bool by_curvature = false;
  double blur = 0.0;  // of the likelihood, where paths are chosen anew: it may fall by this
};
[[nodiscard]] Summit climb(const Model& model, const std::vector<std::size_t>& active,
                           SeriesLikelihood& likelihood, const std::vector<double>& from,
                           const AscentRules& rules, const Session& session,
                           std::vector<FitIteration>* history = nullptr, std::size_t paths = 0);

// The columns of V^{-1/2}, at most so long that no parameter moves by more than `most`.
[[nodiscard]] Eigen::MatrixXd whitened_directions(const Eigen::MatrixXd& squares, double length,
                                                  double most);

// Is the matrix positive, or as good as singular, where parameters can change together?
[[nodiscard]] bool is_positive(const Eigen::MatrixXd& matrix);

}  // namespace divker::fit
