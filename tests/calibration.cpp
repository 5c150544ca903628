// The tables of docs/calibration.md and docs/robust.md: coverage of 95% intervals over many seeds.
// Usage: calibration [SEEDS [chain | sde]]; prints the rows in Markdown. A thousand seeds take some
// ten minutes for the bars of the chain, with closed forms near it, and twenty for those of the
// SDE.
#include "support/calibration.hpp"

#include <fmt/format.h>

#include <cstdlib>
#include <string>

#include "support/sde_calibration.hpp"

namespace {

using divker::test::CalibrationCase;

void print_row(const std::string& dt, const CalibrationCase& c, std::size_t seeds) {
  const auto coverage = divker::test::measure_coverage(c, seeds);
  fmt::print("| {}{} | {} | {} | {} | {:.1f}% | {:.1f} | {:.2f} |\n", dt, c.model, c.quantity,
             c.method, coverage.intervals, 100.0 * coverage.share, 100.0 * coverage.standard_error,
             coverage.root_mean_square);
  std::fflush(stdout);
}

void print_header(const std::string& dt) {
  fmt::print("| {}model | quantity | method | intervals | covered | +- | rms of error / bar |\n",
             dt);
  fmt::print("| {}--- | --- | --- | --- | --- | --- | --- |\n", dt.empty() ? "" : "--- | ");
}

}  // namespace

int main(int count, char** arguments) {
  const std::size_t seeds = count > 1 ? std::strtoull(arguments[1], nullptr, 10) : 1000;
  const std::string which = count > 2 ? arguments[2] : "";
  if (seeds < 2 || !(which.empty() || which == "chain" || which == "sde")) {
    fmt::print(stderr, "calibration: expected [SEEDS [chain | sde]], at least 2 seeds\n");
    return 2;
  }
  if (which != "sde") {
    print_header("");
    for (const auto& c : divker::test::calibration_cases()) print_row("", c, seeds);
  }
  if (which == "chain") return 0;
  print_header("dt | ");
  for (const int times : {1, 4}) {
    const std::string dt = fmt::format("x {} | ", times);
    for (const auto& c : divker::test::sde_cases(times)) print_row(dt, c, seeds);
    print_row(dt, divker::test::steep_case(times), seeds);
  }
  return 0;
}
