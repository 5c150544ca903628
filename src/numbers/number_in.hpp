// The number that a text spells.
#pragma once

#include <charconv>
#include <optional>
#include <string_view>

namespace divker {

// Of the whole text, in the form of the language C without a sign +; nothing if it spells none, or
// one that no double holds. May be infinite, or NaN.
[[nodiscard]] inline std::optional<double> number_in(std::string_view text) {
  double value = 0.0;
  const char* last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), last, value);
  if (error != std::errc() || end != last) return std::nullopt;
  return value;
}

}  // namespace divker
