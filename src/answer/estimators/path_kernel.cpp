// d E[Phi] = E[grad Phi . v + (Phi - mean) I] + E[dPhi]: v is the derivative of the path, I the
// likelihood ratio of what was handed of it to the noise.
#include <fmt/format.h>

#include <algorithm>

#include "answer/estimators/estimators.hpp"
#include "answer/observable.hpp"
#include "divker/error.hpp"
#include "divker/language.hpp"
#include "divker/model_kinks.hpp"

namespace divker {
namespace {

// The same model with the last snapshot at its end: damping counts the time from there.
Model to_last_snapshot(const Model& model, const Sampling& sampling) {
  TimeGrid grid = model.time();
  const std::size_t steps = grid.snapshot_steps(sampling.snapshots).back();
  if (steps == 0 || steps == grid.steps()) return model;
  grid.end = grid.time(steps);
  return model.with_time(grid);
}

// Where the observable jumps with the states, or has no derivative that is bounded: grad Phi . v
// misses it, unless nothing is left of v.
std::vector<ModelKink> places_missed(const Model& model, const std::string& observable) {
  Graph graph(*model.graph());
  std::vector<ModelKink> kinks =
      observable_kinks(model, observable, parse_expression(observable, model, graph));
  std::erase_if(kinks, [](const ModelKink& kink) {
    const bool is_missed =
        kink.kind == KinkKind::jump || (kink.kind == KinkKind::root && !kink.is_edge());
    return !is_missed || !kink.by_states;
  });
  return kinks;
}

// Does a state without noise decide on which side of the kink a path is?
std::optional<std::string> silent_state_of(const Model& model, const ModelKink& kink) {
  const std::vector<NodeId> needed = reachable(*kink.graph, {&kink.function, 1});
  for (std::size_t i = 0; i < model.dimension(); ++i) {
    const State& state = model.states()[i];
    if (!model.noisy()[i] && std::ranges::binary_search(needed, state.node)) return state.name;
  }
  return std::nullopt;
}

// Is all that a tangent has left handed to the noise in the last step?
bool hands_all_over(const Damping& damping, const TimeGrid& grid) {
  constexpr double all = 1.0 - 1e-9;
  if (!damping.form->is_one_rate() || damping.argument_count() == 0) return false;
  double rate = 0.0;
  damping.arguments(grid.steps() - 1, grid, {&rate, 1});
  return rate * grid.step >= all;
}

constexpr const char* others =
    "The methods divergence-kernel and finite-difference see what happens there.";

// Error where a functional of the path jumps, or the observable with one: paths meet the place at
// any time, and the noise of the last step comes too late.
void require_smooth_path(const ModelKink& kink) {
  if (!kink.by_functionals) return;
  throw Error(ErrorKind::model, kink.sentence() +
                                    " The methods likelihood-ratio and finite-difference see what "
                                    "happens there.");
}

// Error where the noise of the last step cannot make up for a jump, or is not asked to.
void require_noise_at(const ModelKink& kink, const Model& model, const AnswerOptions& options) {
  const TimeGrid& grid = model.time();
  if (const auto silent = silent_state_of(model, kink)) {
    throw Error(ErrorKind::model,
                fmt::format("{} State {} carries no noise to which its derivative could be handed. "
                            "{}",
                            kink.sentence(), *silent, others));
  }
  if (!model.singular_noise().empty()) {
    throw Error(ErrorKind::model, fmt::format("{} {}. {}", kink.sentence(), model.singular_noise(),
                                              "The method finite-difference sees what happens."));
  }
  if (grid.snapshot_steps(options.sampling.snapshots).back() == 0) {
    throw Error(ErrorKind::model, fmt::format("{} No step comes before the snapshot whose noise "
                                              "could make up for it. {}",
                                              kink.sentence(), others));
  }
  const Damping& damping = options.method.damping;
  if (damping.form == nullptr || damping.open || hands_all_over(damping, grid)) return;
  throw Error(ErrorKind::usage,
              fmt::format("{} The damping '{}' leaves derivatives of the paths to the end, which "
                          "miss it: 'late:{}' hands all of them to the noise before.",
                          kink.sentence(), damping.text(), damping.alpha));
}

class PathKernel : public Estimator {
 public:
  [[nodiscard]] std::string_view name() const override { return "path-kernel"; }

  [[nodiscard]] ObservableAnswer observable_response(const Model& whole,
                                                     const std::vector<std::size_t>& parameters,
                                                     const std::string& observable,
                                                     const AnswerOptions& options) const override {
    const Model model = to_last_snapshot(whole, options.sampling);
    const Observable phi(model, parameters, observable, Observable::Gradient::in_states);
    const std::vector<ModelKink> jumps = places_missed(model, observable);
    for (const ModelKink& jump : jumps) {
      require_smooth_path(jump);
      require_noise_at(jump, model, options);
    }
    Tuning tuning = tuning_of_tangents(phi);
    tuning.hands_over = !jumps.empty();
    const Asked asked = Asked::tangents_by(parameters).with(phi.functionals());
    Study study(model, options.method, asked, options.sampling, options.session, tuning);
    return response_of_mean(study, phi, observable, options.time_step);
  }

  [[nodiscard]] PointAnswer response_at(const Model& /*model*/,
                                        const std::vector<std::size_t>& /*parameters*/,
                                        const Matrix& /*points*/,
                                        const AnswerOptions& /*options*/) const override {
    throw Error(ErrorKind::usage,
                "The method path-kernel follows an observable along its paths, and a density has "
                "none: ask for the response of a mean (--observable), or for densities by the "
                "method divergence-kernel.");
  }
};

}  // namespace

const Estimator& path_kernel_estimator() {
  static const PathKernel instance;
  return instance;
}

}  // namespace divker
