#include "fit/support.hpp"

#include <algorithm>
#include <cmath>

#include "divker/plan.hpp"

namespace divker::fit {
namespace {

// Amplitudes at zero are compared with those at the initial law's mean: a square root still counts
// as vanishing.
constexpr double just_above = 1e-12;
constexpr double vanishing = 1e-5;

bool stays_positive(const Model& model, std::size_t state, const std::vector<double>& mean) {
  std::vector<double> at_zero = mean;
  at_zero[state] *= just_above;
  const auto noise = [&](const std::vector<double>& x) {
    const Matrix s = model.noise_matrix(x, model.time().start);
    double largest = 0.0;
    for (const double amplitude : s.row(state)) largest = std::max(largest, std::fabs(amplitude));
    return largest;
  };
  const auto drift = [&](const std::vector<double>& x) {
    const NodeId root = model.drift()[state];
    return evaluate(*model.graph(), {&root, 1}, model.input_values(x, model.time().start)).front();
  };
  return noise(at_zero) <= vanishing * noise(mean) &&
         drift(at_zero) >= -vanishing * std::fabs(drift(mean));
}

}  // namespace

std::vector<Range> supports(const Model& model) {
  std::vector<Range> result;
  for (const State& state : model.states()) result.push_back(state.range);
  if (!has_time_step(model)) return result;
  const std::vector<double> mean = model.initial_mean();
  for (std::size_t i = 0; i < result.size(); ++i) {
    const InitialKind kind = model.initial()[i].kind;
    const bool starts_positive = kind == InitialKind::lognormal || kind == InitialKind::point;
    if (!result[i].is_whole() || !starts_positive || mean[i] <= 0.0) continue;
    if (stays_positive(model, i, mean)) result[i] = Range::positive();
  }
  return result;
}

}  // namespace divker::fit
