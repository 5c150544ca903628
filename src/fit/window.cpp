#include "fit/window.hpp"

#include <algorithm>

#include "fit/quasi_score.hpp"

namespace divker::fit {
namespace {

constexpr std::size_t most_windows = 8;
// What is shorter hardly sees a response.
constexpr double fewest_steps = 8.0;
// What is below this many standard errors is noise.
constexpr double least_effect_seen = 3.0;

}  // namespace

double longest_window(const TimeGrid& grid, const FitData& data) {
  const std::vector<double> times = data.times();
  return *std::max_element(times.begin(), times.end()) - grid.start;
}

std::vector<double> halved_windows(const TimeGrid& grid, double longest) {
  std::vector<double> windows{longest};
  while (windows.size() < most_windows && 0.5 * windows.back() >= fewest_steps * grid.step) {
    windows.push_back(0.5 * windows.back());
  }
  return windows;
}

std::vector<double> doubled_windows(double window, double longest) {
  std::vector<double> windows{window};
  for (int doublings = 0; doublings < 2 && windows.front() < longest; ++doublings) {
    windows.insert(windows.begin(), std::min(2.0 * windows.front(), longest));
  }
  return windows;
}

Precision precision_of(const Matching& matching) {
  const Matching best = matching.weights.size() > 0 ? matching : quasi_score(matching);
  return {best.information.diagonal(), best.effect};
}

double gain_of(const Precision& one, const Precision& other) {
  const Eigen::ArrayXd seen = (one.effect.max(other.effect) > least_effect_seen)
                                  .select(Eigen::ArrayXd::Ones(one.effect.size()), 0.0);
  const Eigen::ArrayXd sizes = (one.values.abs() + other.values.abs()).max(1e-300);
  return (seen * (one.values - other.values) / sizes).sum() / std::max(seen.sum(), 1.0);
}

}  // namespace divker::fit
