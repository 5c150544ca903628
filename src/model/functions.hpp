// The functions of the language: a new one is one line in the table of functions.cpp.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "divker/expression.hpp"

namespace divker {

struct FunctionInfo {
  std::string_view name;
  std::size_t arguments;
  Expression (*make)(std::span<const Expression> arguments);
  bool decides = false;  // the first argument is a condition, and one of the others is taken
};

// Null where there is no such function.
[[nodiscard]] const FunctionInfo* find_function(std::string_view name);
[[nodiscard]] std::vector<std::string> function_names();

}  // namespace divker
