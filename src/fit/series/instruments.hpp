// What the score of a transition is learned from: functions of its start and its end.
#pragma once

#include <Eigen/Dense>
#include <cstddef>
#include <vector>

#include "fit/series/companion_scores.hpp"
#include "fit/series/legs.hpp"
#include "numbers/monomials.hpp"

namespace divker::fit {

// Products of Hermite polynomials, up to a total degree, of variables that are white over all
// transitions: the residual of the end after a linear regression on the start, with at least one
// factor, and the start with, where these differ, log D, and the time; then the companion's scores
// at reference values. Residuals beyond eight deviations count as eight.
class Instruments {
 public:
  // `with_time`: of models whose equations change with it. The degree is the largest up to four
  // with no more products than `most_products`.
  Instruments(const Legs& legs, bool with_time, CompanionScores scores, std::size_t most_products);

  [[nodiscard]] std::size_t count() const { return products_.size() + scores_.parameters(); }
  [[nodiscard]] std::size_t controls() const { return products_.size(); }
  [[nodiscard]] std::size_t degree() const { return degree_; }
  // Instruments x columns of ends, in coordinates, `paths` for each of the legs from `begin` on.
  [[nodiscard]] Eigen::MatrixXd at(const Eigen::MatrixXd& ends, std::size_t begin,
                                   std::size_t paths) const;
  // The same products with numbers that are standard normal given the start in place of the
  // residual: their mean given the start is zero.
  [[nodiscard]] Eigen::MatrixXd controls_at(const Eigen::MatrixXd& normal, std::size_t begin,
                                            std::size_t paths) const;

 private:
  struct Product {
    std::vector<std::size_t> of_residual;  // degree in each coordinate
    std::vector<std::size_t> of_start;
  };
  [[nodiscard]] Eigen::MatrixXd products_of(const Eigen::MatrixXd& residuals, std::size_t begin,
                                            std::size_t paths, Eigen::Index rows) const;

  std::vector<Product> products_;
  std::size_t degree_ = 0;
  Eigen::MatrixXd predicted_;   // M x legs: of the end, from the start
  Eigen::MatrixXd root_;        // lower root of the covariance of the residual
  Eigen::MatrixXd start_part_;  // of each product, x legs
  CompanionScores scores_;
};

}  // namespace divker::fit
