// A text as tokens.
#pragma once

#include <string_view>
#include <vector>

#include "language/source.hpp"

namespace divker {

enum class TokenKind { identifier, number, string, symbol, newline, end };

struct Token {
  TokenKind kind = TokenKind::end;
  std::string_view text;  // without the quotes of a string
  std::size_t offset = 0;
  double value = 0.0;  // of a number

  [[nodiscard]] bool is(std::string_view symbol) const {
    return (kind == TokenKind::symbol || kind == TokenKind::identifier) && text == symbol;
  }
};

// Comments are left out; line breaks inside brackets are too. The list ends with a newline and an
// end token. Brackets are balanced afterwards and no deeper than the limit on nesting.
[[nodiscard]] std::vector<Token> tokenize(const Source& source);

}  // namespace divker
