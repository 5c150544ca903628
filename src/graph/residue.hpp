// Expressions in the integers modulo 2^61 - 1: two that are equal by algebra have the same value at
// random arguments, and two that are not have different ones, but for a chance of 1e-17.
//
// Source: J. T. Schwartz, "Fast probabilistic algorithms for verification of polynomial
// identities", Journal of the ACM 27 (1980) 701. Functions are random maps that know which of them
// are even or odd.
#pragma once

#include <cstdint>

#include "divker/expression.hpp"

namespace divker::residue {

inline constexpr std::uint64_t prime = (std::uint64_t{1} << 61U) - 1;

[[nodiscard]] std::uint64_t add(std::uint64_t a, std::uint64_t b);
[[nodiscard]] std::uint64_t negative(std::uint64_t a);
[[nodiscard]] std::uint64_t times(std::uint64_t a, std::uint64_t b);
[[nodiscard]] std::uint64_t inverse(std::uint64_t a);  // 0 of 0
[[nodiscard]] std::uint64_t constant(double value);
// A number that looks random, the same for the same words.
[[nodiscard]] std::uint64_t mix(std::uint64_t word);
[[nodiscard]] std::uint64_t random_map(Op op, std::uint64_t a);
// The value of one operation that is neither a constant nor an input.
[[nodiscard]] std::uint64_t apply(Op op, std::uint64_t a, std::uint64_t b);

}  // namespace divker::residue
