// What dt adds to finite differences, from paths in pairs at dt and at dt/2.
#pragma once

#include <cstddef>
#include <vector>

#include "answer/finite_difference.hpp"
#include "answer/time_step.hpp"

namespace divker {

// Runs of one model at shifted parameters, with the same random numbers for all shifts and for both
// steps. Two kernels of the states alone are compiled.
class PairedDifferences {
 public:
  // `run`: the sampling of the answer that the pairs go with.
  PairedDifferences(const Model& model, const Sampling& run, const Session& session,
                    const PathFunction& function, const std::vector<std::size_t>& functionals = {});

  // 2 (A(dt) - A(dt/2)) of the mean, at the parameters of the model.
  [[nodiscard]] StepBias of_mean();
  // The same of every quantity of a central difference.
  [[nodiscard]] std::vector<StepBias> of(const Differencing& differencing, std::size_t parameter,
                                         double h);
  [[nodiscard]] std::size_t paths_run() const { return coarse_.paths_run() + fine_.paths_run(); }

 private:
  Model half_;
  Sampling sampling_;
  ShiftedRuns coarse_, fine_;
};

}  // namespace divker
