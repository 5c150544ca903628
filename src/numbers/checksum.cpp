#include "numbers/checksum.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

namespace divker {

std::uint64_t checksum(std::string_view bytes) {
  constexpr std::uint64_t odd = 0x9E3779B97F4A7C15ULL;
  std::uint64_t hash = bytes.size();
  while (!bytes.empty()) {
    std::uint64_t word = 0;
    const std::size_t size = std::min(bytes.size(), sizeof word);
    std::memcpy(&word, bytes.data(), size);
    bytes.remove_prefix(size);
    // Both maps are bijections of the hash, and of the word.
    hash = (hash ^ word) * odd;
    hash ^= hash >> 32U;
  }
  return hash;
}

std::string hash_of(std::span<const double> values) {
  return fmt::format("{:016x}",
                     checksum({reinterpret_cast<const char*>(values.data()), values.size_bytes()}));
}

}  // namespace divker
