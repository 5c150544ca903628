#include "divker/path_functional.hpp"

#include "model/functionals/functionals.hpp"

namespace divker {

Expression exponential_of(const PathStep& step) {
  return 0.5 * (step.normals[0] * step.normals[0] + step.normals[1] * step.normals[1]);
}

Expression PathFunctionalKind::told(const PathStep& step) const { return zero_of(step); }

std::vector<const PathFunctionalKind*>& path_functional_kinds() {
  static std::vector<const PathFunctionalKind*> table{
      &maximum_of_path(),
      &minimum_of_path(),
      &integral_of_path(),
      &first_passage_of_path(),
  };
  return table;
}

const PathFunctionalKind* find_path_functional_kind(std::string_view name) {
  for (const PathFunctionalKind* kind : path_functional_kinds()) {
    if (kind->name() == name) return kind;
  }
  return nullptr;
}

std::vector<std::string> path_functional_usages() {
  std::vector<std::string> usages;
  for (const PathFunctionalKind* kind : path_functional_kinds()) usages.push_back(kind->usage());
  return usages;
}

}  // namespace divker
