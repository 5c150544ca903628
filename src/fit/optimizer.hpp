// How a fit moves: an optimiser follows psi, the gradient of the mean log-likelihood.
#pragma once

#include <Eigen/Dense>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "fit/evaluation.hpp"

namespace divker::fit {

// The law at a point that an optimiser has tried.
struct Trial {
  std::vector<double> parameters;
  Evaluation evaluation;
  Eigen::VectorXd psi;      // in the free coordinates
  double gain = 0.0;        // in mean log-likelihood, or in the divergence that is made small
  double gain_error = 0.0;  // standard error, where it is measured
};

// How the means of features over the model move with the parameters, in their own metric: the
// covariance of features is 1, and rows of several blocks of the data have the root of their share.
struct FeatureSlopes {
  Eigen::MatrixXd jacobian;  // features x parameters
  Eigen::VectorXd asked;     // what the means should move by
  double noise = 0.0;        // of the squares of a row of the Jacobian, from the sampling of paths
  double curvature = 1.0;    // asked by a half of its square is the gain that moving by it has
};

// What an optimiser sees, in the free coordinates of bounds.hpp.
struct Ground {
  Matching here;  // psi alone where the law is known by features
  std::optional<FeatureSlopes> features;
  Eigen::VectorXd largest;    // change of each coordinate in one step
  std::size_t iteration = 0;  // from 1
  double pace = 1.0;          // of steps without line control, as a part of their own size
  // The law after a change. Nothing if the run was interrupted; Error(numerical) where paths fail.
  std::function<std::optional<Trial>(const Eigen::VectorXd& change)> attempt;
};

struct Advance {
  std::optional<Trial> taken;
  double length = 0.0;         // sqrt(change^T H change); where H is not known, of the change
  std::size_t halvings = 0;    // by the line control, or because paths failed
  std::string stuck;           // why nothing was taken, in words; empty: it was interrupted
  std::vector<double> memory;  // for the next step
  double pace = 1.0;           // for the next step, as a part of the one before
};

// Between steps an optimiser has no state but its memory, which is part of the fit's: the same
// memory on the same ground makes the same step.
class Optimizer {
 public:
  Optimizer() = default;
  virtual ~Optimizer() = default;
  Optimizer(const Optimizer&) = delete;
  Optimizer& operator=(const Optimizer&) = delete;
  Optimizer(Optimizer&&) = delete;
  Optimizer& operator=(Optimizer&&) = delete;

  // Do the first steps make do with a part of the paths?
  [[nodiscard]] virtual bool begins_small() const { return false; }
  // Does it need H and its noise, which only the matching equations give? Or how the means of
  // features move, which it has where the law is known by features?
  [[nodiscard]] virtual bool needs_information() const { return false; }
  [[nodiscard]] virtual bool needs_features() const { return false; }
  // Before the first step. Its size is that of all memories for as many parameters; when parameters
  // are dropped, a memory whose size does not depend on them is kept.
  [[nodiscard]] virtual std::vector<double> first_memory(std::size_t parameters) const = 0;
  // After a step that had to be undone, for optimisers with a control of their own.
  [[nodiscard]] virtual std::vector<double> slower(std::vector<double> memory) const {
    return memory;
  }
  [[nodiscard]] virtual Advance step(const Ground& ground, std::vector<double> memory) const = 0;
};

struct OptimizerOptions {
  double rate = 0.0;    // 0: the optimiser's own
  double radius = 1.0;  // of the first step, in standard deviations of the law
};

// What the file of an optimiser gives to the table in optimizer.cpp.
using MakeOptimizer = std::unique_ptr<Optimizer>(const OptimizerOptions& options);

// Error(usage) for an unknown name, with the known ones.
[[nodiscard]] std::unique_ptr<Optimizer> make_optimizer(const std::string& name,
                                                        const OptimizerOptions& options);

// The step of an optimiser that has no line control. Where paths fail it is undone and halved, and
// so are those to come.
[[nodiscard]] Advance take(const Ground& ground, const Eigen::VectorXd& change,
                           std::vector<double> memory);

}  // namespace divker::fit
