#include "divker/series.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <utility>

#include "derive/likelihood_ratio.hpp"
#include "divker/error.hpp"
#include "divker/kernel.hpp"
#include "divker/plan.hpp"
#include "divker/random.hpp"
#include "fit/coordinates.hpp"
#include "fit/series/companion_scores.hpp"
#include "fit/series/equation.hpp"
#include "fit/series/instruments.hpp"
#include "fit/series/solution.hpp"
#include "fit/series/transition_paths.hpp"

namespace divker {
namespace fit {
namespace {

using Eigen::Index;
using Eigen::VectorXd;

constexpr std::size_t fewest_substeps = 8;
constexpr std::size_t most_substeps = 512;
constexpr std::size_t fewest_of_transition = 10;
constexpr std::size_t most_of_transition = 160;

void check_model(const Model& model, const SeriesData& data) {
  require_sde(model, "Series are fitted to SDEs");
  if (!model.singular_noise().empty()) throw Error(ErrorKind::model, model.singular_noise());
  derive::require_noise_everywhere(model);
  const std::size_t parameters = model.free_parameters().size();
  if (parameters == 0) {
    throw Error(ErrorKind::usage,
                fmt::format("All parameters of model {} are fixed: nothing is to be fitted.",
                            model.name()));
  }
  if (data.size() <= parameters) {
    throw Error(ErrorKind::model,
                fmt::format("The data hold {} transitions for {} parameters: too few.", data.size(),
                            parameters));
  }
}

bool depends_on_time(const Model& model) {
  std::vector<NodeId> roots = model.drift();
  for (const NoiseEntry& entry : model.noise()) roots.push_back(entry.amplitude);
  const std::vector<NodeId> met = reachable(*model.graph(), roots);
  const auto is_met = [&met](NodeId node) { return std::ranges::binary_search(met, node); };
  return is_met(model.time_input()) ||
         std::ranges::any_of(model.inputs(), [&](const Input& u) { return is_met(u.node); });
}

// How fast deviations from the path without noise change at the starts, the median over
// transitions of the norm of the drift's Jacobian.
double relaxation_rate(const Companion& companion, const std::vector<double>& parameters,
                       const Legs& legs) {
  constexpr double short_share = 1e-3;
  Legs sample = legs.sample(200);
  sample = sample.with_substeps(std::vector<std::size_t>(sample.size(), 1));
  sample.interval *= short_share;
  const CompanionSteps steps = companion.follow(parameters, sample, 0, sample.size());
  const auto dimension = static_cast<Index>(sample.dimension());
  std::vector<double> rates;
  for (std::size_t t = 0; t < sample.size(); ++t) {
    Eigen::MatrixXd jacobian = Eigen::Map<const Eigen::MatrixXd>(
        steps.jacobian.data() + t * sample.dimension() * sample.dimension(), dimension, dimension);
    jacobian.diagonal().array() -= 1.0;
    const double rate = jacobian.operatorNorm() / sample.interval[static_cast<Index>(t)];
    if (std::isfinite(rate)) rates.push_back(rate);
  }
  if (rates.empty()) return 0.0;
  const auto middle = rates.begin() + static_cast<std::ptrdiff_t>(rates.size() / 2);
  std::ranges::nth_element(rates, middle);
  return *middle;
}

// Sixteen a relaxation time, times `finer`; few different numbers, so that transitions march
// together.
Legs with_enough_substeps(const Legs& legs, double rate, std::size_t finer, std::size_t asked) {
  constexpr double per_relaxation = 16.0;
  std::vector<std::size_t> substeps(legs.size());
  for (std::size_t t = 0; t < legs.size(); ++t) {
    const double wanted = std::min(
        static_cast<double>(most_substeps),
        per_relaxation * rate * legs.interval[static_cast<Index>(t)] * static_cast<double>(finer));
    std::size_t chosen = fewest_substeps * finer;
    while (static_cast<double>(chosen) < wanted)
      chosen += chosen % 3 == 0 ? chosen / 3 : chosen / 2;
    substeps[t] = asked > 0 ? asked + asked % 2 : std::min(chosen, most_substeps);
  }
  return legs.with_substeps(std::move(substeps));
}

}  // namespace

// A fit of a series, from the start to the report.
class SeriesFit {
 public:
  SeriesFit(const Model& model, const SeriesData& data, const SeriesOptions& options)
      : model_(model),
        data_(data),
        options_(options),
        rules_(model),
        active_(model.free_parameters()),
        paths_(model, rules_, active_),
        legs_(legs_of(data, rules_)),
        threads_(options.session.threads) {
    run_.paths = options.paths > 0 ? std::max<std::size_t>(4, options.paths + options.paths % 2)
                                   : fewest_of_transition;
    run_.seed = options.seed;
  }

  FitResult go() {
    const auto began = std::chrono::steady_clock::now();
    std::vector<std::vector<double>> starts = first_values();
    std::optional<Solution> best;
    for (std::size_t refinement = 0;; ++refinement) {
      best = solve_from(starts);
      if (!best) throw Error(ErrorKind::numerical, "The fit was interrupted.");
      if (refinement == most_refinements || !best->converged) break;
      if (!refine(best->point.value)) break;
      starts = {best->point.run.parameters};
    }
    FitResult result = report(*best);
    result.record.summary.seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
    return result;
  }

 private:
  static constexpr std::size_t most_refinements = 3;

  // The model's values, and the largest quasi-likelihoods of one Euler step and of the companion.
  std::vector<std::vector<double>> first_values() {
    const std::vector<double> given = model_.parameter_values();
    if (options_.iterations == 0) return {given};
    const Companion& companion = paths_.companion();
    const auto quasi = [&](const std::vector<double>& from, const Legs& legs) {
      return quasi_likelihood(companion, model_, active_, from, legs, threads_).parameters;
    };
    const Legs sample = legs_.sample(20'000);
    const Legs single = sample.with_substeps(std::vector<std::size_t>(sample.size(), 1));
    const std::vector<double> by_euler = quasi(given, single);
    rate_ = relaxation_rate(companion, by_euler, legs_);
    const Legs fine = with_enough_substeps(sample, rate_, 1, options_.substeps);
    const std::vector<double> by_companion = quasi(by_euler, fine);
    return {by_companion, by_euler, given};
  }

  // From the start with the smallest merit; from the next where that leads nowhere.
  std::optional<Solution> solve_from(const std::vector<std::vector<double>>& starts) {
    rate_ = relaxation_rate(paths_.companion(), starts.front(), legs_);
    legs_ = with_enough_substeps(legs_, rate_, finer_, options_.substeps);
    CompanionScores scores(paths_.companion(), model_, active_, starts.front(), legs_, threads_);
    const Instruments instruments(legs_, depends_on_time(model_), std::move(scores), 60);
    const Equation equation(paths_, instruments, legs_, threads_);
    const SeriesSolver solver(model_, active_, paths_, equation, legs_);
    std::vector<std::pair<double, SeriesPoint>> points;
    for (const std::vector<double>& values : starts) {
      run_.parameters = values;
      try {
        SeriesPoint point = solver.begin(run_);
        if (!point.value.is_finite()) continue;
        const double merit = point.value.merit(point.value.sum);
        points.emplace_back(merit, std::move(point));
      } catch (const Error& error) {
        if (error.kind() != ErrorKind::numerical) throw;
      }
    }
    if (points.empty()) {
      throw Error(ErrorKind::numerical,
                  "Too many paths from the starts of the transitions fail at the model's values "
                  "and at those of the quasi-likelihood: give others with --set.");
    }
    std::ranges::stable_sort(points, {}, [](const auto& pair) { return pair.first; });
    std::optional<Solution> solution;
    for (auto& [merit, point] : points) {
      solution = solver.solve(std::move(point), options_.iterations, options_.session, history_);
      if (!solution || solution->converged) break;
    }
    return solution;
  }

  // More paths where their noise counts beside that of the data, more substeps where what
  // extrapolation removes is large. False where both are enough, or were asked for.
  bool refine(const EquationValue& value) {
    constexpr double most_noise = 0.15;  // of the standard error
    constexpr double most_bias = 1.0;    // in standard errors
    const SeriesCovariance covariance = covariance_of(value);
    const VectorXd errors = covariance.model.diagonal().cwiseSqrt();
    bool refined = false;
    const double noise =
        (covariance.paths.diagonal().array() / covariance.model.diagonal().array()).maxCoeff();
    if (options_.paths == 0 && noise > most_noise * most_noise && run_.paths < most_of_transition) {
      run_.paths *= 2;
      refined = true;
    }
    if (options_.substeps == 0 && step_bias(value, errors).cwiseAbs().maxCoeff() > most_bias) {
      finer_ *= 2;
      refined = true;
    }
    return refined;
  }

  static VectorXd step_bias(const EquationValue& value, const VectorXd& errors) {
    return value.slope.completeOrthogonalDecomposition()
        .solve(value.step_bias)
        .cwiseQuotient(errors);
  }

  FitResult report(const Solution& solution) {
    const SeriesPoint& point = solution.point;
    const EquationValue& value = point.value;
    const SeriesCovariance covariance = covariance_of(value);
    const VectorXd scale = slopes(model_, active_, point.run.parameters);
    FitResult result(model_.with_parameters(point.run.parameters));
    OfSeries of_series;
    const VectorXd errors = covariance.model.diagonal().cwiseMax(0.0).cwiseSqrt();
    const VectorXd bias = step_bias(value, errors);
    const auto root = [&](const Eigen::MatrixXd& m, Index i) {
      return scale[i] * std::sqrt(std::max(0.0, m(i, i)));
    };
    result.correlation = Matrix(active_.size(), active_.size());
    for (Index i = 0; i < scale.size(); ++i) {
      const std::size_t p = active_[static_cast<std::size_t>(i)];
      result.names.push_back(model_.parameters()[p].name);
      result.estimate.push_back(point.run.parameters[p]);
      result.standard_error.push_back(root(covariance.data, i));
      result.simulation_error.push_back(root(covariance.paths, i));
      of_series.model_error.push_back(root(covariance.model, i));
      of_series.step_bias.push_back(bias[i]);
      for (Index j = 0; j < scale.size(); ++j) {
        result.correlation(static_cast<std::size_t>(i), static_cast<std::size_t>(j)) =
            covariance.data(i, j) / std::sqrt(covariance.data(i, i) * covariance.data(j, j));
      }
    }
    add_precision(value, covariance.data, scale, result);
    result.tail_index.assign(active_.size(), std::numeric_limits<double>::quiet_NaN());
    result.data_rows = data_.rows;
    result.individuals = data_.individuals;
    result.remarks = data_.remarks;
    if (!data_.ignored.empty()) {
      result.remarks.insert(result.remarks.begin(),
                            fmt::format("Columns not used: {}.", fmt::join(data_.ignored, ", ")));
    }
    of_series.transitions = legs_.size();
    of_series.paths_each = run_.paths;
    of_series.most_substeps = legs_.substeps.back();
    result.series = std::move(of_series);
    result.state.parameters = point.run.parameters;
    result.state.active = active_;
    result.state.paths = legs_.size() * run_.paths;
    result.state.history = history_;
    result.state.done = true;
    result.state.converged = solution.converged;
    result.state.reason = solution.reason;
    result.record.sampling.paths = result.state.paths;
    result.record.sampling.seed = options_.seed;
    result.record.summary.requested = result.record.summary.paths = result.state.paths;
    result.record.summary.failed = value.failed_paths;
    result.record.summary.steps = legs_.substeps.back();
    result.record.steps = steps_in_words(point.run.carrying);
    return result;
  }

  // What divker/structure.hpp asks for.
  static void add_precision(const EquationValue& value, const Eigen::MatrixXd& covariance,
                            const VectorXd& scale, FitResult& result) {
    const Eigen::MatrixXd natural = scale.asDiagonal() * covariance * scale.asDiagonal();
    const Eigen::MatrixXd precision = natural.completeOrthogonalDecomposition().pseudoInverse();
    const VectorXd step =
        scale.cwiseProduct(value.slope.completeOrthogonalDecomposition().solve(value.sum));
    const auto count = static_cast<std::size_t>(scale.size());
    result.precision = Matrix(count, count);
    Eigen::Map<Eigen::MatrixXd>(result.precision.data.data(), scale.size(), scale.size()) =
        0.5 * (precision + precision.transpose());
    result.next_step.assign(step.data(), step.data() + step.size());
  }

  [[nodiscard]] static std::string steps_in_words(const Carrying& carrying) {
    if (std::ranges::find(carrying.by_divergence, true) == carrying.by_divergence.end()) {
      return "transitions, likelihood ratio";
    }
    return carrying.gaussian
               ? "transitions, divergence of the noise, damping gaussian"
               : fmt::format("transitions, divergence of the noise, damping {:g}/D", carrying.rate);
  }

  const Model& model_;
  const SeriesData& data_;
  const SeriesOptions& options_;
  LegRules rules_;
  std::vector<std::size_t> active_;
  TransitionPaths paths_;
  Legs legs_;
  std::size_t threads_;
  TransitionPaths::Run run_;
  double rate_ = 0.0;
  std::size_t finer_ = 1;
  std::vector<FitIteration> history_;
};

}  // namespace fit

FitResult fit_series(const Model& model, const SeriesData& data, const SeriesOptions& options) {
  fit::check_model(model, data);
  FitResult result = fit::SeriesFit(model, data, options).go();
  result.model = with_errors_of(result);
  return result;
}

}  // namespace divker
