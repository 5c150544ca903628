#include "divker/stationary.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "answer/observable.hpp"
#include "answer/point_answer.hpp"
#include "answer/questions.hpp"
#include "answer/stationary_run.hpp"
#include "answer/stationary_step_bias.hpp"
#include "answer/tails.hpp"
#include "answer/time_step.hpp"
#include "divker/error.hpp"
#include "divker/tail_index.hpp"
#include "estimate/half_samples.hpp"
#include "estimate/plateau.hpp"

namespace divker {
namespace {

// Every how many-th recorded time is used in a regression: an eighth of the longest window apart,
// where samples of one path still tell something new; and no more rows than one can take.
std::size_t regression_stride(const StationaryPlan& plan, std::size_t paths,
                              std::size_t dimension) {
  const std::size_t most_rows = dimension <= 8 ? 120'000 : 24'000;
  const std::size_t rows = paths * plan.samples();
  return std::max<std::size_t>(4, (rows + most_rows - 1) / most_rows);
}

struct Regression {
  HalfSamplePrediction grouped;
  PointAnswer answer;  // points, regressor, effective samples; no values yet
};

Regression regress(const StationaryOptions& options, const StationaryRun& run,
                   const PooledSamples& samples, const Matrix& points) {
  Regression result;
  result.answer.record = run.record;
  std::string& name = result.answer.record.regressor;
  name = options.answer.regressor.empty()
             ? default_regressor(run.model.dimension(), samples.x().rows)
             : options.answer.regressor;
  RegressorOptions regressor = options.answer.regressor_options;
  regressor.threads = options.answer.session.threads;
  // A fixed number: smoothing chosen by the noise would take samples as independent.
  if (regressor.neighbours == 0) {
    const std::size_t dimension = run.model.dimension();
    regressor.neighbours =
        std::max(default_neighbours(dimension, samples.x().rows), 4 * (dimension + 1));
  }
  const std::size_t paths = run.record.summary.paths;
  std::vector<std::size_t> boundaries;
  for (std::size_t g = 0; g <= half_sample_groups; ++g) {
    boundaries.push_back(g * paths / half_sample_groups * samples.samples_of_each());
  }
  result.grouped =
      predict_with_halves(name, regressor, samples.x(), samples.y(), boundaries, points);
  result.answer.points = points;
  return result;
}

Prediction empty_prediction(const Prediction& like, std::size_t rows, std::size_t columns) {
  const Matrix zeros(rows, columns);
  return {zeros, zeros, zeros, zeros, like.effective_samples, like.outside, zeros};
}

// Estimates with each window at every point, for one parameter.
std::vector<WindowEstimates> window_estimates(const HalfSamplePrediction& grouped, std::size_t p,
                                              std::size_t windows) {
  std::vector<WindowEstimates> result;
  for (std::size_t r = 0; r < grouped.prediction.value.rows; ++r) {
    WindowEstimates at;
    double sum = 0.0;
    for (std::size_t w = 0; w < windows; ++w) {
      sum += grouped.prediction.value(r, p * windows + w);
      at.value.push_back(sum);
    }
    at.covariance = grouped.covariance_of_sums(r, p * windows, windows);
    result.push_back(std::move(at));
  }
  return result;
}

// What dt adds at the points, with the windows taken there.
void add_time_step(StationaryRun& run, const AnswerOptions& options, std::size_t stride,
                   const std::vector<std::size_t>& taken, PointAnswer& answer) {
  const auto pairs = run.go_in_pairs<PooledSamples>(options, stride);
  answer.record.effort.pair_runs = run.record.effort.pair_runs;
  if (pairs == nullptr) return;
  add_step_biases(answer,
                  stationary_step_biases(*pairs, taken, answer.points, options.session.threads),
                  options.time_step, run.model.time().step);
}

// The asked window, or the plateau; recorded.
std::size_t take_window(const StationaryPlan& plan, std::span<const WindowEstimates> quantities,
                        Stationary& stationary) {
  Plateau plateau = find_plateau(quantities, stationary.windows);
  if (plan.asked < plan.windows.size()) {
    plateau = {plan.asked,
               plan.asked + 1 < plan.windows.size() && agrees_with_longer(quantities, plan.asked)};
  }
  stationary.window.push_back(stationary.windows[plateau.window]);
  stationary.plateau.push_back(plateau.found);
  return plateau.window;
}

// The response of E[Phi] with each window from the averages along paths, with the mean of I as a
// control variate (observable_response.hpp); paths are the independent samples, and the tail index
// is that of their averages of (Phi - mean Phi) I + dPhi: the influences that the bar is made of,
// but for centres that a single huge I would move. A path whose I is far from the others draws the
// coefficient of the control variate to itself: residuals are divided by one minus their leverage,
// as a jackknife would.
struct AverageResponse {
  WindowEstimates estimates;
  std::vector<double> tail_index;  // for each window
};
AverageResponse average_response(const PathAverages& paths, std::size_t p, std::size_t windows) {
  const Matrix& rows = paths.averages();
  const auto count = static_cast<double>(rows.rows);
  Moments mean(rows.cols);
  mean.add(rows);
  const std::vector<double>& m = mean.mean();
  Matrix influence(rows.rows, windows);
  WindowEstimates result;
  double value = m[paths.explicit_column(p)];
  double mean_i = 0.0;
  std::vector<double> z = rows.column(paths.explicit_column(p));
  std::vector<double> summands = z;
  Matrix tails(rows.rows, windows);
  std::vector<double> v(rows.rows, 0.0);
  for (std::size_t w = 0; w < windows; ++w) {
    const std::size_t piece = paths.piece_column(p, w);
    value += m[piece + 1] - m[0] * m[piece];
    mean_i += m[piece];
    CovarianceMoments joint(2);
    for (std::size_t r = 0; r < rows.rows; ++r) {
      z[r] += rows(r, piece + 1) - m[0] * rows(r, piece) - m[piece] * rows(r, 0);
      summands[r] += rows(r, piece + 1) - m[0] * rows(r, piece);
      tails(r, w) = summands[r];
      v[r] += rows(r, piece);
      joint.add(std::vector<double>{z[r], v[r]});
    }
    const Matrix covariance = joint.covariance();
    const double spread = covariance(1, 1) * (count - 1.0);
    const double c = spread > 0.0 ? covariance(0, 1) / covariance(1, 1) : 0.0;
    const double mean_z = joint.mean()[0];
    result.value.push_back(value - c * mean_i);
    for (std::size_t r = 0; r < rows.rows; ++r) {
      const double dv = v[r] - mean_i;
      const double leverage = 1.0 / count + (spread > 0.0 ? dv * dv / spread : 0.0);
      influence(r, w) = (z[r] - mean_z - c * dv) / std::max(1.0 - leverage, 1.0 / count);
    }
  }
  CovarianceMoments errors(windows);
  errors.add(influence);
  result.covariance = errors.covariance();
  for (double& entry : result.covariance.data) entry /= count;
  return {std::move(result), tail_indices(tails)};
}

}  // namespace

StationaryPointAnswer stationary_score_at(const Model& model, const Matrix& points,
                                          const StationaryOptions& options) {
  if (points.rows > 0) check_points(model, points);
  check_stationary(model, options);
  StationaryRun run(model, options, plan_stationary(model, options, false));
  const Matrix at = points.rows > 0 ? points : quantile_grid(model, run.reference, options.grid);
  const std::size_t stride =
      regression_stride(run.plan, options.answer.sampling.paths, model.dimension());
  PooledSamples samples(run.plan, run.functions, stride);
  run.go(Asked{}, options, tuning_at_points(), samples, "samples along paths");

  Regression regression = regress(options, run, samples, at);
  const Prediction& found = regression.grouped.prediction;
  StationaryPointAnswer result;
  result.answer = std::move(regression.answer);
  result.answer.names = state_names(model);
  result.answer.prediction = empty_prediction(found, at.rows, model.dimension());
  Prediction& prediction = result.answer.prediction;
  prediction.value = found.value;
  prediction.bias = found.bias;
  prediction.tail_index = found.tail_index;
  for (std::size_t r = 0; r < at.rows; ++r) {
    for (std::size_t i = 0; i < model.dimension(); ++i) {
      const double variance = regression.grouped.covariance_of_sums(r, i, 1)(0, 0);
      prediction.deviation(r, i) = std::sqrt(variance);
      prediction.standard_error(r, i) = std::hypot(prediction.deviation(r, i), found.bias(r, i));
    }
  }
  result.stationary = run.plan.describe(model.time());
  add_time_step(run, options.answer, stride, {}, result.answer);
  warn_of_tails("the score of", result.answer);
  return result;
}

StationaryPointAnswer stationary_response_at(const Model& model,
                                             const std::vector<std::size_t>& parameters,
                                             const Matrix& points,
                                             const StationaryOptions& options) {
  require_parameters(model, parameters);
  if (points.rows > 0) check_points(model, points);
  check_stationary(model, options);
  StationaryRun run(model, options, plan_stationary(model, options, true));
  const Matrix at = points.rows > 0 ? points : quantile_grid(model, run.reference, options.grid);
  const std::size_t stride =
      regression_stride(run.plan, options.answer.sampling.paths, model.dimension());
  PooledSamples samples(run.plan, run.functions, stride);
  run.go(Asked::responses_to(parameters), options, tuning_at_points(), samples,
         "samples along paths");

  Regression regression = regress(options, run, samples, at);
  const Prediction& found = regression.grouped.prediction;
  StationaryPointAnswer result;
  result.answer = std::move(regression.answer);
  result.answer.names = parameter_names(model, parameters);
  result.answer.prediction = empty_prediction(found, at.rows, parameters.size());
  result.window_error = Matrix(at.rows, parameters.size());
  result.stationary = run.plan.describe(model.time());
  Prediction& prediction = result.answer.prediction;
  const std::size_t windows = run.plan.windows.size();
  std::vector<std::size_t> all_taken;
  for (std::size_t p = 0; p < parameters.size(); ++p) {
    const auto estimates = window_estimates(regression.grouped, p, windows);
    const std::size_t taken = take_window(run.plan, estimates, result.stationary);
    all_taken.push_back(taken);
    for (std::size_t r = 0; r < at.rows; ++r) {
      const double error = window_error(estimates[r], result.stationary.windows, taken);
      double bias = 0.0;
      double tail_index = std::numeric_limits<double>::quiet_NaN();  // the heaviest of the pieces
                                                                     // is that of their sum
      for (std::size_t w = 0; w <= taken; ++w) {
        bias = std::hypot(bias, found.bias(r, p * windows + w));
        tail_index = std::fmax(tail_index, found.tail_index(r, p * windows + w));
      }
      prediction.value(r, p) = estimates[r].value[taken];
      prediction.deviation(r, p) = std::sqrt(estimates[r].covariance(taken, taken));
      prediction.bias(r, p) = bias;
      prediction.standard_error(r, p) = std::hypot(prediction.deviation(r, p), bias, error);
      prediction.tail_index(r, p) = tail_index;
      result.window_error(r, p) = error;
    }
  }
  add_time_step(run, options.answer, stride, all_taken, result.answer);
  warn_of_tails("the response to", result.answer);
  return result;
}

StationaryObservableAnswer stationary_observable_response(
    const Model& model, const std::vector<std::size_t>& parameters, const std::string& observable,
    const StationaryOptions& options) {
  require_parameters(model, parameters);
  check_stationary(model, options);
  const Observable phi(model, parameters, observable);
  require_stationary(phi, model, observable);
  StationaryRun run(model, options, plan_stationary(model, options, true));
  Moments reference(1);
  for (const double value : phi(run.reference, 0.0).phi) reference.add(std::span(&value, 1));
  const double offset = reference.mean().front();
  PathAverages averages(run.plan, run.functions, phi, parameters.size(), offset);
  run.go(Asked::responses_to(parameters), options, tuning_of_mean(phi), averages,
         "averages along paths of " + observable);

  StationaryObservableAnswer result;
  result.stationary = run.plan.describe(model.time());
  Moments phi_mean(1);
  for (const double value : averages.averages().column(0)) phi_mean.add(std::span(&value, 1));
  result.answer.value = phi_mean.estimate(0);
  result.answer.value.value += offset;
  std::vector<std::size_t> all_taken;
  for (std::size_t p = 0; p < parameters.size(); ++p) {
    const auto [found, tail_index] = average_response(averages, p, run.plan.windows.size());
    const std::size_t taken = take_window(run.plan, {&found, 1}, result.stationary);
    all_taken.push_back(taken);
    const double error = window_error(found, result.stationary.windows, taken);
    result.window_error.push_back(error);
    result.answer.tail_index.push_back(tail_index[taken]);
    result.answer.response.push_back(
        {found.value[taken], std::hypot(std::sqrt(found.covariance(taken, taken)), error)});
  }
  result.answer.names = parameter_names(model, parameters);
  const auto pairs = run.go_in_pairs<PathAverages>(options.answer, phi, parameters.size(), offset);
  result.answer.record = std::move(run.record);
  if (pairs != nullptr) {
    add_step_biases(result.answer, stationary_step_biases(*pairs, all_taken),
                    options.answer.time_step, model.time().step);
  }
  warn_of_tails(result.answer, TailAdvice::of_damping(result.answer.record));
  return result;
}

}  // namespace divker
