// Tokens to statements. Names are resolved here, so that an unknown one is reported where it
// stands; their values and sizes come later, in expand.hpp.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "divker/model.hpp"
#include "language/lexer.hpp"
#include "language/syntax.hpp"

namespace divker {

enum class SymbolKind { constant, parameter, state, input, network, let, observation, functional };
[[nodiscard]] std::string_view with_article(SymbolKind kind);

struct Declaration {
  SymbolKind kind = SymbolKind::constant;
  std::size_t offset = 0;
};
using Declarations = std::map<std::string, Declaration, std::less<>>;

struct ParsedText {
  Declarations declarations;
  Dynamics dynamics = Dynamics::sde;
  std::vector<Token> tokens;
  std::vector<Statement> statements;
};

[[nodiscard]] ParsedText parse_statements(const Source& source);
// A single expression in which all kinds of names may appear.
[[nodiscard]] Syntax parse_single_expression(const Source& source,
                                             const Declarations& declarations);

}  // namespace divker
