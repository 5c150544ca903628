// What follows from a response function: the answer to oscillations and to any small forcing.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "divker/error.hpp"
#include "divker/response_function.hpp"

namespace divker {
namespace {

// The integral of a forcing from its first time on, exact for straight lines between its times.
class ForcingIntegral {
 public:
  explicit ForcingIntegral(const Forcing& forcing) : forcing_(forcing), sums_{0.0} {
    for (std::size_t k = 1; k < forcing.times.size(); ++k) {
      const double width = forcing.times[k] - forcing.times[k - 1];
      sums_.push_back(sums_.back() + 0.5 * width * (forcing.change[k] + forcing.change[k - 1]));
    }
  }
  [[nodiscard]] double until(double t) const {
    const std::vector<double>& times = forcing_.times;
    if (t <= times.front()) return 0.0;
    const auto after = std::ranges::upper_bound(times, t);
    if (after == times.end()) return sums_.back();
    const auto k = static_cast<std::size_t>(after - times.begin());
    const double passed = t - times[k - 1];
    const double slope = (forcing_.change[k] - forcing_.change[k - 1]) / (times[k] - times[k - 1]);
    return sums_[k - 1] + passed * (forcing_.change[k - 1] + 0.5 * slope * passed);
  }

 private:
  const Forcing& forcing_;
  std::vector<double> sums_;
};

// A sum over the intervals between lags of what G grows by there, times a weight of the interval.
template <class Weight>
Estimate sum_over_intervals(const ResponseFunction& function, const Weight& weight) {
  const std::size_t lags = function.lags.size();
  std::vector<double> weights(function.joint.value.size(), 0.0);
  double from = 0.0;
  for (std::size_t l = 0; l < lags; ++l) {
    const double to = function.lags[l];
    if (to > from) {
      const double w = weight(from, to);
      weights[lags + l] += w;
      if (l > 0) weights[lags + l - 1] -= w;
    }
    from = to;
  }
  return function.of(weights);
}

void check(const Forcing& forcing) {
  if (forcing.times.size() < 2 || forcing.times.size() != forcing.change.size()) {
    throw Error(ErrorKind::usage,
                fmt::format("A forcing has at least two times with a change of the parameter at "
                            "each; {} times and {} changes are given.",
                            forcing.times.size(), forcing.change.size()));
  }
  for (std::size_t k = 0; k < forcing.times.size(); ++k) {
    if (!std::isfinite(forcing.times[k]) || !std::isfinite(forcing.change[k])) {
      throw Error(ErrorKind::usage,
                  fmt::format("Row {} of the forcing, t = {} with a change of {}, is not finite.",
                              k + 1, forcing.times[k], forcing.change[k]));
    }
    if (k > 0 && forcing.times[k] <= forcing.times[k - 1]) {
      throw Error(ErrorKind::usage,
                  fmt::format("The times of a forcing ascend, but {} follows {} in row {}.",
                              forcing.times[k], forcing.times[k - 1], k + 1));
    }
  }
}

}  // namespace

std::vector<Susceptibility> susceptibility(const ResponseFunction& function,
                                           const std::vector<double>& frequencies) {
  std::vector<Susceptibility> all;
  for (const double omega : frequencies) {
    if (!std::isfinite(omega)) {
      throw Error(ErrorKind::usage, fmt::format("A frequency is {}; it must be finite.", omega));
    }
    // The mean of cos(omega s), or of sin, over an interval.
    const auto mean = [&](double phase) {
      return [omega, phase](double from, double to) {
        const double half = 0.5 * omega * (to - from);
        const double width = half == 0.0 ? 1.0 : std::sin(half) / half;
        return width * std::cos(0.5 * omega * (from + to) - phase);
      };
    };
    constexpr double quarter = 1.5707963267948966;
    all.push_back({omega, sum_over_intervals(function, mean(0.0)),
                   sum_over_intervals(function, mean(quarter))});
  }
  return all;
}

std::vector<Estimate> forced_change(const ResponseFunction& function, const Forcing& forcing) {
  check(forcing);
  if (!function.stationary || function.period) {
    throw Error(ErrorKind::usage,
                "The answer to a forcing is a convolution where the law does not move without it: "
                "ask for the response function of the stationary law, without a period.");
  }
  const ForcingIntegral integral(forcing);
  std::vector<Estimate> changes;
  for (const double t : forcing.times) {
    changes.push_back(sum_over_intervals(function, [&](double from, double to) {
      return (integral.until(t - from) - integral.until(t - to)) / (to - from);
    }));
  }
  return changes;
}

}  // namespace divker
