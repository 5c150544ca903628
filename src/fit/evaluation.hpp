// The model's law at some parameters, as the data see it: paths are run and matched. Everything
// that a fit asks of paths goes through here.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "divker/fit.hpp"
#include "divker/study.hpp"
#include "fit/matching.hpp"

namespace divker::fit {

struct Evaluation {
  Matching matching;  // in natural coordinates
  double psi_over_noise = 0.0;
  std::vector<std::array<Matrix, 2>> samples;  // observed points of the blocks, by halves
  Sampling sampling;
  RunSummary summary;
};

// By what the pilot compares dampings: the variances of the responses, where they vary, and tails.
[[nodiscard]] std::vector<double> response_variances(const Snapshot& snapshot);
[[nodiscard]] std::vector<double> response_tails(const Snapshot& snapshot);

enum class Numbers {
  common,  // the same random numbers at all parameters
  fresh,   // paths that no common run has
};

class Evaluator {
 public:
  // The arguments are kept by reference.
  Evaluator(const Model& model, const FitData& data, const FitOptions& options);

  // The law at `parameters`, with the state's active parameters, number of paths and detail; the
  // damping is chosen, and the steps are compiled, when the state names another point for it or
  // other active parameters than before. Nothing if the run was interrupted. Error(numerical) if
  // too few paths finish.
  [[nodiscard]] std::optional<Evaluation> evaluate(const FitState& state,
                                                   const std::vector<double>& parameters,
                                                   Numbers numbers = Numbers::common);

  // The name of the run that evaluate() makes at the state's parameters.
  [[nodiscard]] std::string run_name(const FitState& state) const;
  [[nodiscard]] std::size_t most_paths() const;
  // Is there more to learn from that many paths than instruments without all their detail do?
  [[nodiscard]] bool can_be_finer() const;
  // Has psi mean zero at the true law?
  [[nodiscard]] bool is_centred() const { return matcher_.centred; }
  [[nodiscard]] std::uint64_t seed() const;
  [[nodiscard]] unsigned threads() const;
  // The time before a snapshot over which responses are accumulated; nothing where it is all of the
  // time before the last one. Known after an evaluation.
  [[nodiscard]] std::optional<double> window() const;
  // By what share standard errors would be others with the derivative over four windows.
  [[nodiscard]] double window_bias() const;
  [[nodiscard]] TimeStep time_step() const;
  // Circumstances of small runs, and what the data see of paths of states alone; see Observer.
  [[nodiscard]] Session session() const;
  [[nodiscard]] const Observer& observer() const { return *observer_; }
  // How an evaluation was made, the last study's.
  [[nodiscard]] RunRecord record(const Evaluation& evaluation) const;

 private:
  // False if the run was interrupted.
  bool prepare(const FitState& state);
  bool choose_window(const TimeGrid& grid);
  void observe(double window);
  [[nodiscard]] std::optional<ObservedPaths> observed_by(const Sampling& sampling,
                                                         const Session& session);
  [[nodiscard]] MatchingOptions matching_options(Detail detail) const;

  const Model& model_;
  const FitData& data_;
  const FitOptions& options_;
  const Matcher& matcher_;
  std::string regressor_;
  double compile_seconds_ = 0.0;  // of studies that were given up
  // What the steps are compiled for, and where their damping was chosen.
  std::vector<std::size_t> active_;
  std::vector<double> chosen_at_;
  double window_ = 0.0;
  double window_bias_ = 0.0;
  std::optional<Observer> observer_;
  std::optional<Study> study_;
};

}  // namespace divker::fit
