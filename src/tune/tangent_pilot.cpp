#include "tune/tangent_pilot.hpp"

#include <algorithm>
#include <functional>

namespace divker::tune {
namespace {

// Some twelve candidates then take a fifth of the run.
std::size_t paths_of_candidate(const Trial& trial) {
  return std::clamp<std::size_t>(trial.sampling().paths / 64, 128, 1024);
}

// What does nothing is no work either.
Damping in_short(const Damping& damping) {
  const bool is_nothing = damping.form == constant_damping(0.0).form && damping.alpha == 0.0;
  return is_nothing ? no_damping() : damping;
}

// How much is handed over on the whole, as a rate.
double mean_rate(const Damping& damping, const TimeGrid& grid) {
  double sum = 0.0;
  double rate = 0.0;
  for (std::size_t n = 0; n < grid.steps(); ++n) {
    damping.arguments(n, grid, {&rate, 1});
    sum += rate;
  }
  return sum / static_cast<double>(grid.steps());
}

// Few paths tell little of tails, which damping makes light: of those that are nearly as good as
// the best, the most damped one.
const DampingCandidate& safest(const std::vector<DampingCandidate>& ordered, const TimeGrid& grid) {
  constexpr double nearly = 1.15;
  const DampingCandidate* safe = &ordered.front();
  for (const DampingCandidate& one : ordered) {
    const bool is_as_good = one.cost <= nearly * ordered.front().cost;
    if (is_as_good && mean_rate(one.damping, grid) > mean_rate(safe->damping, grid)) safe = &one;
  }
  return *safe;
}

}  // namespace

bool has_damped_tangents(const Model& model) {
  return model.singular_noise().empty() &&
         std::any_of(model.noisy().begin(), model.noisy().end(), std::identity{});
}

DampingChoice choose_for_tangents(Trial& trial) {
  DampingSurvey survey = trial.survey();
  DampingChoice choice;
  choice.paths = paths_of_candidate(trial);
  choice.candidates = trial.compare(carrying_candidates(survey), choice.paths, Tails::measured);
  if (choice.candidates.empty()) {  // stopped before anything was measured
    choice.damping = survey.hands_over ? late_damping(0.0) : no_damping();
    return choice;
  }
  const Damping best = choice.candidates.front().damping;
  survey.best = &best;
  std::vector<Damping> around = carrying_candidates(survey);
  if (best.alpha > 0.0 && !survey.is_map) {
    const std::vector<Damping> neighbours = constant_damping(1.0).form->neighbours(best, survey.dt);
    around.insert(around.end(), neighbours.begin(), neighbours.end());
  }
  insert(choice.candidates, trial.compare(around, choice.paths, Tails::measured));
  const DampingCandidate& chosen = safest(choice.candidates, trial.model().time());
  choice.damping = in_short(chosen.damping);
  choice.cost = chosen.cost;
  return choice;
}

}  // namespace divker::tune
