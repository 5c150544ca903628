#include "answer/estimators/density_difference.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <span>

#include "answer/finite_difference.hpp"
#include "answer/paired_differences.hpp"
#include "answer/questions.hpp"
#include "divker/error.hpp"

namespace divker {
namespace {

// Silverman (1986), eq. 3.31, for a density of any shape.
double rule_of_thumb(std::vector<double> samples) {
  std::erase_if(samples, [](double v) { return std::isnan(v); });
  Moments moments(1);
  for (const double value : samples) moments.add(std::span(&value, 1));
  std::ranges::sort(samples);
  const double quartiles = samples[samples.size() * 3 / 4] - samples[samples.size() / 4];
  const double spread = std::min(std::sqrt(moments.variance(0)), quartiles / 1.34);
  return 0.9 * spread * std::pow(static_cast<double>(samples.size()), -0.2);
}

// Twice, once, ... an eighth of the square of the rule of thumb.
std::vector<double> bandwidths_to_try(double rule) {
  std::vector<double> tried;
  for (double factor = 2.0; factor > 0.3; factor /= std::sqrt(2.0)) tried.push_back(factor * rule);
  return tried;
}

// The bias of a kernel of bandwidth b is proportional to b^2: the difference to that of b/sqrt(2)
// is half of it. The narrowest is judged by its neighbour.
double bandwidth_bias(const Differences& differences, std::size_t quantity, std::size_t variants) {
  const bool is_last = quantity % variants == variants - 1;
  const std::vector<double>& value = differences.value;
  if (is_last) return std::fabs(value[quantity - 1] - value[quantity]);
  return 2.0 * std::fabs(value[quantity] - value[quantity + 1]);
}

std::vector<Estimate> log_densities(std::span<const double> samples, const Matrix& points,
                                    double bandwidth) {
  std::vector<Estimate> result;
  for (const double point : points.data) {
    const LogDensity wide = kernel_log_density(samples, point, bandwidth);
    const double bias =
        2.0 * (wide.value - kernel_log_density(samples, point, bandwidth / std::sqrt(2.0)).value);
    const auto n = static_cast<double>(samples.size());
    double squares = 0.0;
    for (const double influence : wide.influence) squares += influence * influence;
    result.push_back({wide.value, std::hypot(std::sqrt(squares) / n, bias)});
  }
  return result;
}

void require_one_state(const Model& model) {
  if (model.dimension() == 1) return;
  throw Error(ErrorKind::usage,
              fmt::format("Finite differences of densities are for models of one state; model {} "
                          "has {}: ask for the mean of an observable.",
                          model.name(), model.dimension()));
}

Prediction without_values(std::size_t points, std::size_t parameters) {
  const Matrix zeros(points, parameters);
  return {zeros,
          zeros,
          zeros,
          zeros,
          std::vector<double>(points, 1e300),
          std::vector<bool>(points, false),
          Matrix(points, parameters, std::numeric_limits<double>::quiet_NaN())};
}

// The differences of one model at some points, a parameter at a time.
class DensityDifferences {
 public:
  DensityDifferences(const Matrix& points, const AnswerOptions& options, double rule)
      : points_(points), tried_(bandwidths_to_try(rule)) {
    request_.fixed = options.difference_step;
    request_.paths = options.sampling.paths;
    request_.variants = tried_.size();
    request_.extra_bias = [this](const Differences& differences, std::size_t q) {
      return bandwidth_bias(differences, q, tried_.size());
    };
  }
  ~DensityDifferences() = default;
  DensityDifferences(const DensityDifferences&) = delete;
  DensityDifferences& operator=(const DensityDifferences&) = delete;

  // Into one column of the prediction.
  void differentiate(const Model& model, ShiftedRuns& runs, std::size_t parameter,
                     std::size_t column, Prediction& prediction) {
    request_.parameter = parameter;
    request_.moved_in_time = step_of_moved_jump(model, parameter);
    const auto differencing = [this](std::span<const double> above, std::span<const double> below,
                                     double h) {
      return log_density_difference(above, below, h, points_.data, tried_);
    };
    const StepChoice choice = choose_step(model, runs, differencing, request_);
    const double bandwidth = tried_[choice.variant];
    const std::array<double, 2> pair{bandwidth, bandwidth / std::sqrt(2.0)};
    const std::vector<double> above = runs.at(parameter, choice.h, request_.paths);
    const std::vector<double> below = runs.at(parameter, -choice.h, request_.paths);
    const Differences found = log_density_difference(above, below, choice.h, points_.data, pair);
    for (std::size_t r = 0; r < points_.rows; ++r) {
      const double truncation = choice.truncation[r * tried_.size() + choice.variant];
      prediction.value(r, column) = found.value[2 * r];
      prediction.deviation(r, column) = found.error(2 * r);
      prediction.bias(r, column) = std::hypot(truncation, bandwidth_bias(found, 2 * r, 2));
      prediction.standard_error(r, column) =
          std::hypot(prediction.deviation(r, column), prediction.bias(r, column));
      count_effective_samples(r, {above, below}, bandwidth, prediction);
    }
    steps.push_back(choice.h);
    bandwidths.push_back(bandwidth);
  }

  std::vector<double> steps;  // that were taken, for each parameter
  std::vector<double> bandwidths;

 private:
  // The fewest of all parameters, above and below.
  void count_effective_samples(std::size_t point,
                               const std::array<std::span<const double>, 2>& samples,
                               double bandwidth, Prediction& prediction) const {
    constexpr double fewest = 10.0;
    double& effective = prediction.effective_samples[point];
    for (const std::span<const double> some : samples) {
      effective = std::min(
          effective, kernel_log_density(some, points_.data[point], bandwidth).effective_samples);
    }
    prediction.outside[point] = effective < fewest;
  }

  const Matrix& points_;
  std::vector<double> tried_;
  StepRequest request_;
};

// Into the errors at the points, with the steps and bandwidths that were taken.
void add_step_bias(const Model& model, const std::vector<std::size_t>& parameters,
                   const AnswerOptions& options, const PathFunction& function,
                   PointAnswer& answer) {
  PairedDifferences pairs(model, options.sampling, options.session, function);
  Effort& effort = answer.record.effort;
  StepBiases biases{Matrix(answer.points.rows, parameters.size()),
                    Matrix(answer.points.rows, parameters.size())};
  for (std::size_t k = 0; k < parameters.size(); ++k) {
    const auto differencing = [&](std::span<const double> above, std::span<const double> below,
                                  double h) {
      return log_density_difference(above, below, h, answer.points.data,
                                    std::span(&effort.bandwidths[k], 1));
    };
    const auto found = pairs.of(differencing, parameters[k], effort.steps[k]);
    for (std::size_t r = 0; r < found.size(); ++r) {
      biases.value(r, k) = found[r].value;
      biases.error(r, k) = found[r].error;
    }
  }
  effort.pair_runs = pairs.paths_run();
  add_step_biases(answer, biases, options.time_step, model.time().step);
}

}  // namespace

PointAnswer density_difference(const Model& model, const std::vector<std::size_t>& parameters,
                               const Matrix& points, const AnswerOptions& options) {
  require_one_state(model);
  const PathFunction function = [](const Model&, const Snapshot& paths) {
    return paths.x().column(0);
  };
  ShiftedRuns runs(model, options.sampling, options.session, function);
  const std::vector<double> unshifted = runs.at(parameters.front(), 0.0, options.sampling.paths);
  require_paths(runs.record().summary);
  const double rule = rule_of_thumb(unshifted);
  DensityDifferences differences(points, options, rule);
  PointAnswer answer;
  answer.points = points;
  answer.names = parameter_names(model, parameters);
  answer.prediction = without_values(points.rows, parameters.size());
  for (std::size_t k = 0; k < parameters.size(); ++k) {
    differences.differentiate(model, runs, parameters[k], k, answer.prediction);
  }
  answer.record = runs.record();
  answer.record.regressor = "kernel density";
  answer.record.effort.steps = differences.steps;
  answer.record.effort.bandwidths = differences.bandwidths;
  answer.record.effort.log_density = log_densities(unshifted, points, rule);
  if (options.time_step != TimeStep::ignored && runs.has_time_step()) {
    add_step_bias(model, parameters, options, function, answer);
  }
  return answer;
}

}  // namespace divker
