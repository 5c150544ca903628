#include "fit/optimizer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "divker/error.hpp"

namespace divker {
namespace fit {

MakeOptimizer make_newton, make_adam, make_gradient_ascent;

namespace {

struct NamedOptimizer {
  std::string name;
  MakeOptimizer* make;
};

// The default comes first.
const std::vector<NamedOptimizer>& optimizers() {
  static const std::vector<NamedOptimizer> table = {
      {"newton", make_newton}, {"adam", make_adam}, {"gd", make_gradient_ascent}};
  return table;
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
  Advance advance;
  advance.taken = ground.attempt(change);
  advance.length = std::sqrt(std::max(0.0, change.dot(ground.here.information * change)));
  advance.memory = std::move(memory);
  return advance;
}

}  // namespace fit

std::vector<std::string> optimizer_names() {
  std::vector<std::string> names;
  for (const fit::NamedOptimizer& one : fit::optimizers()) names.push_back(one.name);
  return names;
}

}  // namespace divker
