// Trial runs of candidates for the damping on common paths: what the pilots are made of.
#pragma once

#include <cstddef>
#include <limits>
#include <vector>

#include "divker/pilot.hpp"

namespace divker::tune {

inline constexpr std::size_t screening_paths = 256;
inline constexpr std::size_t most_finalists = 4;

// The relative standard error of the variance of the worst column, sqrt(sum d^4) / sum d^2 over the
// deviations d from the mean. About sqrt(3/n) for n normal numbers; near one where a single path
// decides, and the variance means nothing.
[[nodiscard]] double variance_error(const Matrix& values);

// Whether a trial measures tail indices. Screening has too few paths for them.
enum class Tails { unknown, measured };

// What a trial found.
struct Measured {
  double cost = 0.0;   // geometric mean of the variances; infinite if a path failed
  double error = 0.0;  // variance_error of the responses, or of nu where there are none
  double tail_index = std::numeric_limits<double>::quiet_NaN();  // the heaviest of the summands
};

// Runs candidates on common paths, compiling each form once. The pilot's paths are others than the
// run's: the choice must not know the answer.
class Trial {
 public:
  Trial(const Model& model, const Method& method, const Asked& asked, const Sampling& sampling,
        const Session& session, const Tuning& tuning);

  [[nodiscard]] const Model& model() const { return model_; }
  [[nodiscard]] const Asked& asked() const { return asked_; }
  [[nodiscard]] const Sampling& sampling() const { return sampling_; }  // of the pilot's paths
  [[nodiscard]] const Session& session() const { return session_; }
  [[nodiscard]] double compile_seconds() const;
  // Of programs that others compiled for the trial.
  void add_compile_seconds(double seconds) { compile_seconds_ += seconds; }
  // Paths of the final comparison.
  [[nodiscard]] std::size_t final_paths() const;
  // What the forms are told when they are asked for candidates, before the first round.
  [[nodiscard]] DampingSurvey survey() const;

  [[nodiscard]] Measured measure(const Damping& damping, std::size_t paths,
                                 Tails tails = Tails::unknown);
  // Ordered by `is_before`; empty once the run was told to stop.
  [[nodiscard]] std::vector<DampingCandidate> compare(const std::vector<Damping>& grid,
                                                      std::size_t paths,
                                                      Tails tails = Tails::unknown);
  // The same with costs two of their standard errors higher, infinite where few paths decide.
  [[nodiscard]] std::vector<DampingCandidate> compare_carefully(const std::vector<Damping>& grid,
                                                                std::size_t paths);
  // Paths of the pilot's, recorded at the times asked for.
  [[nodiscard]] Paths run(const Damping& damping, std::size_t paths,
                          const std::vector<double>& snapshots);

 private:
  [[nodiscard]] Ensemble& ensemble_for(const Damping& damping);

  const Model& model_;
  const Method& method_;
  const Asked& asked_;
  Sampling sampling_;
  Session session_;
  const Tuning& tuning_;
  std::vector<Ensemble> ensembles_;
  double compile_seconds_ = 0.0;
};

// The candidates of all forms whose steps carry a covector, or of the noise-only ones.
[[nodiscard]] std::vector<Damping> carrying_candidates(const DampingSurvey& survey);
[[nodiscard]] std::vector<Damping> noise_only_candidates(const DampingSurvey& survey);

// The order of candidates: by cost, which counts a quarter more where the tail index is 0.5 and
// above. A tail that was not measured is taken as light.
[[nodiscard]] bool is_before(const DampingCandidate& a, const DampingCandidate& b);

// Puts `more` among the candidates, by `is_before`.
void insert(std::vector<DampingCandidate>& all, const std::vector<DampingCandidate>& more);

// The first few of them.
[[nodiscard]] std::vector<Damping> best_of(const std::vector<DampingCandidate>& candidates);

}  // namespace divker::tune
