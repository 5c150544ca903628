// Which components of a normal vector are zero in the mean, at a rate of false discoveries.
#pragma once

#include <Eigen/Dense>
#include <vector>

namespace divker::fit {

// (centre - m)^T precision (centre - m): minus twice the log-likelihood of the mean m.
struct QuadraticForm {
  Eigen::VectorXd centre;
  Eigen::MatrixXd precision;  // positive semidefinite
};

struct SparseSelection {
  std::vector<Eigen::Index> kept;  // of the candidates, ascending
  Eigen::VectorXd mean;            // where the form is smallest with the other candidates zero
  // Of each candidate, in the order given: its distance from zero in standard errors, alone among
  // those that were set to zero, or beside the others that were kept; not a number where the form
  // does not tell.
  Eigen::VectorXd score;
  double left = 0.0;  // the form at the mean: chi-square if the rest is zero
  std::size_t freedom = 0;
};

// The normal number that is exceeded with probability p.
[[nodiscard]] double normal_excess(double p);

// What the i-th of m discoveries must lower the form by, i from 1: see divker/structure.hpp.
[[nodiscard]] double discovery_threshold(std::size_t i, std::size_t m, double rate);

// The smallest penalised form by forward selection, then exchanges and removals while they lower
// it. `candidates` ascend. Cost: P^2 for each step and exchange tried.
[[nodiscard]] SparseSelection select_sparse(const QuadraticForm& form,
                                            const std::vector<Eigen::Index>& candidates,
                                            double rate);
// The same with what is kept given.
[[nodiscard]] SparseSelection restricted_to(const QuadraticForm& form,
                                            const std::vector<Eigen::Index>& candidates,
                                            const std::vector<Eigen::Index>& kept);

}  // namespace divker::fit
