#include "divker/exact_density.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <numbers>
#include <span>
#include <vector>

#include "answer/questions.hpp"
#include "divker/error.hpp"
#include "divker/model_function.hpp"
#include "divker/plan.hpp"

namespace divker {
namespace {

constexpr std::size_t cells = 4000;
constexpr std::size_t time_steps = 2000;
constexpr double relative_shift = 1e-3;

void check_model(const Model& model) {
  if (model.dimension() != 1 || !has_time_step(model) || !model.has_initial_density()) {
    throw Error(ErrorKind::usage,
                fmt::format("The Fokker-Planck equation is solved for SDEs of one state with a "
                            "normal or lognormal initial law; model {} is none.",
                            model.name()));
  }
  if (!model.singular_noise().empty()) throw Error(ErrorKind::model, model.singular_noise());
}

std::function<double(double, double)> drift_of(const Model& model) {
  return [drift = ModelFunction(model, model.drift())](double t, double x) mutable {
    return drift(t, {&x, 1}).front();
  };
}

// Independent noises act together as one whose amplitude is the root of their sum of squares.
std::function<double(double, double)> amplitude_of(const Model& model) {
  std::vector<NodeId> roots;
  for (const NoiseEntry& entry : model.noise()) roots.push_back(entry.amplitude);
  return [amplitudes = ModelFunction(model, roots)](double t, double x) mutable {
    const std::span<const double> values = amplitudes(t, {&x, 1});
    if (values.size() == 1) return values.front();
    double squares = 0.0;
    for (const double value : values) squares += value * value;
    return std::sqrt(squares);
  };
}

std::function<double(double)> initial_density(const Model& model) {
  const InitialLaw& law = model.initial().front();
  // The law mentions neither the state nor the time.
  const double any = 0.0;
  ModelFunction mean_and_deviation(model, {law.a, law.b});
  const std::span<const double> values = mean_and_deviation(any, {&any, 1});
  const double mean = values[0];
  const double deviation = values[1];
  const bool in_logarithm = law.kind == InitialKind::lognormal;
  return [=](double x) {
    if (in_logarithm && x <= 0.0) return 0.0;
    const double z = ((in_logarithm ? std::log(x) : x) - mean) / deviation;
    const double normal = std::exp(-0.5 * z * z) / (deviation * std::sqrt(2.0 * std::numbers::pi));
    return in_logarithm ? normal / x : normal;
  };
}

GridDensity solve(const Model& model, double lower, double upper) {
  FokkerPlanckProblem problem;
  problem.drift = drift_of(model);
  problem.sigma = amplitude_of(model);
  problem.initial_density = initial_density(model);
  problem.lower = lower;
  problem.upper = upper;
  problem.cells = cells;
  problem.start = model.time().start;
  problem.end = model.time().end;
  problem.steps = time_steps;
  return solve_fokker_planck(problem);
}

}  // namespace

ExactDensity exact_density(const Model& model, const std::vector<std::size_t>& parameters,
                           const std::vector<double>& points, double lower, double upper) {
  check_model(model);
  ExactDensity exact;
  exact.points = points;
  exact.response = Matrix(points.size(), parameters.size());
  const GridDensity here = solve(model, lower, upper);
  for (const double x : points) {
    exact.log_density.push_back(here.log_density(x));
    exact.score.push_back(here.score(x));
  }
  for (std::size_t p = 0; p < parameters.size(); ++p) {
    std::vector<double> values = model.parameter_values();
    double& value = values.at(parameters[p]);
    const double centre = value;
    const double shift = relative_shift * std::max(1.0, std::fabs(centre));
    value = centre + shift;
    const GridDensity above = solve(model.with_parameters(values), lower, upper);
    value = centre - shift;
    const GridDensity below = solve(model.with_parameters(values), lower, upper);
    for (std::size_t k = 0; k < points.size(); ++k) {
      exact.response(k, p) =
          (above.log_density(points[k]) - below.log_density(points[k])) / (2.0 * shift);
    }
  }
  return exact;
}

Interval density_interval(const Model& model, const std::vector<double>& points) {
  check_model(model);
  Sampling sampling;
  sampling.paths = 20'000;
  const std::size_t steps = model.time().steps();
  const std::size_t stride = std::max<std::size_t>(1, steps / 50);
  for (std::size_t n = 0; n <= steps; n += stride)
    sampling.snapshots.push_back(model.time().time(n));
  Interval extent{points.empty() ? model.initial_mean().front() : points.front(), 0.0};
  extent.upper = extent.lower;
  const auto widen = [&extent](const std::vector<double>& values) {
    for (const double x : values) {
      extent.lower = std::min(extent.lower, x);
      extent.upper = std::max(extent.upper, x);
    }
  };
  widen(points);
  for (const Snapshot& snapshot : states_alone(model).run(sampling).snapshots) {
    widen(snapshot.x().data);
  }
  const double margin = (extent.upper - extent.lower) / 3.0;
  Interval interval{extent.lower - margin, extent.upper + margin};
  // The state of a lognormal start stays positive.
  if (model.initial().front().kind == InitialKind::lognormal && extent.lower > 0.0) {
    interval.lower = std::max(interval.lower, 0.0);
  }
  const Range& range = model.states().front().range;
  interval.lower = std::max(interval.lower, range.lower);
  interval.upper = std::min(interval.upper, range.upper);
  return interval;
}

}  // namespace divker
