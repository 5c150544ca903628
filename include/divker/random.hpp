// Standard normal numbers addressed by (seed, stream, path, step, component).
//
// Counter-based: any number can be made again alone, in any order, on any thread. The generator is
// Threefry-4x64 with 20 rounds (Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as
// 1, 2, 3", SC 2011; passes BigCrush), turned into normals by the Box-Muller transform.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace divker {

// What a number is for; numbers of different streams are independent.
enum class Stream : std::uint64_t {
  step = 0,
  start = 1,
  pick = 2,
  pilot = 3,
  bootstrap = 4,
  observation = 5,
  inside = 6,  // of a step
  parameters = 7,
};

// The transform from random words to normals.
enum class Resolution {
  // One 64-bit word gives two normals: 32-bit radius, 32-bit angle. Largest value 6.76; the mass
  // beyond it (1.4e-11 per number) is missing. The default.
  fast,
  // Two 64-bit words give two normals at 52 bits each. Largest value 8.57.
  full,
};

// Components of one step as they are laid out in the counter: K rounded up to 1, 2, 4 or a multiple
// of 8, so that a group of eight numbers belongs to whole steps of one path, or to one step.
[[nodiscard]] std::size_t padded_components(std::size_t components);

// Steps that one group of numbers covers: the natural batch for NormalSource::fill.
[[nodiscard]] std::size_t batch_steps(std::size_t components);

// Fills blocks for the kernels. Cheap to copy; holds no state but its address.
class NormalSource {
 public:
  explicit NormalSource(std::uint64_t seed, Stream stream = Stream::step,
                        Resolution resolution = Resolution::fast);

  // Numbers of `steps` consecutive steps for vectors * lanes consecutive paths, laid out as
  // out[step][vector][component][lane]. first_step must be a multiple of batch_steps(components)
  // and so must `steps`. lanes is 2, 4 or 8 (first_path need not be aligned). The value of a
  // number depends on its address alone, not on lanes, vectors or batch.
  void fill(std::uint64_t first_path, std::uint64_t first_step, std::size_t steps,
            std::size_t vectors, std::size_t components, std::size_t lanes, double* out) const;

  // One number alone. The same value as fill() up to the last bits of the vector arithmetic.
  [[nodiscard]] double normal(std::uint64_t path, std::uint64_t step, std::size_t component,
                              std::size_t components) const;

  // One uniform number in (0, 1), 52 bits: for choosing and shuffling.
  [[nodiscard]] double uniform(std::uint64_t path, std::uint64_t step) const;

 private:
  std::uint64_t seed_;
  Stream stream_;
  Resolution resolution_;
};

// The raw generator: Threefry-4x64-20 of Random123, word for word.
[[nodiscard]] std::array<std::uint64_t, 4> threefry4x64(const std::array<std::uint64_t, 4>& counter,
                                                        const std::array<std::uint64_t, 4>& key);

// Name of the instruction set that fill() uses on this machine: "avx512", "avx2" or "sse2".
[[nodiscard]] const char* random_instruction_set();

}  // namespace divker
