// The estimating equation of a series, sum_i u_i = 0, with what Newton's method and standard errors
// need of it.
#pragma once

#include <Eigen/Dense>
#include <cstddef>
#include <vector>

#include "fit/series/instruments.hpp"
#include "fit/series/legs.hpp"
#include "fit/series/transition_paths.hpp"

namespace divker::fit {

// All in the coordinates of bounds.hpp.
struct EquationValue {
  Eigen::MatrixXd terms;      // u: parameters x transitions
  Eigen::VectorXd sum;        // psi
  Eigen::MatrixXd slope;      // H = sum E[Ihat I^T | x_i], -d psi/du
  Eigen::MatrixXd complete;   // sum E[I I^T | x_i] by the likelihood ratio, of whole paths
  Eigen::MatrixXd variance;   // of psi by the model: sum Var[Ihat | x_i]
  Eigen::MatrixXd of_paths;   // the part of the variance of psi that the paths make
  Eigen::VectorXd step_bias;  // what extrapolation to dt = 0 takes off psi
  std::size_t failed_paths = 0;

  // psi^T (V + V_paths)^{-1} psi.
  [[nodiscard]] double merit(const Eigen::VectorXd& psi) const;
  [[nodiscard]] bool is_finite() const;
};

class Equation {
 public:
  Equation(const TransitionPaths& paths, const Instruments& instruments, const Legs& legs,
           std::size_t threads);

  // `scale`: d gamma / du of the active parameters. `limits`: |I| counts as no more, see limits().
  // Error(numerical) where more than a fifth of the paths fail.
  [[nodiscard]] EquationValue at(const TransitionPaths::Run& run, const Eigen::VectorXd& scale,
                                 const Eigen::VectorXd& limits) const;

 private:
  struct Sums;
  void add(const TransitionPaths::Run& run, const Eigen::VectorXd& limits, std::size_t begin,
           std::size_t end, Sums& sums, Eigen::MatrixXd means[2], Eigen::MatrixXd controls[2],
           Eigen::MatrixXd shifts[2]) const;

  const TransitionPaths& paths_;
  const Instruments& instruments_;
  const Legs& legs_;
  std::size_t threads_;
  Eigen::MatrixXd observed_;  // instruments at the ends that were observed
};

// Of I as it is carried: twenty medians of its size, from a few transitions. More comes from a few
// paths alone, and would decide the regression.
[[nodiscard]] Eigen::VectorXd limits_of(const TransitionPaths& paths,
                                        const TransitionPaths::Run& run, const Legs& sample);

// The carrying of noise parameters that leaves the smallest variance of I given the start, on a few
// transitions.
[[nodiscard]] Carrying best_carrying(const TransitionPaths& paths, TransitionPaths::Run run,
                                     const std::vector<std::size_t>& active, const Legs& sample);

}  // namespace divker::fit
