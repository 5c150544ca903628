#include "divker/baseline.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "answer/finite_difference.hpp"
#include "answer/observable.hpp"
#include "answer/questions.hpp"
#include "divker/error.hpp"

namespace divker {
namespace {

constexpr std::array<std::pair<Method, const char*>, 3> names{{
    {Method::divergence_kernel, "divergence-kernel"},
    {Method::likelihood_ratio, "likelihood-ratio"},
    {Method::finite_difference, "finite-difference"},
}};

// --- likelihood ratio -------------------------------------------------------------------------

void require_noise_on_every_state(const Model& model) {
  for (std::size_t i = 0; i < model.dimension(); ++i) {
    if (model.noisy()[i]) continue;
    throw Error(ErrorKind::model,
                fmt::format("The likelihood ratio is taken of the density of a step, which needs "
                            "noise on every state; {} of model {} has none.",
                            model.states()[i].name, model.name()));
  }
}

std::vector<std::string> noise_warnings(const Model& model,
                                        const std::vector<std::size_t>& parameters) {
  std::vector<NodeId> amplitudes;
  for (const NoiseEntry& entry : model.noise()) amplitudes.push_back(entry.amplitude);
  const std::vector<NodeId> needed = reachable(*model.graph(), amplitudes);
  std::vector<std::string> warnings;
  for (const std::size_t p : parameters) {
    const Parameter& parameter = model.parameters()[p];
    if (model.dynamics() == Dynamics::map || !std::ranges::binary_search(needed, parameter.node)) {
      continue;
    }
    warnings.push_back(
        fmt::format("The noise depends on {}: the variance of its likelihood ratio grows like "
                    "1/dt.",
                    parameter.name));
  }
  return warnings;
}

// The pure kernel step, whose response is the likelihood ratio.
Damping kernel_damping() {
  Damping damping;
  damping.form = DampingForm::kernel;
  return damping;
}

Baseline single_run(Method method, const RunSummary& summary) {
  Baseline baseline;
  baseline.method = method;
  baseline.path_runs = summary.requested;
  return baseline;
}

BaselineAnswer likelihood_ratio(const Model& model, const std::vector<std::size_t>& parameters,
                                const std::string& observable, const AnswerOptions& options) {
  require_noise_on_every_state(model);
  const Observable phi(model, parameters, observable);
  StepOptions step;
  step.responses = parameters;
  step.damping = DampingForm::kernel;
  const Ensemble ensemble(model, step);
  RunOptions run = options.run;
  run.damping = kernel_damping();
  ObservableCollector collector(phi, parameters.size(), snapshot_times(model, options.run).back());
  BaselineAnswer result;
  Effective& effective = result.answer.effective;
  effective.compile_seconds = ensemble.compile_seconds();
  effective.summary = ensemble.run(run, collector);
  require_paths(effective.summary);
  const ObservableResponse found = collector.result();
  result.answer.value = found.value;
  result.answer.response = found.response;
  result.answer.names = parameter_names(model, parameters);
  result.baseline = single_run(Method::likelihood_ratio, effective.summary);
  result.baseline.warnings = noise_warnings(model, parameters);
  return result;
}

BaselinePointAnswer likelihood_ratio_at(const Model& model,
                                        const std::vector<std::size_t>& parameters,
                                        const Matrix& points, const AnswerOptions& options) {
  require_noise_on_every_state(model);
  AnswerOptions of_chain = options;
  of_chain.scheme = Scheme::exact;
  of_chain.damping = {DampingRequest::Kind::given, kernel_damping()};
  of_chain.order = InverseOrder::first;
  BaselinePointAnswer result;
  result.answer = response_at(model, parameters, points, of_chain);
  result.answer.effective.alpha.clear();
  result.baseline = single_run(Method::likelihood_ratio, result.answer.effective.summary);
  result.baseline.warnings = noise_warnings(model, parameters);
  return result;
}

// --- finite differences -----------------------------------------------------------------------

std::size_t pilot_paths(std::size_t paths) {
  return std::clamp<std::size_t>(paths / 8, std::min<std::size_t>(paths, 256), 8192);
}

BaselineAnswer finite_difference(const Model& model, const std::vector<std::size_t>& parameters,
                                 const std::string& observable, const BaselineOptions& options) {
  const RunOptions& run = options.answer.run;
  const double time = snapshot_times(model, run).back();
  (void)Observable(model, parameters, observable);
  ShiftedRuns runs(model, run, [&](const Model& shifted, const Matrix& x) {
    return Observable(shifted, {}, observable)(x, time).phi;
  });
  BaselineAnswer result;
  Moments value(1);
  for (const double phi : runs.at(parameters.front(), 0.0, run.paths)) {
    if (!std::isnan(phi)) value.add(std::span(&phi, 1));
  }
  require_paths(runs.summary());
  result.answer.value = value.estimate(0);
  for (const std::size_t p : parameters) {
    StepRequest request;
    request.parameter = p;
    request.fixed = options.step;
    request.pilot_paths = pilot_paths(run.paths);
    request.paths = run.paths;
    const std::size_t before = runs.paths_run();
    const StepChoice choice = choose_step(model, runs, mean_difference, request);
    result.baseline.pilot_runs += runs.paths_run() - before;
    const Differences found = mean_difference(runs.at(p, choice.h, run.paths),
                                              runs.at(p, -choice.h, run.paths), choice.h);
    result.answer.response.push_back(
        {found.value[0], std::hypot(found.error(0), choice.truncation[0])});
    result.baseline.steps.push_back(choice.h);
    result.baseline.truncation.push_back(choice.truncation[0]);
  }
  result.answer.names = parameter_names(model, parameters);
  result.answer.effective.summary = runs.summary();
  result.answer.effective.compile_seconds = runs.compile_seconds();
  result.baseline.method = Method::finite_difference;
  result.baseline.path_runs = runs.paths_run() - result.baseline.pilot_runs;
  return result;
}

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

BaselinePointAnswer finite_difference_at(const Model& model,
                                         const std::vector<std::size_t>& parameters,
                                         const Matrix& points, const BaselineOptions& options) {
  require_one_state(model);
  const RunOptions& run = options.answer.run;
  ShiftedRuns runs(model, run, [](const Model&, const Matrix& x) { return x.column(0); });
  const std::vector<double> base = runs.at(parameters.front(), 0.0, run.paths);
  require_paths(runs.summary());
  const double rule = rule_of_thumb(base);
  BaselinePointAnswer result;
  result.log_density = log_densities(base, points, rule);
  const Matrix zeros(points.rows, parameters.size());
  Prediction& prediction = result.answer.prediction;
  prediction = {zeros,
                zeros,
                zeros,
                zeros,
                std::vector<double>(points.rows, 1e300),
                std::vector<bool>(points.rows, false)};
  StepRequest request;
  request.fixed = options.step;
  request.pilot_paths = pilot_paths(run.paths);
  request.paths = run.paths;
  const std::vector<double> bandwidths = bandwidths_to_try(rule);
  request.variants = bandwidths.size();
  request.extra_bias = [&](const Differences& differences, std::size_t q) {
    return bandwidth_bias(differences, q, bandwidths.size());
  };
  for (std::size_t k = 0; k < parameters.size(); ++k) {
    request.parameter = parameters[k];
    const std::size_t before = runs.paths_run();
    const auto differencing = [&](std::span<const double> above, std::span<const double> below,
                                  double h) {
      return log_density_difference(above, below, h, points.data, bandwidths);
    };
    const StepChoice choice = choose_step(model, runs, differencing, request);
    result.baseline.pilot_runs += runs.paths_run() - before;
    const double bandwidth = bandwidths[choice.variant];
    const std::array<double, 2> pair{bandwidth, bandwidth / std::sqrt(2.0)};
    const std::vector<double> above = runs.at(request.parameter, choice.h, run.paths);
    const std::vector<double> below = runs.at(request.parameter, -choice.h, run.paths);
    const Differences found = log_density_difference(above, below, choice.h, points.data, pair);
    for (std::size_t r = 0; r < points.rows; ++r) {
      const double truncation = choice.truncation[r * bandwidths.size() + choice.variant];
      prediction.value(r, k) = found.value[2 * r];
      prediction.deviation(r, k) = found.error(2 * r);
      prediction.bias(r, k) = std::hypot(truncation, bandwidth_bias(found, 2 * r, 2));
      prediction.standard_error(r, k) =
          std::hypot(prediction.deviation(r, k), prediction.bias(r, k));
      constexpr double fewest = 10.0;
      double& effective = prediction.effective_samples[r];
      for (const std::vector<double>* samples : {&above, &below}) {
        effective = std::min(
            effective, kernel_log_density(*samples, points.data[r], bandwidth).effective_samples);
      }
      prediction.outside[r] = effective < fewest;
    }
    result.baseline.steps.push_back(choice.h);
    result.baseline.bandwidths.push_back(bandwidth);
  }
  result.answer.points = points;
  result.answer.names = parameter_names(model, parameters);
  result.answer.effective.regressor = "kernel density";
  result.answer.effective.summary = runs.summary();
  result.answer.effective.compile_seconds = runs.compile_seconds();
  result.baseline.method = Method::finite_difference;
  result.baseline.path_runs = runs.paths_run() - result.baseline.pilot_runs;
  return result;
}

void check_step(const BaselineOptions& options) {
  if (std::isfinite(options.step) && options.step >= 0.0) return;
  throw Error(
      ErrorKind::usage,
      fmt::format("The step of the finite difference is {}; it must be positive.", options.step));
}

}  // namespace

std::string name_of(Method method) {
  const auto* const found =
      std::ranges::find_if(names, [&](const auto& entry) { return entry.first == method; });
  return found->second;
}

std::vector<std::string> method_names() {
  std::vector<std::string> result;
  result.reserve(std::size(names));
  for (const auto& [method, name] : names) result.emplace_back(name);
  return result;
}

Method parse_method(std::string_view name) {
  for (const auto& [method, known] : names) {
    if (name == known) return method;
  }
  throw Error(ErrorKind::usage, fmt::format("There is no method '{}'; the methods are {}.", name,
                                            fmt::join(method_names(), ", ")));
}

BaselineAnswer baseline_response(const Model& model, const std::vector<std::size_t>& parameters,
                                 const std::string& observable, const BaselineOptions& options) {
  require_parameters(model, parameters);
  check_step(options);
  switch (options.method) {
    case Method::likelihood_ratio:
      return likelihood_ratio(model, parameters, observable, options.answer);
    case Method::finite_difference:
      return finite_difference(model, parameters, observable, options);
    case Method::divergence_kernel:
      break;
  }
  BaselineAnswer result;
  result.answer = observable_response(model, parameters, observable, options.answer);
  result.baseline = single_run(options.method, result.answer.effective.summary);
  return result;
}

BaselinePointAnswer baseline_response_at(const Model& model,
                                         const std::vector<std::size_t>& parameters,
                                         const Matrix& points, const BaselineOptions& options) {
  require_parameters(model, parameters);
  check_points(model, points);
  check_step(options);
  switch (options.method) {
    case Method::likelihood_ratio:
      return likelihood_ratio_at(model, parameters, points, options.answer);
    case Method::finite_difference:
      return finite_difference_at(model, parameters, points, options);
    case Method::divergence_kernel:
      break;
  }
  BaselinePointAnswer result;
  result.answer = response_at(model, parameters, points, options.answer);
  result.baseline = single_run(options.method, result.answer.effective.summary);
  return result;
}

}  // namespace divker
