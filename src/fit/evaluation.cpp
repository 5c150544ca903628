#include "fit/evaluation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "divker/error.hpp"
#include "divker/tail_index.hpp"
#include "fit/fingerprint.hpp"
#include "fit/spectrum.hpp"
#include "fit/window.hpp"

namespace divker::fit {
namespace {

// The pilot has its share of at least that many.
constexpr std::size_t fewest_for_pilot = std::size_t{1} << 14U;
constexpr std::size_t fewest_finished = 100;
// Of fewer parameters the mean gain is noise.
constexpr std::size_t fewest_for_choice = 5;
// Where all of the time sees a parameter with so many standard errors, no window is needed.
constexpr double clear = 12.0;
// Of gain_of(): variances a fifth smaller, without which responses keep all their time, and three
// times as large, beyond what noise does to it, from where on shorter windows are no longer tried.
constexpr double worthwhile = 0.1;
constexpr double lost = -0.5;
// Windows are compared by no more paths, and no more numbers.
constexpr std::size_t most_for_windows = std::size_t{1} << 14U;
constexpr std::size_t most_doubles_for_windows = std::size_t{1} << 26U;

}  // namespace

std::vector<double> response_variances(const Snapshot& snapshot) {
  Moments moments(snapshot.responses().cols);
  moments.add(snapshot.responses());
  std::vector<double> variances;
  for (std::size_t p = 0; p < moments.size(); ++p) {
    if (moments.variance(p) > 0.0) variances.push_back(moments.variance(p));
  }
  return variances;
}

std::vector<double> response_tails(const Snapshot& snapshot) {
  return tail_indices(snapshot.responses());
}

Evaluator::Evaluator(const Model& model, const FitData& data, const FitOptions& options)
    : model_(model), data_(data), options_(options), matcher_(matcher_named(options.match)) {
  regressor_ = options.regressor.empty() ? matcher_.regressor : options.regressor;
}

bool Evaluator::prepare(const FitState& state) {
  if (study_ && active_ == state.active && chosen_at_ == state.damping_parameters) return true;
  if (study_) compile_seconds_ += study_->record().compile_seconds;
  study_.reset();
  active_ = state.active;
  chosen_at_ = state.damping_parameters;
  const Model at = model_.with_parameters(chosen_at_);
  window_ = longest_window(at.time(), data_);
  if (options_.window > 0.0) window_ = std::min(window_, options_.window);
  observer_.emplace(at, data_, active_, std::vector{window_});
  Sampling pilot = options_.sampling;
  pilot.snapshots = observer_->times();
  pilot.paths = std::max(pilot.paths, fewest_for_pilot);
  study_.emplace(at, options_.method, Asked::responses_to(active_), pilot, options_.session.aside(),
                 Tuning{response_variances, false, true, response_tails});
  if (options_.session.stopped()) return false;  // its damping may be chosen by a part of the pilot
  window_bias_ = 0.0;
  const bool may_choose = !data_.stationary && matcher_.centred;
  if (may_choose && !choose_window(at.time())) return false;
  observe(window_);
  return true;
}

// The longest window, or the shortest that each time made the estimate more precise, or the one
// that was asked for; and what the derivative over twice of it lacks.
bool Evaluator::choose_window(const TimeGrid& grid) {
  const bool open = options_.window == 0.0;
  const std::vector<double> windows =
      open ? halved_windows(grid, window_) : doubled_windows(window_, longest_window(grid, data_));
  if (windows.size() == 1 || (open && active_.size() < fewest_for_choice)) return true;
  observer_.emplace(study_->model(), data_, active_, windows);
  Sampling sampling = options_.sampling;
  sampling.snapshots = observer_->times();
  sampling.paths = std::min({sampling.paths, most_for_windows,
                             most_doubles_for_windows / (windows.size() * active_.size())});
  const auto seen = observed_by(sampling, options_.session.aside());
  if (!seen) return false;
  const auto precision = [&](std::size_t window, std::size_t longer) {
    return precision_of(matcher_.match(seen->with_window(window, longer, data_.blocks.size()),
                                       data_, matching_options(Detail::coarse)));
  };
  std::size_t best = open ? 0 : windows.size() - 1;
  Precision most = precision(best, open ? 0 : best - 1);
  if (open && most.effect.maxCoeff() > clear) return true;
  for (std::size_t w = 1; w < windows.size() && open; ++w) {
    Precision shorter = precision(w, w - 1);
    const double gain = gain_of(shorter, most);
    if (gain < lost) break;
    if (gain < (best == 0 ? worthwhile : 0.0)) continue;
    best = w;
    most = std::move(shorter);
  }
  window_ = windows[best];
  // Half of the change of variances, that of standard errors.
  if (best >= 2) window_bias_ = std::fabs(gain_of(precision(best, best - 2), most));
  return true;
}

// With twice the window for the derivative, where there is one.
void Evaluator::observe(double window) {
  std::vector<double> windows{window};
  if (!data_.stationary && window < longest_window(study_->model().time(), data_)) {
    windows.insert(windows.begin(), 2.0 * window);
  }
  observer_.emplace(study_->model(), data_, active_, windows);
}

std::optional<ObservedPaths> Evaluator::observed_by(const Sampling& sampling,
                                                    const Session& session) {
  study_->use(sampling);
  study_->use(session);
  ObservedPaths observed = observer_->run(*study_);
  if (observed.summary.interrupted) return std::nullopt;
  if (observed.summary.paths < fewest_finished) {
    throw Error(ErrorKind::numerical,
                fmt::format("Only {} of {} paths finished: too few for a fit.",
                            observed.summary.paths, observed.summary.requested));
  }
  return observed;
}

MatchingOptions Evaluator::matching_options(Detail detail) const {
  MatchingOptions how{regressor_, detail, options_.regressor_options};
  how.regressor_options.threads = options_.session.threads;
  return how;
}

std::optional<Evaluation> Evaluator::evaluate(const FitState& state,
                                              const std::vector<double>& parameters,
                                              Numbers numbers) {
  if (!prepare(state) || options_.session.stopped()) {
    study_.reset();
    return std::nullopt;
  }
  study_->set_model(model_.with_parameters(parameters));
  Sampling sampling = options_.sampling;
  sampling.snapshots = observer_->times();
  sampling.paths = state.paths;
  if (numbers == Numbers::fresh) sampling.first_path += options_.sampling.paths;
  Session session = options_.session.aside();
  if (options_.saved_runs) {
    session.checkpoint =
        options_.saved_runs(name_of_run(parameters, active_, sampling.paths, sampling.first_path));
  }
  auto seen = observed_by(sampling, session);
  if (!seen) return std::nullopt;
  ObservedPaths observed = std::move(*seen).with_last_window(data_.blocks.size());
  Evaluation result;
  result.matching =
      matcher_.match(observed, data_, matching_options(state.fine ? Detail::fine : Detail::coarse));
  result.psi_over_noise = psi_over_noise(result.matching);
  result.sampling = sampling;
  result.summary = observed.summary;
  for (auto& halves : observed.blocks) {
    result.samples.push_back({std::move(halves[0].y), std::move(halves[1].y)});
  }
  return result;
}

std::string Evaluator::run_name(const FitState& state) const {
  return name_of_run(state.parameters, state.active, state.paths, options_.sampling.first_path);
}

std::size_t Evaluator::most_paths() const { return options_.sampling.paths; }
std::uint64_t Evaluator::seed() const { return options_.sampling.seed; }
double Evaluator::window_bias() const { return window_bias_; }
std::optional<double> Evaluator::window() const {
  if (window_ >= longest_window(model_.time(), data_)) return std::nullopt;
  return window_;
}
unsigned Evaluator::threads() const { return options_.session.threads; }
TimeStep Evaluator::time_step() const { return options_.time_step; }
Session Evaluator::session() const { return options_.session.aside(); }

bool Evaluator::can_be_finer() const {
  if (regressor_ != "hermite") return false;
  return std::any_of(data_.blocks.begin(), data_.blocks.end(), [this](const DataBlock& block) {
    return Instrument::can_be_finer(block.observed.size(), most_paths() / 2);
  });
}

RunRecord Evaluator::record(const Evaluation& evaluation) const {
  RunRecord record = study_->record();
  record.sampling = evaluation.sampling;
  record.summary = evaluation.summary;
  record.regressor = regressor_;
  record.compile_seconds += compile_seconds_;
  return record;
}

}  // namespace divker::fit
