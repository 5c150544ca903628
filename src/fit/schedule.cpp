#include "fit/schedule.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "divker/error.hpp"
#include "fit/bounds.hpp"
#include "fit/coordinates.hpp"
#include "fit/far.hpp"
#include "fit/goodness.hpp"
#include "fit/report.hpp"
#include "fit/spectrum.hpp"
#include "fit/start.hpp"

namespace divker::fit {
namespace {

// Below |psi| of its noise, more paths say more than another step with as many.
constexpr double near_noise = 1.0;
// Iterations that get no smaller than this share of the noise have found no root.
constexpr double good_enough = 0.5;
// On paths that the fit has not used |psi| has to be within its noise, but for this probability.
constexpr double false_alarm = 1e-3;
// With more noise than this in an entry of H, scaled to a unit diagonal, more paths say more than
// another step, too. The eigenvalues of P parameters then have sqrt(P) times as much.
constexpr double noisy_information = 0.03;
constexpr std::size_t growth = 4;
constexpr std::size_t fewest_paths = 4096;
// A parameter whose H_ii is not significant at this level is taken to have no effect.
constexpr double least_effect = 3.0;

// One nat for each observed coordinate.
double first_radius(const FitData& data) {
  std::size_t most = 1;
  for (const DataBlock& block : data.blocks) most = std::max(most, block.observed.size());
  return std::sqrt(2.0 * static_cast<double>(most));
}

}  // namespace

Schedule::Schedule(const Model& model, const FitData& data, const FitOptions& options,
                   std::string fingerprint)
    : Procedure(model, data, options, std::move(fingerprint), first_radius(data)),
      evaluator_(model, data, options) {
  if (optimizer_->begins_small()) {
    state_.paths = std::min(state_.paths, std::max(fewest_paths, state_.paths / (growth * growth)));
  }
}

FitResult Schedule::result() {
  if (!ensure_evaluation()) {
    throw Error(ErrorKind::numerical, "The fit was interrupted before its first iteration ended.");
  }
  return report(model_, data_, state_, *evaluation_, evaluator_);
}

// --- iterations ---

bool Schedule::advance() {
  if (state_.done) return false;
  const FitState before = state_;
  const bool at_start = state_.history.empty() && options_.starts > 1;
  if ((at_start && !begin_nearest()) || !ensure_evaluation()) {
    if (at_start) forget(before);
    return false;
  }
  if (state_.history.empty()) {
    state_.far = far_from_start(model_, data_, *evaluation_);
    record(0.0, 0.0, 0);
    return true;
  }
  const bool full = state_.paths >= evaluator_.most_paths();
  const bool near = is_near();
  if (full && near && !is_windowed() && drop_ineffective()) return true;
  if (full && near && !state_.fine && evaluator_.can_be_finer()) return refine();
  if (full && psi() <= options_.tolerance) {
    confirm(fmt::format("|psi| is {:.2g} of its noise", psi()));
    return false;
  }
  if (state_.history.size() > options_.iterations) {
    end(false, fmt::format("the limit of {} iterations was reached", options_.iterations));
    return false;
  }
  if (!full && (near || (steps_with_these_paths() >= 2 && is_noisy()))) return enlarge();
  if (full && at_noise_floor()) return average();
  return step();
}

bool Schedule::ensure_evaluation() {
  if (!evaluation_) evaluation_ = evaluator_.evaluate(state_, state_.parameters);
  if (evaluation_ && drop_silent()) return ensure_evaluation();
  return evaluation_.has_value();
}

// Where the fit stands, by other matching equations than before.
bool Schedule::evaluate_anew(const FitState& before) {
  evaluation_.reset();
  if (!ensure_evaluation()) {
    forget(before);
    return false;
  }
  record(0.0, 0.0, 0);
  return true;
}

// An interrupted iteration leaves no trace.
void Schedule::forget(const FitState& before) {
  state_ = before;
  evaluation_.reset();
}

void Schedule::choose_again() {
  state_.damping_parameters = state_.parameters;
  evaluation_.reset();
}

bool Schedule::begin_nearest() {
  auto nearest = nearest_start(model_, data_, state_, options_.starts, evaluator_);
  if (!nearest) return false;
  state_.parameters = std::move(*nearest);
  choose_again();
  return true;
}

void Schedule::record(double gain, double step, std::size_t halvings) {
  state_.history.push_back({state_.history.size(), state_.paths, gain, evaluation_->psi_over_noise,
                            step, halvings, state_.parameters});
}

// --- the sample ---

std::size_t Schedule::steps_with_these_paths() const {
  std::size_t steps = 0;
  for (std::size_t i = state_.history.size(); i-- > 0;) {
    if (state_.history[i].paths != state_.paths || state_.history[i].step == 0.0) break;
    ++steps;
  }
  return steps;
}

// More noise in H than steps can be trusted with.
bool Schedule::is_noisy() const {
  return spectrum_of(evaluation_->matching).largest_noise() >
         noisy_information * std::sqrt(static_cast<double>(state_.active.size()));
}

// Are responses those of a part of the time before a snapshot?
bool Schedule::is_windowed() const { return !data_.stationary && evaluator_.window().has_value(); }

std::string Schedule::advice() const {
  if (!is_windowed()) return {};
  return fmt::format(
      " (responses are those of the last {:.4g} before a snapshot; where parameters act for "
      "longer, a longer --window may help)",
      *evaluator_.window());
}

bool Schedule::is_near() const { return evaluation_->psi_over_noise <= near_noise; }

bool Schedule::enlarge() {
  const FitState before = state_;
  state_.paths = std::min(evaluator_.most_paths(), growth * state_.paths);
  if (state_.paths == evaluator_.most_paths()) choose_again();
  return evaluate_anew(before);
}

bool Schedule::refine() {
  const FitState before = state_;
  state_.fine = true;
  return evaluate_anew(before);
}

// --- parameters without effect ---

// Parameters that no response of any path ever notices.
bool Schedule::drop_silent() {
  const Eigen::VectorXd diagonal = evaluation_->matching.information.diagonal();
  std::vector<bool> drop;
  for (const double one : diagonal) drop.push_back(!(std::fabs(one) > 0.0));
  return deactivate(drop);
}

// Parameters whose effect drowns in noise, once the sample has its full size and the law is near
// that of the data. At horizons for which responses need a window many effects may drown at one
// point and not at the next; there steps alone leave them out.
bool Schedule::drop_ineffective() {
  std::vector<bool> drop;
  for (const double effect : evaluation_->matching.effect) drop.push_back(!(effect > least_effect));
  return deactivate(drop);
}

bool Schedule::deactivate(const std::vector<bool>& drop) {
  if (std::find(drop.begin(), drop.end(), true) == drop.end()) return false;
  std::vector<std::size_t> kept;
  for (std::size_t i = 0; i < drop.size(); ++i) {
    const std::size_t p = state_.active[i];
    if (drop[i]) {
      state_.inactive.push_back(model_.parameters()[p].name);
    } else {
      kept.push_back(p);
    }
  }
  if (kept.empty()) {
    throw Error(ErrorKind::model,
                fmt::format("No parameter of the model {} has an effect on what is observed.",
                            model_.name()));
  }
  state_.active = kept;
  std::vector<double> anew = optimizer_->first_memory(kept.size());
  if (anew.size() != state_.memory.size()) state_.memory = std::move(anew);
  evaluation_.reset();
  return true;
}

// --- steps ---

Matching Schedule::free_matching() const {
  return in_coordinates(evaluation_->matching, slopes(model_, state_.active, state_.parameters));
}

// A direction that a part of the paths does not see may be seen by all, and one that drowns where
// the law is not that of the data may be seen where it is.
Eigen::MatrixXd Schedule::left_out(const Matching& here) const {
  if (state_.paths < evaluator_.most_paths() || !is_near()) return here.unnoticed;
  Eigen::MatrixXd blind = blind_directions(here);
  if (blind.cols() == here.unnoticed.cols() || rejected(*evaluation_)) return here.unnoticed;
  return blind;
}

// |psi| over its noise, along the directions in which there is something to follow.
double Schedule::psi() const {
  const Matching here = free_matching();
  return left_out(here).cols() == here.unnoticed.cols() ? evaluation_->psi_over_noise
                                                        : seen_psi_over_noise(here);
}

std::optional<Trial> Schedule::attempt(const Matching& here, const Eigen::VectorXd& change) {
  std::vector<double> parameters = moved(model_, state_.active, state_.parameters, change);
  auto there = evaluator_.evaluate(state_, parameters);
  if (!there) return std::nullopt;
  Trial trial;
  trial.psi = slopes(model_, state_.active, parameters).asDiagonal() * there->matching.psi;
  // The trapezoidal rule for the integral of psi, the gradient of the mean log-likelihood.
  trial.gain = 0.5 * (here.psi + trial.psi).dot(change);
  trial.parameters = std::move(parameters);
  trial.evaluation = std::move(*there);
  return trial;
}

bool Schedule::step() {
  Ground ground;
  ground.here = free_matching();
  ground.largest = largest_changes(model_, state_.active);
  ground.iteration = state_.history.size();
  ground.pace = state_.pace;
  const Eigen::MatrixXd blind = left_out(ground.here);
  ground.attempt = [&](const Eigen::VectorXd& change) {
    return attempt(ground.here, without(blind, change));
  };
  Advance advance = optimizer_->step(ground, state_.memory);
  if (advance.taken) {
    state_.memory = std::move(advance.memory);
    state_.pace *= advance.pace;
    state_.parameters = std::move(advance.taken->parameters);
    evaluation_ = std::move(advance.taken->evaluation);
    record(advance.taken->gain, advance.length, advance.halvings);
    return true;
  }
  if (advance.stuck.empty()) return false;
  const double psi = this->psi();
  if (psi <= good_enough) {
    confirm(fmt::format("no step improves on |psi| = {:.2g} of its noise", psi));
  } else {
    end(false, fmt::format("{}, and |psi| is {:.2g} times its noise", advance.stuck, psi));
  }
  return false;
}

// --- the end ---

// The last steps with all paths: within the noise, and no longer getting smaller.
std::vector<const FitIteration*> Schedule::floor() const {
  std::vector<const FitIteration*> last;
  for (std::size_t i = state_.history.size(); i-- > 0;) {
    const FitIteration& one = state_.history[i];
    if (one.paths != evaluator_.most_paths() || one.psi_over_noise > near_noise) break;
    last.push_back(&one);
    // Before it the matching equations were others.
    if (state_.fine && one.step == 0.0) break;
  }
  return last;
}

bool Schedule::at_noise_floor() const {
  constexpr std::size_t enough = 5;
  const auto last = floor();
  if (last.size() < enough) return false;
  const double recent =
      std::min({last[0]->psi_over_noise, last[1]->psi_over_noise, last[2]->psi_over_noise});
  const double before = last[3]->psi_over_noise;
  return recent > 0.7 * before;
}

// Of their points, in the free coordinates.
std::vector<double> Schedule::mean_of(const std::vector<const FitIteration*>& some) const {
  Eigen::VectorXd mean = Eigen::VectorXd::Zero(static_cast<Eigen::Index>(state_.active.size()));
  for (const FitIteration* one : some) {
    mean += change_between(model_, state_.active, state_.parameters, one->parameters) /
            static_cast<double>(some.size());
  }
  return moved(model_, state_.active, state_.parameters, mean);
}

bool Schedule::average() {
  const auto last = floor();
  std::vector<double> parameters = mean_of(last);
  auto there = evaluator_.evaluate(state_, parameters);
  if (!there) return false;
  const std::size_t count = last.size();
  state_.parameters = std::move(parameters);
  evaluation_ = std::move(there);
  record(0.0, 0.0, 0);
  const double psi = evaluation_->psi_over_noise;
  std::string reason = fmt::format(
      "the mean of the last {} iterations, all within the noise; |psi| is {:.2g} of its noise",
      count, psi);
  const double determined = determined_psi_over_noise(free_matching());
  if (determined < psi) {
    reason += fmt::format(", {:.2g} in the combinations that these paths determine", determined);
  }
  if (std::min(determined, psi) <= good_enough) {
    confirm(reason);
  } else {
    end(false, reason + "; more --paths may help");
  }
  return false;
}

// Means and covariances that are not those of the data.
std::optional<JointGoodness> Schedule::rejected(const Evaluation& there) const {
  const std::vector<JointGoodness> joint = joint_goodness(data_, there);
  const auto found = std::ranges::find_if(
      joint, [&](const JointGoodness& one) { return is_rejected(one.p, joint.size()); });
  return found == joint.end() ? std::nullopt : std::optional(*found);
}

// The end of a fit that found a root, if paths not used so far agree that it is one. Where H has
// directions that drown in noise, psi cannot tell a root from another point along them; then the
// law itself has to be that of the data.
void Schedule::confirm(const std::string& reason) {
  if (!evaluator_.is_centred()) return end(true, reason);
  const auto fresh = evaluator_.evaluate(state_, state_.parameters, Numbers::fresh);
  if (!fresh) return;
  const Eigen::Index unnoticed = fresh->matching.unnoticed.cols();
  const double count = static_cast<double>(state_.active.size()) - static_cast<double>(unnoticed);
  const double limit = std::max(options_.tolerance, good_enough) +
                       std::sqrt(chi_square_quantile(false_alarm, count) / count);
  if (fresh->psi_over_noise > limit) {
    return end(false, fmt::format("{}, but {:.2g} times it on other paths, where up to {:.2g} "
                                  "would be chance; more --paths may help",
                                  reason, fresh->psi_over_noise, limit));
  }
  const Spectrum spectrum = spectrum_of(free_matching());
  const auto drowned = (spectrum.values.array() < spectrum.noise.array()).count();
  const auto other_law = drowned == 0 ? std::nullopt : rejected(*fresh);
  if (other_law) {
    return end(false,
               fmt::format("{}, but {} of {} combinations of parameters drown in the noise of "
                           "the paths, and the means and covariances are not those of the data "
                           "(chi-square {:.4g}, {} degrees of freedom); more --paths or other "
                           "starting values may help",
                           reason, drowned, state_.active.size(), other_law->statistic,
                           other_law->freedom));
  }
  end(true, fmt::format("{}, {:.2g} on other paths", reason, fresh->psi_over_noise));
}

}  // namespace divker::fit
