#include "model/functions.hpp"

#include <algorithm>
#include <array>

namespace divker {
namespace {

using Arguments = std::span<const Expression>;

const std::array table{
    FunctionInfo{"sin", 1, [](Arguments a) { return sin(a[0]); }},
    FunctionInfo{"cos", 1, [](Arguments a) { return cos(a[0]); }},
    FunctionInfo{"tan", 1, [](Arguments a) { return tan(a[0]); }},
    FunctionInfo{"exp", 1, [](Arguments a) { return exp(a[0]); }},
    FunctionInfo{"log", 1, [](Arguments a) { return log(a[0]); }},
    FunctionInfo{"sqrt", 1, [](Arguments a) { return sqrt(a[0]); }},
    FunctionInfo{"tanh", 1, [](Arguments a) { return tanh(a[0]); }},
    FunctionInfo{"sinh", 1, [](Arguments a) { return sinh(a[0]); }},
    FunctionInfo{"cosh", 1, [](Arguments a) { return cosh(a[0]); }},
    FunctionInfo{"atan", 1, [](Arguments a) { return atan(a[0]); }},
    FunctionInfo{"erf", 1, [](Arguments a) { return erf(a[0]); }},
    FunctionInfo{"abs", 1, [](Arguments a) { return abs(a[0]); }},
    FunctionInfo{"pow", 2, [](Arguments a) { return pow(a[0], a[1]); }},
    FunctionInfo{"min", 2, [](Arguments a) { return min(a[0], a[1]); }},
    FunctionInfo{"max", 2, [](Arguments a) { return max(a[0], a[1]); }},
    FunctionInfo{"sign", 1, [](Arguments a) { return a[0].graph().unary(Op::sign, a[0]); }},
    FunctionInfo{"step", 2, [](Arguments a) { return a[0].graph().binary(Op::step, a[0], a[1]); }},
    FunctionInfo{"floor", 1, [](Arguments a) { return floor(a[0]); }},
    FunctionInfo{"ceil", 1, [](Arguments a) { return -floor(-a[0]); }},
    FunctionInfo{"round", 1, [](Arguments a) { return floor(a[0] + 0.5); }},
    FunctionInfo{"mod", 2, [](Arguments a) { return a[0] - a[1] * floor(a[0] / a[1]); }},
    FunctionInfo{"where", 2, [](Arguments a) { return where(a[0], a[1]); }},
    FunctionInfo{"if", 3, [](Arguments a) { return choose(a[0], a[1], a[2]); }, true},
};

}  // namespace

const FunctionInfo* find_function(std::string_view name) {
  const auto* found = std::find_if(table.begin(), table.end(),
                                   [name](const FunctionInfo& f) { return f.name == name; });
  return found == table.end() ? nullptr : found;
}

std::vector<std::string> function_names() {
  std::vector<std::string> names;
  names.reserve(std::size(table));
  for (const FunctionInfo& f : table) names.emplace_back(f.name);
  names.emplace_back("sum");
  return names;
}

}  // namespace divker
