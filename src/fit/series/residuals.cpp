// Predictions from each row of a series of the one after it, and what their errors tell.
#include "divker/residuals.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numbers>
#include <numeric>
#include <unsupported/Eigen/SpecialFunctions>
#include <utility>

#include "divker/error.hpp"
#include "divker/random.hpp"
#include "estimate/parallel.hpp"
#include "fit/goodness.hpp"
#include "fit/series/legs.hpp"
#include "fit/series/predictive_paths.hpp"
#include "fit/series/predictive_scores.hpp"

namespace divker {
namespace fit {
namespace {

using Eigen::Index;

constexpr double central = 0.9;  // of coverage

// What the prediction of one state in one row says of the value that came.
struct Residual {
  double uniform = 0.0;
  double coarse = 0.0;  // the same of paths at 2 dt
  double score = 0.0;
  double expected_score = 0.0;
};

double normal_score(double u) { return Eigen::numext::ndtri(u); }

// All transitions, those that take as many steps together.
class Predictor {
 public:
  Predictor(const Model& model, const SeriesData& data, const ResidualOptions& options)
      : data_(data),
        options_(options),
        paths_(model, options.session),
        ties_(options.seed, Stream::pick),
        residuals_(data.size(), std::vector<Residual>(model.dimension())),
        failed_(data.size(), 0) {}

  void run() {
    std::vector<std::size_t> steps(data_.size());
    for (std::size_t i = 0; i < data_.size(); ++i) steps[i] = paths_.steps_in(data_.interval[i]);
    most_steps_ = std::ranges::max(steps);
    const Legs legs = legs_of(data_, LegRules(paths_.model())).with_substeps(std::move(steps));
    const auto pieces = legs.pieces(paths_.together(options_.paths));
    for_each_block(pieces.size(), 1, options_.session.threads, [&](std::size_t k, std::size_t) {
      if (!options_.session.stopped()) predict(legs, pieces[k].first, pieces[k].second);
    });
    if (options_.session.stopped()) throw Error(ErrorKind::numerical, "Interrupted.");
  }

  [[nodiscard]] const std::vector<std::vector<Residual>>& all() const { return residuals_; }
  [[nodiscard]] std::size_t most_steps() const { return most_steps_; }
  [[nodiscard]] std::size_t failed() const {
    return std::accumulate(failed_.begin(), failed_.end(), std::size_t{0});
  }

 private:
  void predict(const Legs& legs, std::size_t begin, std::size_t end) {
    Departures departures;
    const auto count = static_cast<Index>(end - begin);
    const auto first = static_cast<Index>(begin);
    departures.from = legs.from.middleCols(first, count);
    departures.time.assign(legs.time.data() + begin, legs.time.data() + end);
    departures.duration = legs.interval.segment(first, count).transpose();
    departures.steps = {legs.substeps[begin]};
    const Arrivals arrivals = paths_.walk(departures, options_.paths, options_.seed, begin).front();
    for (std::size_t i = begin; i < end; ++i) judge(arrivals, legs.number[i], i - begin);
  }

  void judge(const Arrivals& arrivals, std::size_t row, std::size_t place) {
    for (std::size_t i = 0; i < residuals_[row].size(); ++i) {
      const PredictedValue fine(sample_of_point(arrivals.fine, i, place, options_.paths));
      const PredictedValue coarse(sample_of_point(arrivals.coarse, i, place, options_.paths));
      failed_[row] = std::max(failed_[row], options_.paths - fine.size());
      if (fine.size() < 2 || coarse.size() < 2) {
        throw Error(
            ErrorKind::numerical,
            fmt::format("The paths from time {:g} fail: take a smaller dt.", data_.time[row]));
      }
      const double y = data_.to(row, i);
      const double tie = ties_.uniform(row, i);
      residuals_[row][i] = {fine.distribution(y, tie), coarse.distribution(y, tie), fine.score(y),
                            fine.expected_score()};
    }
  }

  const SeriesData& data_;
  const ResidualOptions& options_;
  PredictivePaths paths_;
  NormalSource ties_;
  std::vector<std::vector<Residual>> residuals_;  // rows x states
  std::vector<std::size_t> failed_;               // paths of each row
  std::size_t most_steps_ = 0;
};

void check(const SeriesData& data, const ResidualOptions& options) {
  constexpr std::size_t fewest = 20;
  if (options.paths < fewest) {
    throw Error(ErrorKind::usage,
                fmt::format("{} paths are too few for a prediction; at least {} are needed.",
                            options.paths, fewest));
  }
  if (data.size() < fewest) {
    throw Error(ErrorKind::model,
                fmt::format("The data hold {} transitions: too few to judge a model, which needs "
                            "at least {}.",
                            data.size(), fewest));
  }
}

// One number of each transition, individual after individual.
template <class Value>
Sequences sequences_of(const SeriesData& data, const Value& value) {
  Sequences all;
  for (std::size_t k = 0; k < data.size(); ++k) {
    if (k == 0 || data.individual[k] != data.individual[k - 1]) all.emplace_back();
    all.back().push_back(value(k));
  }
  return all;
}

Estimate deviation_of(const Sequences& z) {
  double count = 0.0, mean = 0.0, squares = 0.0, fourth = 0.0;
  for (const auto& one : z) {
    for (const double value : one) mean += value, ++count;
  }
  mean /= count;
  for (const auto& one : z) {
    for (const double value : one) {
      squares += std::pow(value - mean, 2);
      fourth += std::pow(value - mean, 4);
    }
  }
  const double variance = squares / (count - 1.0);
  // At least that of a normal law: few numbers may seem to scatter less.
  const double of_variance =
      std::sqrt(std::max(2.0 * variance * variance, fourth / count - variance * variance) / count);
  return {std::sqrt(variance), 0.5 * of_variance / std::sqrt(variance)};
}

ResidualTest as_test(const PortmanteauTest& test) { return {test.statistic, test.p}; }

StateResiduals judged(const std::string& name, const SeriesData& data, std::size_t lags,
                      const std::vector<std::vector<Residual>>& all, std::size_t i) {
  const auto of = [&](const auto& value) {
    return sequences_of(data, [&](std::size_t k) { return value(all[k][i]); });
  };
  const Sequences z = of([](const Residual& r) { return normal_score(r.uniform); });
  StateResiduals one;
  one.name = name;
  one.mean = sequence_mean(z, 0);
  one.deviation = deviation_of(z);
  std::vector<double> u;
  double expected = 0.0;
  for (const auto& row : all) u.push_back(row[i].uniform), expected += row[i].expected_score;
  const TestResult uniform = uniform_distance(std::move(u));
  one.uniform = {uniform.statistic, uniform.p};
  one.independent = as_test(ljung_box(z, lags));
  Sequences squares = z;
  for (auto& sequence : squares) {
    for (double& value : sequence) value *= value;
  }
  one.steady = as_test(ljung_box(squares, lags));
  one.coverage = sequence_mean(
      of([](const Residual& r) { return std::fabs(r.uniform - 0.5) <= 0.5 * central ? 1.0 : 0.0; }),
      0);
  one.score = sequence_mean(of([](const Residual& r) { return r.score; }), 0);
  one.expected_score = expected / static_cast<double>(all.size());
  return one;
}

double two_sided(const Estimate& found, double right) {
  return std::erfc(std::fabs(found.value - right) / (found.standard_error * std::numbers::sqrt2));
}

// What is wrong, with a false alarm in a hundred right models.
void warn(std::vector<Warning>& warnings, const std::vector<StateResiduals>& states) {
  const double alarm = 0.01 / (5.0 * static_cast<double>(states.size()));
  const auto say = [&](const StateResiduals& one, double p, const char* what) {
    if (p >= alarm) return;
    warnings.push_back({"residuals", fmt::format("{}: {} (p = {:.2g}).", one.name, what, p)});
  };
  for (const StateResiduals& one : states) {
    say(one, two_sided(one.mean, 0.0), "predictions lie beside what came: the drift is wrong");
    say(one, two_sided(one.deviation, 1.0),
        one.deviation.value < 1.0
            ? "predictions scatter more than what came: the noise is too large"
            : "predictions scatter less than what came: the noise is too "
              "small, or the drift is wrong");
    say(one, one.uniform.p, "predictions are not distributed as what came");
    say(one, one.independent.p,
        "errors of predictions follow from those before: what drives it has a memory that the "
        "model has not");
    say(one, one.steady.p,
        "sizes of errors follow from those before: the noise has a memory, or depends on what the "
        "model does not know");
  }
}

void warn_of_time_step(std::vector<Warning>& warnings, const SeriesData& data,
                       const std::vector<StateResiduals>& states,
                       const std::vector<std::vector<Residual>>& all) {
  constexpr double share = 0.5;  // of an error
  for (std::size_t i = 0; i < states.size(); ++i) {
    const Sequences coarse =
        sequences_of(data, [&](std::size_t k) { return normal_score(all[k][i].coarse); });
    const double mean = sequence_mean(coarse, 0).value - states[i].mean.value;
    const double deviation = deviation_of(coarse).value - states[i].deviation.value;
    if (std::fabs(mean) < share * states[i].mean.standard_error &&
        std::fabs(deviation) < share * states[i].deviation.standard_error) {
      continue;
    }
    warnings.push_back(
        {"time_step",
         fmt::format("{}: the time step moves mean and deviation of z by about {:.2g} and {:.2g}; "
                     "--set dt=... with a smaller one.",
                     states[i].name, mean, deviation)});
  }
}

}  // namespace
}  // namespace fit

Residuals residuals(const Model& model, const SeriesData& data, const ResidualOptions& options) {
  fit::check(data, options);
  const auto began = std::chrono::steady_clock::now();
  fit::Predictor predictor(model, data, options);
  predictor.run();
  const std::size_t made = data.size() * options.paths;
  constexpr std::size_t most_failed = 5;
  if (predictor.failed() * most_failed > made) {
    throw Error(ErrorKind::numerical,
                fmt::format("{} of {} paths from the rows fail: take a smaller dt.",
                            predictor.failed(), made));
  }
  Residuals result;
  result.individual = data.individual;
  result.uniform = Matrix(data.size(), model.dimension());
  for (std::size_t k = 0; k < data.size(); ++k) {
    result.time.push_back(data.time[k] + data.interval[k]);
    for (std::size_t i = 0; i < model.dimension(); ++i) {
      result.uniform(k, i) = predictor.all()[k][i].uniform;
    }
  }
  constexpr std::size_t most_lags = 10, rows_to_a_lag = 5;
  result.lags = std::clamp<std::size_t>(data.size() / rows_to_a_lag, 1, most_lags);
  for (std::size_t i = 0; i < model.dimension(); ++i) {
    result.states.push_back(
        fit::judged(model.states()[i].name, data, result.lags, predictor.all(), i));
  }
  result.record.sampling.paths = options.paths;
  result.record.sampling.seed = options.seed;
  result.record.summary.requested = made;
  result.record.summary.paths = made - predictor.failed();
  result.record.summary.failed = predictor.failed();
  result.record.summary.steps = predictor.most_steps();
  result.record.summary.seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  result.record.steps = "predictions, states alone";
  fit::warn(result.record.warnings, result.states);
  fit::warn_of_time_step(result.record.warnings, data, result.states, predictor.all());
  return result;
}

}  // namespace divker
