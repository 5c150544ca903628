#include "divker/time_grid.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "divker/error.hpp"

namespace divker {

void TimeGrid::validate() const {
  if (!std::isfinite(start) || !std::isfinite(step) || !std::isfinite(end)) {
    throw Error(
        ErrorKind::model,
        fmt::format("The time grid {} : {} : {} must be of finite numbers.", start, step, end));
  }
  if (!(step > 0.0)) {
    throw Error(ErrorKind::model, fmt::format("The time step is {}; it must be positive.", step));
  }
  if (!(end > start)) {
    throw Error(ErrorKind::model,
                fmt::format("Time ends at {}, which is not after its start {}.", end, start));
  }
  const double count = (end - start) / step;
  constexpr double most_steps = 1e12;
  if (count > most_steps) {
    throw Error(ErrorKind::model,
                fmt::format("The time from {} to {} takes {} steps of {}; the limit is {}.", start,
                            end, count, step, most_steps));
  }
  if (!std::isfinite(tamed) || tamed < 0.0) {
    throw Error(ErrorKind::model,
                fmt::format("The limit of a tamed time grid is {}; it must be positive, or 0 for a "
                            "grid that is not tamed.",
                            tamed));
  }
  if (std::round(count) < 1.0 || std::fabs(count - std::round(count)) > 1e-6) {
    throw Error(
        ErrorKind::model,
        fmt::format("The time from {} to {} is {:.9g} steps of {}; it must be a whole number "
                    "of steps.",
                    start, end, count, step));
  }
}

std::size_t TimeGrid::steps() const {
  return static_cast<std::size_t>(std::llround((end - start) / step));
}

std::vector<double> TimeGrid::times(std::span<const std::size_t> numbers) const {
  std::vector<double> result;
  result.reserve(numbers.size());
  for (const std::size_t n : numbers) result.push_back(time(n));
  return result;
}

std::size_t TimeGrid::nearest_step(double time) const {
  const auto last = static_cast<double>(steps());
  return static_cast<std::size_t>(std::clamp(std::round(position(time)), 0.0, last));
}

std::size_t TimeGrid::steps_in(double duration) const {
  return static_cast<std::size_t>(std::max<long long>(1, std::llround(duration / step)));
}

std::vector<std::size_t> TimeGrid::snapshot_steps(std::span<const double> snapshots) const {
  if (snapshots.empty()) return {steps()};
  std::vector<std::size_t> numbers;
  for (const double snapshot : snapshots) {
    if (!std::isfinite(snapshot)) {
      throw Error(ErrorKind::usage,
                  fmt::format("A snapshot time is {}, but must be a time of the grid {} : {} : {}.",
                              snapshot, start, step, end));
    }
    const std::size_t n = nearest_step(snapshot);
    const auto nearest = static_cast<double>(n);
    if (!(std::fabs(position(snapshot) - nearest) < 1e-6 * std::max(1.0, nearest))) {
      throw Error(ErrorKind::usage,
                  fmt::format("The snapshot time {} is not on the time grid {} : {} : {}; the "
                              "nearest time on it is {}.",
                              snapshot, start, step, end, time(n)));
    }
    if (!numbers.empty() && n <= numbers.back()) {
      throw Error(ErrorKind::usage, fmt::format("Snapshot times must ascend, but {} follows {}.",
                                                snapshot, time(numbers.back())));
    }
    numbers.push_back(n);
  }
  return numbers;
}

std::vector<double> TimeGrid::snapshot_times(std::span<const double> snapshots) const {
  return times(snapshot_steps(snapshots));
}

bool set_in_grid(TimeGrid& grid, std::string_view name, double value) {
  if (name == "dt") {
    grid.step = value;
  } else if (name == "T") {
    grid.end = value;
  } else if (name == "tamed") {
    grid.tamed = value;
  } else {
    return false;
  }
  return true;
}

}  // namespace divker
