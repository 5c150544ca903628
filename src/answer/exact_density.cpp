#include "divker/exact_density.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "divker/ensemble.hpp"
#include "divker/error.hpp"

namespace divker {
namespace {

constexpr std::size_t cells = 4000;
constexpr std::size_t time_steps = 2000;
constexpr double relative_shift = 1e-3;

void check_model(const Model& model) {
  if (model.dimension() != 1 || model.dynamics() != Dynamics::sde || !model.has_initial_density()) {
    throw Error(ErrorKind::usage,
                fmt::format("The Fokker-Planck equation is solved for SDEs of one state with a "
                            "normal or lognormal initial law; model {} is none.",
                            model.name()));
  }
}

// One expression of the model as a function of time and state. Evaluation is a walk over a prepared
// list of nodes: the solver calls it cells * steps times.
class Coefficient {
 public:
  Coefficient(const Model& model, std::vector<NodeId> roots)
      : graph_(model.graph()),
        roots_(std::move(roots)),
        order_(reachable(*graph_, roots_)),
        inputs_(model.input_values(std::vector<double>{0.0}, 0.0)),
        x_(graph_->node(model.states().front().node).a),
        t_(graph_->node(model.time_input()).a),
        values_(graph_->size()) {}

  // Root-mean-square of the roots' values if there are several (independent noises), else the
  // value.
  double operator()(double t, double x) {
    inputs_[x_] = x;
    inputs_[t_] = t;
    for (const NodeId id : order_) {
      const Node& node = graph_->node(id);
      if (node.op == Op::input) {
        values_[id] = inputs_[node.a];
      } else if (node.op == Op::constant) {
        values_[id] = node.value;
      } else {
        values_[id] = apply(node.op, values_[node.a], is_binary(node.op) ? values_[node.b] : 0.0);
      }
    }
    if (roots_.size() == 1) return values_[roots_.front()];
    double squares = 0.0;
    for (const NodeId id : roots_) squares += values_[id] * values_[id];
    return std::sqrt(squares);
  }

 private:
  std::shared_ptr<const Graph> graph_;
  std::vector<NodeId> roots_;
  std::vector<NodeId> order_;
  std::vector<double> inputs_;
  std::size_t x_;
  std::size_t t_;
  std::vector<double> values_;
};

std::function<double(double)> initial_density(const Model& model) {
  const InitialLaw& law = model.initial().front();
  const double mean = Coefficient(model, {law.a})(0.0, 0.0);
  const double deviation = Coefficient(model, {law.b})(0.0, 0.0);
  const bool in_logarithm = law.kind == InitialKind::lognormal;
  return [=](double x) {
    if (in_logarithm && x <= 0.0) return 0.0;
    const double z = ((in_logarithm ? std::log(x) : x) - mean) / deviation;
    const double normal = std::exp(-0.5 * z * z) / (deviation * std::sqrt(2.0 * std::numbers::pi));
    return in_logarithm ? normal / x : normal;
  };
}

GridDensity solve(const Model& model, double lower, double upper) {
  std::vector<NodeId> amplitudes;
  for (const NoiseEntry& entry : model.noise()) amplitudes.push_back(entry.amplitude);
  FokkerPlanckProblem problem;
  problem.drift = Coefficient(model, model.drift());
  problem.sigma = Coefficient(model, amplitudes);
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
  StepOptions states_only;
  states_only.score = false;
  RunOptions run;
  run.paths = 20'000;
  const std::size_t steps = model.time().steps();
  const std::size_t stride = std::max<std::size_t>(1, steps / 50);
  for (std::size_t n = 0; n <= steps; n += stride) run.snapshots.push_back(model.time().time(n));
  Interval extent{points.empty() ? model.initial_mean().front() : points.front(), 0.0};
  extent.upper = extent.lower;
  const auto widen = [&extent](const std::vector<double>& values) {
    for (const double x : values) {
      extent.lower = std::min(extent.lower, x);
      extent.upper = std::max(extent.upper, x);
    }
  };
  widen(points);
  for (const Snapshot& snapshot : Ensemble(model, states_only).run(run).snapshots) {
    widen(snapshot.x.data);
  }
  const double margin = (extent.upper - extent.lower) / 3.0;
  Interval interval{extent.lower - margin, extent.upper + margin};
  // The state of a lognormal start stays positive.
  if (model.initial().front().kind == InitialKind::lognormal && extent.lower > 0.0) {
    interval.lower = std::max(interval.lower, 0.0);
  }
  return interval;
}

}  // namespace divker
