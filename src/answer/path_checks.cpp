#include "answer/path_checks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <span>

namespace divker {
namespace {

double largest_share(const Matrix& values, std::size_t column) {
  double largest = 0.0, sum = 0.0;
  for (std::size_t r = 0; r < values.rows; ++r) {
    const double square = values(r, column) * values(r, column);
    largest = std::max(largest, square);
    sum += square;
  }
  return sum > 0.0 ? largest / sum : 0.0;
}

// E[nu_i x_i] = -1 for each state; the average over the states is steadier than each.
std::vector<double> score_defects(const Matrix& x, const Matrix& nu) {
  std::vector<double> defects(x.rows);
  for (std::size_t r = 0; r < x.rows; ++r) {
    double sum = 0.0;
    for (std::size_t i = 0; i < x.cols; ++i) sum += nu(r, i) * x(r, i);
    defects[r] = 1.0 + sum / static_cast<double>(x.cols);
  }
  return defects;
}

}  // namespace

Estimate estimate_of(const std::vector<double>& values) {
  Moments moments(1);
  for (const double v : values) moments.add(std::span<const double>(&v, 1));
  return moments.estimate(0);
}

Verdict verdict_on(double value, double caution, double bad) {
  if (value > bad) return Verdict::bad;
  return value > caution ? Verdict::caution : Verdict::good;
}

Check judged(std::string name, Verdict verdict, std::string finding, const std::string& advice) {
  return {std::move(name), verdict, std::move(finding), verdict == Verdict::good ? "" : advice};
}

Check check_failures(const RunSummary& summary) {
  if (summary.failed == 0) {
    return {"failed paths", Verdict::good, fmt::format("none of {}", summary.requested), {}};
  }
  const FailedPath& first = summary.first_failures.front();
  return {"failed paths", Verdict::bad,
          fmt::format("{} of {}; path {} first, its {} at t = {:.4g}", summary.failed,
                      summary.requested, first.path, first.what, first.time),
          "what is left is a biased sample: " +
              (summary.cause.empty() ? "halve dt, or damp more if a covector failed"
                                     : summary.cause.substr(0, summary.cause.size() - 1))};
}

Check check_tails(const Model& model, const std::vector<std::string>& parameters,
                  const Snapshot& snapshot) {
  double worst = 0.0;
  std::string where = "nothing";
  const auto look = [&](const Matrix& values, const auto& name) {
    for (std::size_t c = 0; c < values.cols; ++c) {
      const double share = largest_share(values, c);
      if (share <= worst) continue;
      worst = share;
      where = name(c);
    }
  };
  look(snapshot.nu(), [&](std::size_t c) { return "nu of " + model.states()[c].name; });
  look(snapshot.responses(), [&](std::size_t c) { return "I of " + parameters[c]; });
  // The largest of n squares of numbers with exponential tails is (log n)^2 / (2n) of their sum.
  const auto n = static_cast<double>(snapshot.x().rows);
  const double exponential = std::pow(std::log(n), 2) / (2.0 * n);
  return judged(
      "heavy tails", verdict_on(worst, 6.0 * exponential, std::max(0.2, 6.0 * exponential)),
      fmt::format("one path makes up at most {:.2g}% of a mean square ({})", 100.0 * worst, where),
      "error bars rest on few paths: more damping, more paths, or a shorter time");
}

Check check_score_identity(const Snapshot& snapshot) {
  const Estimate defect = estimate_of(score_defects(snapshot.x(), snapshot.nu()));
  const double significant = std::fabs(defect.value) - 3.0 * defect.standard_error;
  return judged("score identity", verdict_on(significant, 0.02, 0.1),
                fmt::format("1 + E[nu.x]/{} = {:.3g} +- {:.2g}, exactly 0 for a smooth density on "
                            "all of space",
                            snapshot.x().cols, defect.value, defect.standard_error),
                "the score carries a bias of dt (halve dt, or `--order 2`), or the density does "
                "not fall off at an edge");
}

std::vector<Estimate> masses_of(const Snapshot& snapshot) {
  std::vector<Estimate> masses;
  for (std::size_t p = 0; p < snapshot.responses().cols; ++p) {
    masses.push_back(estimate_of(snapshot.responses().column(p)));
  }
  return masses;
}

Check check_mass(const std::vector<std::string>& parameters, const std::vector<Estimate>& masses,
                 std::size_t paths) {
  // Beyond it is one of P masses by chance once in some hundred answers.
  const double by_chance = std::sqrt(9.0 + 2.0 * std::log(static_cast<double>(masses.size())));
  double worst = -1.0;
  double worst_z = 0.0;
  std::string finding;
  for (std::size_t p = 0; p < parameters.size(); ++p) {
    const Estimate& mass = masses[p];
    if (!(mass.standard_error > 0.0)) continue;  // I is zero on every path
    const double z = std::fabs(mass.value) / mass.standard_error;
    const double share = std::max(0.0, z - 3.0) / std::sqrt(static_cast<double>(paths));
    worst_z = std::max(worst_z, z);
    if (share <= worst) continue;
    worst = share;
    finding = fmt::format("E[I of {}] = {:.2g} +- {:.2g}, exactly 0: mass is conserved",
                          parameters[p], mass.value, mass.standard_error);
  }
  const Verdict verdict = std::max(verdict_on(worst, 0.05, 0.2),
                                   worst_z > by_chance ? Verdict::caution : Verdict::good);
  return judged("mass", verdict, finding,
                "the response carries a bias of dt (halve dt, or `--order 2`), or rests on few "
                "paths with heavy tails");
}

}  // namespace divker
