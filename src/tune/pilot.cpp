#include "divker/pilot.hpp"

#include <fmt/format.h>

#include <chrono>
#include <cmath>

#include "divker/error.hpp"
#include "divker/plan.hpp"
#include "numbers/rounded.hpp"
#include "tune/map_pilot.hpp"
#include "tune/tangent_pilot.hpp"
#include "tune/trial.hpp"
#include "tune/tuners.hpp"

namespace divker {
namespace {

using tune::best_of;
using tune::insert;
using tune::screening_paths;
using tune::Tails;
using tune::Trial;
using tune::Tuner;

// Learning takes a compilation and a sweep over paths each round: smaller runs are over sooner.
constexpr std::size_t least_paths_to_learn_for = 16'384;
// Every weight costs the run an operation or two: less is not worth them.
constexpr double worthwhile_cost = 0.9;

// Less variance that rests on fewer paths is none.
bool is_better(Trial& trial, const DampingCandidate& learned, const DampingCandidate& other,
               std::size_t paths) {
  constexpr double heavier = 2.0;
  return learned.cost < worthwhile_cost * other.cost &&
         trial.measure(learned.damping, paths).error <
             heavier * trial.measure(other.damping, paths).error;
}

[[noreturn]] void throw_not_learned(const Damping& best) {
  throw Error(ErrorKind::numerical,
              fmt::format("Learned damping is not possible here: a path of the pilot failed, or "
                          "the run was interrupted. The best of the others is '{}'.",
                          best.text()));
}

// What is left open may be the form too, or only its numbers.
bool is_asked_for(const Tuner& tuner, const Damping& open) {
  return tune::tuner_of(open.form) == &tuner;
}

bool learning_pays(const Tuner& tuner, const Trial& trial, const Damping& open,
                   const Tuning& tuning) {
  if (tuner.from_covectors == nullptr) return false;
  if (is_asked_for(tuner, open)) return true;
  return open.form == nullptr && tuning.may_learn &&
         trial.sampling().paths >= least_paths_to_learn_for &&
         trial.model().dimension() <= tuner.most_states;
}

// First what the forms try without a guide, the constants; then, around the best of them, the other
// forms, those with a step of their own last.
std::vector<DampingCandidate> screen(Trial& trial, const Damping& open) {
  DampingSurvey survey = trial.survey();
  std::vector<DampingCandidate> tried =
      trial.compare(tune::carrying_candidates(survey), screening_paths);
  if (tried.empty()) return tried;
  const Damping best = tried.front().damping;
  survey.best = &best;
  if (open.form != nullptr) {
    const std::vector<Damping> own = open.form->candidates(survey);
    if (!own.empty()) return trial.compare(own, screening_paths);
  }
  insert(tried, trial.compare(tune::carrying_candidates(survey), screening_paths));
  if (!survey.score_free) {
    Damping early = best;
    early.early = true;
    insert(tried, trial.compare({early}, screening_paths));
  }
  insert(tried, trial.compare(tune::tuned_from_states(trial), screening_paths));
  insert(tried, trial.compare(tune::noise_only_candidates(survey), screening_paths));
  return tried;
}

// What is learned from the finalists goes among them, in front where it was asked for or is better.
void add_learned(Trial& trial, const Tuner& tuner, const Damping& open, std::size_t paths,
                 DampingChoice& choice, std::vector<DampingCandidate>& final_round) {
  const std::vector<DampingCandidate> learned = tuner.from_covectors(trial, final_round, paths);
  const bool must_be = is_asked_for(tuner, open);
  if (must_be && learned.empty()) throw_not_learned(final_round.front().damping);
  if (learned.empty()) return;
  if (must_be || is_better(trial, learned.front(), final_round.front(), paths)) {
    choice.damping = learned.front().damping;
    choice.cost = learned.front().cost;
  }
  insert(final_round, learned);
}

DampingChoice choose_by_trial(Trial& trial, const Damping& open, const Tuning& tuning) {
  DampingChoice choice;
  const TimeGrid& grid = trial.model().time();
  choice.paths = trial.final_paths();
  choice.candidates = screen(trial, open);
  std::vector<DampingCandidate> final_round =
      trial.compare(best_of(choice.candidates), choice.paths, Tails::measured);
  if (final_round.empty()) {  // stopped before anything was measured
    choice.damping = constant_damping(rounded(1.0 / (grid.end - grid.start)), true);
    return choice;
  }
  const Damping winner = final_round.front().damping;
  insert(final_round,
         trial.compare(winner.form->neighbours(winner, grid.step), choice.paths, Tails::measured));
  choice.damping = final_round.front().damping;
  choice.cost = final_round.front().cost;
  for (const Tuner& tuner : tune::tuners()) {
    if (!learning_pays(tuner, trial, open, tuning)) continue;
    add_learned(trial, tuner, open, choice.paths, choice, final_round);
  }
  choice.candidates.insert(choice.candidates.begin(), final_round.begin(), final_round.end());
  return choice;
}

}  // namespace

DampingChoice choose_damping(const Model& model, const Method& method, const Asked& asked,
                             const Sampling& sampling, const Session& session,
                             const Tuning& tuning) {
  const auto began = std::chrono::steady_clock::now();
  if (const auto why = refusal(model, method, asked)) throw Error(*why);
  const Damping& open = method.damping;
  DampingChoice choice;
  if (open.form != nullptr && !open.open) {
    choice.damping = open;
    return choice;
  }
  if (asked.tangents && !tune::has_damped_tangents(model)) {
    choice.damping = no_damping();
    return choice;
  }
  if (open.form == nullptr && !has_time_step(model) && tuning.parameters_move) {
    choice.damping = kernel_damping();
    return choice;
  }
  const Tuner* tuner = tune::tuner_of(open.form);
  if (tuner != nullptr && tuner->from_states != nullptr) {
    const tune::Tuned tuned = tuner->from_states(model, sampling, session);
    choice.damping = tuned.damping;
    choice.compile_seconds = tuned.compile_seconds;
    return choice;
  }
  Trial trial(model, method, asked, sampling, session, tuning);
  choice = asked.tangents         ? tune::choose_for_tangents(trial)
           : has_time_step(model) ? choose_by_trial(trial, open, tuning)
                                  : tune::choose_for_map(trial);
  choice.compile_seconds = trial.compile_seconds();
  choice.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  return choice;
}

}  // namespace divker
