// The table of docs/calibration.md: coverage of 95% intervals over many seeds.
// Usage: calibration [SEEDS]; prints the rows in Markdown. A thousand seeds take some ten minutes.
#include "support/calibration.hpp"

#include <fmt/format.h>

#include <cstdlib>

int main(int count, char** arguments) {
  const std::size_t seeds = count > 1 ? std::strtoull(arguments[1], nullptr, 10) : 1000;
  if (seeds < 2) {
    fmt::print(stderr, "calibration: the number of seeds must be at least 2\n");
    return 2;
  }
  fmt::print("| model | quantity | method | intervals | covered | +- | rms of error / bar |\n");
  fmt::print("| --- | --- | --- | --- | --- | --- | --- |\n");
  for (const auto& c : divker::test::calibration_cases()) {
    const auto coverage = divker::test::measure_coverage(c, seeds);
    fmt::print("| {} | {} | {} | {} | {:.1f}% | {:.1f} | {:.2f} |\n", c.model, c.quantity, c.method,
               coverage.intervals, 100.0 * coverage.share, 100.0 * coverage.standard_error,
               coverage.root_mean_square);
    std::fflush(stdout);
  }
  return 0;
}
