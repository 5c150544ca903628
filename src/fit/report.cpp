#include "fit/report.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <span>
#include <utility>

#include "estimate/parallel.hpp"
#include "fit/coordinates.hpp"
#include "fit/directions.hpp"
#include "fit/goodness.hpp"
#include "fit/marginals.hpp"
#include "fit/spectrum.hpp"
#include "model/names.hpp"

namespace divker::fit {
namespace {

// A law is called another one than that of the data below this, divided by the number of tests.
constexpr double gross = 1e-4;

void add_covariances(const Model& model, const FitState& state, const Matching& matching,
                     FitResult& result) {
  const auto count = static_cast<Eigen::Index>(state.active.size());
  const EstimateCovariance covariance = covariance_of(matching);
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
  const Spectrum spectrum =
      spectrum_of(in_coordinates(matching, slopes(model, state.active, state.parameters)));
  const double least = std::max(spectrum.values.minCoeff(), 1e-12);
  result.condition = spectrum.values.maxCoeff() / least;
  result.weak = weak_directions(model, state.active, spectrum);
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
  one.kolmogorov_smirnov = ks.statistic;
  one.kolmogorov_smirnov_p = ks.p;
  one.energy = energy.statistic;
  one.energy_p = energy.p;
  one.data = std::move(measured);
  one.model = std::move(drawn);
  return one;
}

void add_goodness(const Model& model, const FitData& data, const Evaluation& evaluation,
                  const Evaluator& evaluator, FitResult& result) {
  std::vector<Marginal> marginals = marginals_of(data);
  result.goodness.resize(marginals.size());
  for_each_block(marginals.size(), 1, evaluator.threads(), [&](std::size_t i, std::size_t) {
    result.goodness[i] =
        goodness_of(model, data, evaluation, evaluator.seed(), std::move(marginals[i]));
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

FitResult report(const Model& model, const FitData& data, const FitState& state,
                 const Evaluation& evaluation, const Evaluator& evaluator) {
  FitResult result(model.with_parameters(state.parameters));
  result.inactive = state.inactive;
  result.data_rows = data.rows;
  result.individuals = data.individuals;
  result.remarks = remarks_on(data);
  result.state = state;
  add_covariances(model, state, evaluation.matching, result);
  add_goodness(model, data, evaluation, evaluator, result);
  result.joint = joint_goodness(data, evaluation);
  result.rejected = rejections(result);
  result.record = evaluator.record(evaluation);
  return result;
}

}  // namespace divker::fit
