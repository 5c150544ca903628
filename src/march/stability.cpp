#include "march/stability.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace divker::march {
namespace {

constexpr int iterations = 24;
constexpr int measured_iterations = 8;

// Scales every row to length 1; returns the lengths.
std::vector<double> normalise(std::vector<std::vector<double>>& columns) {
  std::vector<double> lengths(columns.front().size());
  for (std::size_t r = 0; r < lengths.size(); ++r) {
    double squares = 0.0;
    for (const auto& column : columns) squares += column[r] * column[r];
    lengths[r] = std::sqrt(squares);
    for (auto& column : columns) column[r] = lengths[r] > 0.0 ? column[r] / lengths[r] : 0.0;
  }
  return lengths;
}

// dt (grad F) direction.
std::vector<NodeId> change_of_step(const derive::Symbols& symbols,
                                   const std::vector<NodeId>& direction) {
  Graph& g = *symbols.graph;
  derive::Vector along;
  for (const NodeId component : direction) along.push_back(g.at(component));
  derive::Vector change = directional_derivative(g, symbols.drift.values, symbols.x, along);
  for (Expression& component : change) component = symbols.dt * component;
  return derive::ids(symbols.in_states(change));
}

}  // namespace

DriftRate::DriftRate(const Model& model)
    : symbols_(model),
      direction_(derive::ids(symbols_.placeholders(model.dimension()))),
      change_(model, symbols_.graph, change_of_step(symbols_, direction_)) {
  change_.set(symbols_.dt.id(), model.time().step);
}

std::vector<double> DriftRate::operator()(const Matrix& x, std::span<const double> times) const {
  std::vector<std::vector<double>> v;
  for (std::size_t i = 0; i < x.cols; ++i) {
    // No direction in particular, the same in every run.
    v.emplace_back(x.rows, 1.0 + 0.5 * std::cos(2.3 * static_cast<double>(i)));
  }
  (void)normalise(v);
  std::vector<double> logarithms(x.rows, 0.0);
  for (int k = 0; k < iterations; ++k) {
    std::vector<ModelFunction::Column> columns;
    for (std::size_t i = 0; i < x.cols; ++i) columns.push_back({direction_[i], v[i]});
    std::vector<std::vector<double>> next = change_.at_rows(times, x, columns);
    const std::vector<double> lengths = normalise(next);
    v = std::move(next);
    if (k < iterations - measured_iterations) continue;
    for (std::size_t r = 0; r < x.rows; ++r) logarithms[r] += std::log(lengths[r]);
  }
  std::vector<double> rates = std::move(logarithms);
  for (double& rate : rates) rate = std::exp(rate / measured_iterations);
  return rates;
}

double smaller_step(double dt, double rate) {
  const double wanted = dt / rate;
  const double digit = std::pow(10.0, std::floor(std::log10(wanted)) - 1.0);
  return std::floor(wanted / digit * (1.0 + 1e-12)) * digit;
}

std::string advice_on_step(const TimeGrid& grid, double rate) {
  constexpr double most_times_more_steps = 1000.0;
  if (rate > most_times_more_steps) {
    return "no dt that can be run is small enough there: look at what the drift does at that place";
  }
  std::string advice = fmt::format("take dt = {:.2g} or less", smaller_step(grid.step, rate));
  if (grid.tamed == 0.0) advice += ", or tame the drift (`--tamed`)";
  return advice;
}

std::string fault_of_step(const Model& model, const Trail& trail, double limit) {
  if (model.dynamics() == Dynamics::map || trail.x.rows == 0) return "";
  const std::vector<double> rates = DriftRate(model)(trail.x, trail.times);
  const auto beyond = std::ranges::find_if(
      rates, [limit](double rate) { return std::isfinite(rate) && rate > limit; });
  if (beyond == rates.end()) return "";
  return fmt::format(
      "dt = {:.4g} is too large for the drift: at t = {:.6g} on this path, dt times the rate at "
      "which the drift changes was {:.2g}, beyond the limit {:.2g}; {}.",
      model.time().step, trail.times[static_cast<std::size_t>(beyond - rates.begin())], *beyond,
      limit, advice_on_step(model.time(), *beyond));
}

}  // namespace divker::march
