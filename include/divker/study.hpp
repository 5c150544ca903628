// A model with a method that was chosen, planned and compiled for what is asked of it: the one way
// from a question to paths. Score, response, stationary answers, fits and diagnoses are made of it.
#pragma once

#include <string>

#include "divker/ensemble.hpp"
#include "divker/method.hpp"
#include "divker/model.hpp"
#include "divker/pilot.hpp"
#include "divker/record.hpp"
#include "divker/sampling.hpp"

namespace divker {

class Study {
 public:
  // Chooses what the damping leaves open, by a pilot on paths other than the sampling's, then plans
  // and compiles. States alone have no damping. Errors as choose_damping() and Ensemble.
  Study(const Model& model, const Method& method, const Asked& asked, const Sampling& sampling,
        const Session& session = {}, const Tuning& tuning = {});

  [[nodiscard]] const Model& model() const { return ensemble_.model(); }
  [[nodiscard]] const Plan& plan() const { return ensemble_.plan(); }
  [[nodiscard]] const Sampling& sampling() const { return sampling_; }
  [[nodiscard]] const Session& session() const { return session_; }
  // What was done so far; estimators add to it.
  [[nodiscard]] RunRecord& record() { return record_; }
  [[nodiscard]] const RunRecord& record() const { return record_; }

  // Other paths, other circumstances, other values of the parameters for the runs to come.
  void use(const Sampling& sampling) { sampling_ = sampling; }
  void use(const Session& session) { session_ = session; }
  void set_model(const Model& model) { ensemble_.set_model(model); }
  // Another choice of the damping, of the same form. Error(usage) for another.
  void set_damping(const DampingChoice& choice);

  // Runs, and records how the run went. `kept`: what the collector keeps, in words, for a saved
  // run.
  const RunSummary& run(Collector& collector, const std::string& kept);
  // All paths in arrays.
  [[nodiscard]] Paths run();
  // All paths in arrays, of another sampling and perhaps at other values or on another time grid,
  // neither saved nor recorded.
  [[nodiscard]] Paths run_aside(const Sampling& sampling) const;
  [[nodiscard]] Paths run_aside(const Model& model, const Sampling& sampling) const;

 private:
  struct Choice;
  Study(Choice choice, const Sampling& sampling, const Session& session);
  const RunSummary& finished(const RunSummary& summary);

  Sampling sampling_;
  Session session_;
  RunRecord record_;
  Ensemble ensemble_;
};

}  // namespace divker
