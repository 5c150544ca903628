#include "fit/report.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <span>
#include <utility>

#include "divker/error.hpp"
#include "divker/tail_index.hpp"
#include "estimate/parallel.hpp"
#include "fit/combination.hpp"
#include "fit/coordinates.hpp"
#include "fit/directions.hpp"
#include "fit/goodness.hpp"
#include "fit/influence.hpp"
#include "fit/marginals.hpp"
#include "fit/spectrum.hpp"
#include "fit/step_bias.hpp"
#include "model/names.hpp"

namespace divker::fit {
namespace {

// A law is called another one than that of the data below this, divided by the number of tests.
constexpr double gross = 1e-4;

// What is below this counts as zero in directions that are known to rounding.
constexpr double rounding = 1e-6;

// Directions that the data do not determine, over the scale of the spectrum, in columns.
struct Undetermined {
  Eigen::MatrixXd unnoticed;  // by any path
  Eigen::MatrixXd drowned;    // in noise
};

bool touches(const Eigen::MatrixXd& directions, Eigen::Index parameter) {
  return (directions.row(parameter).array().abs() > rounding).any();
}

Undetermined undetermined_directions(const Matching& matching, const Spectrum& spectrum) {
  const Eigen::Index count = spectrum.scale.size();
  Undetermined result{Eigen::MatrixXd(count, 0), Eigen::MatrixXd(count, 0)};
  if (matching.unnoticed.cols() > 0) {
    const Eigen::MatrixXd scaled = spectrum.scale.cwiseInverse().asDiagonal() * matching.unnoticed;
    const Eigen::MatrixXd unit = scaled.colwise().normalized();
    result.unnoticed = reduced_rows(unit.transpose(), rounding).transpose();
  }
  for (const Eigen::Index k : drowned(matching, spectrum)) {
    result.drowned.conservativeResize(Eigen::NoChange, result.drowned.cols() + 1);
    result.drowned.rightCols(1) = main_part(spectrum.vectors.col(k));
  }
  return result;
}

// What is known to rounding stays so where it has no parameter in common with what is not.
std::vector<DeterminedCombination> combinations(const Standing& standing,
                                                const Undetermined& directions) {
  constexpr double nearly_whole = 0.15;
  bool apart = true;
  for (Eigen::Index i = 0; i < standing.values.size(); ++i) {
    apart = apart && !(touches(directions.unnoticed, i) && touches(directions.drowned, i));
  }
  if (!apart) {
    Eigen::MatrixXd all(standing.values.size(),
                        directions.unnoticed.cols() + directions.drowned.cols());
    all << directions.unnoticed, directions.drowned;
    return determined_combinations(standing, all, nearly_whole, false);
  }
  std::vector<DeterminedCombination> result =
      determined_combinations(standing, directions.unnoticed, rounding, true);
  for (DeterminedCombination& one :
       determined_combinations(standing, directions.drowned, nearly_whole, false)) {
    result.push_back(std::move(one));
  }
  return result;
}

// Nothing where too many paths fail.
std::optional<Evaluation> evaluate_if_sound(const FitState& state,
                                            const std::vector<double>& parameters,
                                            Evaluator& evaluator) {
  try {
    return evaluator.evaluate(state, parameters);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::numerical) throw;
    return std::nullopt;
  }
}

// What no path notices at values that are a little larger, each by another share.
std::optional<Elsewhere> elsewhere(const Model& model, const FitState& state,
                                   Evaluator& evaluator) {
  constexpr double largest_change = 0.02;
  constexpr std::size_t enough_paths = 4096;
  const auto count = static_cast<Eigen::Index>(state.active.size());
  const Eigen::VectorXd change = Eigen::VectorXd::LinSpaced(count, 0.0, largest_change);
  const std::vector<double> parameters = moved(model, state.active, state.parameters, change);
  FitState small = state;
  small.paths = std::min(state.paths, enough_paths);
  small.fine = false;
  const auto there = evaluate_if_sound(small, parameters, evaluator);
  if (!there) return std::nullopt;
  Elsewhere place{Eigen::VectorXd(count), there->matching.unnoticed};
  for (Eigen::Index i = 0; i < count; ++i) {
    place.values[i] = parameters[state.active[static_cast<std::size_t>(i)]];
  }
  return place;
}

// What has no standard error, and the combinations that have one.
void add_undetermined(const Model& model, const FitState& state, const Matching& free,
                      const Spectrum& spectrum, const Eigen::MatrixXd& covariance,
                      Evaluator& evaluator, FitResult& result) {
  constexpr double none = std::numeric_limits<double>::quiet_NaN();
  const Undetermined directions = undetermined_directions(free, spectrum);
  result.weak = unnoticed_directions(model, state.active, directions.unnoticed, spectrum.scale);
  if (directions.unnoticed.cols() + directions.drowned.cols() == 0) return;
  Standing standing;
  standing.scale = spectrum.scale;
  standing.slopes = slopes(model, state.active, state.parameters);
  standing.covariance = covariance;
  standing.elsewhere = [&] { return elsewhere(model, state, evaluator); };
  standing.values = Eigen::Map<const Eigen::VectorXd>(result.estimate.data(), covariance.rows());
  for (std::size_t i = 0; i < state.active.size(); ++i) {
    standing.parameters.push_back(model.parameters()[state.active[i]]);
    const auto row = static_cast<Eigen::Index>(i);
    if (!touches(directions.unnoticed, row) && !touches(directions.drowned, row)) continue;
    result.undetermined.push_back(result.names[i]);
    result.standard_error[i] = result.simulation_error[i] = none;
    for (std::size_t j = 0; j < state.active.size(); ++j) {
      result.correlation(i, j) = result.correlation(j, i) = none;
    }
  }
  result.determined = combinations(standing, directions);
}

// What divker/structure.hpp asks for, in the combinations of parameters that the data determine:
// those of the spectrum that do not drown.
void add_precision(const Matching& matching, const Spectrum& spectrum,
                   const Eigen::MatrixXd& covariance, const Eigen::VectorXd& slope,
                   FitResult& result) {
  std::vector<Eigen::Index> told;
  const std::vector<Eigen::Index> unseen = drowned(matching, spectrum);
  for (Eigen::Index k = 0; k < spectrum.values.size(); ++k) {
    if (!std::ranges::binary_search(unseen, k)) told.push_back(k);
  }
  const Eigen::MatrixXd directions = spectrum.vectors(Eigen::all, told);
  const Eigen::VectorXd unit = spectrum.scale.cwiseProduct(slope);  // d gamma of a scaled step
  const Eigen::MatrixXd seen = unit.cwiseInverse().asDiagonal() * directions;
  const Eigen::MatrixXd inner = seen.transpose() * covariance * seen;
  const Eigen::MatrixXd precision = seen * inner.ldlt().solve(seen.transpose());
  const Eigen::VectorXd psi = directions.transpose() * (spectrum.scale.asDiagonal() * matching.psi);
  const Eigen::VectorXd step =
      unit.asDiagonal() * (directions * psi.cwiseQuotient(spectrum.values(told)));
  const auto count = static_cast<std::size_t>(precision.rows());
  result.precision = Matrix(count, count);
  Eigen::Map<Eigen::MatrixXd>(result.precision.data.data(), precision.rows(), precision.cols()) =
      0.5 * (precision + precision.transpose());
  result.next_step.assign(step.data(), step.data() + step.size());
}

void add_covariances(const Model& model, const FitState& state, const Matching& matching,
                     Evaluator& evaluator, FitResult& result) {
  const auto count = static_cast<Eigen::Index>(state.active.size());
  EstimateCovariance covariance = covariance_of(matching);
  // What the derivative lacks, whatever its sign.
  result.window = evaluator.window();
  result.window_bias = evaluator.window_bias();
  const double widening = std::pow(1.0 + result.window_bias, 2);
  covariance.data *= widening;
  covariance.model *= widening;
  const Eigen::MatrixXd total = covariance.data + covariance.model;
  result.correlation = Matrix(state.active.size(), state.active.size());
  for (Eigen::Index i = 0; i < count; ++i) {
    const std::size_t p = state.active[static_cast<std::size_t>(i)];
    result.names.push_back(model.parameters()[p].name);
    result.estimate.push_back(state.parameters[p]);
    result.standard_error.push_back(std::sqrt(total(i, i)));
    result.simulation_error.push_back(std::sqrt(covariance.model(i, i)));
    for (Eigen::Index j = 0; j < count; ++j) {
      result.correlation(static_cast<std::size_t>(i), static_cast<std::size_t>(j)) =
          total(i, j) / std::sqrt(total(i, i) * total(j, j));
    }
  }
  const Matching free = in_coordinates(matching, slopes(model, state.active, state.parameters));
  const Spectrum spectrum = spectrum_of(free);
  const double least = matching.unnoticed.cols() > 0 ? 0.0 : spectrum.values.minCoeff();
  result.condition = spectrum.values.maxCoeff() / std::max(least, 1e-12);
  add_precision(free, spectrum, total, slopes(model, state.active, state.parameters), result);
  add_undetermined(model, state, free, spectrum, total, evaluator, result);
  for (std::string& words : weak_directions(model, state.active, spectrum)) {
    result.weak.push_back(std::move(words));
  }
}

// The bias of dt into the bars, or off the estimates as far as their bounds allow.
void add_time_step(const FitState& state, const Evaluation& evaluation, const Evaluator& evaluator,
                   FitResult& result) {
  if (evaluator.time_step() == TimeStep::ignored) return;
  const auto biases = step_biases(result.model, evaluation, evaluator);
  if (!biases) return;
  result.record.effort.pair_runs += 2 * pairs_for(evaluation.sampling.paths);
  std::vector<double> values = result.model.parameter_values();
  for (std::size_t p = 0; p < biases->size(); ++p) {
    const double error = result.standard_error[p];
    const Stepped with =
        with_step_bias(result.estimate[p], error, (*biases)[p], evaluator.time_step());
    result.time_step.push_back(std::isnan(error) ? error : with.counted);
    if (std::isnan(error)) continue;
    const Parameter& parameter = result.model.parameters()[state.active[p]];
    result.standard_error[p] = with.standard_error;
    if (with.value > parameter.lower && with.value < parameter.upper) {
      result.estimate[p] = values[state.active[p]] = with.value;
    }
  }
  result.model = result.model.with_parameters(values);
}

// One coordinate of the data, held against the model's sample.
GoodnessOfFit goodness_of(const Model& model, const FitData& data, const Evaluation& evaluation,
                          std::uint64_t seed, Marginal marginal) {
  constexpr std::size_t most_compared = 10'000;
  const DataBlock& block = data.blocks[marginal.block];
  GoodnessOfFit one;
  one.name = measurable(model)[block.observed[marginal.column]].name;
  one.time = block.time;
  std::vector<double> measured = std::move(marginal.values);
  one.rows = measured.size();
  const auto& halves = evaluation.samples[marginal.block];
  std::vector<double> drawn = halves[0].column(marginal.column);
  const std::vector<double> more = halves[1].column(marginal.column);
  drawn.insert(drawn.end(), more.begin(), more.end());
  Moments of_data(1), of_model(1);
  for (const double y : measured) of_data.add({&y, 1});
  for (const double y : drawn) of_model.add({&y, 1});
  one.data_mean = of_data.mean()[0];
  one.model_mean = of_model.mean()[0];
  one.data_deviation = measured.size() > 1 ? std::sqrt(of_data.variance(0)) : 0.0;
  one.model_deviation = std::sqrt(of_model.variance(0));
  const TestResult ks = kolmogorov_smirnov(measured, drawn);
  const auto first = [](const std::vector<double>& all, std::size_t most) {
    return std::span<const double>(all).first(std::min(all.size(), most));
  };
  const std::size_t drawn_most = std::clamp<std::size_t>(4 * measured.size(), 2000, most_compared);
  const TestResult energy =
      energy_distance(first(measured, most_compared), first(drawn, drawn_most), seed);
  const TestResult tails = anderson_darling(measured, drawn);
  one.anderson_darling = tails.statistic;
  one.anderson_darling_p = tails.p;
  one.hill = hill_exponent(measured);
  one.moment = moment_exponent(measured);
  one.kolmogorov_smirnov = ks.statistic;
  one.kolmogorov_smirnov_p = ks.p;
  one.energy = energy.statistic;
  one.energy_p = energy.p;
  one.data = std::move(measured);
  one.model = std::move(drawn);
  return one;
}

void add_goodness(const Model& model, const FitData& data, const Evaluation& evaluation,
                  const Circumstances& circumstances, FitResult& result) {
  std::vector<Marginal> marginals = marginals_of(data);
  result.goodness.resize(marginals.size());
  for_each_block(marginals.size(), 1, circumstances.threads, [&](std::size_t i, std::size_t) {
    result.goodness[i] =
        goodness_of(model, data, evaluation, circumstances.seed, std::move(marginals[i]));
  });
  const bool one_each = std::ranges::all_of(
      data.blocks, [](const DataBlock& block) { return block.observed.size() == 1; });
  if (!one_each) return;
  result.log_likelihood = 0.0;
  for (const GoodnessOfFit& one : result.goodness) {
    *result.log_likelihood +=
        static_cast<double>(one.data.size()) * mean_log_density(one.model, one.data);
  }
}

// Tests that fail whatever the number of tests.
std::vector<std::string> rejections(const FitResult& result) {
  std::vector<std::string> words;
  const std::size_t tests = result.goodness.size() + result.joint.size();
  for (const GoodnessOfFit& one : result.goodness) {
    if (!is_rejected(one.kolmogorov_smirnov_p, tests)) continue;
    words.push_back(fmt::format("{} at t = {:.6g}, Kolmogorov-Smirnov distance {:.2g}", one.name,
                                one.time, one.kolmogorov_smirnov));
  }
  for (const JointGoodness& one : result.joint) {
    if (!is_rejected(one.p, tests)) continue;
    words.push_back(
        fmt::format("means and covariances at t = {:.6g}, chi-square {:.4g} with {} "
                    "degrees of freedom",
                    one.time, one.statistic, one.freedom));
  }
  return words;
}

std::vector<std::string> remarks_on(const FitData& data) {
  std::vector<std::string> sentences;
  if (data.largest_shift > 1e-9) {
    sentences.push_back(
        fmt::format("Times were moved to the nearest step of the grid, by at most {:.3g}.",
                    data.largest_shift));
  }
  if (!data.ignored.empty()) {
    sentences.push_back(fmt::format("Columns not used: {}.", fmt::join(data.ignored, ", ")));
  }
  sentences.insert(sentences.end(), data.remarks.begin(), data.remarks.end());
  return sentences;
}

void add_remark_on_window(FitResult& result) {
  constexpr double large = 0.2;
  if (!(result.window_bias > large)) return;
  result.remarks.push_back(fmt::format(
      "Parameters act on the law for longer than the window of {:.3g}: standard errors are known "
      "to {:.0f}% and were widened by as much; a longer --window tells.",
      *result.window, 100.0 * result.window_bias));
}

void add_remarks_on_tails(FitResult& result) {
  for (std::size_t p = 0; p < result.names.size(); ++p) {
    const auto sentence = tail_warning(result.names[p], result.tail_index[p]);
    if (sentence) result.remarks.push_back(*sentence);
  }
}

}  // namespace

bool is_rejected(double p, std::size_t tests) { return !(p * static_cast<double>(tests) > gross); }

std::vector<JointGoodness> joint_goodness(const FitData& data, const Evaluation& evaluation) {
  std::vector<JointGoodness> all;
  for (std::size_t b = 0; b < data.blocks.size(); ++b) {
    const DataBlock& block = data.blocks[b];
    if (block.observed.size() < 2) continue;
    const ChiSquare test = joint_moments(block.values, evaluation.samples[b][0]);
    if (test.freedom == 0) continue;
    all.push_back({block.time, block.values.rows, test.statistic, test.freedom, test.p});
  }
  return all;
}

namespace {

// What is told of any fit before its estimates, and of the law after them.
FitResult begun(const Model& model, const FitData& data, const FitState& state) {
  FitResult result(model.with_parameters(state.parameters));
  result.inactive = state.inactive;
  result.data_rows = data.rows;
  result.individuals = data.individuals;
  result.remarks = remarks_on(data);
  result.remarks.insert(result.remarks.end(), state.far.begin(), state.far.end());
  result.state = state;
  return result;
}

// In the order of the blocks, as the tests of moments are.
void add_joint_energy(const FitData& data, const Evaluation& law,
                      const Circumstances& circumstances, FitResult& result) {
  constexpr std::size_t most_compared = 800;
  std::vector<std::size_t> blocks;
  for (std::size_t b = 0; b < data.blocks.size() && blocks.size() < result.joint.size(); ++b) {
    const DataBlock& block = data.blocks[b];
    const JointGoodness& next = result.joint[blocks.size()];
    if (block.observed.size() > 1 && block.time == next.time && block.values.rows == next.rows) {
      blocks.push_back(b);
    }
  }
  for_each_block(blocks.size(), 1, circumstances.threads, [&](std::size_t k, std::size_t) {
    const TestResult test =
        energy_distance(data.blocks[blocks[k]].values, law.samples[blocks[k]][0], most_compared,
                        circumstances.seed);
    result.joint[k].energy = test.statistic;
    result.joint[k].energy_p = test.p;
  });
}

void compare_laws(const Model& model, const FitData& data, const Evaluation& law,
                  const Circumstances& circumstances, FitResult& result) {
  add_goodness(model, data, law, circumstances, result);
  result.joint = joint_goodness(data, law);
  add_joint_energy(data, law, circumstances, result);
  result.rejected = rejections(result);
}

void leave_without_errors(FitResult& result) {
  constexpr double none = std::numeric_limits<double>::quiet_NaN();
  result.standard_error.assign(result.names.size(), none);
  result.simulation_error = result.standard_error;
  result.time_step.clear();
}

}  // namespace

FitResult report(const Model& model, const FitData& data, const FitState& state,
                 const Evaluation& evaluation, Evaluator& evaluator) {
  FitResult result = begun(model, data, state);
  result.tail_index = evaluation.matching.tail_index;
  result.record = evaluator.record(evaluation);
  add_covariances(model, state, evaluation.matching, evaluator, result);
  add_time_step(state, evaluation, evaluator, result);
  add_remark_on_window(result);
  add_remarks_on_tails(result);
  add_influence(model, data, evaluation, result);
  compare_laws(model, data, evaluation, {evaluator.seed(), evaluator.threads()}, result);
  return result;
}

FitResult report_law(const Model& model, const FitData& data, const FitState& state,
                     const Evaluation& law, const Circumstances& circumstances,
                     const RunRecord& record) {
  FitResult result = begun(model, data, state);
  result.record = record;
  for (const std::size_t p : state.active) {
    result.names.push_back(model.parameters()[p].name);
    result.estimate.push_back(state.parameters[p]);
  }
  leave_without_errors(result);
  result.undetermined = result.names;
  compare_laws(model, data, law, circumstances, result);
  return result;
}

void withdraw_errors(FitResult& result) {
  leave_without_errors(result);
  result.correlation = {};
  result.precision = {};
  result.next_step.clear();
  result.remarks.emplace_back(
      "The estimates have no standard errors: the law of the model is not that of the data, and "
      "the errors of the matching equations hold here only where it is.");
}

}  // namespace divker::fit
