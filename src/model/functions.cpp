#include "model/functions.hpp"

#include <algorithm>
#include <array>

#include "graph/elementary.hpp"

namespace divker {
namespace {

using Arguments = std::span<const Expression>;

// What is made of the operations of the graph.
const std::array composed{
    FunctionInfo{"sqrt", 1, [](Arguments a) { return sqrt(a[0]); }},
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

const std::vector<FunctionInfo>& all_functions() {
  static const std::vector<FunctionInfo> all = [] {
    std::vector<FunctionInfo> rows;
    for (const graph::Elementary& f : graph::elementary_functions()) {
      rows.push_back({f.name, 1, [op = f.op](Arguments a) { return elementary(op, a[0]); }});
    }
    rows.insert(rows.end(), composed.begin(), composed.end());
    return rows;
  }();
  return all;
}

}  // namespace

const FunctionInfo* find_function(std::string_view name) {
  const std::vector<FunctionInfo>& all = all_functions();
  const auto found = std::find_if(all.begin(), all.end(),
                                  [name](const FunctionInfo& f) { return f.name == name; });
  return found == all.end() ? nullptr : &*found;
}

std::vector<std::string> function_names() {
  std::vector<std::string> names;
  for (const FunctionInfo& f : all_functions()) names.emplace_back(f.name);
  names.emplace_back("sum");
  return names;
}

}  // namespace divker
