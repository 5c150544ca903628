// The linearised companion along the path without noise from the start of each transition.
#pragma once

#include <Eigen/Dense>
#include <cstddef>
#include <vector>

#include "divker/model.hpp"
#include "fit/series/legs.hpp"
#include "fit/series/path_clock.hpp"
#include "fit/series/path_program.hpp"

namespace divker::fit {

// A normal law for each transition, in coordinates.
struct NormalLegs {
  Eigen::MatrixXd mean;                     // M x transitions
  std::vector<Eigen::MatrixXd> covariance;  // M x M each
};

// The steps of some transitions that have equal numbers of them.
struct CompanionSteps {
  std::vector<double> jacobian;   // [step][transition][M x M], row after row
  std::vector<double> amplitude;  // [step][transition][M x K]: S sqrt(dt)
  Eigen::MatrixXd end;            // M x transitions, coordinates
};

class Companion {
 public:
  Companion(const Model& model, const LegRules& rules);

  // Of legs begin ... end - 1, at these values of all parameters of the model.
  [[nodiscard]] CompanionSteps follow(const std::vector<double>& parameters, const Legs& legs,
                                      std::size_t begin, std::size_t end) const;
  // Mean and covariance of e' = J e + S db, e = 0 at the start.
  [[nodiscard]] NormalLegs law(const std::vector<double>& parameters, const Legs& legs,
                               std::size_t threads) const;
  [[nodiscard]] std::size_t noise_count() const { return noise_count_; }

 private:
  LegRules rules_;
  PathClock clock_;
  PathProgram program_;
  std::size_t dimension_;
  std::size_t noise_count_;
};

}  // namespace divker::fit
