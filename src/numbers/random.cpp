#include "divker/random.hpp"

#include <cmath>
#include <numbers>

#include "divker/error.hpp"
#include "fmt/format.h"
#include "numbers/random_fill.hpp"

namespace divker {
namespace {

using random_detail::group_size;

// Third word of the key: what the words become.
enum class Use : std::uint64_t { fast = 0, full = 1, uniform = 2 };

std::array<std::uint64_t, 4> make_key(std::uint64_t seed, Stream stream, Use use) {
  return {seed, static_cast<std::uint64_t>(stream), static_cast<std::uint64_t>(use), 0};
}

Use use_of(Resolution resolution) { return resolution == Resolution::full ? Use::full : Use::fast; }

std::uint64_t rotate(std::uint64_t word, int bits) { return word << bits | word >> (64 - bits); }

const random_detail::RandomCode& host_code() {
  static const random_detail::RandomCode& best = [&]() -> const random_detail::RandomCode& {
    const random_detail::RandomCode* codes[3];
    random_detail::supported_random_codes(codes);
    return *codes[0];
  }();
  return best;
}

void check_fill(std::uint64_t first_step, std::size_t steps, std::size_t components,
                std::size_t lanes) {
  if (lanes != 2 && lanes != 4 && lanes != 8) {
    throw Error(ErrorKind::usage,
                fmt::format("NormalSource::fill: lanes is {}, but must be 2, 4 or 8.", lanes));
  }
  const std::size_t batch = batch_steps(components);
  if (first_step % batch != 0 || steps % batch != 0) {
    throw Error(
        ErrorKind::usage,
        fmt::format("NormalSource::fill: first_step is {} and steps is {}, but both must be "
                    "multiples of {} for {} components.",
                    first_step, steps, batch, components));
  }
}

// The pair of normals from two words (equal in fast resolution): see random_vector.hpp.
std::array<double, 2> scalar_pair(bool full, std::uint64_t radius, std::uint64_t angle) {
  const double u = full ? (static_cast<double>(radius >> 12) + 0.5) * 0x1p-52
                        : (static_cast<double>(radius >> 32) + 0.5) * 0x1p-32;
  const double t = full ? (static_cast<double>(angle >> 13) + 0.5) * 0x1p-51 - 0.5
                        : (static_cast<double>((angle & 0xFFFFFFFF) >> 1) + 0.5) * 0x1p-31 - 0.5;
  const double r = std::sqrt(-2 * std::log(u));
  const double cosine = r * std::cos(std::numbers::pi * t);
  return {(angle & 1) != 0 ? -cosine : cosine, r * std::sin(std::numbers::pi * t)};
}

}  // namespace

namespace random_detail {

std::size_t supported_random_codes(const RandomCode* codes[3]) {
  std::size_t count = 0;
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("fma")) {
    codes[count++] = &random_avx512;
  }
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
    codes[count++] = &random_avx2;
  }
  codes[count++] = &random_sse2;
  return count;
}

}  // namespace random_detail

std::size_t padded_components(std::size_t components) {
  if (components <= 2) return components;
  if (components <= 4) return 4;
  return (components + group_size - 1) / group_size * group_size;
}

std::size_t batch_steps(std::size_t components) {
  const std::size_t padded = padded_components(components);
  return padded == 0 || padded >= group_size ? 1 : group_size / padded;
}

NormalSource::NormalSource(std::uint64_t seed, Stream stream, Resolution resolution)
    : seed_(seed), stream_(stream), resolution_(resolution) {}

void NormalSource::fill(std::uint64_t first_path, std::uint64_t first_step, std::size_t steps,
                        std::size_t vectors, std::size_t components, std::size_t lanes,
                        double* out) const {
  check_fill(first_step, steps, components, lanes);
  if (components == 0) return;
  const auto key = make_key(seed_, stream_, use_of(resolution_));
  random_detail::FillJob job{};
  job.key = key.data();
  job.first_path = first_path;
  job.padded = padded_components(components);
  job.first_group = first_step * job.padded / group_size;
  job.steps = steps;
  job.vectors = vectors;
  job.components = components;
  job.lanes = lanes;
  job.full = resolution_ == Resolution::full;
  job.out = out;
  host_code().fill(job);
}

double NormalSource::normal(std::uint64_t path, std::uint64_t step, std::size_t component,
                            std::size_t components) const {
  if (component >= components) {
    throw Error(ErrorKind::usage,
                fmt::format("NormalSource::normal: component is {}, but must be below the number "
                            "of components, {}.",
                            component, components));
  }
  const bool full = resolution_ == Resolution::full;
  const std::uint64_t index = step * padded_components(components) + component;
  const std::uint64_t group = index / group_size, slot = index % group_size;
  const auto key = make_key(seed_, stream_, use_of(resolution_));
  const auto radii = threefry4x64({path, group, 0, 0}, key);
  const auto angles = full ? threefry4x64({path, group, 1, 0}, key) : radii;
  return scalar_pair(full, radii[slot / 2], angles[slot / 2])[slot % 2];
}

double NormalSource::uniform(std::uint64_t path, std::uint64_t step) const {
  const auto words = threefry4x64({path, step, 0, 0}, make_key(seed_, stream_, Use::uniform));
  return (static_cast<double>(words[0] >> 12) + 0.5) * 0x1p-52;
}

std::array<std::uint64_t, 4> threefry4x64(const std::array<std::uint64_t, 4>& counter,
                                          const std::array<std::uint64_t, 4>& key) {
  using random_detail::threefry_rotations;
  std::array<std::uint64_t, 5> schedule{key[0], key[1], key[2], key[3],
                                        random_detail::threefry_parity};
  for (const std::uint64_t word : key) schedule[4] ^= word;
  std::array<std::uint64_t, 4> x{};
  for (std::size_t i = 0; i < 4; ++i) x[i] = counter[i] + schedule[i];
  for (std::size_t round = 0; round < random_detail::threefry_rounds; ++round) {
    const std::size_t second = round % 2 == 0 ? 1 : 3;
    const std::size_t fourth = 4 - second;
    x[0] += x[second];
    x[second] = rotate(x[second], threefry_rotations[round % 8][0]) ^ x[0];
    x[2] += x[fourth];
    x[fourth] = rotate(x[fourth], threefry_rotations[round % 8][1]) ^ x[2];
    if (round % 4 == 3) {
      const std::size_t injection = round / 4 + 1;
      for (std::size_t i = 0; i < 4; ++i) x[i] += schedule[(injection + i) % 5];
      x[3] += injection;
    }
  }
  return x;
}

const char* random_instruction_set() { return host_code().name; }

}  // namespace divker
