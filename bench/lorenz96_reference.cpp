#include "lorenz96_reference.hpp"

#include <algorithm>
#include <cmath>

#include "divker/random.hpp"
#include "lorenz96_step.hpp"

namespace divker::reference {
namespace {

constexpr std::size_t lanes = Lorenz96Block::lanes;
// Steps whose normals are made at a time: 10 kB, which leaves room for the state in 32 kB of cache.
constexpr std::size_t batch = 4;

bool has_avx512() {
  __builtin_cpu_init();
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
         __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("fma");
}

struct alignas(64) Normals {
  double number[batch * lorenz96_size * lanes];
};

// Writes the start and its copies at both ends.
void start(const NormalSource& source, std::uint64_t first_path, Normals& normals,
           Lorenz96Block& block) {
  source.fill(first_path, 0, 1, 1, lorenz96_size, lanes, normals.number);
  for (std::size_t i = 0; i < lorenz96_size + 4; ++i) {
    const std::size_t component = (i + lorenz96_size - 2) % lorenz96_size;
    for (std::size_t lane = 0; lane < lanes; ++lane) {
      const double x = 2 * normals.number[component * lanes + lane];
      block.x[0][i][lane] = x;
      block.nu[0][i][lane] = -x / 4;
    }
  }
  block.current = 0;
  for (auto& response : block.response) std::fill_n(response, lanes, 0.0);
}

void collect(const Lorenz96Block& block, std::size_t first, Lorenz96Result& result) {
  const std::size_t count = std::min(lanes, result.x.size() - first);
  for (std::size_t lane = 0; lane < count; ++lane) {
    for (std::size_t i = 0; i < lorenz96_size; ++i) {
      result.x[first + lane][i] = block.x[block.current][i + 2][lane];
      result.nu[first + lane][i] = block.nu[block.current][i + 2][lane];
    }
    for (std::size_t p = 0; p < 2; ++p) result.response[first + lane][p] = block.response[p][lane];
  }
}

Lorenz96Result run_all(const Lorenz96Reference& setting, bool noise) {
  const auto advance = has_avx512() ? lorenz96_steps_avx512 : lorenz96_steps_portable;
  const NormalSource starts(setting.seed, Stream::start), source(setting.seed, Stream::step);
  const Lorenz96Constants constants{setting.F, setting.s, setting.alpha, setting.dt,
                                    std::sqrt(setting.dt)};
  Lorenz96Result result;
  result.x.resize(setting.paths);
  result.nu.resize(setting.paths);
  result.response.resize(setting.paths);
  Lorenz96Block block{};
  Normals normals{};
  for (std::size_t first = 0; first < setting.paths; first += lanes) {
    start(starts, first, normals, block);
    if (!noise) std::fill(std::begin(normals.number), std::end(normals.number), 0.0);
    for (std::size_t step = 0; step < setting.steps; step += batch) {
      const std::size_t count = std::min(batch, setting.steps - step);
      if (noise) source.fill(first, step, count, 1, lorenz96_size, lanes, normals.number);
      advance(constants, normals.number, count, block);
    }
    collect(block, first, result);
  }
  return result;
}

}  // namespace

Lorenz96Result Lorenz96Reference::run() const { return run_all(*this, true); }

Lorenz96Result Lorenz96Reference::run_without_noise() const { return run_all(*this, false); }

const char* Lorenz96Reference::instruction_set() { return has_avx512() ? "avx512" : "portable"; }

}  // namespace divker::reference
