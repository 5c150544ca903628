// What random.cpp and the code for each instruction set share.
//
// NOTE: the files compiled for one instruction set only may use no inline function that another
// file could also instantiate (no standard library templates): the linker keeps one copy of such a
// function, and it could be one that a lesser machine cannot run. So plain arrays and pointers
// here.
#pragma once

#include <cstddef>
#include <cstdint>

namespace divker::random_detail {

inline constexpr int threefry_rounds = 20;
inline constexpr std::uint64_t threefry_parity = 0x1BD11BDAA9FC1A22;  // "SKEIN" key schedule

// Rotations of the two mixes in each round, repeated every eight rounds (Random123, R_64x4).
inline constexpr int threefry_rotations[8][2] = {{14, 16}, {52, 57}, {23, 40}, {5, 37},
                                                 {25, 33}, {46, 12}, {58, 22}, {32, 32}};

// Numbers that one group holds: all of it comes from one counter (fast) or two (full).
inline constexpr std::size_t group_size = 8;

// One call of NormalSource::fill.
struct FillJob {
  const std::uint64_t* key;  // four words
  std::uint64_t first_path;
  std::uint64_t first_group;
  std::size_t steps;
  std::size_t vectors;
  std::size_t components;
  std::size_t padded;  // padded_components(components)
  std::size_t lanes;
  bool full;
  double* out;
};

// The code for one instruction set.
struct RandomCode {
  const char* name;
  void (*fill)(const FillJob& job);
  // Eight pairs of normals from given random words, for tests: radii[i] holds the word of the
  // radius, angles[i] that of the angle. In fast resolution only the upper half of radii[i] and
  // the lower half of angles[i] count.
  void (*transform)(bool full, const std::uint64_t* radii, const std::uint64_t* angles,
                    double* cosines, double* sines);
  // The parts of the transform, for tests of their accuracy: -2 log(u) of eight numbers in (0, 1),
  // and sin(pi t), cos(pi t) of eight numbers in [-1/2, 1/2].
  void (*minus_two_log)(bool full, const double* u, double* out);
  void (*sine_cosine)(bool full, const double* t, double* sines, double* cosines);
};

extern const RandomCode random_sse2;
extern const RandomCode random_avx2;
extern const RandomCode random_avx512;

// The codes that this machine can run, best first. Returns how many.
std::size_t supported_random_codes(const RandomCode* codes[3]);

}  // namespace divker::random_detail
