// The yardstick of the benchmark: one divergence-kernel step of Lorenz-96 written by hand.
//
// Model (40 components, indices wrap, c = 0.01; parameters F and s):
//   dx_i = ((x_{i+1} - x_{i-2}) x_{i-1} - x_i (1 + c x_i) + F) dt + sigma(x) dW_i
//   sigma(x) = exp(-|x|^2 / 2) + s,   x_0 ~ normal(0, 2)
// The step is that of docs/theory.md, section 4, worked out on paper for one scalar noise
// amplitude; the derivation is in lorenz96_step.hpp.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace divker::reference {

inline constexpr std::size_t lorenz96_size = 40;

// What is known of each path at the last step, path by path.
struct Lorenz96Result {
  using Vector = std::array<double, lorenz96_size>;
  std::vector<Vector> x;
  std::vector<Vector> nu;                       // the score's covector
  std::vector<std::array<double, 2>> response;  // I of F and of s
};

struct Lorenz96Reference {
  std::size_t paths = 8;  // any number; eight are computed at a time
  std::size_t steps = 1;
  std::uint64_t seed = 0;
  double F = 8;
  double s = 1;
  double alpha = 5;  // constant scalar damping
  double dt = 0.004;

  // Runs every path on this thread, eight at a time, with working memory that fits the first-level
  // cache. Start from Stream::start (nu_0 = -x_0 / 4, I_0 = 0), steps from Stream::step.
  // Cost: about 2 ns for each path, step and component, most of it for the random numbers.
  [[nodiscard]] Lorenz96Result run() const;

  // The same with every random number taken as zero: what the step costs without them.
  [[nodiscard]] Lorenz96Result run_without_noise() const;

  // Vectors that run() uses on this machine: "avx512" or "portable".
  [[nodiscard]] static const char* instruction_set();
};

}  // namespace divker::reference
