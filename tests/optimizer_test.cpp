#include "fit/optimizer.hpp"

#include <gtest/gtest.h>

#include "divker/error.hpp"

namespace divker::fit {
namespace {

using Eigen::Matrix2d;
using Eigen::Vector2d;
using Eigen::VectorXd;

// A mean log-likelihood that is a parabola: psi = H (root - u).
struct Parabola {
  Matrix2d information{{1.0, 0.3}, {0.3, 0.5}};
  Vector2d root{0.4, -0.7};

  [[nodiscard]] Ground at(const Vector2d& u, std::size_t iteration) const {
    Ground ground;
    ground.here.psi = information * (root - u);
    ground.here.information = information;
    ground.here.asymmetry = Matrix2d::Zero();
    ground.here.data_covariance = information / 1000.0;
    ground.here.model_covariance = Matrix2d::Zero();
    ground.here.effect = Vector2d::Constant(1000.0);
    const Matrix2d root_of_information = information.llt().matrixU();
    ground.features = {root_of_information, root_of_information * (root - u)};
    ground.largest = Vector2d::Constant(0.5);
    ground.iteration = iteration;
    ground.attempt = [this, u](const VectorXd& change) -> std::optional<Trial> {
      const Vector2d there = u + change;
      Trial trial;
      trial.parameters = {there[0], there[1]};
      trial.psi = information * (root - there);
      trial.gain = 0.5 * (information * (root - u) + trial.psi).dot(change);
      return trial;
    };
    return ground;
  }
};

TEST(Optimizer, EachFindsTheRootOfALinearSystem) {
  const Parabola parabola;
  for (const std::string& name : optimizer_names()) {
    const auto optimizer = make_optimizer(name, {});
    std::vector<double> memory = optimizer->first_memory(2);
    Vector2d u{2.0, 1.0};
    for (std::size_t i = 1; i <= 1000; ++i) {
      Advance advance = optimizer->step(parabola.at(u, i), memory);
      if (!advance.taken) break;
      memory = advance.memory;
      u = Vector2d(advance.taken->parameters[0], advance.taken->parameters[1]);
      EXPECT_EQ(memory.size(), optimizer->first_memory(2).size()) << name;
    }
    // Newton stops where rounding drowns the gain.
    EXPECT_LT((u - parabola.root).norm(), 1e-4) << name;
  }
}

TEST(Optimizer, NewtonKeepsToTheLargestChange) {
  const auto newton = make_optimizer("newton", {0.0, 100.0});
  const Vector2d u{5.0, 4.0};
  const Advance advance = newton->step(Parabola().at(u, 1), newton->first_memory(2));
  ASSERT_TRUE(advance.taken);
  const Vector2d there(advance.taken->parameters[0], advance.taken->parameters[1]);
  EXPECT_LE((there - u).cwiseAbs().maxCoeff(), 0.5 + 1e-12);
}

TEST(Optimizer, NewtonHalvesAStepWhosePathsFail) {
  const auto newton = make_optimizer("newton", {});
  const Parabola parabola;
  Ground ground = parabola.at({0.5, -0.6}, 1);
  std::size_t failures = 2;
  ground.attempt = [&failures, attempt = ground.attempt](const VectorXd& change) {
    if (failures > 0) {
      --failures;
      throw Error(ErrorKind::numerical, "Too few paths finished.");
    }
    return attempt(change);
  };
  const Advance advance = newton->step(ground, newton->first_memory(2));
  ASSERT_TRUE(advance.taken);
  EXPECT_EQ(advance.halvings, 2U);
  EXPECT_LT(advance.memory.front(), 1.0);
}

TEST(Optimizer, AnInterruptedStepIsNeitherTakenNorStuck) {
  for (const std::string& name : optimizer_names()) {
    const auto optimizer = make_optimizer(name, {});
    Ground ground = Parabola().at({2.0, 1.0}, 1);
    ground.attempt = [](const VectorXd&) { return std::optional<Trial>(); };
    const Advance advance = optimizer->step(ground, optimizer->first_memory(2));
    EXPECT_FALSE(advance.taken) << name;
    EXPECT_EQ(advance.stuck, "") << name;
  }
}

}  // namespace
}  // namespace divker::fit
