#include "divker/program.hpp"

#include <algorithm>

namespace divker {

std::string_view name_of(Role role) {
  switch (role) {
    case Role::carried:
      return "carried";
    case Role::noise:
      return "noise";
    case Role::inside:
      return "noise inside a step";
    case Role::start_noise:
      return "noise of the start";
    case Role::sample:
      return "initial sample";
    case Role::time:
      return "time";
    case Role::schedule:
      return "schedule";
    case Role::parameters:
      return "parameters";
    case Role::step_size:
      return "step size";
  }
  return "unknown";
}

Rate rate_of(Role role) {
  switch (role) {
    case Role::time:
    case Role::schedule:
      return Rate::step;
    case Role::parameters:
    case Role::step_size:
      return Rate::run;
    default:
      return Rate::path;
  }
}

std::vector<NodeId> Program::roots() const {
  std::vector<NodeId> all;
  for (const Result& result : results) {
    all.insert(all.end(), result.values.begin(), result.values.end());
  }
  return all;
}

const Result* Program::result(std::string_view name) const {
  const auto found =
      std::ranges::find_if(results, [name](const Result& one) { return one.name == name; });
  return found == results.end() ? nullptr : &*found;
}

std::size_t Program::operations() const { return operation_count(*graph, roots()); }

}  // namespace divker
