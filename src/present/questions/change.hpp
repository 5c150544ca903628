// What changes when parameters take other values, over a finite distance.
#pragma once

#include <string>

#include "divker/density_change.hpp"
#include "present/reply.hpp"
#include "present/request.hpp"

namespace divker::present {

struct AskedChange {
  std::string observable;  // empty: of the log density, at the points
  Matrix points;
  Values target;  // values by name
};

// Error(usage) for an unknown parameter, Error(model) for a value out of its bounds.
void check_target(const Values& target, const Model& model);

// Its table: the states, log_ratio, stderr, quadrature, outside; of a mean change, stderr,
// quadrature. The errors of check_target().
[[nodiscard]] Reply of_change(const Model& model, const AskedChange& asked,
                              const ChangeOptions& options);

}  // namespace divker::present
