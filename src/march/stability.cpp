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

}  // namespace

DriftRate::DriftRate(const Model& model)
    : model_(model),
      symbols_(model, StepOptions{}),
      direction_(symbols_.placeholders(model.dimension())) {
  Graph& g = *symbols_.graph;
  derive::Vector moved = directional_derivative(g, symbols_.drift.values, symbols_.x, direction_);
  for (Expression& component : moved) component = symbols_.dt * component;
  derivative_ = derive::ids(symbols_.in_states(moved));
}

std::vector<double> DriftRate::operator()(const Matrix& x, std::span<const double> times) const {
  const Graph& g = *symbols_.graph;
  std::vector<double> shared(g.input_count(), 0.0);
  const std::vector<double> known = model_.input_values(std::vector<double>(x.cols), 0.0);
  std::copy(known.begin(), known.end(), shared.begin());
  shared[symbols_.dt.node().a] = model_.time().step;

  std::vector<std::vector<double>> states;
  std::vector<std::vector<double>> v;
  for (std::size_t i = 0; i < x.cols; ++i) {
    states.push_back(x.column(i));
    // No direction in particular, the same in every run.
    v.emplace_back(x.rows, 1.0 + 0.5 * std::cos(2.3 * static_cast<double>(i)));
  }
  std::vector<std::span<const double>> columns;
  columns.reserve(shared.size());
  for (const double& value : shared) columns.emplace_back(&value, 1);
  for (std::size_t i = 0; i < x.cols; ++i) columns[symbols_.states[i].node().a] = states[i];

  columns[symbols_.t.node().a] = times;

  (void)normalise(v);
  std::vector<double> logarithms(x.rows, 0.0);
  for (int k = 0; k < iterations; ++k) {
    for (std::size_t i = 0; i < x.cols; ++i) columns[direction_[i].node().a] = v[i];
    std::vector<std::vector<double>> next = evaluate_columns(g, derivative_, columns, x.rows);
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
