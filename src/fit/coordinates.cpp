#include "fit/coordinates.hpp"

#include <limits>

#include "fit/bounds.hpp"

namespace divker::fit {
namespace {

using Eigen::Index;
using Eigen::VectorXd;

// This is a factor of 1.65. A noise amplitude that has become too small comes back slowly, because
// the data hardly see it there.
constexpr double largest_free_step = 0.5;

}  // namespace

VectorXd slopes(const Model& model, const std::vector<std::size_t>& active,
                const std::vector<double>& parameters) {
  VectorXd result(static_cast<Index>(active.size()));
  for (std::size_t i = 0; i < active.size(); ++i) {
    const std::size_t p = active[i];
    result[static_cast<Index>(i)] = slope(model.parameters()[p], parameters[p]);
  }
  return result;
}

std::vector<double> moved(const Model& model, const std::vector<std::size_t>& active,
                          std::vector<double> parameters, const VectorXd& change) {
  for (std::size_t i = 0; i < active.size(); ++i) {
    const std::size_t p = active[i];
    const Parameter& parameter = model.parameters()[p];
    const double u = to_free(parameter, parameters[p]) + change[static_cast<Index>(i)];
    parameters[p] = from_free(parameter, u);
  }
  return parameters;
}

VectorXd change_between(const Model& model, const std::vector<std::size_t>& active,
                        const std::vector<double>& from, const std::vector<double>& to) {
  VectorXd change(static_cast<Index>(active.size()));
  for (std::size_t i = 0; i < active.size(); ++i) {
    const Parameter& parameter = model.parameters()[active[i]];
    change[static_cast<Index>(i)] =
        to_free(parameter, to[active[i]]) - to_free(parameter, from[active[i]]);
  }
  return change;
}

VectorXd largest_changes(const Model& model, const std::vector<std::size_t>& active) {
  VectorXd largest(static_cast<Index>(active.size()));
  for (std::size_t i = 0; i < active.size(); ++i) {
    largest[static_cast<Index>(i)] = is_bounded(model.parameters()[active[i]])
                                         ? largest_free_step
                                         : std::numeric_limits<double>::infinity();
  }
  return largest;
}

}  // namespace divker::fit
