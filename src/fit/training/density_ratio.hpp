// The density of the data over that of the model, learned from samples of both.
#pragma once

#include <Eigen/Dense>
#include <cstddef>

#include "fit/instrument.hpp"

namespace divker::fit {

// Sums over rows of some features: mean, and covariance with the divisor rows.
struct FeatureMoments {
  Eigen::VectorXd mean;
  Eigen::MatrixXd covariance;
};
// Cost: rows * features^2 / 2.
[[nodiscard]] FeatureMoments moments_of(const RowMajor& features, std::size_t threads);

// Logistic regression of "from the data" against "from the model", both of weight one half: log r
// is linear in the features. The ridge leaves of the features' means what their noise does.
class DensityRatio {
 public:
  // Cost: some ten times rows * features^2 / 2.
  DensityRatio(const RowMajor& data, const FeatureMoments& of_data, const RowMajor& model,
               const FeatureMoments& of_model, std::size_t threads);
  // Of |log r|: larger ratios are seen in too few points to be learned.
  static constexpr double most = 5.0;
  // log r, held within +-most.
  [[nodiscard]] Eigen::VectorXd log_at(const RowMajor& features) const;

 private:
  Eigen::VectorXd weights_;
  double offset_ = 0.0;
};

}  // namespace divker::fit
