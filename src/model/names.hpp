// Names in models: what may be a name, which are taken by the language, and which is meant.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace divker {

// Longer names of things and of files are refused: every component of a vector bears them.
inline constexpr std::size_t longest_name = 100;
inline constexpr std::size_t longest_file_name = 255;

// One of 0 ... 9, whatever the locale.
[[nodiscard]] constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
// A letter or underscore followed by letters, digits and underscores.
[[nodiscard]] bool is_identifier(std::string_view text);
// "h.W1": that of a matrix or vector of weights of the network h.
[[nodiscard]] bool is_name_of_weights(std::string_view text);
// "W" or "W[3]".
[[nodiscard]] bool is_component_name(std::string_view text);
// Words of the language, its functions and constants: t, dt, T, pi, inf, sum, sin, param, ...
[[nodiscard]] bool is_reserved(std::string_view name);

// "a", "a and b", "a, b and c"; long lists are cut: "a, b, c, ... and z (40 in all)".
[[nodiscard]] std::string list_of(std::span<const std::string> names);
// The candidate that differs least from the name, if it is near enough to be a slip.
[[nodiscard]] std::optional<std::string> nearest_name(std::string_view name,
                                                      std::span<const std::string> candidates);
// " Did you mean 'x'?" or nothing.
[[nodiscard]] std::string did_you_mean(std::string_view name,
                                       std::span<const std::string> candidates);
// A name for messages: quoted, cut when long, with unprintable bytes replaced.
[[nodiscard]] std::string in_quotes(std::string_view name);
// Throws Error(model, sentence).
[[noreturn]] void refuse(const std::string& sentence);

}  // namespace divker
