// Many paths at once, on all cores and ranks, to the bit reproducible.
#pragma once

#include <cstddef>
#include <memory>

#include "divker/method.hpp"
#include "divker/model.hpp"
#include "divker/paths.hpp"
#include "divker/plan.hpp"
#include "divker/sampling.hpp"

namespace divker {

// A model with its planned and compiled step. Compiles once; runs with any parameters, time grid,
// damping of the same form, seed and number of paths.
class Ensemble {
 public:
  // Plans and compiles. Errors as plan() and Marcher::prepare(). `marcher` null: vectors of this
  // processor.
  Ensemble(const Model& model, const Method& method, const Asked& asked = {},
           const Marcher* marcher = nullptr);
  ~Ensemble();
  Ensemble(const Ensemble&) = delete;
  Ensemble& operator=(const Ensemble&) = delete;
  Ensemble(Ensemble&&) noexcept;
  Ensemble& operator=(Ensemble&&) noexcept;

  [[nodiscard]] const Model& model() const;
  [[nodiscard]] const Plan& plan() const;
  [[nodiscard]] double compile_seconds() const;
  // Other parameter values, samples or time grid for the runs to come. The model must have equal
  // equations.
  void set_model(const Model& model);
  // Other numbers of the damping. Error(usage) for another form.
  void set_damping(const Damping& damping);

  // Memory: what the collector keeps, and about 256 (2M + responses) snapshots doubles a thread.
  // Cost: paths * steps * operations. Throws Error(usage) for bad options, Error(numerical) when
  // too many paths failed. With a checkpoint it goes on from what was saved, and saves; a saved run
  // of other options is Error(usage), a damaged one Error(model). Saving takes the memory of what
  // the collector keeps a second time.
  [[nodiscard]] RunSummary run(const Sampling& sampling, Collector& collector,
                               const Session& session = {}) const;
  // Everything in arrays: paths * snapshots * (2M + responses) doubles.
  [[nodiscard]] Paths run(const Sampling& sampling, const Session& session = {}) const;
  // The same at other values of the parameters or on another time grid, for this run alone.
  [[nodiscard]] Paths run_at(const Model& model, const Sampling& sampling,
                             const Session& session = {}) const;

 private:
  struct Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace divker
