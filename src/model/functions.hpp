// The functions of the language: the elementary functions of the graph, and what is made of its
// other operations, a line of the table in functions.cpp each.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "divker/expression.hpp"

namespace divker {

struct FunctionInfo {
  std::string_view name;
  std::size_t arguments;
  std::function<Expression(std::span<const Expression>)> make;
  bool decides = false;  // the first argument is a condition, and one of the others is taken
};

// Null where there is no such function.
[[nodiscard]] const FunctionInfo* find_function(std::string_view name);
[[nodiscard]] std::vector<std::string> function_names();

}  // namespace divker
