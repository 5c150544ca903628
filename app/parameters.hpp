// The option --wrt: parameters to differentiate with respect to.
#pragma once

#include <string>
#include <vector>

#include "command.hpp"

namespace divker::app {

struct ParameterFlags {
  std::vector<std::string> wrt;

  void declare(CLI::App& command);
  // Their indices; all that are not fixed where none is named. Error(usage) for an unknown name, or
  // one named twice.
  [[nodiscard]] std::vector<std::size_t> chosen(const Model& model) const;
};

}  // namespace divker::app
