// How a fit goes on, iteration by iteration, and what it has found: by matching equations
// (schedule.hpp), or by features of the law (training/training.hpp).
#pragma once

#include <memory>
#include <string>

#include "divker/fit.hpp"
#include "fit/optimizer.hpp"

namespace divker::fit {

class Procedure {
 public:
  // The arguments are kept by reference. `fingerprint`: of all that the fit depends on; `radius`:
  // see OptimizerOptions.
  Procedure(const Model& model, const FitData& data, const FitOptions& options,
            std::string fingerprint, double radius);
  virtual ~Procedure() = default;
  Procedure(const Procedure&) = delete;
  Procedure& operator=(const Procedure&) = delete;
  Procedure(Procedure&&) = delete;
  Procedure& operator=(Procedure&&) = delete;

  [[nodiscard]] const FitState& state() const { return state_; }
  // The errors of Fit::resume.
  void resume(FitState state);
  // One iteration, see Fit::advance.
  virtual bool advance() = 0;
  [[nodiscard]] virtual FitResult result() = 0;
  // The name of the run at the parameters where the fit stands.
  [[nodiscard]] virtual std::string current_run() const = 0;

 protected:
  // What is known of the law where the fit stands no longer holds.
  virtual void forget_law() = 0;
  // What may help a fit that has not converged, behind the reason; empty: nothing is known.
  [[nodiscard]] virtual std::string advice() const { return {}; }
  void end(bool converged, std::string reason);

  const Model& model_;
  const FitData& data_;
  const FitOptions& options_;
  std::unique_ptr<Optimizer> optimizer_;
  FitState state_;
};

}  // namespace divker::fit
