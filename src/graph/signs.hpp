// Which signs the value of a node can have.
#pragma once

#include "divker/expression.hpp"

namespace divker::graph {

struct Signs {
  bool negative = true;
  bool zero = true;
  bool positive = true;

  [[nodiscard]] bool crosses_zero() const { return negative && positive; }
  [[nodiscard]] bool is_positive() const { return positive && !zero && !negative; }
  [[nodiscard]] bool excludes_zero() const { return !zero && !crosses_zero(); }
};

[[nodiscard]] Signs signs_of_constant(double value);
// Of an operation with operands of such signs; `is_square`: both operands are the same node.
[[nodiscard]] Signs signs_of(Op op, Signs a, Signs b, bool is_square);

}  // namespace divker::graph
