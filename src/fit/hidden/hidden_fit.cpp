#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <optional>
#include <utility>

#include "divker/error.hpp"
#include "divker/hidden_series.hpp"
#include "divker/plan.hpp"
#include "fit/coordinates.hpp"
#include "fit/hidden/ascent.hpp"
#include "fit/hidden/guided_kernels.hpp"
#include "fit/hidden/likelihood.hpp"
#include "fit/hidden/records.hpp"

namespace divker {
namespace fit {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

constexpr std::size_t fewest_of_individual = 64;
constexpr std::size_t most_of_individual = 1024;
constexpr std::size_t fewest_substeps_of_row = 4;
constexpr std::size_t most_substeps_of_row = 128;

void check(const Model& model, const HiddenSeries& data) {
  require_sde(model, "Series are fitted to SDEs");
  if (model.dimension() > most_guided_states) {
    throw Error(ErrorKind::usage,
                fmt::format("Model {} has {} states: series with hidden states or with noise of "
                            "measurement are fitted to models of at most {}.",
                            model.name(), model.dimension(), most_guided_states));
  }
  if (model.starts_from_samples()) {
    throw Error(ErrorKind::usage,
                fmt::format("Model {} starts from samples: a series with hidden states needs an "
                            "initial law in formulas, such as init x ~ normal(m, s).",
                            model.name()));
  }
  const std::size_t parameters = model.free_parameters().size();
  if (parameters == 0) {
    throw Error(ErrorKind::usage,
                fmt::format("All parameters of model {} are fixed: nothing is to be fitted.",
                            model.name()));
  }
  if (data.values <= parameters) {
    throw Error(ErrorKind::model,
                fmt::format("The data hold {} values after first rows for {} parameters: too few.",
                            data.values, parameters));
  }
}

// How the series is fitted, in one line.
std::string way_in_words(const Model& model, const HiddenSeries& data) {
  std::vector<std::string> parts;
  std::vector<std::string> hidden;
  std::vector<NodeId> roots;
  for (const std::size_t j : data.observations) roots.push_back(model.observations()[j].value);
  const std::vector<NodeId> mentioned = reachable(*model.graph(), roots);
  for (const std::size_t i : data.unseen) {
    const bool is_measured = std::ranges::binary_search(mentioned, model.states()[i].node);
    if (!is_measured) hidden.push_back(model.states()[i].name);
  }
  std::vector<std::string> measured;
  for (const std::size_t j : data.observations) measured.push_back(model.observations()[j].name);
  if (!hidden.empty()) {
    parts.push_back(
        fmt::format("{} {} hidden", fmt::join(hidden, ", "), hidden.size() == 1 ? "is" : "are"));
  }
  if (!measured.empty()) {
    parts.push_back(fmt::format("{} {} measured with noise", fmt::join(measured, ", "),
                                measured.size() == 1 ? "is" : "are"));
  }
  if (parts.empty()) parts.emplace_back("no row has all states");
  return fmt::format("{}: fitted by the likelihood of the series, along guided paths.",
                     fmt::join(parts, ", "));
}

}  // namespace

// A fit by the likelihood, from the start to the report.
class HiddenFit {
 public:
  HiddenFit(const Model& model, const HiddenSeries& data, const SeriesOptions& options)
      : model_(model),
        data_(data),
        options_(options),
        seen_(records_of(model, data)),
        kernels_(model, seen_.exact, seen_.noisy),
        active_(model.free_parameters()) {}

  FitResult go() {
    if (kernels_.order() != 2) {
      throw Error(
          ErrorKind::model,
          fmt::format("The noise of model {} depends on its states: with hidden states or noise of "
                      "measurement, series are fitted where it does not. A state in other "
                      "coordinates may have such noise, as the logarithm of a price.",
                      model_.name()));
    }
    const auto began = std::chrono::steady_clock::now();
    paths_ = with_lanes(options_.paths > 0 ? options_.paths : fewest_of_individual);
    std::vector<double> at = model_.parameter_values();
    set_substeps(at);
    drop_inactive(at);
    at = start(at);
    set_substeps(at);
    for (std::size_t refinement = 0;; ++refinement) {
      find_summit(at);
      at = estimate_;
      if (refinement == most_refinements || !refine()) break;
    }
    FitResult result = report();
    result.record.summary.seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
    return result;
  }

 private:
  static constexpr std::size_t most_refinements = 4;

  [[nodiscard]] std::size_t with_lanes(std::size_t paths) const {
    const std::size_t lanes = kernels_.lanes();
    return std::max<std::size_t>(1, (paths + lanes - 1) / lanes) * lanes;
  }

  // Steps of second order need fewer a relaxation time than those of first.
  void set_substeps(const std::vector<double>& at) {
    const double per_relaxation = kernels_.order() == 2 ? 8.0 : 16.0;
    const GuidedKernels::Bound bound = kernels_.bind(at);
    std::vector<double> rates;
    for (const SeenRecord& record : seen_.records) {
      const Guides guides(kernels_, record);
      const double rate = guides.relaxation_rate(bound, guides.filter(bound).means);
      if (std::isfinite(rate)) rates.push_back(rate);
    }
    const double rate = rates.empty() ? 0.0 : *std::ranges::max_element(rates);
    for (SeenRecord& record : seen_.records) {
      for (std::size_t leg = 0; leg < record.substeps.size(); ++leg) {
        const auto r = static_cast<Index>(leg);
        const double wanted = per_relaxation * rate * (record.time[r + 1] - record.time[r]);
        const auto chosen =
            static_cast<std::size_t>(std::min<double>(most_substeps_of_row, std::ceil(wanted)));
        const std::size_t substeps =
            options_.substeps > 0
                ? options_.substeps
                : std::min(most_substeps_of_row, std::max(fewest_substeps_of_row, chosen) * finer_);
        record.substeps[leg] = std::max<std::size_t>(2, substeps + substeps % 2);
      }
    }
  }

  // Parameters on which no density of a row depends.
  void drop_inactive(const std::vector<double>& at) {
    PathLikelihood likelihood = likelihood_of(seen_.records, options_.seed);
    const LogDensities base = likelihood.at(at);
    if (!std::isfinite(base.sum())) {
      throw Error(ErrorKind::numerical,
                  "No path explains the series at the model's values: all weights vanish. Give "
                  "others with --set. States that are seen as they are need noise that reaches "
                  "each of them: what is not moved by noise of its own is measured with noise, "
                  "observe y ~ normal(x, sd).");
    }
    const VectorXd steps = VectorXd::Constant(static_cast<Index>(active_.size()), 1e-3);
    const Differences differences(model_, active_, options_.session.threads);
    const Ascent ascent = differences.score(likelihood, base, at, steps);
    std::vector<std::size_t> kept;
    for (std::size_t p = 0; p < active_.size(); ++p) {
      if (ascent.terms.row(static_cast<Index>(p)).cwiseAbs().maxCoeff() == 0.0) {
        inactive_.push_back(model_.parameters()[active_[p]].name);
      } else {
        kept.push_back(active_[p]);
      }
    }
    active_ = std::move(kept);
    if (active_.empty()) {
      throw Error(ErrorKind::model,
                  "The likelihood of the series depends on none of the parameters: what is seen "
                  "tells nothing of them.");
    }
  }

  // The best of the model's values and of the summit of the filter's likelihood.
  std::vector<double> start(const std::vector<double>& given) {
    FilterLikelihood filter(kernels_, seen_.records);
    std::vector<double> best = given;
    double largest = likelihood_of(seen_.records, options_.seed).at(given).sum();
    try {
      const Summit summit = climb(model_, active_, filter, given, {30, 0.1}, options_.session);
      const double there = likelihood_of(seen_.records, options_.seed).at(summit.parameters).sum();
      if (there > largest) best = summit.parameters;
    } catch (const Error& error) {
      if (options_.session.stopped()) throw;
    }
    return best;
  }

  // Of a linear model all paths have the same weight.
  [[nodiscard]] std::size_t replicates() const { return smallest_sample_ > 0.99 ? 2 : 4; }

  [[nodiscard]] PathLikelihood likelihood_of(const std::vector<SeenRecord>& records,
                                             std::uint64_t seed) const {
    return {kernels_, records, paths_, seed, options_.session.threads};
  }
  // Of half as many substeps.
  [[nodiscard]] std::vector<SeenRecord> coarse_records() const {
    std::vector<SeenRecord> records = seen_.records;
    for (SeenRecord& record : records) {
      for (std::size_t& k : record.substeps) k = std::max<std::size_t>(1, k / 2);
    }
    return records;
  }

  // At dt = 0, by steps and by twice as long ones.
  template <typename Value>
  [[nodiscard]] Value extrapolated(const Value& fine, const Value& coarse) const {
    const double weight = kernels_.order() == 2 ? 1.0 / 3.0 : 1.0;
    return (1.0 + weight) * fine - weight * coarse;
  }

  // The summit, the information there, and what dt and the paths do to it: near the root of one
  // likelihood, then at the root of the mean score of several.
  void find_summit(const std::vector<double>& from) {
    constexpr std::size_t most_rough = 8, most_rounds = 4;
    constexpr double rough = 0.1, blur = 3.0;
    PathLikelihood fine = likelihood_of(seen_.records, options_.seed);
    const AscentRules rules{std::min(options_.iterations, most_rough), rough, true, blur};
    summit_ = climb(model_, active_, fine, from, rules, options_.session, &history_, paths_);
    estimate_ = summit_.parameters;
    if (summit_.ascent.terms.size() == 0 || !summit_.ascent.terms.allFinite()) {
      throw Error(ErrorKind::numerical, fmt::format("The fit did not start: {}.", summit_.reason));
    }
    const Differences differences(model_, active_, options_.session.threads);
    information_ = summit_.information;
    smallest_sample_ = fine.smallest_sample() / static_cast<double>(paths_);
    PathLikelihood coarse = likelihood_of(coarse_records(), options_.seed);
    coarse.start_from(fine);
    extrapolate_information(fine, coarse, differences);
    find_undetermined();
    summit_.converged = false;
    for (std::size_t round = 0; round < most_rounds && !summit_.converged; ++round) {
      take_mean_step(fine, coarse, differences);
      // Where a parameter is known to half of itself, the information changes within a step.
      extrapolate_information(fine, coarse, differences);
      find_undetermined();
    }
    summit_.reason = summit_.converged
                         ? "the mean score of several samples of paths leads nowhere else"
                         : "the mean score of several samples of paths leads on and on";
  }

  // The second derivative at the estimate, at dt = 0, where it is one.
  void extrapolate_information(PathLikelihood& fine, PathLikelihood& coarse,
                               const Differences& differences) {
    const MatrixXd directions = whitened_directions(information_, 0.2, 0.05);
    const MatrixXd inverse = directions.inverse();
    const auto bend = [&](PathLikelihood& likelihood) -> MatrixXd {
      likelihood.set_seed(options_.seed);
      const LogDensities base = likelihood.at(estimate_);
      return inverse.transpose() * differences.curvature(likelihood, base, estimate_, directions) *
             inverse;
    };
    const MatrixXd found = extrapolated(bend(fine), bend(coarse));
    if (is_positive(found)) information_ = found;
  }

  void take_mean_step(PathLikelihood& fine, PathLikelihood& coarse,
                      const Differences& differences) {
    const auto count = static_cast<Index>(active_.size());
    MatrixXd scores(count, static_cast<Index>(replicates()));
    VectorXd biases = VectorXd::Zero(count);
    for (std::size_t r = 0; r < replicates(); ++r) {
      if (options_.session.stopped()) throw Error(ErrorKind::numerical, "The fit was interrupted.");
      const auto of_seed = [&](PathLikelihood& likelihood) -> VectorXd {
        likelihood.set_seed(options_.seed + 1 + r);
        const LogDensities base = likelihood.at(estimate_);
        return differences.score(likelihood, base, estimate_, summit_.steps).score();
      };
      const VectorXd by_fine = of_seed(fine);
      const VectorXd by_coarse = of_seed(coarse);
      scores.col(static_cast<Index>(r)) = extrapolated(by_fine, by_coarse);
      biases += (by_fine - scores.col(static_cast<Index>(r))) / static_cast<double>(replicates());
    }
    step_to_the_root(scores, biases);
  }

  // Directions in which the information is nothing beside that of each parameter alone, or
  // negative.
  void find_undetermined() {
    constexpr double least = 1e-5, notable = 0.1;
    undetermined_.assign(active_.size(), false);
    const VectorXd unit = information_.diagonal().array().max(1e-300).rsqrt();
    const Eigen::SelfAdjointEigenSolver<MatrixXd> solver(unit.asDiagonal() * information_ *
                                                         unit.asDiagonal());
    covariance_ = MatrixXd::Zero(information_.rows(), information_.cols());
    for (Index k = 0; k < solver.eigenvalues().size(); ++k) {
      const VectorXd direction = unit.asDiagonal() * solver.eigenvectors().col(k);
      if (solver.eigenvalues()[k] > least) {
        covariance_ += direction * direction.transpose() / solver.eigenvalues()[k];
        continue;
      }
      for (Index i = 0; i < direction.size(); ++i) {
        if (std::fabs(solver.eigenvectors()(i, k)) > notable) {
          undetermined_[static_cast<std::size_t>(i)] = true;
        }
      }
    }
    condition_ = solver.eigenvalues().maxCoeff() /
                 std::max(1e-300, solver.eigenvalues().cwiseAbs().minCoeff());
  }

  // One step of Newton's method by the mean over the replicates, extrapolated to dt = 0. A step
  // below 0.4 standard errors leaves less than a tenth of one.
  void step_to_the_root(const MatrixXd& scores, const VectorXd& biases) {
    const VectorXd mean = scores.rowwise().mean();
    const MatrixXd scatter = scores.colwise() - mean;
    const auto many = static_cast<double>(replicates());
    of_paths_ = covariance_ * (scatter * scatter.transpose() / (many * (many - 1.0))) * covariance_;
    const VectorXd errors = covariance_.diagonal().cwiseMax(0.0).cwiseSqrt();
    VectorXd change = covariance_ * mean;
    const double longest = (change.array() / errors.array().max(1e-300)).abs().maxCoeff();
    constexpr double most = 1.0, small = 0.4;  // standard errors
    summit_.converged = longest < small;
    if (longest > most) change *= most / longest;
    estimate_ = moved(model_, active_, estimate_, change);
    step_bias_ = (covariance_ * biases).cwiseQuotient(errors.cwiseMax(1e-300));
  }

  // More paths where their noise counts, more substeps where extrapolation takes off much.
  bool refine() {
    constexpr double most_noise = 0.15, most_bias = 0.5;
    bool refined = false;
    const VectorXd errors = covariance_.diagonal().cwiseMax(1e-300);
    const double noise = (of_paths_.diagonal().array() / errors.array()).maxCoeff();
    if (options_.paths == 0 && noise > most_noise * most_noise && paths_ < most_of_individual) {
      paths_ = std::min(most_of_individual, 4 * paths_);
      refined = true;
    }
    if (options_.substeps == 0 && step_bias_.cwiseAbs().maxCoeff() > most_bias &&
        most_substeps() < most_substeps_of_row) {
      finer_ *= 2;
      refined = true;
    }
    if (refined) set_substeps(estimate_);
    return refined;
  }

  [[nodiscard]] std::size_t most_substeps() const {
    std::size_t most = 0;
    for (const SeenRecord& record : seen_.records) {
      for (const std::size_t k : record.substeps) most = std::max(most, k);
    }
    return most;
  }

  // log L by the replicates, extrapolated to dt = 0.
  void tell_likelihood(FitResult& result) const {
    PathLikelihood fine = likelihood_of(seen_.records, 0);
    PathLikelihood coarse = likelihood_of(coarse_records(), 0);
    std::vector<double> by_fine, by_coarse, both;
    for (std::size_t r = 0; r < replicates(); ++r) {
      fine.set_seed(options_.seed + 101 + r);
      coarse.set_seed(options_.seed + 101 + r);
      by_fine.push_back(fine.at(estimate_).sum());
      by_coarse.push_back(coarse.at(estimate_).sum());
      both.push_back(extrapolated(by_fine.back(), by_coarse.back()));
    }
    const double value = extrapolated(log_mean(by_fine), log_mean(by_coarse));
    double mean = 0.0, squares = 0.0;
    for (const double x : both) mean += x / static_cast<double>(replicates());
    for (const double x : both) squares += (x - mean) * (x - mean);
    const auto many = static_cast<double>(replicates());
    if (!std::isfinite(value)) return;
    result.log_likelihood = value + seen_.log_stretch;
    result.log_likelihood_error = std::sqrt(squares / (many * (many - 1.0)));
  }

  // Of estimates of a likelihood whose mean is it.
  static double log_mean(const std::vector<double>& logs) {
    const double largest = *std::ranges::max_element(logs);
    double total = 0.0;
    for (const double x : logs) total += std::exp(x - largest);
    return largest + std::log(total / static_cast<double>(logs.size()));
  }

  // Scores of individuals, where they are enough to tell the scatter of the data.
  [[nodiscard]] std::optional<MatrixXd> squares_of_individuals() const {
    constexpr std::size_t fewest = 30, for_each_parameter = 5;
    if (seen_.records.size() < std::max(fewest, for_each_parameter * active_.size())) {
      return std::nullopt;
    }
    MatrixXd scores(static_cast<Index>(active_.size()), static_cast<Index>(seen_.records.size()));
    Index row = 0, individual = 0;
    for (const SeenRecord& record : seen_.records) {
      const auto rows = static_cast<Index>(record.rows());
      scores.col(individual++) = summit_.ascent.terms.middleCols(row, rows).rowwise().sum();
      row += rows;
    }
    return scores * scores.transpose();
  }

  // Near a bound log L is not a parabola, and no bar of this kind tells its shape: of 60 series
  // with noise of measurement 13 put that noise at nearly zero, and 11 of their bars of the noise
  // of the state missed it.
  [[nodiscard]] std::vector<Warning> warnings_of_bounds(const MatrixXd& covariance) const {
    std::vector<Warning> warnings;
    for (std::size_t i = 0; i < active_.size(); ++i) {
      const Parameter& parameter = model_.parameters()[active_[i]];
      const bool is_bounded = std::isfinite(parameter.lower) || std::isfinite(parameter.upper);
      const auto k = static_cast<Index>(i);
      if (!is_bounded || (!undetermined_[i] && covariance(k, k) < 1.0)) continue;
      warnings.push_back(
          {"bound", fmt::format("{} = {:.4g} is less than one of its standard errors from a bound: "
                                "the likelihood is no normal curve there, and the bars of all "
                                "parameters may be too small. Fix {} where it is known, or measure "
                                "more.",
                                parameter.name, estimate_[active_[i]], parameter.name)});
    }
    return warnings;
  }

  FitResult report() {
    const VectorXd scale = slopes(model_, active_, estimate_);
    const MatrixXd by_model = covariance_ + of_paths_;
    MatrixXd by_data = by_model;
    if (const auto squares = squares_of_individuals()) {
      by_data = covariance_ * *squares * covariance_ + of_paths_;
    }
    FitResult result(model_.with_parameters(estimate_));
    OfSeries of_series;
    const double none = std::numeric_limits<double>::quiet_NaN();
    const auto root = [&](const MatrixXd& m, Index i) {
      if (undetermined_[static_cast<std::size_t>(i)]) return none;
      return scale[i] * std::sqrt(std::max(0.0, m(i, i)));
    };
    result.correlation = Matrix(active_.size(), active_.size());
    for (Index i = 0; i < scale.size(); ++i) {
      const std::size_t p = active_[static_cast<std::size_t>(i)];
      result.names.push_back(model_.parameters()[p].name);
      if (undetermined_[static_cast<std::size_t>(i)]) {
        result.undetermined.push_back(model_.parameters()[p].name);
      }
      result.estimate.push_back(estimate_[p]);
      result.standard_error.push_back(root(by_data, i));
      result.simulation_error.push_back(root(of_paths_, i));
      of_series.model_error.push_back(root(by_model, i));
      of_series.step_bias.push_back(step_bias_[i]);
      for (Index j = 0; j < scale.size(); ++j) {
        const bool is_told = !undetermined_[static_cast<std::size_t>(i)] &&
                             !undetermined_[static_cast<std::size_t>(j)];
        result.correlation(static_cast<std::size_t>(i), static_cast<std::size_t>(j)) =
            is_told ? by_data(i, j) / std::sqrt(by_data(i, i) * by_data(j, j)) : none;
      }
    }
    result.record.warnings = warnings_of_bounds(by_data);
    result.condition = condition_;
    result.inactive = inactive_;
    result.tail_index.assign(active_.size(), none);
    result.data_rows = data_.rows;
    result.individuals = data_.individuals.size();
    result.remarks = data_.remarks;
    result.remarks.insert(result.remarks.begin(), way_in_words(model_, data_));
    if (!data_.ignored.empty()) {
      result.remarks.push_back(
          fmt::format("Columns not used: {}.", fmt::join(data_.ignored, ", ")));
    }
    of_series.transitions = data_.rows - data_.individuals.size();
    of_series.paths_each = paths_;
    of_series.most_substeps = most_substeps();
    of_series.smallest_sample = smallest_sample_;
    result.series = std::move(of_series);
    tell_likelihood(result);
    result.state.parameters = estimate_;
    result.state.active = active_;
    result.state.inactive = inactive_;
    result.state.paths = data_.individuals.size() * paths_;
    result.state.history = history_;
    result.state.done = true;
    result.state.converged = summit_.converged;
    result.state.reason = summit_.reason;
    result.record.sampling.paths = result.state.paths;
    result.record.sampling.seed = options_.seed;
    result.record.summary.requested = result.record.summary.paths = result.state.paths;
    result.record.summary.steps = most_substeps();
    result.record.steps = "likelihood of the series, guided paths";
    return result;
  }

  const Model& model_;
  const HiddenSeries& data_;
  const SeriesOptions& options_;
  SeenRecords seen_;
  GuidedKernels kernels_;
  std::vector<std::size_t> active_;
  std::vector<std::string> inactive_;
  std::size_t paths_ = 0;
  std::size_t finer_ = 1;
  Summit summit_;
  std::vector<double> estimate_;
  MatrixXd information_, covariance_, of_paths_;
  VectorXd step_bias_;
  std::vector<bool> undetermined_;
  double condition_ = 0.0;
  double smallest_sample_ = 0.0;
  std::vector<FitIteration> history_;
};

}  // namespace fit

FitResult fit_hidden_series(const Model& model, const HiddenSeries& data,
                            const SeriesOptions& options) {
  fit::check(model, data);
  return fit::HiddenFit(model, data, options).go();
}

}  // namespace divker
