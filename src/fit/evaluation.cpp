#include "fit/evaluation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "divker/error.hpp"
#include "divker/tail_index.hpp"
#include "fit/fingerprint.hpp"
#include "fit/spectrum.hpp"

namespace divker::fit {
namespace {

// The pilot has its share of at least that many.
constexpr std::size_t fewest_for_pilot = std::size_t{1} << 14U;
constexpr std::size_t fewest_finished = 100;

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

void Evaluator::prepare(const FitState& state) {
  if (study_ && active_ == state.active && chosen_at_ == state.damping_parameters) return;
  if (study_) compile_seconds_ += study_->record().compile_seconds;
  study_.reset();
  active_ = state.active;
  chosen_at_ = state.damping_parameters;
  const Model at = model_.with_parameters(chosen_at_);
  observer_.emplace(at, data_, active_, data_.stationary ? options_.window : 0.0);
  Sampling pilot = options_.sampling;
  pilot.snapshots = observer_->times();
  pilot.paths = std::max(pilot.paths, fewest_for_pilot);
  study_.emplace(at, options_.method, Asked::responses_to(active_), pilot, options_.session.aside(),
                 Tuning{response_variances, false, true, response_tails});
}

std::optional<Evaluation> Evaluator::evaluate(const FitState& state,
                                              const std::vector<double>& parameters,
                                              Numbers numbers) {
  prepare(state);
  if (options_.session.stopped()) {
    study_.reset();  // its damping may be chosen by a part of the pilot
    return std::nullopt;
  }
  study_->set_model(model_.with_parameters(parameters));
  Sampling sampling = options_.sampling;
  sampling.snapshots = observer_->times();
  sampling.paths = state.paths;
  if (numbers == Numbers::fresh) sampling.first_path += options_.sampling.paths;
  study_->use(sampling);
  Session session = options_.session.aside();
  if (options_.saved_runs) {
    session.checkpoint =
        options_.saved_runs(name_of_run(parameters, active_, sampling.paths, sampling.first_path));
  }
  study_->use(session);
  ObservedPaths observed = observer_->run(*study_);
  if (observed.summary.interrupted) return std::nullopt;
  if (observed.summary.paths < fewest_finished) {
    throw Error(ErrorKind::numerical,
                fmt::format("Only {} of {} paths finished: too few for a fit.",
                            observed.summary.paths, observed.summary.requested));
  }
  MatchingOptions how{regressor_, state.fine ? Detail::fine : Detail::coarse,
                      options_.regressor_options};
  how.regressor_options.threads = options_.session.threads;
  Evaluation result;
  result.matching = matcher_.match(observed, data_, how);
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
