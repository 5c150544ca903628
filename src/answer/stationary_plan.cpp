#include "answer/stationary_plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "answer/relaxation.hpp"
#include "divker/error.hpp"

namespace divker {
namespace {

// The longest window in lags at which correlations have died to 0.14, that is about sixteen
// correlation times: its half leaves exp(-8) of the bias.
constexpr double longest_window = 8.0;
// What a path is followed for, in longest windows: three quarters of the work after the spin-up
// are samples.
constexpr double windows_per_length = 3.0;
// Carried windows in 32nds of the longest: each 1.4 times the one before.
constexpr std::array<std::size_t, 9> window_ladder{2, 3, 4, 6, 8, 11, 16, 23, 32};

void require_autonomous(const Model& model) {
  std::vector<NodeId> roots = model.drift();
  for (const NoiseEntry& entry : model.noise()) roots.push_back(entry.amplitude);
  const std::vector<NodeId> needed = reachable(*model.graph(), roots);
  for (const NodeId node : model.time_nodes()) {
    if (!std::ranges::binary_search(needed, node)) continue;
    const std::string& name = model.graph()->input_name(model.graph()->node(node).a);
    throw Error(
        ErrorKind::usage,
        fmt::format("The equations of model {} depend on the {}, so that it has no "
                    "stationary density.",
                    model.name(), node == model.time_input() ? "time t" : "input " + name + "(t)"));
  }
}

void require_positive(const char* what, const std::optional<double>& value) {
  if (!value || (std::isfinite(*value) && *value > 0.0)) return;
  throw Error(ErrorKind::usage, fmt::format("The {} is {}; it must be positive.", what, *value));
}

// Where only one path in so many steps can be followed, memory and patience end.
void require_feasible(double steps) {
  constexpr double most = 1e9;
  if (steps <= most) return;
  throw Error(ErrorKind::usage,
              fmt::format("The stationary run would take {:.3g} steps of each path; at most {:.3g} "
                          "are possible. A larger dt or a shorter length helps.",
                          steps, most));
}

// Into how many parts a window of so many steps is divided: about sixteen, such that the parts make
// up the window as exactly as possible.
std::size_t division_of(std::size_t steps) {
  if (steps <= 16) return steps;
  std::size_t best = 16;
  std::size_t least = steps;
  for (const std::size_t parts :
       {16, 15, 17, 14, 18, 13, 19, 12, 20, 11, 21, 10, 22, 9, 23, 8, 24}) {
    const std::size_t whole = (steps + parts / 2) / parts * parts;
    const std::size_t miss = std::max(whole, steps) - std::min(whole, steps);
    if (miss < least) {
      best = parts;
      least = miss;
    }
  }
  return best;
}

void plan_asked_window(StationaryPlan& plan, double window, std::optional<double> length,
                       const TimeGrid& grid) {
  if (length && window > *length) {
    throw Error(ErrorKind::usage,
                fmt::format("The window {} is longer than the {} units of time for which paths are "
                            "followed after the spin-up.",
                            window, *length));
  }
  const std::size_t steps = grid.steps_in(window);
  const std::size_t unit = division_of(steps);
  plan.spacing = std::max<std::size_t>(1, (steps + unit / 2) / unit);
  const double followed = length.value_or(2.0 * windows_per_length * window);
  plan.length = std::max(grid.steps_in(followed) / plan.spacing, unit) * plan.spacing;
  if (unit >= 2) plan.windows.push_back(unit / 2 * plan.spacing);
  plan.asked = plan.windows.size();
  plan.windows.push_back(unit * plan.spacing);
  if (4 * unit * plan.spacing <= plan.length) plan.windows.push_back(2 * unit * plan.spacing);
}

void plan_ladder(StationaryPlan& plan, bool with_windows, std::optional<double> length,
                 const TimeGrid& grid) {
  double longest = longest_window * plan.correlation;
  if (length) longest = std::min(longest, *length / windows_per_length);
  const std::size_t units = window_ladder.back();
  plan.spacing = grid.steps_in(longest / static_cast<double>(units));
  const double followed = length.value_or(windows_per_length * longest);
  plan.length = std::max<std::size_t>(grid.steps_in(followed) / plan.spacing, units + 1);
  plan.length *= plan.spacing;
  if (with_windows) {
    for (const std::size_t rung : window_ladder) plan.windows.push_back(rung * plan.spacing);
  }
  plan.asked = plan.windows.size();
}

}  // namespace

Model StationaryPlan::on_grid(const Model& model) const {
  TimeGrid grid = model.time();
  grid.end = grid.time(spinup + length);
  return model.with_time(grid);
}

std::vector<double> StationaryPlan::times(const TimeGrid& grid) const {
  std::vector<double> result;
  for (std::size_t k = 0; k < recorded(); ++k) result.push_back(grid.time(spinup + k * spacing));
  return result;
}

StationaryPlan StationaryPlan::at_half_the_step() const {
  StationaryPlan half = *this;
  half.spinup *= 2;
  half.length *= 2;
  half.spacing *= 2;
  for (std::size_t& window : half.windows) window *= 2;
  return half;
}

Stationary StationaryPlan::describe(const TimeGrid& grid) const {
  Stationary result;
  result.grid = grid;
  result.grid.end = grid.time(spinup + length);
  result.spinup = static_cast<double>(spinup) * grid.step;
  result.length = static_cast<double>(length) * grid.step;
  result.correlation = correlation;
  result.spacing = static_cast<double>(spacing) * grid.step;
  result.samples = samples();
  for (const std::size_t window : windows) {
    result.windows.push_back(static_cast<double>(window) * grid.step);
  }
  return result;
}

StationaryPlan plan_stationary(const Model& model, const StationaryOptions& options,
                               bool with_windows) {
  require_autonomous(model);
  require_positive("window", options.window);
  require_positive("spin-up", options.spinup);
  require_positive("length", options.length);
  const TimeGrid& grid = model.time();
  const double total =
      options.spinup.value_or(0.0) + options.length.value_or(0.0) + options.window.value_or(0.0);
  require_feasible(total / grid.step);
  StationaryPlan plan;
  const bool asked = with_windows && options.window;
  if (asked) plan_asked_window(plan, *options.window, options.length, grid);
  double settled = options.spinup.value_or(0.0);
  if (!options.spinup || !asked) {
    const Relaxation relaxation =
        measure_relaxation(model, options.answer.sampling, options.answer.session);
    plan.correlation = relaxation.correlation;
    settled = options.spinup.value_or(relaxation.settled);
  }
  plan.spinup = grid.steps_in(settled);
  if (!asked) plan_ladder(plan, with_windows, options.length, grid);
  if (!plan.windows.empty()) plan.first_sample = plan.windows.back() / plan.spacing;
  return plan;
}

}  // namespace divker
