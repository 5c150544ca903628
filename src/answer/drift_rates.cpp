#include "answer/drift_rates.hpp"

#include <algorithm>
#include <cmath>

#include "answer/questions.hpp"
#include "march/stability.hpp"

namespace divker {
namespace {

constexpr std::size_t intervals = 8;
constexpr std::size_t most_values = 30'000;

Sampling few_paths(const Model& model, const Sampling& sampling) {
  Sampling few = sampling;
  few.paths = std::clamp<std::size_t>(most_values / (intervals * model.dimension()), 16, 256);
  few.failed_share = 1.0;
  few.snapshots.clear();
  const std::size_t last = model.time().snapshot_steps(sampling.snapshots).back();
  const std::size_t parts = std::min(intervals, last);
  for (std::size_t k = 0; k <= parts; ++k) {
    few.snapshots.push_back(model.time().time(k * last / std::max<std::size_t>(1, parts)));
  }
  return few;
}

}  // namespace

DriftRates drift_rates(const Model& model, const Sampling& sampling, const Session& session) {
  const march::DriftRate rate_of(model);
  DriftRates result;
  std::size_t turned = 0;
  const Paths paths = states_alone(model, session).run(few_paths(model, sampling), session.aside());
  for (const Snapshot& s : paths.snapshots) {
    if (s.x().rows == 0) continue;
    for (const double rate : rate_of(s.x(), {&s.time, 1})) {
      if (!std::isfinite(rate)) continue;
      ++result.points;
      if (rate > march::turning_limit) ++turned;
      if (rate <= result.largest) continue;
      result.largest = rate;
      result.time = s.time;
    }
  }
  const auto points = static_cast<double>(std::max<std::size_t>(1, result.points));
  result.share_turned = static_cast<double>(turned) / points;
  return result;
}

}  // namespace divker
