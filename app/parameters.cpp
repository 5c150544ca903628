#include "parameters.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "divker/error.hpp"

namespace divker::app {

void ParameterFlags::declare(CLI::App& command) {
  command.add_option("--wrt", wrt, "Parameters (default: all that are not fixed)")
      ->type_name("A,B,...")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->check(not_empty());
}

std::vector<std::size_t> ParameterFlags::chosen(const Model& model) const {
  if (wrt.empty()) return model.free_parameters();
  std::vector<std::size_t> indices;
  for (const std::string& name : wrt) {
    for (const std::size_t index : model.parameter_indices(name)) {
      if (std::find(indices.begin(), indices.end(), index) != indices.end()) {
        throw Error(ErrorKind::usage, fmt::format("--wrt names the parameter {} twice.",
                                                  model.parameters()[index].name));
      }
      indices.push_back(index);
    }
  }
  return indices;
}

}  // namespace divker::app
