#include "answer/lags.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "divker/error.hpp"
#include "divker/language.hpp"
#include "divker/model_kinks.hpp"

namespace divker {
namespace {

// A combination with what is measured of its bias.
Stepped with_bias_of_step(const ResponseFunction& function, std::span<const double> weights) {
  const Estimate found = function.joint.of(weights);
  if (!function.step_bias) return {found.value, found.standard_error, 0.0};
  const Estimate bias = function.step_bias->of(weights);
  return with_step_bias(found.value, found.standard_error, {bias.value, bias.standard_error},
                        function.policy);
}

}  // namespace

std::vector<std::size_t> steps_of_lags(const std::vector<double>& lags, const TimeGrid& grid) {
  if (lags.empty())
    throw Error(ErrorKind::usage, "A response function needs lags; none are given.");
  std::vector<std::size_t> steps;
  for (const double lag : lags) {
    const double position = lag / grid.step;
    if (!std::isfinite(lag) || lag < 0.0) {
      throw Error(ErrorKind::usage,
                  fmt::format("A lag is {}, but must be a time from 0 on after the kick.", lag));
    }
    const double nearest = std::round(position);
    if (!(std::fabs(position - nearest) < 1e-6 * std::max(1.0, nearest))) {
      throw Error(ErrorKind::usage,
                  fmt::format("The lag {} is no whole number of steps of {}; the nearest one is "
                              "{:.9g}.",
                              lag, grid.step, nearest * grid.step));
    }
    const auto n = static_cast<std::size_t>(nearest);
    if (!steps.empty() && n <= steps.back()) {
      throw Error(ErrorKind::usage, fmt::format("Lags must ascend, but {} follows {:.9g}.", lag,
                                                static_cast<double>(steps.back()) * grid.step));
    }
    steps.push_back(n);
  }
  return steps;
}

void require_in_equations(const Model& model, std::size_t parameter) {
  std::vector<NodeId> roots = model.drift();
  for (const NoiseEntry& entry : model.noise()) roots.push_back(entry.amplitude);
  const std::vector<NodeId> needed = reachable(*model.graph(), roots);
  const Parameter& kicked = model.parameters()[parameter];
  if (std::ranges::binary_search(needed, kicked.node)) return;
  throw Error(ErrorKind::usage,
              fmt::format("No equation of model {} mentions {}: a kick changes a parameter of the "
                          "equations for a moment, and has no effect on one of the initial law or "
                          "of what is observed.",
                          model.name(), kicked.name));
}

bool jumps_with_states(const Model& model, const std::string& observable) {
  Graph graph(*model.graph());
  const auto kinks =
      observable_kinks(model, observable, parse_expression(observable, model, graph));
  return std::ranges::any_of(kinks, [](const ModelKink& kink) {
    const bool is_missed =
        kink.kind == KinkKind::jump || (kink.kind == KinkKind::root && !kink.is_edge());
    return is_missed && kink.by_states;
  });
}

std::size_t paths_per_batch(std::size_t paths) {
  std::size_t batch = 16;
  while (batch < 256 && batch * 512 < paths) batch *= 2;
  return batch;
}

Estimate ResponseFunction::of(std::span<const double> weights) const {
  const Stepped stepped = with_bias_of_step(*this, weights);
  return {stepped.value, stepped.standard_error};
}

ResponseFunction function_of_lags(const Model& model, const Kick& kick, JointEstimate joint,
                                  std::optional<JointEstimate> bias, TimeStep policy) {
  ResponseFunction function;
  function.parameter = model.parameters()[kick.parameter].name;
  function.lags = kick.lags;
  function.period = kick.period;
  function.joint = std::move(joint);
  function.step_bias = std::move(bias);
  function.policy = policy;
  const std::size_t lags = kick.lags.size();
  std::vector<double> weights(function.joint.value.size(), 0.0);
  for (std::size_t q = 0; q < 3 * lags; ++q) {
    weights[q] = 1.0;
    const Stepped one = with_bias_of_step(function, weights);
    weights[q] = 0.0;
    const Estimate estimate{one.value, one.standard_error};
    if (q < lags) {
      function.response.push_back(estimate);
      function.time_step.push_back(one.counted);
    } else if (q < 2 * lags) {
      function.integral.push_back(estimate);
      function.integral_time_step.push_back(one.counted);
    } else {
      function.value.push_back(estimate);
    }
  }
  if (!function.step_bias) {
    function.time_step.clear();
    function.integral_time_step.clear();
  }
  return function;
}

}  // namespace divker
