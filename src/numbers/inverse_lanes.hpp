// What inverse.cpp and the code for each instruction set share. As for the random numbers, the
// files compiled for one instruction set use no standard library templates: the linker might keep a
// copy that a lesser machine cannot run.
#pragma once

#include <cstddef>
#include <cstdint>

namespace divker::inverse_detail {

// Columns that are eliminated before the others follow: the matrix passes through the cache once
// for each panel.
inline constexpr std::size_t panel = 4;

// pivots: n * lanes; signs: lanes; rows: panel * n * lanes, aligned.
using InvertLanes = void (*)(std::size_t n, double* matrices, std::int64_t* pivots,
                             std::int64_t* signs, double* rows);

extern const InvertLanes invert_sse2;
extern const InvertLanes invert_avx2;
extern const InvertLanes invert_avx512;

}  // namespace divker::inverse_detail
