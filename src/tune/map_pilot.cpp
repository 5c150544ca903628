#include "tune/map_pilot.hpp"

#include <algorithm>
#include <cmath>
#include <functional>

#include "divker/exact_step.hpp"
#include "tune/trial.hpp"

namespace divker::tune {
namespace {

// With more states, and the kernel at hand, trials would take minutes to compile.
constexpr std::size_t largest_tried_dimension = 64;

Damping kernel() {
  Damping damping;
  damping.form = DampingForm::kernel;
  return damping;
}

// Shares of the kernel in the covector, with the response in divergence form.
std::vector<Damping> divergence_grid() {
  std::vector<Damping> grid;
  for (const double a : {0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 1.0}) {
    Damping damping;
    damping.alpha = a;
    grid.push_back(damping);
  }
  return grid;
}

// Shares of the likelihood ratio in the response, and the kernel's own share a.
std::vector<Damping> mixed_grid(double a) {
  std::vector<Damping> grid;
  for (const double c : {0.25, 0.5, 0.75}) {
    Damping damping;
    damping.form = DampingForm::mixed;
    damping.alpha = a;
    damping.likelihood = c;
    grid.push_back(damping);
  }
  return grid;
}

// All divergence steps that are possible, by cost.
std::vector<DampingCandidate> screen(Trial& trial, const StepOptions& step,
                                     bool kernel_is_possible) {
  std::vector<DampingCandidate> tried = trial.compare_carefully(divergence_grid(), screening_paths);
  const auto is_finite = [](const auto& candidate) { return std::isfinite(candidate.cost); };
  if (!std::any_of(tried.begin(), tried.end(), is_finite)) return tried;
  if (kernel_is_possible && !step.responses.empty()) {
    const double best = tried.front().damping.alpha;
    insert(tried, trial.compare_carefully(mixed_grid(best), screening_paths));
  }
  insert(tried, trial.compare_carefully(trial.gaussian_if_possible(), screening_paths));
  return tried;
}

}  // namespace

DampingChoice choose_for_map(const Model& model, const StepOptions& step, const RunOptions& run,
                             const VarianceMeasure& measure) {
  DampingChoice choice;
  choice.damping = kernel();
  const bool kernel_is_possible =
      std::all_of(model.noisy().begin(), model.noisy().end(), std::identity{});
  const std::size_t most_states =
      kernel_is_possible ? largest_tried_dimension : largest_exact_dimension;
  // What is impossible for both is refused by the kernel step.
  if (kink_of(model) || model.dimension() > most_states) return choice;

  Trial trial(model, step, run, measure);
  choice.candidates = screen(trial, step, kernel_is_possible);
  choice.paths = final_paths(run);
  std::vector<DampingCandidate> final_round =
      trial.compare_carefully(best_of(choice.candidates), choice.paths);
  if (kernel_is_possible) {
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
