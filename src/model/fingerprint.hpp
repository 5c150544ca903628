// A number for the equations of a model.
#pragma once

#include <cstdint>

#include "divker/model.hpp"

namespace divker {

// Expressions are evaluated in the field of integers modulo the prime 2^61 - 1, where inputs take
// the value of a hash of their name, binary floating-point constants their exact value, and
// functions are random maps that are odd or even where the function is. Two expressions that are
// equal by the laws of arithmetic so have one number however they are arranged, and different ones
// share it with probability about 1e-18 (Schwartz 1980). O(nodes).
[[nodiscard]] std::uint64_t fingerprint(const Model& model);

}  // namespace divker
