// The times at which a model is stepped, and how times become numbers of steps.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

namespace divker {

// Times start + n * step, n = 0 ... steps, in the model's unit of time. For maps step is 1.
//
// A tamed grid steps with a drift whose displacement |dt F_i| stays below a limit c,
//   F_i / sqrt(1 + (dt F_i / c)^2) ,
// in place of F_i, so that an Euler path of a superlinear drift cannot explode (docs/robust.md).
struct TimeGrid {
  double start = 0.0;
  double step = 1.0;
  double end = 1.0;
  double tamed = 0.0;  // the limit c, in the unit of the states; 0: the drift as it is

  // Throws Error(model) unless step > 0, end > start, (end - start)/step is whole within 1e-6, and
  // tamed >= 0.
  void validate() const;
  [[nodiscard]] std::size_t steps() const;
  [[nodiscard]] double time(std::size_t n) const { return start + static_cast<double>(n) * step; }
  [[nodiscard]] std::vector<double> times(std::span<const std::size_t> numbers) const;

  // Steps from the start to a time, which need be neither whole nor on the grid.
  [[nodiscard]] double position(double time) const { return (time - start) / step; }
  // The n = 0 ... steps whose time is nearest to a finite time.
  [[nodiscard]] std::size_t nearest_step(double time) const;
  // Steps in a span of time, rounded; at least one.
  [[nodiscard]] std::size_t steps_in(double duration) const;

  // Step numbers of ascending snapshot times, and these times as they lie on the grid; of none the
  // end. Error(usage) for a time off the grid by more than 1e-6 of its number, naming the nearest.
  [[nodiscard]] std::vector<std::size_t> snapshot_steps(std::span<const double> snapshots) const;
  [[nodiscard]] std::vector<double> snapshot_times(std::span<const double> snapshots) const;
};

// Sets `dt`, `T` or `tamed` of a grid; false for other names.
bool set_in_grid(TimeGrid& grid, std::string_view name, double value);

}  // namespace divker
