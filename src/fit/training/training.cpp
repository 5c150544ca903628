#include "fit/training/training.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "divker/error.hpp"
#include "divker/tail_index.hpp"
#include "fit/coordinates.hpp"
#include "fit/far.hpp"
#include "fit/fingerprint.hpp"
#include "fit/instrument.hpp"
#include "fit/report.hpp"
#include "fit/window.hpp"

namespace divker::fit {
namespace {

using Eigen::Index;
using Eigen::VectorXd;

constexpr std::size_t fewest_parameters_to_train = 100;
constexpr std::size_t fewest_paths_to_train = 100;
// Averages over so many iterations are compared, to see whether the fit goes on.
constexpr std::size_t settling_steps = 5;
constexpr std::size_t settling_first_order_steps = 20;

bool is_default_divergence(const FitOptions& options) {
  return options.divergence == divergence_names().front();
}

// How one feature moves, in all parameters, is told from the noise of the responses where the sum
// of its squares is two deviations above that of noise alone; less is taken off, after James and
// Stein. Features are orthogonal in their order, the simplest first: what these explain the others
// need not.
void shrink_noise(Eigen::MatrixXd& moves, const VectorXd& variance) {
  const auto count = static_cast<double>(moves.cols());
  const double chance = count + 2.0 * std::sqrt(2.0 * count);
  const VectorXd weights = variance.cwiseMax(1e-300).cwiseInverse();
  for (auto row : moves.rowwise()) {
    const double seen = row.cwiseAbs2().dot(weights.transpose());
    row *= std::max(0.0, 1.0 - chance / std::max(seen, chance));
  }
}

std::size_t features_of_instruments(const FitData& data, std::size_t paths) {
  std::size_t count = 0;
  for (const DataBlock& block : data.blocks) {
    count += Instrument::features_for(block.observed.size(), paths / 2);
  }
  return count;
}

}  // namespace

bool is_trained(const Model& model, const FitData& data, const FitOptions& options) {
  const bool asked = options.optimizer == "dual" || !is_default_divergence(options);
  const bool matched =
      options.match != matcher_names().front() || !options.regressor.empty() || options.starts > 1;
  (void)divergence_named(options.divergence);
  if (asked && (options.optimizer == "newton" || matched)) {
    throw Error(
        ErrorKind::usage,
        fmt::format("The optimizer newton, and match, regressor and starts, belong to matching "
                    "equations; dual and the divergence {} follow features of the law. Leave out "
                    "one of them.",
                    options.divergence));
  }
  if (asked) return true;
  if (options.optimizer == "newton" || matched) return false;
  const std::size_t free = model.free_parameters().size();
  return free > fewest_parameters_to_train &&
         free > features_of_instruments(data, options.sampling.paths);
}

Training::Training(const Model& model, const FitData& data, const FitOptions& options,
                   std::string fingerprint)
    : Procedure(model, data, options, std::move(fingerprint), 1.0),
      divergence_(divergence_named(options.divergence)),
      target_(data, options.features, options.session.threads),
      observer_(model, data, state_.active,
                {data.stationary && options.window > 0.0 ? options.window
                                                         : longest_window(model.time(), data)}) {}

// --- paths ---

Sampling Training::sampling_of(std::size_t iteration, std::size_t use) const {
  Sampling sampling = options_.sampling;
  sampling.snapshots = observer_.times();
  sampling.first_path += sampling.paths * (2 * iteration + use);
  return sampling;
}

std::optional<Training::Seen> Training::look(const std::vector<double>& parameters,
                                             std::size_t iteration) {
  const Model at = model_.with_parameters(parameters);
  const Sampling sampling = sampling_of(iteration, 0);
  if (!states_) {
    states_.emplace(model_.with_parameters(state_.damping_parameters), Method(), Asked::states(),
                    sampling, options_.session.aside());
  }
  states_->set_model(at);
  states_->use(sampling);
  const Paths paths = states_->run();
  if (paths.summary.interrupted) return std::nullopt;
  if (paths.summary.paths < fewest_paths_to_train) {
    throw Error(ErrorKind::numerical,
                fmt::format("Only {} of {} paths finished: too few for a fit.", paths.summary.paths,
                            paths.summary.requested));
  }
  Seen seen;
  seen.observed = observer_.see(at, paths, sampling.seed);
  seen.law = law_of(target_, divergence_, seen.observed, options_.session.threads);
  seen.summary = paths.summary;
  return seen;
}

// The pilot compares dampings by the responses to some of the parameters. What it chooses takes
// another compilation only where it has another form than before.
void Training::prepare_responses() {
  constexpr std::size_t most_compared = 64;
  if (responses_ && chosen_at_ == state_.damping_parameters) return;
  chosen_at_ = state_.damping_parameters;
  const Model at = model_.with_parameters(chosen_at_);
  const Sampling sampling = sampling_of(0, 1);
  const Session session = options_.session.aside();
  const Tuning tuning{response_variances, false, true, response_tails};
  const std::size_t every = (state_.active.size() + most_compared - 1) / most_compared;
  std::vector<std::size_t> some;
  for (std::size_t i = 0; i < state_.active.size(); i += every) some.push_back(state_.active[i]);
  const Study pilot(at, options_.method, Asked::responses_to(some), sampling, session, tuning);
  const Method& method = pilot.record().method;
  compile_seconds_ += pilot.record().compile_seconds;
  if (responses_ && responses_->plan().method.damping.same_step(method.damping) &&
      responses_->record().method.scheme == method.scheme) {
    return responses_->set_damping(pilot.record().choice);
  }
  responses_.reset();
  responses_.emplace(at, method, Asked::responses_to(state_.active), sampling, session, tuning);
  responses_->record().choice = pilot.record().choice;
  responses_->record().warnings = pilot.record().warnings;
  compile_seconds_ += responses_->record().compile_seconds;
}

// Where steps are stuck, and now and then as the law moves, the damping is chosen again.
void Training::choose_again_if_due(bool stuck) {
  constexpr std::size_t first_choice_again = 4;
  const std::size_t count = iteration();
  const bool is_power = count >= first_choice_again && (count & (count - 1)) == 0;
  if (is_power || stuck) state_.damping_parameters = state_.parameters;
}

std::optional<ResponseSums> Training::responses_to(const std::vector<Functions>& functions) {
  prepare_responses();
  if (options_.session.stopped()) {
    responses_.reset();  // its damping may be chosen by a part of the pilot
    return std::nullopt;
  }
  responses_->set_model(model_.with_parameters(state_.parameters));
  responses_->use(sampling_of(iteration(), 1));
  Session session = options_.session.aside();
  if (options_.saved_runs) session.checkpoint = options_.saved_runs(current_run());
  responses_->use(session);
  ResponseSums sums = sum_responses(observer_, *responses_, functions);
  if (sums.summary.interrupted) return std::nullopt;
  return sums;
}

std::string Training::current_run() const {
  const std::size_t now = state_.history.empty() ? 0 : iteration();
  return name_of_run(state_.parameters, state_.active, state_.paths,
                     sampling_of(now, 1).first_path);
}

// --- iterations ---

bool Training::advance() {
  if (state_.done) return false;
  if (!law_) law_ = look(state_.parameters, state_.history.empty() ? 0 : iteration());
  if (!law_) return false;
  if (state_.history.empty()) {
    refuse_if_apart();
    Evaluation start;
    for (const Matrix& observed : law_->observed) start.samples.push_back({observed, {}});
    state_.far = far_from_start(model_, data_, start);
    record(0.0, 0.0, 0);
    return true;
  }
  const bool at_limit = state_.history.size() > options_.iterations;
  if (!at_limit && !is_settled()) return step();
  settle(at_limit);
  return false;
}

void Training::record(double gain, double step, std::size_t halvings) {
  state_.history.push_back({state_.history.size(), state_.paths, gain, law_->law.asked_over_noise,
                            step, halvings, state_.parameters,
                            Estimate{law_->law.divergence, law_->law.error}});
}

void Training::refuse_if_apart() const {
  constexpr double all_but = 0.98;
  if (divergence_.reaches_apart || law_->law.apart < all_but) return;
  throw Error(
      ErrorKind::model,
      fmt::format("At the start {:.0f}% of the data and of {} paths are where the other are not: "
                  "as far as these samples tell the supports are apart, where the divergence {} is "
                  "infinite or flat. Begin nearer to the data, or with the divergence {}.",
                  100.0 * law_->law.apart, law_->summary.paths, divergence_.name,
                  divergence_names().front()));
}

VectorXd Training::free_slopes() const { return slopes(model_, state_.active, state_.parameters); }

bool Training::fill(Ground& ground) {
  const FeatureLaw& law = law_->law;
  const bool all = optimizer_->needs_features();
  std::vector<Functions> functions;
  for (std::size_t b = 0; b < law.blocks.size(); ++b) {
    const FeatureMap& map = target_.blocks()[b].map;
    const BlockLaw& block = law.blocks[b];
    if (all) {
      functions.emplace_back([&map, &block](const Matrix& y) -> RowMajor {
        return map.at(y, 0, y.rows).rowwise() - block.mean.transpose();
      });
    } else {
      const VectorXd weights = block.metric.solve(block.asked);
      functions.emplace_back([&map, &block, weights](const Matrix& y) -> RowMajor {
        return (map.at(y, 0, y.rows).rowwise() - block.mean.transpose()) * weights;
      });
    }
  }
  const auto sums = responses_to(functions);
  if (!sums) return false;
  const VectorXd scale = free_slopes();
  if (!all) {
    ground.here.psi = VectorXd::Zero(scale.size());
    for (std::size_t b = 0; b < law.blocks.size(); ++b) {
      const double share = target_.blocks()[b].share * divergence_.curvature;
      ground.here.psi += share * scale.cwiseProduct(sums->covariance[b].transpose());
    }
    return true;
  }
  FeatureSlopes& features = ground.features.emplace();
  features.curvature = divergence_.curvature;
  features.jacobian.resize(static_cast<Index>(target_.features()), scale.size());
  features.asked.resize(features.jacobian.rows());
  Index row = 0;
  for (std::size_t b = 0; b < law.blocks.size(); ++b) {
    const BlockLaw& block = law.blocks[b];
    const double root = std::sqrt(target_.blocks()[b].share);
    const Index rows = block.mean.size();
    Eigen::MatrixXd moves =
        block.metric.matrixL().solve(Eigen::MatrixXd(sums->covariance[b] * scale.asDiagonal()));
    const auto paths = static_cast<double>(sums->summary.paths);
    shrink_noise(moves, scale.cwiseAbs2().cwiseProduct(sums->variance[b]) / paths);
    features.jacobian.middleRows(row, rows) = root * moves;
    features.asked.segment(row, rows) = root * block.metric.matrixL().solve(block.asked);
    features.noise += root * root * sums->variance[b].dot(scale.cwiseAbs2()) / paths;
    row += rows;
  }
  return true;
}

// An iteration that was interrupted leaves no trace.
bool Training::step() {
  const FitState before = state_;
  Ground ground;
  ground.largest = largest_changes(model_, state_.active);
  ground.iteration = state_.history.size();
  ground.pace = state_.pace;
  ground.attempt = [&](const VectorXd& change) -> std::optional<Trial> {
    Trial trial;
    trial.parameters = moved(model_, state_.active, state_.parameters, change);
    const auto there = look(trial.parameters, iteration());
    if (!there) return std::nullopt;
    const Estimate gain = gain_between(target_, law_->law, there->law);
    trial.gain = gain.value;
    trial.gain_error = gain.standard_error;
    return trial;
  };
  Advance advance;
  try {
    if (!fill(ground)) return false;
    advance = optimizer_->step(ground, state_.memory);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::numerical || before.history.size() < 2) throw;
    return retreat(before);
  }
  if (!advance.taken && advance.stuck.empty()) return false;
  state_.memory = std::move(advance.memory);
  state_.pace *= advance.pace;
  if (advance.taken) state_.parameters = std::move(advance.taken->parameters);
  try {
    law_ = look(state_.parameters, state_.history.size());
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::numerical || !advance.taken) throw;
    return retreat(before);
  }
  if (!law_) {
    state_ = before;
    return false;
  }
  record(advance.taken ? advance.taken->gain : 0.0, advance.length, advance.halvings);
  choose_again_if_due(!advance.taken);
  return true;
}

// Where the paths of the next iteration fail though others did not: back to the best point, and
// more careful from there.
bool Training::retreat(const FitState& before) {
  const std::size_t good = best();
  const bool is_elsewhere = before.history[good].parameters != before.parameters;
  state_ = before;
  state_.parameters = before.history[good].parameters;
  state_.pace *= 0.5;
  state_.memory = optimizer_->slower(std::move(state_.memory));
  law_ = look(state_.parameters, state_.history.size());
  if (!law_) {
    state_ = before;
    return false;
  }
  record(0.0, 0.0, is_elsewhere ? 1 : 0);
  choose_again_if_due(true);
  return true;
}

// --- the end ---

std::size_t Training::best() const {
  const auto least = std::ranges::min_element(state_.history, {}, [](const FitIteration& one) {
    return one.divergence.value_or(Estimate{std::numeric_limits<double>::infinity(), 0.0}).value;
  });
  return static_cast<std::size_t>(least - state_.history.begin());
}

bool Training::is_within_noise(std::size_t entry) const {
  constexpr double within = 2.0;
  const Estimate& one = state_.history[entry].divergence.value();
  return one.value <= within * one.standard_error;
}

// A few iterations within the noise, or so many that are on average no better than as many before,
// by half of what one of them is known to.
bool Training::is_settled() const {
  constexpr std::size_t enough_within = 3;
  const std::size_t size = state_.history.size();
  std::size_t within = 0;
  while (within < std::min(enough_within, size) && is_within_noise(size - 1 - within)) ++within;
  if (within == enough_within) return true;
  const std::size_t count =
      optimizer_->needs_features() ? settling_steps : settling_first_order_steps;
  if (size <= 2 * count) return false;
  double gain = 0.0;
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t last = size - 1 - i;
    gain +=
        (state_.history[last - count].divergence->value - state_.history[last].divergence->value) /
        static_cast<double>(count);
  }
  return gain < 0.5 * state_.history.back().divergence->standard_error;
}

// The mean of the last iterations, in the free coordinates, has less noise than each of them; but
// the best stays where they are worse.
bool Training::take_mean_or_best() {
  constexpr double worse = 2.0;
  const std::size_t count = std::min(settling_steps, state_.history.size());
  VectorXd mean = VectorXd::Zero(static_cast<Index>(state_.active.size()));
  for (std::size_t i = 0; i < count; ++i) {
    const FitIteration& one = state_.history[state_.history.size() - 1 - i];
    mean += change_between(model_, state_.active, state_.parameters, one.parameters) /
            static_cast<double>(count);
  }
  std::vector<double> parameters = moved(model_, state_.active, state_.parameters, mean);
  const std::vector<double>& best_ones = state_.history[best()].parameters;
  auto there = look(parameters, state_.history.size());
  auto best_there = look(best_ones, state_.history.size());
  if (!there || !best_there) return false;
  const Estimate gain = gain_between(target_, best_there->law, there->law);
  if (gain.value < -worse * gain.standard_error) {
    parameters = best_ones;
    there = std::move(best_there);
  }
  state_.parameters = std::move(parameters);
  law_ = std::move(there);
  record(0.0, 0.0, 0);
  return true;
}

void Training::settle(bool at_limit) {
  if (!take_mean_or_best()) return;
  const Estimate value = state_.history.back().divergence.value();
  const std::string words =
      fmt::format("the divergence {} of the data held out is {:.2g} +- {:.1g}", divergence_.name,
                  value.value, value.standard_error);
  if (is_within_noise(state_.history.size() - 1)) return end(true, words + ", within its noise");
  if (at_limit) {
    return end(false, fmt::format("{} after the {} iterations that were the limit", words,
                                  options_.iterations));
  }
  end(true, fmt::format("{}, and the last iterations make it no smaller", words));
}

void Training::add_law(const Seen& fresh, FitResult& result) const {
  result.divergence = {
      divergence_.name, {fresh.law.divergence, fresh.law.error}, target_.features()};
  if (state_.pace < 1.0) {
    result.remarks.push_back(fmt::format(
        "Paths failed at some steps, which were undone; at the end steps were {:.3g} of their "
        "size.",
        state_.pace));
  }
}

// The bars of the matching equations: those of any divergence where the law is the data's. What was
// held out told the estimates nothing.
FitResult Training::result_with_errors() {
  Evaluator evaluator(model_, data_, options_);
  const auto there = evaluator.evaluate(state_, state_.parameters, Numbers::fresh);
  if (!there) throw Error(ErrorKind::numerical, "The fit was interrupted before its end.");
  FitResult result = report(model_, data_, state_, *there, evaluator);
  if (!result.rejected.empty()) {
    withdraw_errors(result);
    return result;
  }
  const double wider = std::sqrt(1.0 / target_.learned_share());
  for (double& error : result.standard_error) error *= wider;
  for (DeterminedCombination& one : result.determined) one.standard_error *= wider;
  return result;
}

FitResult Training::result_of_law(const Seen& fresh) {
  Evaluation there;
  for (const Matrix& observed : fresh.observed) {
    auto& halves = there.samples.emplace_back();
    halves[0] = Matrix((observed.rows + 1) / 2, observed.cols);
    halves[1] = Matrix(observed.rows / 2, observed.cols);
    for (std::size_t r = 0; r < observed.rows; ++r) {
      std::ranges::copy(observed.row(r), halves[r % 2].row(r / 2).begin());
    }
  }
  RunRecord record = responses_ ? responses_->record() : states_->record();
  record.summary = fresh.summary;
  record.sampling = sampling_of(options_.iterations + 3, 0);
  record.compile_seconds = compile_seconds_ + states_->record().compile_seconds;
  return report_law(model_, data_, state_, there,
                    {options_.sampling.seed, options_.session.threads}, record);
}

FitResult Training::result() {
  const auto fresh = look(state_.parameters, options_.iterations + 3);
  if (!fresh) throw Error(ErrorKind::numerical, "The fit was interrupted before its end.");
  const bool many = state_.active.size() > target_.features();
  FitResult result = many ? result_of_law(*fresh) : result_with_errors();
  add_law(*fresh, result);
  return result;
}

}  // namespace divker::fit
