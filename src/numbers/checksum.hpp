// A number that tells sequences of bytes apart.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace divker {

// 64 bits of the bytes: any one damaged word changes them.
[[nodiscard]] std::uint64_t checksum(std::string_view bytes);
// The same of numbers, as text.
[[nodiscard]] std::string hash_of(std::span<const double> values);

}  // namespace divker
