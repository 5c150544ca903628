#include "fit/optimizer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "divker/error.hpp"

namespace divker {
namespace fit {

MakeOptimizer make_newton, make_dual, make_adam, make_gradient_ascent;

namespace {

struct NamedOptimizer {
  std::string name;
  MakeOptimizer* make;
};

// The default comes first.
const std::vector<NamedOptimizer>& optimizers() {
  static const std::vector<NamedOptimizer> table = {{"newton", make_newton},
                                                    {"dual", make_dual},
                                                    {"adam", make_adam},
                                                    {"gd", make_gradient_ascent}};
  return table;
}

double length_of(const Ground& ground, const Eigen::VectorXd& change) {
  if (ground.features) return (ground.features->jacobian * change).norm();
  if (ground.here.information.size() == 0) return change.norm();
  return std::sqrt(std::max(0.0, change.dot(ground.here.information * change)));
}

}  // namespace

std::unique_ptr<Optimizer> make_optimizer(const std::string& name,
                                          const OptimizerOptions& options) {
  for (const NamedOptimizer& one : optimizers()) {
    if (one.name == name) return one.make(options);
  }
  throw Error(ErrorKind::usage, fmt::format("optimizer: '{}' is none of: {}.", name,
                                            fmt::join(optimizer_names(), ", ")));
}

Advance take(const Ground& ground, const Eigen::VectorXd& change, std::vector<double> memory) {
  constexpr std::size_t most_halvings_of_pace = 8;
  Advance advance;
  advance.memory = std::move(memory);
  for (;; ++advance.halvings, advance.pace *= 0.5) {
    const Eigen::VectorXd paced = ground.pace * advance.pace * change;
    try {
      advance.taken = ground.attempt(paced);
      advance.length = length_of(ground, paced);
      return advance;
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::numerical || advance.halvings == most_halvings_of_pace) throw;
    }
  }
}

}  // namespace fit

std::vector<std::string> optimizer_names() {
  std::vector<std::string> names;
  for (const fit::NamedOptimizer& one : fit::optimizers()) names.push_back(one.name);
  return names;
}

}  // namespace divker
