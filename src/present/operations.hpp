// What one step of a model costs.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "divker/model.hpp"

namespace divker::present {

struct OperationCount {
  std::string what;
  std::size_t operations = 0;
};

// Operations of one step of one path, for what each subcommand carries.
[[nodiscard]] std::vector<OperationCount> count_operations(const Model& model);

// "1 state", "2 states".
[[nodiscard]] std::string counted(std::size_t count, const std::string& what);

}  // namespace divker::present
