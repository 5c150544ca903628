#include "divker/estimator.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "answer/estimators/estimators.hpp"
#include "divker/error.hpp"

namespace divker {

std::vector<const Estimator*>& estimators() {
  static std::vector<const Estimator*> table{
      &divergence_kernel_estimator(),
      &likelihood_ratio_estimator(),
      &finite_difference_estimator(),
      &path_kernel_estimator(),
  };
  return table;
}

std::vector<std::string> estimator_names() {
  std::vector<std::string> names;
  for (const Estimator* known : estimators()) names.emplace_back(known->name());
  return names;
}

const Estimator& estimator(std::string_view name) {
  if (name.empty()) return divergence_kernel_estimator();
  for (const Estimator* known : estimators()) {
    if (known->name() == name) return *known;
  }
  throw Error(ErrorKind::usage, fmt::format("There is no method '{}'; the methods are {}.", name,
                                            fmt::join(estimator_names(), ", ")));
}

}  // namespace divker
