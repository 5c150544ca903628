#include "answer/relaxation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "answer/questions.hpp"
#include "divker/error.hpp"
#include "divker/moments.hpp"

namespace divker {
namespace {

// Other paths than the run's: what is chosen must not know the answer.
constexpr std::uint64_t relaxation_seed = 0xD1B54A32D192ED03ULL;
constexpr std::size_t relaxation_paths = 1024;
constexpr std::size_t fewest_steps = 64;
constexpr std::size_t most_steps = 65'536;
// Four and a half standard errors of a correlation of as many independent paths.
constexpr double correlation_limit = 0.14;

Sampling other_paths(const Sampling& sampling, std::size_t paths) {
  Sampling other = sampling;
  other.seed ^= relaxation_seed;
  other.first_path = 0;
  other.paths = paths;
  return other;
}

// Steps after the half at which correlations are looked at: each 1.4 times the one before.
std::vector<std::size_t> lags(std::size_t longest) {
  std::vector<std::size_t> result;
  for (double lag = 1.0; lag <= static_cast<double>(longest); lag *= std::sqrt(2.0)) {
    const auto steps = static_cast<std::size_t>(std::lround(lag));
    if (result.empty() || steps > result.back()) result.push_back(steps);
  }
  return result;
}

double largest_correlation(const Matrix& a, const Matrix& b) {
  double largest = 0.0;
  for (std::size_t c = 0; c < a.cols; ++c) {
    CovarianceMoments pair(2);
    for (std::size_t r = 0; r < a.rows; ++r) {
      pair.add(std::vector<double>{a(r, c), b(r, c)});
    }
    const Matrix v = pair.covariance();
    const double scale = std::sqrt(v(0, 0) * v(1, 1));
    if (scale > 0.0) largest = std::max(largest, std::fabs(v(0, 1)) / scale);
  }
  return largest;
}

// What one attempt of some length says.
struct Attempt {
  Movement movement;                  // between the half and the end
  std::optional<double> correlation;  // the lag, where all correlations die within a quarter
};

Attempt attempt(const Ensemble& ensemble, Sampling sampling, const Session& session) {
  const TimeGrid& grid = ensemble.model().time();
  const std::size_t half = grid.steps() / 2;
  const std::vector<std::size_t> all_lags = lags(half / 2);
  sampling.snapshots = {grid.time(half)};
  for (const std::size_t lag : all_lags) sampling.snapshots.push_back(grid.time(half + lag));
  sampling.snapshots.push_back(grid.time(2 * half));
  const Paths paths = ensemble.run(sampling, session.aside());
  if (paths.summary.paths < relaxation_paths / 2) {
    throw Error(ErrorKind::numerical,
                fmt::format("Only {} of {} paths of model {} finished while it was to settle.",
                            paths.summary.paths, paths.summary.requested, ensemble.model().name()));
  }
  const BoundedFunctions functions(paths.snapshots.back().x());
  const Matrix first = functions(paths.snapshots.front().x());
  Matrix moved = functions(paths.snapshots.back().x());
  for (std::size_t k = 0; k < moved.data.size(); ++k) moved.data[k] -= first.data[k];
  Attempt result{largest_movement(moved), {}};
  for (std::size_t k = all_lags.size(); k > 0; --k) {
    const Matrix later = functions(paths.snapshots[k].x());
    if (largest_correlation(first, later) > correlation_limit) break;
    result.correlation = static_cast<double>(all_lags[k - 1]) * grid.step;
  }
  return result;
}

double quantile(std::vector<double>& values, double share) {
  const auto at = static_cast<std::size_t>(share * static_cast<double>(values.size() - 1));
  std::ranges::nth_element(values, values.begin() + static_cast<std::ptrdiff_t>(at));
  return values[at];
}

}  // namespace

BoundedFunctions::BoundedFunctions(const Matrix& reference) {
  for (std::size_t i = 0; i < reference.cols; ++i) {
    std::vector<double> values = reference.column(i);
    const double lower = quantile(values, 0.25);
    const double upper = quantile(values, 0.75);
    median_.push_back(quantile(values, 0.5));
    scale_.push_back(upper > lower ? (upper - lower) / 2.0 : 1.0);
  }
}

Matrix BoundedFunctions::operator()(const Matrix& x) const {
  Matrix values(x.rows, size());
  for (std::size_t r = 0; r < x.rows; ++r) {
    for (std::size_t i = 0; i < x.cols; ++i) {
      const double u = (x(r, i) - median_[i]) / scale_[i];
      values(r, 2 * i) = u / (1.0 + std::fabs(u));
      values(r, 2 * i + 1) = std::fabs(u) / (1.0 + std::fabs(u));
    }
  }
  return values;
}

std::string BoundedFunctions::name(const Model& model, std::size_t function) {
  return (function % 2 == 0 ? "the location of " : "the spread of ") +
         model.states()[function / 2].name;
}

Movement largest_movement(const Matrix& differences) {
  Moments moments(differences.cols);
  moments.add(differences);
  Movement largest;
  for (std::size_t c = 0; c < differences.cols; ++c) {
    const auto [mean, error] = moments.estimate(c);
    const double z = error > 0.0 ? std::fabs(mean) / error : 0.0;
    if (z > largest.z) largest = {c, z};
  }
  return largest;
}

Relaxation measure_relaxation(const Model& model, const Sampling& sampling,
                              const Session& session) {
  Sampling other = other_paths(sampling, relaxation_paths);
  other.failed_share = 1.0;
  TimeGrid grid = model.time();
  std::size_t steps = fewest_steps;
  while (steps < std::min(grid.steps(), most_steps)) steps *= 2;
  Ensemble ensemble = states_alone(model, session);
  Relaxation relaxation;
  for (;; steps *= 2) {
    grid.end = grid.time(steps);
    ensemble.set_model(model.with_time(grid));
    const Attempt found = attempt(ensemble, other, session);
    relaxation.paths += other.paths;
    const bool has_settled = found.movement.z <= movement_limit;
    const double span = static_cast<double>(steps) * grid.step;
    if (has_settled && found.correlation) {
      relaxation.correlation = *found.correlation;
      relaxation.settled = std::max(span / 2.0, 4.0 * relaxation.correlation);
      return relaxation;
    }
    if (2 * steps <= most_steps) continue;
    throw Error(
        ErrorKind::numerical,
        has_settled
            ? fmt::format("Model {} forgets too slowly for an automatic spin-up: its states are "
                          "still correlated after {:.6g} units of time. Give --spinup and "
                          "--window, or a larger dt.",
                          model.name(), span / 4.0)
            : fmt::format("Model {} has no stationary density that its paths settle to: {} still "
                          "moves between t = {:.6g} and t = {:.6g} ({:.1f} standard errors).",
                          model.name(), BoundedFunctions::name(model, found.movement.column),
                          grid.start + span / 2.0, grid.end, found.movement.z));
  }
}

Matrix states_after(const Model& model, const Sampling& sampling, const Session& session,
                    double after, std::size_t paths) {
  TimeGrid grid = model.time();
  grid.end = grid.start + after;
  Sampling other = other_paths(sampling, paths);
  other.snapshots.clear();
  Matrix states =
      states_alone(model.with_time(grid), session).run(other, session.aside()).snapshots.back().x();
  if (states.rows == 0) {
    throw Error(ErrorKind::numerical,
                fmt::format("No path of model {} finished its spin-up.", model.name()));
  }
  return states;
}

}  // namespace divker
