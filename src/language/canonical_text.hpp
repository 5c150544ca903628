// Statements in one canonical spelling: spaces normalised, comments dropped.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "language/lexer.hpp"

namespace divker {

[[nodiscard]] std::string canonical_text(std::span<const Token> statement);
// The comment lines before the first statement, each ending with a line break.
[[nodiscard]] std::string header_comment(std::string_view text);

}  // namespace divker
