#include "divker/fit.hpp"

#include <fmt/format.h>

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <limits>

#include "divker/error.hpp"
#include "divker/kernel.hpp"
#include "estimate/parallel.hpp"
#include "fit/bounds.hpp"
#include "fit/directions.hpp"
#include "fit/fingerprint.hpp"
#include "fit/goodness.hpp"
#include "fit/matching.hpp"
#include "fit/newton.hpp"
#include "model/names.hpp"

namespace divker {
namespace {

using Eigen::Index;
using Eigen::VectorXd;
using fit::Matching;

// Below |psi| of its noise, more paths say more than another step with as many.
constexpr double near_noise = 1.0;
// Iterations that get no smaller than this share of the noise have found no root.
constexpr double good_enough = 0.5;
// On paths that the fit has not used |psi| has to be within its noise, but for this probability.
constexpr double false_alarm = 1e-3;
// A law is called another one than that of the data below this, divided by the number of tests.
constexpr double gross = 1e-4;
// With more noise than this in an entry of H, scaled to a unit diagonal, so do they for the step.
// The eigenvalues of P parameters then have sqrt(P) times as much.
constexpr double noisy_information = 0.03;
constexpr std::size_t growth = 4;
constexpr std::size_t fewest_paths = 4096;
constexpr std::size_t most_halvings = 8;
// A parameter whose H_ii is not significant at this level is taken to have no effect.
constexpr double least_effect = 3.0;
// Steps in a logarithmic coordinate: a factor of 1.65. A noise amplitude that has become too small
// comes back slowly, because the data hardly see it there.
constexpr double largest_free_step = 0.5;
// Of several starts, in such a coordinate.
constexpr double spread_of_starts = 1.0;
constexpr double adam_decay = 0.9;
constexpr double adam_square_decay = 0.999;

// The model's law as the data see it at some parameters.
struct Evaluation {
  Matching matching;  // in natural coordinates
  double psi_over_noise = 0.0;
  std::vector<std::array<Matrix, 2>> samples;  // observed points of the blocks, by halves
  RunSummary summary;
};

void check_options(const FitOptions& options, const Model& model) {
  const auto refuse = [](const std::string& sentence) { throw Error(ErrorKind::usage, sentence); };
  if (options.run.paths < 100) {
    refuse(fmt::format("The number of paths is {}; a fit needs at least 100.", options.run.paths));
  }
  if (!(options.tolerance > 0.0)) {
    refuse(fmt::format("The tolerance is {}; it must be positive.", options.tolerance));
  }
  if (options.starts == 0) refuse("The number of starts is 0; it must be at least 1.");
  if (!(options.rate >= 0.0)) {
    refuse(fmt::format("The rate is {}; it must not be negative.", options.rate));
  }
  const double length = model.time().end - model.time().start;
  if (!(options.window >= 0.0 && options.window <= length)) {
    refuse(fmt::format("The window is {}; it must be from 0 to the length of the time grid, {}.",
                       options.window, length));
  }
}

}  // namespace

struct Fit::Implementation {
  Implementation(const Model& model_, FitData data_, const FitOptions& options_)
      : model(model_), data(std::move(data_)), options(options_) {
    check_options(options, model);
    const std::vector<std::size_t> free = model.free_parameters();
    if (free.empty()) {
      throw Error(ErrorKind::usage,
                  fmt::format("Model {} has no parameter to fit: all are fixed.", model.name()));
    }
    if (data.individuals < free.size()) {
      throw Error(ErrorKind::model,
                  fmt::format("The data have {} {}, fewer than the {} parameters to be fitted; fix "
                              "some of them.",
                              data.individuals,
                              data.individuals == data.rows ? "rows" : "individuals", free.size()));
    }
    if (data.stationary && options.window == 0.0) {
      options.window = 0.5 * (model.time().end - model.time().start);
    }
    state.fingerprint = fit::fingerprint_of(model, data, options);
    state.parameters = model.parameter_values();
    state.active = free;
    state.radius = first_radius();
    state.paths = options.optimizer == Optimizer::newton
                      ? std::min(options.run.paths,
                                 std::max(fewest_paths, options.run.paths / (growth * growth)))
                      : options.run.paths;
    state.damping_parameters = state.parameters;
  }

  // One nat for each observed coordinate.
  [[nodiscard]] double first_radius() const { return std::sqrt(2.0 * most_observed()); }
  [[nodiscard]] double most_observed() const {
    std::size_t most = 1;
    for (const DataBlock& block : data.blocks) most = std::max(most, block.observed.size());
    return static_cast<double>(most);
  }

  // --- the machinery at some parameters ---

  void prepare() {
    if (ensemble) return;
    StepOptions step;
    step.order = options.order;
    step.responses = state.active;
    const Model at = model.with_parameters(state.damping_parameters);
    observer.emplace(at, data, state.active, data.stationary ? options.window : 0.0);
    RunOptions run = options.run;
    run.snapshots = observer->times();
    run.progress = nullptr;
    run.paths = std::max(run.paths, std::size_t{1} << 14U);  // the pilot's share of them
    const VarianceMeasure measure = [](const Snapshot& snapshot) {
      Moments moments(snapshot.responses.cols);
      moments.add(snapshot.responses);
      std::vector<double> variances;
      for (std::size_t p = 0; p < moments.size(); ++p) {
        if (moments.variance(p) > 0.0) variances.push_back(moments.variance(p));
      }
      return variances;
    };
    const double compiled_before = Kernel::total_compile_seconds();
    // A map that is one to one at the start may fold on the way to the fit: pure kernel steps hold
    // for both.
    DampingRequest request = options.damping.without_learning();
    if (model.dynamics() == Dynamics::map && request.kind == DampingRequest::Kind::automatic) {
      request.kind = DampingRequest::Kind::given;
      request.damping.form = DampingForm::kernel;
    }
    effective.choice = choose_damping(at, request, step, run, measure);
    effective.choice.damping.shape(step);
    effective.alpha = effective.choice.damping.text();
    ensemble.emplace(at, step);
    effective.compile_seconds += Kernel::total_compile_seconds() - compiled_before;
  }

  // An interrupted iteration leaves no trace.
  void forget(const FitState& before) {
    state = before;
    ensemble.reset();
    evaluation.reset();
  }

  void choose_again() {
    state.damping_parameters = state.parameters;
    ensemble.reset();
    evaluation.reset();
  }

  // Nothing if the run was interrupted.
  [[nodiscard]] std::optional<Evaluation> evaluate(const std::vector<double>& parameters,
                                                   std::size_t paths, bool fresh = false) {
    prepare();
    if (options.run.stopped()) return std::nullopt;
    ensemble->set_model(model.with_parameters(parameters));
    RunOptions run = options.run;
    run.paths = paths;
    if (fresh) run.first_path += options.run.paths;
    run.damping = effective.choice.damping;
    Checkpoint saved;
    if (options.saved_runs) {
      saved = options.saved_runs(fit::run_name(parameters, state.active, run));
    }
    fit::ObservedPaths observed = observer->run(*ensemble, run, saved);
    if (observed.summary.interrupted) return std::nullopt;
    if (observed.summary.paths < 100) {
      throw Error(ErrorKind::numerical,
                  fmt::format("Only {} of {} paths finished: too few for a fit.",
                              observed.summary.paths, observed.summary.requested));
    }
    effective.regressor = regressor_name();
    fit::MatchingOptions how{effective.regressor,
                             state.fine ? fit::Detail::fine : fit::Detail::coarse,
                             options.regressor_options, options.match == MatchKind::neighbours};
    how.regressor_options.threads = options.run.threads;
    Evaluation result;
    result.matching = fit::match(observed, data, how);
    result.psi_over_noise = fit::psi_over_noise(result.matching);
    result.summary = observed.summary;
    for (auto& halves : observed.blocks) {
      result.samples.push_back({std::move(halves[0].y), std::move(halves[1].y)});
    }
    return result;
  }

  [[nodiscard]] std::string regressor_name() const {
    if (!options.regressor.empty()) return options.regressor;
    return options.match == MatchKind::neighbours ? "neighbours" : "hermite";
  }

  // False if the run was interrupted.
  bool ensure_evaluation() {
    if (!evaluation) evaluation = evaluate(state.parameters, state.paths);
    if (evaluation && drop_silent()) return ensure_evaluation();
    return evaluation.has_value();
  }

  // Parameters that no response of any path ever notices.
  bool drop_silent() {
    const VectorXd diagonal = evaluation->matching.information.diagonal();
    std::vector<bool> drop;
    for (Index i = 0; i < diagonal.size(); ++i) drop.push_back(!(std::fabs(diagonal[i]) > 0.0));
    return deactivate(drop);
  }

  // Parameters whose effect drowns in noise, once the sample has its full size and the law is near
  // that of the data.
  bool drop_ineffective() {
    const VectorXd& effect = evaluation->matching.effect;
    std::vector<bool> drop;
    for (Index i = 0; i < effect.size(); ++i) drop.push_back(!(effect[i] > least_effect));
    return deactivate(drop);
  }

  bool deactivate(const std::vector<bool>& drop) {
    if (std::find(drop.begin(), drop.end(), true) == drop.end()) return false;
    std::vector<std::size_t> kept;
    for (std::size_t i = 0; i < drop.size(); ++i) {
      const std::size_t p = state.active[i];
      if (drop[i]) {
        state.inactive.push_back(model.parameters()[p].name);
      } else {
        kept.push_back(p);
      }
    }
    if (kept.empty()) {
      throw Error(ErrorKind::model,
                  fmt::format("No parameter of the model {} has an effect on what is observed.",
                              model.name()));
    }
    state.active = kept;
    state.first_moment.clear();
    state.second_moment.clear();
    ensemble.reset();
    evaluation.reset();
    return true;
  }

  // --- coordinates ---

  [[nodiscard]] VectorXd slopes(const std::vector<double>& parameters) const {
    VectorXd result(static_cast<Index>(state.active.size()));
    for (std::size_t i = 0; i < state.active.size(); ++i) {
      const std::size_t p = state.active[i];
      result[static_cast<Index>(i)] = fit::slope(model.parameters()[p], parameters[p]);
    }
    return result;
  }

  [[nodiscard]] std::vector<double> moved(const VectorXd& change) const {
    std::vector<double> parameters = state.parameters;
    for (std::size_t i = 0; i < state.active.size(); ++i) {
      const std::size_t p = state.active[i];
      const Parameter& parameter = model.parameters()[p];
      const double u = fit::to_free(parameter, parameters[p]) + change[static_cast<Index>(i)];
      parameters[p] = fit::from_free(parameter, u);
    }
    return parameters;
  }

  [[nodiscard]] VectorXd largest_changes() const {
    VectorXd largest(static_cast<Index>(state.active.size()));
    for (std::size_t i = 0; i < state.active.size(); ++i) {
      largest[static_cast<Index>(i)] = fit::is_bounded(model.parameters()[state.active[i]])
                                           ? largest_free_step
                                           : std::numeric_limits<double>::infinity();
    }
    return largest;
  }

  [[nodiscard]] Matching free_matching() const {
    return fit::in_coordinates(evaluation->matching, slopes(state.parameters));
  }

  // --- iterations ---

  void record(double gain, double step, std::size_t halvings) {
    state.history.push_back({state.history.size(), state.paths, gain, evaluation->psi_over_noise,
                             step, halvings, state.parameters});
  }

  void end(bool converged, std::string reason) {
    state.done = true;
    state.converged = converged;
    state.reason = std::move(reason);
  }

  bool advance() {
    if (state.done) return false;
    const FitState before = state;
    const bool at_start = state.history.empty() && options.starts > 1;
    if ((at_start && !choose_start()) || !ensure_evaluation()) {
      if (at_start) forget(before);
      return false;
    }
    if (state.history.empty()) {
      record(0.0, 0.0, 0);
      return true;
    }
    const bool full = state.paths >= options.run.paths;
    const bool near = evaluation->psi_over_noise <= near_noise;
    if (full && near && drop_ineffective()) return true;
    if (full && near && can_be_finer()) return refine();
    if (full && evaluation->psi_over_noise <= options.tolerance) {
      confirm(fmt::format("|psi| is {:.2g} of its noise", evaluation->psi_over_noise));
      return false;
    }
    if (state.history.size() > options.iterations) {
      end(false, fmt::format("the limit of {} iterations was reached", options.iterations));
      return false;
    }
    if (!full && (near || (steps_with_these_paths() >= 2 && is_noisy()))) return enlarge();
    if (full && at_noise_floor()) return average();
    return options.optimizer == Optimizer::newton ? newton() : first_order();
  }

  [[nodiscard]] std::size_t steps_with_these_paths() const {
    std::size_t steps = 0;
    for (std::size_t i = state.history.size(); i-- > 0;) {
      if (state.history[i].paths != state.paths || state.history[i].step == 0.0) break;
      ++steps;
    }
    return steps;
  }

  // More noise in H than steps can be trusted with.
  [[nodiscard]] bool is_noisy() const {
    return fit::spectrum_of(evaluation->matching).largest_noise() >
           noisy_information * std::sqrt(static_cast<double>(state.active.size()));
  }

  // Of several starts the one whose marginals are nearest to those of the data. The others are
  // spread around the model's values by a factor of e, or by the value itself where there are no
  // bounds.
  bool choose_start() {
    const NormalSource random(options.run.seed, Stream::pick);
    const FitState before = state;
    std::vector<double> best = state.parameters;
    double least = std::numeric_limits<double>::infinity();
    for (std::size_t k = 0; k < options.starts; ++k) {
      VectorXd change = VectorXd::Zero(static_cast<Index>(state.active.size()));
      for (std::size_t i = 0; k > 0 && i < state.active.size(); ++i) {
        const Parameter& parameter = model.parameters()[state.active[i]];
        const double spread = fit::is_bounded(parameter)
                                  ? spread_of_starts
                                  : std::max(1.0, std::fabs(before.parameters[state.active[i]]));
        change[static_cast<Index>(i)] = spread * random.normal(k, i, 0, 1);
      }
      const std::vector<double> parameters = moved(change);
      try {
        const auto there = evaluate(parameters, state.paths);
        if (!there) return false;
        const double distance = distance_of(*there);
        if (distance < least) {
          least = distance;
          best = parameters;
        }
      } catch (const Error& error) {
        // A start whose paths fail is no start.
        if (error.kind() != ErrorKind::numerical) throw;
      }
    }
    state.parameters = best;
    choose_again();
    return true;
  }

  // Sum of the energy distances, each in units of the data's deviation.
  [[nodiscard]] double distance_of(const Evaluation& there) const {
    double total = 0.0;
    for (std::size_t b = 0; b < data.blocks.size(); ++b) {
      for (std::size_t c = 0; c < data.blocks[b].observed.size(); ++c) {
        const std::vector<double> measured = data.blocks[b].values.column(c);
        Moments moments(1);
        for (const double y : measured) moments.add({&y, 1});
        const double scale = measured.size() > 1 ? std::sqrt(moments.variance(0)) : 1.0;
        total += fit::energy_statistic(measured, there.samples[b][0].column(c)) /
                 std::max(scale, 1e-300);
      }
    }
    return total;
  }

  // Where the fit stands, by other matching equations than before.
  bool evaluate_anew(const FitState& before) {
    evaluation.reset();
    if (!ensure_evaluation()) {
      forget(before);
      return false;
    }
    record(0.0, 0.0, 0);
    return true;
  }

  bool enlarge() {
    const FitState before = state;
    state.paths = std::min(options.run.paths, growth * state.paths);
    if (state.paths == options.run.paths) choose_again();
    return evaluate_anew(before);
  }

  [[nodiscard]] bool can_be_finer() const {
    if (state.fine || effective.regressor != "hermite") return false;
    return std::any_of(data.blocks.begin(), data.blocks.end(), [this](const DataBlock& block) {
      return fit::Instrument::can_be_finer(block.observed.size(), options.run.paths / 2);
    });
  }

  bool refine() {
    const FitState before = state;
    state.fine = true;
    return evaluate_anew(before);
  }

  bool newton() {
    const Matching here = free_matching();
    fit::Step step = fit::newton_step(here, state.radius, largest_changes());
    for (std::size_t halvings = 0; halvings <= most_halvings; ++halvings) {
      const std::vector<double> parameters = moved(step.change);
      std::optional<Evaluation> there;
      try {
        there = evaluate(parameters, state.paths);
        if (!there) return false;
      } catch (const Error& error) {
        if (error.kind() != ErrorKind::numerical || halvings == most_halvings) throw;
      }
      if (there) {
        const VectorXd psi = slopes(parameters).asDiagonal() * there->matching.psi;
        // The trapezoidal rule for the integral of psi, the gradient of the mean log-likelihood.
        const double gain = 0.5 * (here.psi + psi).dot(step.change);
        // Near the root the gain is noise, and a smaller |psi| will do: by the noise of this point,
        // for that of another may have exploded.
        Matching judged = here;
        judged.psi = psi;
        if (gain >= 0.0 || fit::psi_over_noise(judged) < fit::psi_over_noise(here)) {
          const double foreseen = here.psi.dot(step.change) - 0.5 * step.length * step.length;
          if (step.limited && gain > 0.5 * foreseen) state.radius *= 3.0;
          if (gain < 0.25 * foreseen) state.radius = std::max(0.5 * step.length, 1e-6);
          state.parameters = parameters;
          evaluation = std::move(there);
          record(gain, step.length, halvings);
          return true;
        }
      }
      step.change *= 0.5;
      step.length *= 0.5;
      state.radius = std::max(step.length, 1e-6);
    }
    if (evaluation->psi_over_noise <= good_enough) {
      confirm(fmt::format("no step improves on |psi| = {:.2g} of its noise",
                          evaluation->psi_over_noise));
    } else {
      end(false, fmt::format("no step in the Newton direction raises the likelihood, and |psi| is "
                             "{:.2g} times its noise",
                             evaluation->psi_over_noise));
    }
    return false;
  }

  // Gradient ascent on the mean log-likelihood in the free coordinates, plain or by Adam (Kingma
  // and Ba 2015).
  bool first_order() {
    const VectorXd psi = free_matching().psi;
    FitState next = state;
    VectorXd change = (options.rate > 0.0 ? options.rate : 0.2) * psi;
    if (options.optimizer == Optimizer::adam) {
      const double rate = options.rate > 0.0 ? options.rate : 0.05;
      next.first_moment.resize(state.active.size());
      next.second_moment.resize(state.active.size());
      const auto step = static_cast<double>(state.history.size());
      for (std::size_t i = 0; i < state.active.size(); ++i) {
        const double g = psi[static_cast<Index>(i)];
        double& m = next.first_moment[i];
        double& v = next.second_moment[i];
        m = adam_decay * m + (1.0 - adam_decay) * g;
        v = adam_square_decay * v + (1.0 - adam_square_decay) * g * g;
        const double mean = m / (1.0 - std::pow(adam_decay, step));
        const double square = v / (1.0 - std::pow(adam_square_decay, step));
        change[static_cast<Index>(i)] = rate * mean / (std::sqrt(square) + 1e-8);
      }
    }
    next.parameters = moved(change);
    auto there = evaluate(next.parameters, state.paths);
    if (!there) return false;
    const double length =
        std::sqrt(std::max(0.0, change.dot(free_matching().information * change)));
    const VectorXd psi_there = slopes(next.parameters).asDiagonal() * there->matching.psi;
    const double gain = 0.5 * (psi + psi_there).dot(change);
    state = std::move(next);
    evaluation = std::move(there);
    record(gain, length, 0);
    return true;
  }

  // --- the end ---

  // The last steps with all paths: within the noise, and no longer getting smaller.
  [[nodiscard]] std::vector<const FitIteration*> floor() const {
    std::vector<const FitIteration*> last;
    for (std::size_t i = state.history.size(); i-- > 0;) {
      const FitIteration& one = state.history[i];
      if (one.paths != options.run.paths || one.psi_over_noise > near_noise) break;
      last.push_back(&one);
      // Before it the matching equations were others.
      if (state.fine && one.step == 0.0) break;
    }
    return last;
  }

  [[nodiscard]] bool at_noise_floor() const {
    constexpr std::size_t enough = 5;
    const auto last = floor();
    if (last.size() < enough) return false;
    const double recent =
        std::min({last[0]->psi_over_noise, last[1]->psi_over_noise, last[2]->psi_over_noise});
    const double before = last[3]->psi_over_noise;
    return recent > 0.7 * before;
  }

  bool average() {
    const auto last = floor();
    VectorXd mean = VectorXd::Zero(static_cast<Index>(state.active.size()));
    for (const FitIteration* one : last) {
      for (std::size_t i = 0; i < state.active.size(); ++i) {
        const std::size_t p = state.active[i];
        const Parameter& parameter = model.parameters()[p];
        mean[static_cast<Index>(i)] += (fit::to_free(parameter, one->parameters[p]) -
                                        fit::to_free(parameter, state.parameters[p])) /
                                       static_cast<double>(last.size());
      }
    }
    const std::vector<double> parameters = moved(mean);
    auto there = evaluate(parameters, state.paths);
    if (!there) return false;
    state.parameters = parameters;
    evaluation = std::move(there);
    record(0.0, 0.0, 0);
    std::string reason = fmt::format(
        "the mean of the last {} iterations, all within the noise; |psi| is {:.2g} of its noise",
        last.size(), evaluation->psi_over_noise);
    const double determined = fit::determined_psi_over_noise(free_matching());
    if (determined < evaluation->psi_over_noise) {
      reason += fmt::format(", {:.2g} in the combinations that these paths determine", determined);
    }
    if (std::min(determined, evaluation->psi_over_noise) <= good_enough) {
      confirm(reason);
    } else {
      end(false, reason);
    }
    return false;
  }

  // The end of a fit that found a root, if paths not used so far agree that it is one. Where H has
  // directions that drown in noise, psi cannot tell a root from another point along them; then the
  // law itself has to be that of the data.
  void confirm(const std::string& reason) {
    if (options.match == MatchKind::neighbours) return end(true, reason);
    const auto fresh = evaluate(state.parameters, state.paths, true);
    if (!fresh) return;
    const auto count = static_cast<double>(state.active.size());
    const double limit = std::max(options.tolerance, good_enough) +
                         std::sqrt(fit::chi_square_quantile(false_alarm, count) / count);
    if (fresh->psi_over_noise > limit) {
      return end(false, fmt::format("{}, but {:.2g} times it on other paths, where up to {:.2g} "
                                    "would be chance; more --paths may help",
                                    reason, fresh->psi_over_noise, limit));
    }
    const fit::Spectrum spectrum = fit::spectrum_of(free_matching());
    const auto drowned = (spectrum.values.array() < spectrum.noise.array()).count();
    const std::vector<JointGoodness> joint = joint_goodness(*fresh);
    for (const JointGoodness& one : joint) {
      if (drowned == 0 || one.p * static_cast<double>(joint.size()) > gross) continue;
      return end(false,
                 fmt::format("{}, but {} of {} combinations of parameters drown in the noise of "
                             "the paths, and the means and covariances are not those of the data "
                             "(chi-square {:.4g}, {} degrees of freedom); more --paths or other "
                             "starting values may help",
                             reason, drowned, state.active.size(), one.statistic, one.freedom));
    }
    end(true, fmt::format("{}, {:.2g} on other paths", reason, fresh->psi_over_noise));
  }

  [[nodiscard]] FitResult result();
  void add_covariances(FitResult& result) const;
  [[nodiscard]] GoodnessOfFit goodness_of(std::size_t b, std::size_t c) const;
  void add_goodness(FitResult& result) const;
  [[nodiscard]] std::vector<JointGoodness> joint_goodness(const Evaluation& there) const;

  Model model;
  FitData data;
  FitOptions options;
  FitState state;
  Effective effective;
  std::optional<fit::Observer> observer;
  std::optional<Ensemble> ensemble;
  std::optional<Evaluation> evaluation;  // at state.parameters with state.paths
};

void Fit::Implementation::add_covariances(FitResult& result) const {
  const auto count = static_cast<Index>(state.active.size());
  const fit::EstimateCovariance covariance = fit::covariance_of(evaluation->matching);
  const Eigen::MatrixXd total = covariance.data + covariance.model;
  result.correlation = Matrix(state.active.size(), state.active.size());
  for (Index i = 0; i < count; ++i) {
    const std::size_t p = state.active[static_cast<std::size_t>(i)];
    result.names.push_back(model.parameters()[p].name);
    result.estimate.push_back(state.parameters[p]);
    result.standard_error.push_back(std::sqrt(total(i, i)));
    result.simulation_error.push_back(std::sqrt(covariance.model(i, i)));
    for (Index j = 0; j < count; ++j) {
      result.correlation(static_cast<std::size_t>(i), static_cast<std::size_t>(j)) =
          total(i, j) / std::sqrt(total(i, i) * total(j, j));
    }
  }
  const fit::Spectrum spectrum = fit::spectrum_of(free_matching());
  const double least = std::max(spectrum.values.minCoeff(), 1e-12);
  result.condition = spectrum.values.maxCoeff() / least;
  result.weak = fit::weak_directions(model, state.active, spectrum);
}

// Coordinate c of block b of the data, held against the model's sample.
GoodnessOfFit Fit::Implementation::goodness_of(std::size_t b, std::size_t c) const {
  constexpr std::size_t most_compared = 10'000;
  const DataBlock& block = data.blocks[b];
  GoodnessOfFit one;
  one.name = measurable(model)[block.observed[c]].name;
  one.time = block.time;
  one.rows = block.values.rows;
  std::vector<double> measured = block.values.column(c);
  std::vector<double> drawn = evaluation->samples[b][0].column(c);
  const std::vector<double> more = evaluation->samples[b][1].column(c);
  drawn.insert(drawn.end(), more.begin(), more.end());
  Moments of_data(1), of_model(1);
  for (const double y : measured) of_data.add({&y, 1});
  for (const double y : drawn) of_model.add({&y, 1});
  one.data_mean = of_data.mean()[0];
  one.model_mean = of_model.mean()[0];
  one.data_deviation = measured.size() > 1 ? std::sqrt(of_data.variance(0)) : 0.0;
  one.model_deviation = std::sqrt(of_model.variance(0));
  const fit::TestResult ks = fit::kolmogorov_smirnov(measured, drawn);
  const auto first = [](const std::vector<double>& all, std::size_t most) {
    return std::span<const double>(all).first(std::min(all.size(), most));
  };
  const std::size_t drawn_most = std::clamp<std::size_t>(4 * measured.size(), 2000, most_compared);
  const fit::TestResult energy = fit::energy_distance(first(measured, most_compared),
                                                      first(drawn, drawn_most), options.run.seed);
  one.kolmogorov_smirnov = ks.statistic;
  one.kolmogorov_smirnov_p = ks.p;
  one.energy = energy.statistic;
  one.energy_p = energy.p;
  one.data = std::move(measured);
  one.model = std::move(drawn);
  return one;
}

void Fit::Implementation::add_goodness(FitResult& result) const {
  std::vector<std::pair<std::size_t, std::size_t>> coordinates;
  bool one_each = true;
  for (std::size_t b = 0; b < data.blocks.size(); ++b) {
    one_each = one_each && data.blocks[b].observed.size() == 1;
    for (std::size_t c = 0; c < data.blocks[b].observed.size(); ++c) coordinates.emplace_back(b, c);
  }
  result.goodness.resize(coordinates.size());
  for_each_block(coordinates.size(), 1, options.run.threads, [&](std::size_t i, std::size_t) {
    result.goodness[i] = goodness_of(coordinates[i].first, coordinates[i].second);
  });
  if (!one_each) return;
  result.log_likelihood = 0.0;
  for (const GoodnessOfFit& one : result.goodness) {
    *result.log_likelihood +=
        static_cast<double>(one.data.size()) * fit::mean_log_density(one.model, one.data);
  }
}

std::vector<JointGoodness> Fit::Implementation::joint_goodness(const Evaluation& there) const {
  std::vector<JointGoodness> all;
  for (std::size_t b = 0; b < data.blocks.size(); ++b) {
    const DataBlock& block = data.blocks[b];
    if (block.observed.size() < 2) continue;
    const fit::ChiSquare test = fit::joint_moments(block.values, there.samples[b][0]);
    if (test.freedom == 0) continue;
    all.push_back({block.time, block.values.rows, test.statistic, test.freedom, test.p});
  }
  return all;
}

namespace {

// Tests that fail whatever the number of tests.
std::vector<std::string> rejections(const FitResult& result) {
  std::vector<std::string> words;
  const auto tests = static_cast<double>(result.goodness.size() + result.joint.size());
  for (const GoodnessOfFit& one : result.goodness) {
    if (one.kolmogorov_smirnov_p * tests > gross) continue;
    words.push_back(fmt::format("{} at t = {:.6g}, Kolmogorov-Smirnov distance {:.2g}", one.name,
                                one.time, one.kolmogorov_smirnov));
  }
  for (const JointGoodness& one : result.joint) {
    if (one.p * tests > gross) continue;
    words.push_back(
        fmt::format("means and covariances at t = {:.6g}, chi-square {:.4g} with {} "
                    "degrees of freedom",
                    one.time, one.statistic, one.freedom));
  }
  return words;
}

}  // namespace

FitResult Fit::Implementation::result() {
  if (!ensure_evaluation()) {
    throw Error(ErrorKind::numerical, "The fit was interrupted before its first iteration ended.");
  }
  FitResult result(model.with_parameters(state.parameters));
  result.inactive = state.inactive;
  result.data_rows = data.rows;
  result.individuals = data.individuals;
  result.state = state;
  add_covariances(result);
  add_goodness(result);
  result.joint = joint_goodness(*evaluation);
  result.rejected = rejections(result);
  effective.summary = evaluation->summary;
  result.effective = effective;
  return result;
}

Fit::Fit(const Model& model, FitData data, const FitOptions& options)
    : implementation_(std::make_unique<Implementation>(model, std::move(data), options)) {}
Fit::~Fit() = default;
Fit::Fit(Fit&&) noexcept = default;
Fit& Fit::operator=(Fit&&) noexcept = default;

void Fit::resume(FitState state) {
  Implementation& own = *implementation_;
  if (state.fingerprint != own.state.fingerprint) {
    throw Error(ErrorKind::usage,
                fmt::format("The saved fit belongs to another model, other data or other options "
                            "({}, not {}).",
                            state.fingerprint, own.state.fingerprint));
  }
  if (state.parameters.size() != own.state.parameters.size() ||
      state.paths > own.options.run.paths) {
    throw Error(ErrorKind::model,
                fmt::format("The saved fit has {} parameters and {} paths; the model has {} "
                            "parameters, and --paths allows {}.",
                            state.parameters.size(), state.paths, own.state.parameters.size(),
                            own.options.run.paths));
  }
  own.state = std::move(state);
  own.ensemble.reset();
  own.evaluation.reset();
}

std::string Fit::current_run() const {
  const Implementation& own = *implementation_;
  RunOptions run = own.options.run;
  run.paths = own.state.paths;
  return fit::run_name(own.state.parameters, own.state.active, run);
}

const FitState& Fit::state() const { return implementation_->state; }
bool Fit::advance() { return implementation_->advance(); }
FitResult Fit::result() { return implementation_->result(); }

FitResult fit_parameters(const Model& model, const FitData& data, const FitOptions& options) {
  Fit fitting(model, data, options);
  while (fitting.advance()) {
  }
  return fitting.result();
}

}  // namespace divker
