// Trial runs of candidates for the damping on common paths: what the pilots are made of.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "divker/pilot.hpp"

namespace divker::tune {

inline constexpr std::size_t screening_paths = 256;
inline constexpr std::size_t finalists = 4;
inline constexpr std::size_t largest_gaussian_dimension = 64;
// Of the final comparison.
[[nodiscard]] std::size_t final_paths(const RunOptions& run);

// The relative standard error of the variance of the worst column, sqrt(sum d^4) / sum d^2 over the
// deviations d from the mean. About sqrt(3/n) for n normal numbers; near one where a single path
// decides, and the variance means nothing.
[[nodiscard]] double variance_error(const Matrix& values);

// What a trial found.
struct Measured {
  double cost = 0.0;   // geometric mean of the variances; infinite if a path failed
  double error = 0.0;  // variance_error of the responses, or of nu where there are none
};

// Runs candidates on common paths, compiling each form once. The pilot's paths are others than the
// run's: the choice must not know the answer.
class Trial {
 public:
  Trial(const Model& model, const StepOptions& step, const RunOptions& run,
        const VarianceMeasure& measure)
      : model_(model), step_(step), run_(run), measure_(measure) {}

  [[nodiscard]] Measured measure(const Damping& damping, std::size_t paths);
  // Ordered by cost, cheapest first; empty once the run was told to stop.
  [[nodiscard]] std::vector<DampingCandidate> compare(const std::vector<Damping>& grid,
                                                      std::size_t paths);
  // The same with costs two of their standard errors higher, infinite where few paths decide.
  [[nodiscard]] std::vector<DampingCandidate> compare_carefully(const std::vector<Damping>& grid,
                                                                std::size_t paths);
  // Gaussian damping from paths of the pilot's; none for many states or a singular covariance.
  [[nodiscard]] std::vector<Damping> gaussian_if_possible() const;
  // Paths of the pilot's, recorded at the times asked for.
  [[nodiscard]] Paths run(const Damping& damping, std::size_t paths,
                          const std::vector<double>& snapshots);

 private:
  [[nodiscard]] const Ensemble& ensemble_for(const Damping& damping);

  const Model& model_;
  const StepOptions& step_;
  const RunOptions& run_;
  const VarianceMeasure& measure_;
  std::map<std::pair<DampingForm, std::shared_ptr<const CovectorCovariance>>, Ensemble> ensembles_;
};

// Puts `more` among the candidates, by cost.
void insert(std::vector<DampingCandidate>& all, const std::vector<DampingCandidate>& more);

// The first few of them.
[[nodiscard]] std::vector<Damping> best_of(const std::vector<DampingCandidate>& candidates);

}  // namespace divker::tune
