// Gauss and Newton's steps for many parameters, solved among the features where these are fewer.
#include <algorithm>
#include <cmath>
#include <utility>

#include "divker/error.hpp"
#include "fit/optimizer.hpp"

namespace divker::fit {
namespace {

constexpr std::size_t most_attempts = 8;
constexpr double most_damping = 1e3;

// J^T (J J^T + r)^-1 d = (J^T J + r)^-1 J^T d for any r, from the eigenvectors of the smaller one.
class DampedInverse {
 public:
  explicit DampedInverse(const FeatureSlopes& features)
      : jacobian_(features.jacobian), among_features_(jacobian_.rows() <= jacobian_.cols()) {
    Eigen::MatrixXd products;
    if (among_features_) {
      products.noalias() = jacobian_ * jacobian_.transpose();
    } else {
      products.noalias() = jacobian_.transpose() * jacobian_;
    }
    solver_.compute(products);
    right_ = solver_.eigenvectors().transpose() *
             (among_features_ ? features.asked : jacobian_.transpose() * features.asked);
  }
  [[nodiscard]] Eigen::VectorXd step(double damping) const {
    const Eigen::ArrayXd values = solver_.eigenvalues().array().max(0.0) + damping;
    const Eigen::VectorXd inner = solver_.eigenvectors() * (right_.array() / values).matrix();
    return among_features_ ? jacobian_.transpose() * inner : inner;
  }

 private:
  const Eigen::MatrixXd& jacobian_;
  bool among_features_;
  Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver_;
  Eigen::VectorXd right_;
};

// Levenberg's rule: the damping, in units of the noise of J J^T, follows how well the gain in the
// divergence was foreseen.
class Dual : public Optimizer {
 public:
  [[nodiscard]] bool needs_features() const override { return true; }
  // The damping.
  [[nodiscard]] std::vector<double> first_memory(std::size_t /*parameters*/) const override {
    return {1.0};
  }

  [[nodiscard]] std::vector<double> slower(std::vector<double> memory) const override {
    memory.front() *= 16.0;
    return memory;
  }

  [[nodiscard]] Advance step(const Ground& ground, std::vector<double> memory) const override {
    constexpr double least_damping = 1e-9;
    const FeatureSlopes& features = ground.features.value();
    const DampedInverse inverse(features);
    double& damping = memory.front();
    Advance advance;
    for (; advance.halvings < most_attempts; ++advance.halvings, damping *= 4.0) {
      Eigen::VectorXd change = inverse.step(features.noise * damping + least_damping);
      const Eigen::ArrayXd share = change.array().abs() / ground.largest.array();
      change /= std::max(1.0, share.maxCoeff());
      const Eigen::VectorXd moved = features.jacobian * change;
      const double foreseen =
          features.curvature * (features.asked.dot(moved) - 0.5 * moved.squaredNorm());
      std::optional<Trial> there;
      try {
        there = ground.attempt(change);
        if (!there) return {};
      } catch (const Error& error) {
        if (error.kind() != ErrorKind::numerical) throw;
      }
      // What is foreseen may be less than can be measured: psi knows the minimum better.
      if (!there || !(there->gain + there->gain_error > 0.25 * foreseen)) continue;
      if (there->gain > 0.6 * foreseen) damping /= 3.0;
      advance.taken = std::move(there);
      advance.length = moved.norm();
      advance.memory = std::move(memory);
      return advance;
    }
    damping = std::min(damping, most_damping);
    advance.stuck = "no step lowers the divergence";
    advance.memory = std::move(memory);
    return advance;
  }
};

}  // namespace

std::unique_ptr<Optimizer> make_dual(const OptimizerOptions& /*options*/) {
  return std::make_unique<Dual>();
}

}  // namespace divker::fit
