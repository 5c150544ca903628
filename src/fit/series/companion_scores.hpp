// The score of the companion's normal law of each transition: exact where the model is linear, a
// start for the iterations and a good instrument elsewhere.
#pragma once

#include <Eigen/Dense>
#include <cstddef>
#include <utility>
#include <vector>

#include "divker/model.hpp"
#include "fit/series/companion.hpp"

namespace divker::fit {

// d log N(y; m, P) / du = a . z + 1/2 (z^T B z - tr B) for each parameter, with z = L^{-1}(y - m),
// a = L^{-1} dm, B = L^{-1} dP L^{-T}, P = L L^T; u are the coordinates of bounds.hpp. Of many
// states only the diagonal of B is kept.
class CompanionScores {
 public:
  CompanionScores(const Companion& companion, const Model& model,
                  const std::vector<std::size_t>& active, const std::vector<double>& parameters,
                  const Legs& legs, std::size_t threads);

  [[nodiscard]] std::size_t parameters() const { return slope_.size(); }
  // z of ends that are given as columns, `paths` for each of the legs from `begin` on.
  [[nodiscard]] Eigen::MatrixXd whitened(const Eigen::MatrixXd& ends, std::size_t begin,
                                         std::size_t paths) const;
  // The scores, parameters x columns, of whitened ends.
  [[nodiscard]] Eigen::MatrixXd at(const Eigen::MatrixXd& z, std::size_t begin,
                                   std::size_t paths) const;
  // Sum of log N(y; m, P) but for a constant; not finite where some P is singular.
  [[nodiscard]] double log_likelihood(const Eigen::MatrixXd& ends) const;
  // The information of the law, sum E[score score^T].
  [[nodiscard]] Eigen::MatrixXd information() const;

 private:
  [[nodiscard]] double weight(std::size_t pair) const {
    return pairs_[pair].first == pairs_[pair].second ? 0.5 : 1.0;
  }

  Eigen::MatrixXd mean_;
  std::vector<Eigen::MatrixXd> root_;                         // L
  std::vector<std::pair<Eigen::Index, Eigen::Index>> pairs_;  // of B that are kept
  std::vector<Eigen::MatrixXd> slope_;                        // a: M x legs, for each parameter
  std::vector<Eigen::MatrixXd> spread_;                       // B: pairs x legs
};

// The largest log-likelihood of the companion's law from these values on, by Fisher's scoring, and
// the values there. Values of fewer than all transitions' worth of steps are taken as they are.
struct QuasiLikelihood {
  std::vector<double> parameters;
  double value = 0.0;
  bool converged = false;
};
[[nodiscard]] QuasiLikelihood quasi_likelihood(const Companion& companion, const Model& model,
                                               const std::vector<std::size_t>& active,
                                               std::vector<double> parameters, const Legs& legs,
                                               std::size_t threads);

}  // namespace divker::fit
