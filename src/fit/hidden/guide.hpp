// What paths of a record are guided by: Gaussian approximations of what the rows ahead say of the
// state now, backwards along a reference.
#pragma once

#include <Eigen/Dense>
#include <cstddef>
#include <vector>

#include "fit/hidden/guided_kernels.hpp"
#include "fit/hidden/records.hpp"

namespace divker::fit {

// From one row to the next.
struct GuidedLeg {
  double time = 0.0;  // of its beginning
  double dt = 0.0;
  std::size_t steps = 0;
  std::size_t seen = 0;         // states that are seen at its end
  std::vector<double> numbers;  // steps * shape.size(): see GuideShape
};

struct Guide {
  std::vector<GuidedLeg> legs;
  Eigen::VectorXd start;            // mean of the state at the first row given all of them
  Eigen::MatrixXd start_root;       // M x M, its covariance is start_root start_root^T
  double start_log_density = 0.0;   // of it, at its mean
  std::vector<bool> start_is_open;  // which states are not given there
};

// The linearised law from row to row.
struct LinearLeg {
  Eigen::MatrixXd flow;        // Phi
  Eigen::VectorXd offset;      // x_end = Phi x + offset
  Eigen::MatrixXd covariance;  // P
};

class Guides {
 public:
  Guides(const GuidedKernels& kernels, const SeenRecord& record)
      : kernels_(kernels), record_(record) {}

  // The extended Kalman filter: its means at the rows, M x rows, as a first reference, and its log
  // likelihood of each row given those before.
  struct Filtered {
    Eigen::MatrixXd means;
    Eigen::VectorXd log_likelihood;
  };
  [[nodiscard]] Filtered filter(const GuidedKernels::Bound& bound) const;

  // Linearised at the reference, M x rows, with the effect of the state on the size of the noise:
  // the logarithm of the normal density of what is seen next is expanded to second order, with the
  // expected curvature. `smoothed`: where paths then lead in the mean, the next reference.
  [[nodiscard]] Guide at(const GuidedKernels::Bound& bound, const Eigen::MatrixXd& reference,
                         Eigen::MatrixXd* smoothed = nullptr) const;

  // The norm of the drift's Jacobian at the rows of a reference, the median.
  [[nodiscard]] double relaxation_rate(const GuidedKernels::Bound& bound,
                                       const Eigen::MatrixXd& reference) const;

 private:
  struct Companion;
  struct Quadratic;
  struct Target;
  [[nodiscard]] Companion companion(const GuidedKernels::Bound& bound, const Eigen::VectorXd& from,
                                    std::size_t leg, bool with_slopes) const;
  void add_noisy(const GuidedKernels::Bound& bound, std::size_t row, const Eigen::VectorXd& at,
                 Quadratic& quadratic) const;
  [[nodiscard]] double density_at(const GuidedKernels::Bound& bound, std::size_t row,
                                  const Eigen::VectorXd& at) const;
  static void add_size_of_noise(const Companion& to, const Eigen::MatrixXd& gain,
                                const Eigen::VectorXd& value, const Eigen::VectorXd& from,
                                const Eigen::VectorXd& at, Quadratic& ahead);
  [[nodiscard]] Target target_of(std::size_t row, const Eigen::MatrixXd& reference,
                                 const Companion& to, Quadratic& ahead, GuidedLeg& leg) const;
  [[nodiscard]] std::vector<double> write(const Companion& to, const Target& target,
                                          GuidedLeg& leg) const;
  static void expand(const Companion& to, const Target& target, const std::vector<double>& whole,
                     const Eigen::VectorXd& from, Quadratic& ahead);
  [[nodiscard]] static Eigen::MatrixXd means_of(const std::vector<LinearLeg>& legs,
                                                const std::vector<Target>& targets,
                                                const Eigen::VectorXd& start);
  void begin(const GuidedKernels::Bound& bound, const Eigen::MatrixXd& omega,
             const Eigen::VectorXd& nu, Guide& guide) const;
  void prior(const GuidedKernels::Bound& bound, Eigen::VectorXd& mean,
             Eigen::VectorXd& deviation) const;

  const GuidedKernels& kernels_;
  const SeenRecord& record_;
};

}  // namespace divker::fit
