#include "march/stability.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "divker/plan.hpp"

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

// The spectral radius, row by row, of what `advance` does to directions.
template <class Advance>
std::vector<double> by_powers(const Matrix& x, const Advance& advance) {
  std::vector<std::vector<double>> v;
  for (std::size_t i = 0; i < x.cols; ++i) {
    // No direction in particular, the same in every run.
    v.emplace_back(x.rows, 1.0 + 0.5 * std::cos(2.3 * static_cast<double>(i)));
  }
  (void)normalise(v);
  std::vector<double> radii(x.rows, 0.0);
  for (int k = 0; k < iterations; ++k) {
    advance(v);
    const std::vector<double> lengths = normalise(v);
    if (k < iterations - measured_iterations) continue;
    for (std::size_t r = 0; r < x.rows; ++r) radii[r] += std::log(lengths[r]);
  }
  for (double& radius : radii) radius = std::exp(radius / measured_iterations);
  return radii;
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

DriftRate::Directions DriftRate::changes(const Matrix& x, std::span<const double> times,
                                         const Directions& v) const {
  std::vector<ModelFunction::Column> columns;
  columns.reserve(v.size());
  for (std::size_t i = 0; i < v.size(); ++i) columns.push_back({direction_[i], v[i]});
  return change_.at_rows(times, x, columns);
}

std::vector<double> DriftRate::operator()(const Matrix& x, std::span<const double> times) const {
  return by_powers(x, [&](Directions& v) { v = changes(x, times, v); });
}

std::vector<double> DriftRate::growths(const Matrix& x, std::span<const double> times,
                                       int parts) const {
  return by_powers(x, [&](Directions& v) {
    for (int part = 0; part < parts; ++part) {
      const Directions moved = changes(x, times, v);
      for (std::size_t i = 0; i < v.size(); ++i) {
        for (std::size_t r = 0; r < v[i].size(); ++r) v[i][r] += moved[i][r] / parts;
      }
    }
  });
}

std::vector<bool> DriftRate::unstable(const Matrix& x, std::span<const double> times,
                                      const std::vector<double>& rates) const {
  constexpr double may_be = 0.5;
  constexpr double grows = 1.05;
  constexpr int parts = 16;
  std::vector<bool> result(rates.size(), false);
  if (std::ranges::none_of(rates, [](double rate) { return rate > may_be; })) return result;
  const std::vector<double> whole = growths(x, times, 1);
  const std::vector<double> in_parts = growths(x, times, parts);
  for (std::size_t r = 0; r < rates.size(); ++r) {
    result[r] = rates[r] > stability_limit || (whole[r] > grows && in_parts[r] < 1.0);
  }
  return result;
}

int DriftRate::parts_needed(const Matrix& x, double time, double largest) const {
  constexpr int most_doublings = 4;
  constexpr double most_parts = 1000.0;
  if (!(largest < most_parts)) return 0;
  int parts = 1;
  while (parts < largest) parts *= 2;
  for (int k = 0; k <= most_doublings; ++k, parts *= 2) {
    const std::vector<double> grown = growths(x, {&time, 1}, parts);
    if (std::ranges::all_of(grown, [](double growth) { return growth < 1.0; })) return parts;
  }
  return 0;
}

double smaller_step(double dt, double rate) {
  const double wanted = dt / rate;
  const double digit = std::pow(10.0, std::floor(std::log10(wanted)) - 1.0);
  return std::floor(wanted / digit * (1.0 + 1e-12)) * digit;
}

std::string advice_on_step(const Model& model, double rate, double limit) {
  constexpr double most_times_more_steps = 1000.0;
  if (rate > most_times_more_steps) {
    return "no dt that can be run is small enough there: look at what the drift does at that place";
  }
  const TimeGrid& grid = model.time();
  std::string advice = fmt::format("take dt = {:.2g} or less", smaller_step(grid.step, rate));
  if (grid.tamed > 0.0) return advice;
  Matrix mean(1, model.dimension());
  mean.data = model.initial_mean();
  const double typical = DriftRate(model)(mean, {&grid.start, 1}).front();
  if (!(typical > limit)) advice += ", or tame the drift (`--tamed`)";
  return advice;
}

std::string fault_of_step(const Model& model, const Trail& trail, double limit) {
  if (!has_time_step(model) || trail.x.rows == 0) return "";
  const std::vector<double> rates = DriftRate(model)(trail.x, trail.times);
  const auto is_beyond = [limit](double rate) { return std::isfinite(rate) && rate > limit; };
  const auto beyond = std::ranges::find_if(rates, is_beyond);
  if (beyond == rates.end()) return "";
  return fmt::format(
      "dt = {:.4g} is too large for the drift: at t = {:.6g} on this path, dt times the rate at "
      "which the drift changes was {:.2g}, beyond the limit {:.2g}; {}.",
      model.time().step, trail.times[static_cast<std::size_t>(beyond - rates.begin())], *beyond,
      limit, advice_on_step(model, *beyond, limit));
}

}  // namespace divker::march
