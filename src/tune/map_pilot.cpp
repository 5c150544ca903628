#include "tune/map_pilot.hpp"

#include <algorithm>
#include <cmath>

#include "divker/exact_step.hpp"
#include "tune/tuners.hpp"

namespace divker::tune {
namespace {

// With more states, and the kernel at hand, trials would take minutes to compile.
constexpr std::size_t largest_tried_dimension = 64;

// All divergence steps that are possible, by cost: first the shares of the kernel, then the
// mixtures around the best of them.
std::vector<DampingCandidate> screen_divergence(Trial& trial, DampingSurvey survey) {
  std::vector<DampingCandidate> tried =
      trial.compare_carefully(carrying_candidates(survey), screening_paths);
  const auto is_finite = [](const auto& candidate) { return std::isfinite(candidate.cost); };
  if (!std::any_of(tried.begin(), tried.end(), is_finite)) return tried;
  const Damping best = tried.front().damping;
  survey.best = &best;
  insert(tried, trial.compare_carefully(carrying_candidates(survey), screening_paths));
  insert(tried, trial.compare_carefully(tuned_from_states(trial), screening_paths));
  return tried;
}

}  // namespace

DampingChoice choose_for_map(Trial& trial) {
  const DampingSurvey survey = trial.survey();
  DampingChoice choice;
  choice.damping = kernel_damping();
  const std::size_t most_states =
      survey.noise_everywhere ? largest_tried_dimension : largest_exact_dimension;
  // What is impossible for both is refused by the kernel step.
  if (kink_of(trial.model()) || trial.model().dimension() > most_states) return choice;

  choice.candidates = screen_divergence(trial, survey);
  choice.paths = trial.final_paths();
  std::vector<DampingCandidate> final_round =
      trial.compare_carefully(best_of(choice.candidates), choice.paths);
  if (survey.noise_everywhere) {
    const auto reference = trial.compare({choice.damping}, choice.paths);
    if (reference.empty()) return choice;  // stopped
    choice.cost = reference.front().cost;
    insert(final_round, reference);
    const DampingCandidate& best = final_round.front();
    choice.damping = best.damping;
    choice.cost = best.cost;
  } else if (!final_round.empty()) {
    choice.damping = final_round.front().damping;
    choice.cost = final_round.front().cost;
  }
  choice.candidates.insert(choice.candidates.begin(), final_round.begin(), final_round.end());
  return choice;
}

}  // namespace divker::tune
