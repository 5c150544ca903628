#include "divker/likelihood.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numbers>
#include <optional>
#include <utility>

#include "answer/questions.hpp"
#include "divker/density.hpp"
#include "divker/error.hpp"
#include "divker/model_function.hpp"
#include "divker/plan.hpp"
#include "divker/study.hpp"
#include "divker/tail_index.hpp"
#include "estimate/parallel.hpp"
#include "fit/goodness.hpp"

namespace divker {
namespace {

constexpr double unknown = std::numeric_limits<double>::quiet_NaN();
constexpr std::size_t row_block = 16;

// Sum over the rows of some blocks, with what one run of paths tells of its error.
struct LogSum {
  std::vector<double> each;  // log p of every row, block after block
  double tail_index = unknown;
  double variance = 0.0;  // of their sum, by the paths
  double fewest_paths = std::numeric_limits<double>::infinity();
  std::string fewest_row;
};

[[noreturn]] void refuse_block(const DataBlock& block, const std::string& why) {
  throw Error(ErrorKind::usage, fmt::format("{}, t = {:.6g}: {}", block.source, block.time, why));
}

std::string name_of_row(const DataBlock& block, std::size_t r) {
  return fmt::format("row {} of {}", block.rows[r], block.source);
}

// --- observations with noise: a mixture over the paths -----------------------------------------

// log w = sum_c log N(y_c; value_c, deviation_c), paths x columns of values and deviations.
class Mixture {
 public:
  Mixture(const Model& model, const DataBlock& block, const Snapshot& snapshot)
      : block_(block), paths_(snapshot.x().rows), columns_(block.observed.size()) {
    const std::vector<Observation> all = measurable(model);
    std::vector<NodeId> nodes;
    for (const std::size_t c : block.observed) {
      nodes.push_back(all[c].value);
      nodes.push_back(all[c].deviation);
    }
    const ModelFunction function(model, nodes);
    const auto values = function.at_rows({&block.time, 1}, snapshot.x());
    numbers_.resize(paths_ * columns_ * 3);
    for (std::size_t k = 0; k < paths_; ++k) {
      for (std::size_t c = 0; c < columns_; ++c) {
        const double deviation = values[2 * c + 1][k];
        if (!(deviation > 0.0)) {
          refuse_block(block, fmt::format("the standard deviation of {} is {} on a path.",
                                          all[block.observed[c]].name, deviation));
        }
        double* at = numbers_.data() + (k * columns_ + c) * 3;
        at[0] = values[2 * c][k];
        at[1] = 1.0 / deviation;
        at[2] = -std::log(deviation) - 0.5 * std::log(2.0 * std::numbers::pi);
      }
    }
  }

  [[nodiscard]] std::size_t paths() const { return paths_; }
  void log_weights(std::size_t row, std::vector<double>& log_w) const {
    log_w.resize(paths_);
    const auto y = block_.values.row(row);
    const double* at = numbers_.data();
    for (std::size_t k = 0; k < paths_; ++k) {
      double sum = 0.0;
      for (std::size_t c = 0; c < columns_; ++c, at += 3) {
        const double d = (y[c] - at[0]) * at[1];
        sum += at[2] - 0.5 * d * d;
      }
      log_w[k] = sum;
    }
  }

 private:
  const DataBlock& block_;
  std::size_t paths_;
  std::size_t columns_;
  std::vector<double> numbers_;  // value, 1/deviation and log of the factor of each
};

// What rows of a block add to: for each path sum_i w_ik / p_i.
struct Influence {
  std::vector<double> of_path;
  Influence& operator+=(const Influence& other) {
    for (std::size_t k = 0; k < of_path.size(); ++k) of_path[k] += other.of_path[k];
    return *this;
  }
};

// The mean of the logarithm is less than the logarithm of the mean by half the relative variance of
// the mean, which is added back.
void add_block(const Mixture& mixture, const DataBlock& block, unsigned threads, LogSum& sum,
               Influence& influence) {
  const std::size_t first = sum.each.size();
  const std::size_t rows = block.values.rows;
  const auto n = static_cast<double>(mixture.paths());
  sum.each.resize(first + rows);
  std::vector<double> carrying(rows);
  const Influence zero{std::vector<double>(mixture.paths(), 0.0)};
  influence += sum_over_rows(
      rows, row_block, threads, zero, [&](std::size_t begin, std::size_t end, Influence& part) {
        std::vector<double> w;
        for (std::size_t i = begin; i < end; ++i) {
          mixture.log_weights(i, w);
          const double largest = *std::ranges::max_element(w);
          double total = 0.0, squares = 0.0;
          for (double& one : w) {
            one = std::exp(one - largest);
            total += one;
            squares += one * one;
          }
          carrying[i] = total * total / squares;
          const double relative = (squares / (total * total) - 1.0 / n) * n / (n - 1.0);
          sum.each[first + i] = largest + std::log(total / n) + 0.5 * relative;
          for (std::size_t k = 0; k < w.size(); ++k) part.of_path[k] += n * w[k] / total;
        }
      });
  for (std::size_t i = 0; i < rows; ++i) {
    if (!std::isfinite(sum.each[first + i])) {
      throw Error(ErrorKind::numerical, fmt::format("{} is so far from all paths that its density "
                                                    "is zero to rounding.",
                                                    name_of_row(block, i)));
    }
    if (carrying[i] >= sum.fewest_paths) continue;
    sum.fewest_paths = carrying[i];
    sum.fewest_row = name_of_row(block, i);
  }
}

double variance_of_sum(const Influence& influence) {
  Moments moments(1);
  for (const double one : influence.of_path) moments.add({&one, 1});
  return moments.variance(0) / static_cast<double>(moments.count());
}

LogSum mixture_sum(const Model& model, const std::vector<const DataBlock*>& blocks,
                   const Paths& paths, unsigned threads) {
  LogSum sum;
  Influence influence{std::vector<double>(paths.numbers.size(), 0.0)};
  for (const DataBlock* block : blocks) {
    const auto at = std::ranges::find_if(paths.snapshots, [&](const Snapshot& one) {
      return model.time().nearest_step(one.time) == model.time().nearest_step(block->time);
    });
    add_block(Mixture(model, *block, *at), *block, threads, sum, influence);
  }
  sum.variance = variance_of_sum(influence);
  TailSample tail;
  tail.add(influence.of_path);
  sum.tail_index = tail.index().k;
  return sum;
}

double total(const std::vector<double>& each) {
  double sum = 0.0;
  for (const double one : each) sum += one;
  return sum;
}

// The bias of dt, 2 (L(dt) - L(dt/2)), from a share of the paths on the same Brownian motions.
double step_bias_of(const Study& study, const std::vector<const DataBlock*>& blocks,
                    const LikelihoodOptions& options) {
  constexpr std::size_t most_paths = 20'000;
  Sampling coarse = study.sampling();
  coarse.paths = std::min(coarse.paths, most_paths);
  Sampling fine = coarse;
  coarse.increments_per_step = 2;
  TimeGrid grid = study.model().time();
  grid.step /= 2.0;
  const Model halved = study.model().with_time(grid);
  const Paths at_dt = study.run_aside(study.model(), coarse);
  const Paths at_half = study.run_aside(halved, fine);
  const double l = total(mixture_sum(study.model(), blocks, at_dt, options.session.threads).each);
  const double l_half = total(mixture_sum(halved, blocks, at_half, options.session.threads).each);
  return 2.0 * (l - l_half);
}

void tell_mixture(const Model& model, const std::vector<const DataBlock*>& blocks,
                  const LikelihoodOptions& options, Likelihood& result) {
  constexpr double too_few = 30.0;
  constexpr double too_heavy = 0.7;
  Sampling sampling = options.sampling;
  sampling.snapshots.clear();
  for (const DataBlock* block : blocks) {
    const double time = model.time().time(model.time().nearest_step(block->time));
    if (sampling.snapshots.empty() || sampling.snapshots.back() != time) {
      sampling.snapshots.push_back(time);
    }
  }
  Study study(model, options.method, Asked::states(), sampling, options.session);
  const Paths paths = study.run();
  require_paths(paths.summary);
  LogSum sum = mixture_sum(model, blocks, paths, options.session.threads);
  result.value += total(sum.each);
  double variance = sum.variance;
  if (options.time_step && has_time_step(model)) {
    const double bias = step_bias_of(study, blocks, options);
    result.time_step = std::hypot(std::isnan(result.time_step) ? 0.0 : result.time_step, bias);
    variance += bias * bias;
  }
  result.standard_error = std::hypot(result.standard_error, std::sqrt(variance));
  result.fewest_paths = sum.fewest_paths;
  if (sum.fewest_paths < too_few) {
    result.remarks.push_back(
        fmt::format("{} rests on {:.1f} of {} paths alone: the log-likelihood is rather too low, "
                    "and its error bar means little. More paths, or observations with more noise, "
                    "tell more.",
                    sum.fewest_row, sum.fewest_paths, paths.numbers.size()));
  }
  result.tail_index = sum.tail_index;
  if (sum.tail_index > too_heavy) {
    result.remarks.push_back(
        fmt::format("The error bar of the log-likelihood means little: the tail index of what each "
                    "path adds is {:.2f}. More paths, or observations with more noise, tell more.",
                    sum.tail_index));
  }
  result.each.insert(result.each.end(), sum.each.begin(), sum.each.end());
  result.record = study.record();
}

// --- states without noise: densities -----------------------------------------------------------

std::vector<std::size_t> states_measured(const Model& model, const DataBlock& block) {
  const std::vector<Observation> all = measurable(model);
  std::vector<std::size_t> states;
  for (const std::size_t c : block.observed) {
    const auto state = std::ranges::find(model.states(), all[c].value, &State::node);
    if (state == model.states().end()) {
      refuse_block(block,
                   fmt::format("{0} is measured without noise and is no state, so that its density "
                               "is not known: write observe {0} ~ normal(..., sd).",
                               all[c].name));
    }
    states.push_back(static_cast<std::size_t>(state - model.states().begin()));
  }
  if (states.size() > 2) {
    refuse_block(block,
                 fmt::format("{} states without noise are measured together, and densities are "
                             "known of one or two: give them noise, observe y ~ normal(x, sd), or "
                             "take columns away.",
                             states.size()));
  }
  return states;
}

// Runs that are independent of each other: their scatter is the error, which knows that all rows
// share the paths.
constexpr std::size_t runs = 10;

void tell_density(const Model& model, const DataBlock& block, const LikelihoodOptions& options,
                  std::vector<std::vector<double>>& sums, Likelihood& result) {
  DensityOptions asked;
  asked.answer.method = options.method;
  asked.answer.session = options.session;
  asked.answer.sampling = options.sampling;
  asked.answer.sampling.paths = std::max<std::size_t>(options.sampling.paths / runs, 100);
  asked.answer.sampling.snapshots = {model.time().time(model.time().nearest_step(block.time))};
  asked.answer.time_step = options.time_step ? TimeStep::extrapolated : TimeStep::ignored;
  asked.marginal = states_measured(model, block);
  std::vector<std::vector<double>> densities;  // run after run
  for (std::size_t b = 0; b < runs; ++b) {
    asked.answer.sampling.first_path =
        options.sampling.first_path + b * asked.answer.sampling.paths;
    const DensityAnswer answer = density_at(model, block.values, asked);
    densities.push_back(answer.laws.front().density.prediction.value.column(0));
    // The damping of the first run serves all.
    asked.answer.method = answer.record.method;
    result.record = answer.record;
  }
  const std::size_t rows = block.values.rows;
  std::vector<double> mean(rows, 0.0);
  for (const auto& one : densities) {
    for (std::size_t i = 0; i < rows; ++i) mean[i] += one[i] / double{runs};
  }
  for (std::size_t i = 0; i < rows; ++i) {
    double squares = 0.0;
    for (const auto& one : densities) squares += std::pow(one[i] - mean[i], 2);
    const double variance = squares / double{runs * (runs - 1)};
    if (!(mean[i] > 2.0 * std::sqrt(variance))) {
      throw Error(ErrorKind::numerical,
                  fmt::format("The density at {} is {:.2g} +- {:.2g}, not above its bar: no "
                              "logarithm of it is known. More paths tell more, or the row is far "
                              "outside the law of the model.",
                              name_of_row(block, i), mean[i], std::sqrt(variance)));
    }
    const double log_p = std::log(mean[i]) + 0.5 * variance / (mean[i] * mean[i]);
    result.each.push_back(log_p);
    result.value += log_p;
    // The influence of each run on the sum.
    for (std::size_t b = 0; b < runs; ++b) sums[b].push_back(densities[b][i] / mean[i]);
  }
}

// sum_i d_i / p_i of each run, whose scatter is that of the sum of logarithms.
double variance_of_runs(const std::vector<std::vector<double>>& sums) {
  Moments moments(1);
  for (const std::vector<double>& of_run : sums) {
    const double one = total(of_run);
    moments.add({&one, 1});
  }
  return moments.variance(0) / double{runs};
}

bool is_noisy(const Model& model, const DataBlock& block) {
  const std::vector<Observation> all = measurable(model);
  const auto noisy =
      std::ranges::count_if(block.observed, [&](std::size_t c) { return all[c].noisy; });
  if (noisy == 0) return false;
  if (static_cast<std::size_t>(noisy) == block.observed.size()) return true;
  refuse_block(block,
               "observations with noise and states without stand in one row: give all of them "
               "noise, or keep the one or the other.");
}

}  // namespace

Likelihood log_likelihood(const Model& model, const FitData& data,
                          const LikelihoodOptions& options) {
  if (data.stationary) {
    throw Error(ErrorKind::usage, "The likelihood of stationary data is not known.");
  }
  Likelihood result;
  result.time_step = unknown;
  result.fewest_paths = unknown;
  result.tail_index = unknown;
  std::vector<const DataBlock*> noisy;
  std::vector<const DataBlock*> exact;
  for (const DataBlock& block : data.blocks) {
    (is_noisy(model, block) ? noisy : exact).push_back(&block);
    if (!exact.empty() && exact.back() == &block) (void)states_measured(model, block);
    result.rows += block.values.rows;
  }
  if (!exact.empty()) {
    std::vector<std::vector<double>> sums(runs);
    for (const DataBlock* block : exact) tell_density(model, *block, options, sums, result);
    result.standard_error = std::sqrt(variance_of_runs(sums));
  }
  if (!noisy.empty()) tell_mixture(model, noisy, options, result);
  result.individuals = data.individuals;
  result.parameters = model.free_parameters().size();
  const auto k = static_cast<double>(result.parameters);
  result.aic = 2.0 * k - 2.0 * result.value;
  result.bic = k * std::log(static_cast<double>(result.individuals)) - 2.0 * result.value;
  if (data.individuals < data.rows) {
    result.remarks.push_back(
        fmt::format("{} rows belong to {} individuals, and the rows of one were taken for "
                    "independent of each other: criteria and tests are then too sharp.",
                    data.rows, data.individuals));
  }
  return result;
}

LikelihoodComparison compare_likelihoods(const Likelihood& first, const Likelihood& second) {
  if (first.each.size() != second.each.size()) {
    throw Error(ErrorKind::usage,
                fmt::format("Likelihoods of {} and of {} rows cannot be compared: the models do "
                            "not measure the same columns.",
                            first.each.size(), second.each.size()));
  }
  LikelihoodComparison result;
  result.difference = first.value - second.value;
  result.standard_error = std::hypot(first.standard_error, second.standard_error);
  Moments moments(1);
  for (std::size_t i = 0; i < first.each.size(); ++i) {
    const double one = first.each[i] - second.each[i];
    moments.add({&one, 1});
  }
  const auto n = static_cast<double>(first.each.size());
  const double deviation = std::sqrt(moments.variance(0));
  const double more =
      static_cast<double>(first.parameters) - static_cast<double>(second.parameters);
  result.vuong = deviation > 0.0
                     ? (result.difference - 0.5 * more * std::log(n)) / (std::sqrt(n) * deviation)
                     : unknown;
  result.p = std::isnan(result.vuong) ? 1.0 : std::erfc(std::fabs(result.vuong) / std::sqrt(2.0));
  return result;
}

LikelihoodRatioTest likelihood_ratio_test(const Likelihood& smaller, const Likelihood& larger) {
  if (larger.parameters <= smaller.parameters) {
    throw Error(ErrorKind::usage,
                fmt::format("A likelihood-ratio test needs a larger model: it has {} free "
                            "parameters, the smaller one {}.",
                            larger.parameters, smaller.parameters));
  }
  LikelihoodRatioTest test;
  test.statistic = 2.0 * (larger.value - smaller.value);
  test.standard_error = 2.0 * std::hypot(larger.standard_error, smaller.standard_error);
  test.freedom = larger.parameters - smaller.parameters;
  test.p = test.statistic <= 0.0
               ? 1.0
               : fit::chi_square_tail(test.statistic, static_cast<double>(test.freedom));
  return test;
}

}  // namespace divker
