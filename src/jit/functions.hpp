// Elementary functions on vectors, from SLEEF.
#pragma once

#include <cstddef>
#include <span>

#include "divker/expression.hpp"

namespace divker::jit {

struct VectorFunction {
  Op op;
  const char* symbol;  // the name that native code calls it by
  void* address;       // takes and returns vectors of doubles in vector registers
};

// All functions for 2, 4 or 8 lanes; empty for any other number.
[[nodiscard]] std::span<const VectorFunction> vector_functions(std::size_t lanes);

}  // namespace divker::jit
