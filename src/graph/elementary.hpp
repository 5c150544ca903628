// Elementary functions: smooth functions of one argument. All that the library knows of one of
// them, but for its vector form (src/jit/functions.cpp), stands in its row of elementary.cpp.
#pragma once

#include <span>
#include <string_view>

#include "divker/expression.hpp"
#include "graph/signs.hpp"

namespace divker::graph {

enum class Parity : std::uint8_t { none, odd, even };

struct Elementary {
  Op op;
  std::string_view name;  // in the language
  double (*value)(double);
  // f'(a), where v is f(a).
  Expression (*derivative)(Expression a, Expression v);
  Parity parity = Parity::none;
  // Of f(a), from those of a.
  Signs (*signs)(Signs a) = [](Signs) { return Signs{}; };
  // f(g(u)) is u for the operation g; Op::constant where there is none.
  Op inverse = Op::constant;
};

[[nodiscard]] std::span<const Elementary> elementary_functions();
// Null for any other operation.
[[nodiscard]] const Elementary* find_elementary(Op op);

}  // namespace divker::graph
