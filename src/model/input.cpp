#include "divker/input.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "divker/error.hpp"

namespace divker {
namespace {

// By how much the time of a step may miss that of a knot: times are sums and products, or were
// printed with few digits.
double rounding(double t, double span) { return 1e-14 * std::fabs(t) + 1e-9 * span; }

constexpr std::string_view advice = "write 'hold' behind the file for constant values beyond";

std::string known_range(const Input& input) {
  return fmt::format("The input {}{} is known from t = {} to t = {}", input.name,
                     input.file.empty() ? "" : " of '" + input.file + "'",
                     input.knots->times().front(), input.knots->times().back());
}

}  // namespace

std::string_view name_of(Interpolation interpolation) {
  return interpolation == Interpolation::linear ? "linear" : "step";
}

Knots::Knots(std::vector<double> times, std::vector<double> values)
    : times_(std::move(times)), values_(std::move(values)) {
  if (const auto found = fault(times_, values_)) {
    throw Error(ErrorKind::model, fmt::format("Knot {}: {}", found->knot, found->sentence));
  }
}

std::optional<Knots::Fault> Knots::fault(std::span<const double> times,
                                         std::span<const double> values) {
  if (times.size() != values.size()) {
    return Fault{std::min(times.size(), values.size()),
                 fmt::format("there are {} times and {} values.", times.size(), values.size())};
  }
  for (std::size_t k = 0; k < times.size(); ++k) {
    if (!std::isfinite(times[k]) || !std::isfinite(values[k])) {
      return Fault{k,
                   fmt::format("the value {} at the time {} is not finite.", values[k], times[k])};
    }
    if (k > 0 && !(times[k] > times[k - 1])) {
      return Fault{
          k, fmt::format("the time {} follows {}; times must ascend.", times[k], times[k - 1])};
    }
  }
  if (times.size() >= 2) return std::nullopt;
  return Fault{0, fmt::format("there {}; an input needs at least two, and a constant is a const or "
                              "a param.",
                              times.empty() ? "is no value" : "is one value")};
}

double Knots::at(double t, Interpolation interpolation) const {
  const auto after = std::ranges::upper_bound(times_, t);
  if (after == times_.begin()) return values_.front();
  if (after == times_.end()) return values_.back();
  const auto k = static_cast<std::size_t>(after - times_.begin());
  const double gap = times_[k] - times_[k - 1];
  if (interpolation == Interpolation::step) {
    return values_[times_[k] - t <= rounding(t, gap) ? k : k - 1];
  }
  return values_[k - 1] + (values_[k] - values_[k - 1]) * ((t - times_[k - 1]) / gap);
}

bool Knots::reach(double t) const {
  const double slack = rounding(t, times_.back() - times_.front());
  return t >= times_.front() - slack && t <= times_.back() + slack;
}

double Input::at(double t) const {
  if (!knots) return std::nan("");
  if (!hold && !knots->reach(t)) {
    throw Error(ErrorKind::model,
                fmt::format("{}, not at t = {}; {}.", known_range(*this), t, advice));
  }
  return knots->at(t, interpolation);
}

void Input::require(double start, double end) const {
  if (!knots) {
    throw Error(ErrorKind::usage,
                fmt::format("The values of the input {} have not been read.", name));
  }
  if (hold || (knots->reach(start) && knots->reach(end))) return;
  throw Error(ErrorKind::model,
              fmt::format("{}, but the paths run from t = {} to t = {}: move the time grid, or {}.",
                          known_range(*this), start, end, advice));
}

}  // namespace divker
