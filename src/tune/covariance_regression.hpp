// C(x) = E[nu nu^T | x] from samples of (x, nu): least squares, term by term.
#pragma once

#include <Eigen/Dense>
#include <vector>

#include "divker/damping.hpp"
#include "divker/ensemble.hpp"
#include "tune/covariance_candidates.hpp"

namespace divker::tune {

// Least squares of y on features that are chosen one after the other, each the one that explains
// most of what is left: a few numbers per step, whatever the number of samples.
class ForwardSelection {
 public:
  // gram = E[f f^T], target = E[f y], both over the same samples; they must outlive this.
  ForwardSelection(const Eigen::MatrixXd& gram, Eigen::VectorXd target, double mean_square);

  // By how much the mean square of what is left would fall; 0 for what is chosen, or all but
  // determined by it.
  [[nodiscard]] double gain(Eigen::Index feature) const;
  [[nodiscard]] Eigen::Index best() const;
  void add(Eigen::Index feature);

  [[nodiscard]] double left_over() const { return left_over_; }
  [[nodiscard]] const std::vector<Eigen::Index>& chosen() const { return chosen_; }
  [[nodiscard]] const Eigen::VectorXd& weights() const { return weights_; }

 private:
  void solve();

  const Eigen::MatrixXd& gram_;
  Eigen::VectorXd target_;
  double mean_square_;
  double left_over_;
  std::vector<Eigen::Index> chosen_;
  Eigen::VectorXd weights_;
  Eigen::VectorXd residual_;  // E[f (y - fit)]
  Eigen::VectorXd own_;       // E[f^2] less what the chosen ones explain of it
};

// The learned form of damping, from what paths of any other damping were like. Entries and
// features are selected by how much of nu nu^T they explain, beyond what chance would. The alpha
// of the result is left to the caller.
[[nodiscard]] Damping regress_covariance(const Model& model, const std::vector<Snapshot>& samples);

}  // namespace divker::tune
