#include "divker/pilot.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <functional>
#include <string>

#include "divker/error.hpp"
#include "tune/covariance_regression.hpp"
#include "tune/map_pilot.hpp"
#include "tune/trial.hpp"

namespace divker {
namespace {

using tune::best_of;
using tune::insert;
using tune::screening_paths;
using tune::Trial;

// Three digits are more than the choice is worth, and read well in a report: the nearest number to
// such a decimal.
double rounded(double value) {
  const int digits = 2 - static_cast<int>(std::floor(std::log10(value)));
  const double scale = std::pow(10.0, std::abs(digits));
  return digits >= 0 ? std::round(value * scale) / scale : std::round(value / scale) * scale;
}

Damping constant(double alpha, bool early) {
  Damping damping;
  damping.alpha = rounded(alpha);
  damping.early = early;
  return damping;
}

Damping jacobian(double alpha, double beta) {
  Damping damping = constant(alpha, false);
  damping.form = DampingForm::jacobian;
  damping.beta = beta;
  return damping;
}

// alpha over four decades below 1/dt, half a decade apart.
std::vector<Damping> constant_grid(double dt, bool early) {
  std::vector<Damping> grid;
  for (int k = 0; k <= 8; ++k) grid.push_back(constant(std::pow(10.0, -0.5 * k) / dt, early));
  return grid;
}

// The Jacobian correction does part of the work of alpha, so that the best alpha with it is at or
// below the best one without.
std::vector<Damping> jacobian_grid(double best_constant) {
  std::vector<Damping> grid;
  for (const double factor : {1.0, 0.32, 0.1}) {
    for (const double beta : {0.5, 1.0}) grid.push_back(jacobian(best_constant * factor, beta));
  }
  return grid;
}

// Neighbours of the best candidate.
std::vector<Damping> refinement(const Damping& best, double dt) {
  if (best.form != DampingForm::scalar && best.form != DampingForm::jacobian) return {};
  std::vector<Damping> grid;
  for (const double factor : {0.56, 1.78}) {
    Damping neighbour = best;
    neighbour.alpha = std::min(rounded(best.alpha * factor), 1.0 / dt);
    grid.push_back(neighbour);
  }
  if (best.form == DampingForm::scalar) return grid;
  for (const double change : {-0.25, 0.25}) {
    Damping neighbour = best;
    neighbour.beta += change;
    grid.push_back(neighbour);
  }
  return grid;
}

// Where sites do not share their law, every path is one sample of it.
std::size_t learning_paths(const Model& model) {
  constexpr std::size_t few_states = 6;
  return model.dimension() <= few_states ? 8192 : 2048;
}

constexpr std::size_t learning_rounds = 2;
// Learning takes a compilation and a sweep over paths each round: smaller runs are over sooner, and
// larger models compile too long.
constexpr std::size_t least_paths_to_learn_for = 16'384;
constexpr std::size_t most_states_to_learn_for = 128;
// Every weight costs the run an operation or two: less is not worth them.
constexpr double worthwhile_cost = 0.9;

// Times in the second half of the run, where the start is forgotten: eight, or as many as keep the
// samples below 32 MB.
std::vector<double> learning_times(const Model& model, const StepOptions& step,
                                   const RunOptions& run) {
  constexpr std::size_t most_numbers = std::size_t{1} << 22U;
  const std::size_t last = snapshot_steps(model.time(), run.snapshots).back();
  const std::size_t numbers = 2 * model.dimension() + step.responses.size();
  const std::size_t count = std::clamp<std::size_t>(
      std::min(most_numbers / (learning_paths(model) * numbers), last / 2), 1, 8);
  std::vector<double> times;
  for (std::size_t k = count; k-- > 0;) {
    times.push_back(model.time().time(last - k * (last / 2) / count));
  }
  return times;
}

// The best of those that have a rate alpha.
const Damping& start_of_learning(const std::vector<DampingCandidate>& finalists) {
  for (const DampingCandidate& candidate : finalists) {
    const DampingForm form = candidate.damping.form;
    if (form == DampingForm::scalar || form == DampingForm::jacobian) return candidate.damping;
  }
  return finalists.front().damping;
}

// C(x) of the paths under the best damping so far, then of those under that C: the covariance falls
// until it is the one that its own damping leaves. None where a path fails, or the run is to stop.
std::vector<DampingCandidate> learn(Trial& trial, const Model& model,
                                    const std::vector<double>& times,
                                    const std::vector<DampingCandidate>& finalists,
                                    std::size_t paths) {
  const Damping& start = start_of_learning(finalists);
  Damping learned = start;
  for (std::size_t round = 0; round < learning_rounds; ++round) {
    const Paths samples = trial.run(learned, learning_paths(model), times);
    if (samples.summary.interrupted || samples.summary.failed != 0) return {};
    learned = tune::regress_covariance(model, samples.snapshots);
    learned.alpha = start.alpha;
    learned.early = start.early;
  }
  std::vector<DampingCandidate> measured = trial.compare({learned}, paths);
  std::erase_if(measured, [](const DampingCandidate& c) { return !std::isfinite(c.cost); });
  return measured;
}

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

bool learning_pays(const Model& model, const DampingRequest& request, const RunOptions& run) {
  if (request.kind == DampingRequest::Kind::learned) return true;
  return request.kind == DampingRequest::Kind::automatic && request.may_learn &&
         run.paths >= least_paths_to_learn_for && model.dimension() <= most_states_to_learn_for;
}

// First the constants; then, around the best of them, the other forms.
std::vector<DampingCandidate> screen(Trial& trial, const Model& model, const StepOptions& step,
                                     const DampingRequest& request) {
  const double dt = model.time().step;
  const bool early = !model.has_initial_density();
  std::vector<DampingCandidate> tried = trial.compare(constant_grid(dt, early), screening_paths);
  if (tried.empty()) return tried;
  const double best_constant = tried.front().damping.alpha;
  auto jacobians = trial.compare(jacobian_grid(best_constant), screening_paths);
  if (request.kind == DampingRequest::Kind::jacobian_grid) return jacobians;
  insert(tried, jacobians);
  if (!early) insert(tried, trial.compare({constant(best_constant, true)}, screening_paths));
  insert(tried, trial.compare(trial.gaussian_if_possible(), screening_paths));
  const bool noise_everywhere =
      std::all_of(model.noisy().begin(), model.noisy().end(), std::identity{});
  if (step.scheme == Scheme::exact && noise_everywhere) {
    Damping kernel;
    kernel.form = DampingForm::kernel;
    insert(tried, trial.compare({kernel}, screening_paths));
  }
  return tried;
}

// A damping that the model and its scheme have no use for.
void check_request(const Model& model, const StepOptions& step, const DampingRequest& request) {
  using Kind = DampingRequest::Kind;
  const Damping& damping = request.damping;
  const bool is_given = request.kind == Kind::given;
  if (model.dynamics() == Dynamics::sde) {
    const bool is_exact = step.scheme == Scheme::exact;
    const bool for_exact =
        damping.form == DampingForm::kernel || damping.form == DampingForm::mixed;
    if (is_given && for_exact && !is_exact) {
      throw Error(ErrorKind::usage,
                  "The damping '" + damping.text() +
                      "' belongs to exact steps: those of maps, and those of the SDE " +
                      model.name() + " with the exact scheme.");
    }
    return;
  }
  const std::string a_map = "model " + model.name() + " is a discrete-time map.";
  if (request.kind == Kind::learned) {
    throw Error(ErrorKind::usage, "Learned damping is a rate, for SDEs, but " + a_map);
  }
  if (request.kind == Kind::jacobian_grid || (is_given && damping.form == DampingForm::jacobian)) {
    throw Error(ErrorKind::usage, "Jacobian damping is made of the drift of an SDE, but " + a_map);
  }
  if (is_given && damping.early) {
    throw Error(ErrorKind::usage,
                "The damping 'early' forgets the start of an SDE at the rate 1/t, but " + a_map);
  }
  if (is_given && damping.alpha > 1.0) {
    throw Error(ErrorKind::usage,
                fmt::format("The damping alpha = {} is above 1: it is the share of the kernel in a "
                            "step, because {}",
                            damping.alpha, a_map));
  }
}

DampingChoice choose_by_trial(const Model& model, const DampingRequest& request,
                              const StepOptions& step, const RunOptions& run,
                              const VarianceMeasure& measure) {
  DampingChoice choice;
  Trial trial(model, step, run, measure);
  choice.paths = tune::final_paths(run);
  choice.candidates = screen(trial, model, step, request);
  std::vector<DampingCandidate> final_round =
      trial.compare(best_of(choice.candidates), choice.paths);
  if (final_round.empty()) {  // stopped before anything was measured
    choice.damping = constant(1.0 / (model.time().end - model.time().start), true);
    return choice;
  }
  insert(final_round,
         trial.compare(refinement(final_round.front().damping, model.time().step), choice.paths));
  std::vector<DampingCandidate> learned;
  if (learning_pays(model, request, run)) {
    learned = learn(trial, model, learning_times(model, step, run), final_round, choice.paths);
  }
  const bool is_asked_for = request.kind == DampingRequest::Kind::learned;
  if (is_asked_for && learned.empty()) throw_not_learned(final_round.front().damping);
  const bool is_taken =
      !learned.empty() &&
      (is_asked_for || is_better(trial, learned.front(), final_round.front(), choice.paths));
  const DampingCandidate& best = is_taken ? learned.front() : final_round.front();
  choice.damping = best.damping;
  choice.cost = best.cost;
  insert(final_round, learned);
  choice.candidates.insert(choice.candidates.begin(), final_round.begin(), final_round.end());
  return choice;
}

}  // namespace

DampingChoice choose_damping(const Model& model, const DampingRequest& request,
                             const StepOptions& step, const RunOptions& run,
                             const VarianceMeasure& measure) {
  using Kind = DampingRequest::Kind;
  const auto began = std::chrono::steady_clock::now();
  check_request(model, step, request);
  DampingChoice choice;
  if (request.kind == Kind::given) {
    choice.damping = request.damping;
    return choice;
  }
  if (request.kind == Kind::gaussian) {
    choice.damping = gaussian_damping(model, run);
    return choice;
  }
  choice = model.dynamics() == Dynamics::map ? tune::choose_for_map(model, step, run, measure)
                                             : choose_by_trial(model, request, step, run, measure);
  choice.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  return choice;
}

}  // namespace divker
