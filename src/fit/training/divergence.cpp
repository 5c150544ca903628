#include "fit/training/divergence.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>

#include "divker/error.hpp"
#include "divker/fit.hpp"

namespace divker {
namespace fit {
namespace {

// The default comes first.
const std::vector<Divergence>& divergences() {
  using std::exp;
  using std::log1p;
  static const std::vector<Divergence> table = {
      // r log r - r + 1
      {"kl", [](double l) { return l; }, [](double l) { return 1.0 - exp(l); },
       [](double /*l*/) { return -1.0; }, 1.0, true},
      // -log r + r - 1
      {"reverse-kl", [](double l) { return 1.0 - exp(-l); }, [](double l) { return -l; }, nullptr,
       1.0},
      // (r log r - (1 + r) log((1 + r) / 2)) / 2
      {"jensen-shannon", [](double l) { return 0.5 * (std::log(2.0) - log1p(exp(-l))); },
       [](double l) { return 0.5 * (std::log(2.0) - log1p(exp(l))); }, nullptr, 0.25},
      // (r - 1)^2
      {"chi-square", [](double l) { return 2.0 * (exp(l) - 1.0); },
       [](double l) { return 1.0 - exp(2.0 * l); }, [](double l) { return -exp(l); }, 2.0},
      // (sqrt(r) - 1)^2
      {"hellinger", [](double l) { return 1.0 - exp(-0.5 * l); },
       [](double l) { return 1.0 - exp(0.5 * l); }, nullptr, 0.5},
  };
  return table;
}

}  // namespace

const Divergence& divergence_named(const std::string& name) {
  for (const Divergence& one : divergences()) {
    if (one.name == name) return one;
  }
  throw Error(ErrorKind::usage, fmt::format("divergence: '{}' is none of: {}.", name,
                                            fmt::join(divergence_names(), ", ")));
}

}  // namespace fit

std::vector<std::string> divergence_names() {
  std::vector<std::string> names;
  for (const fit::Divergence& one : fit::divergences()) names.push_back(one.name);
  return names;
}

}  // namespace divker
