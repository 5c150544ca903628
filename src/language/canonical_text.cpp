#include "language/canonical_text.hpp"

#include <algorithm>

namespace divker {
namespace {

bool is_word(const Token& token) {
  return token.kind == TokenKind::identifier || token.kind == TokenKind::number ||
         token.kind == TokenKind::string;
}
bool is_sign(const Token& token) { return token.is("+") || token.is("-"); }
bool is_tight(const Token& token) { return token.is("*") || token.is("/") || token.is("^"); }

class Spacing {
 public:
  // Is a space due between the last token and this one?
  bool before(const Token& token) {
    const bool result = decide(token);
    const bool ends_operand = is_word(last_) || last_.is(")") || last_.is("]") || last_.is("'");
    after_prefix_ =
        token.is("!") || (is_sign(token) && !(ends_operand && !is_statement_word(last_)));
    if (token.is("(") || token.is("[")) ++depth_;
    if (token.is("[")) ++square_;
    if (token.is(")") || token.is("]")) --depth_;
    if (token.is("]")) --square_;
    last_ = token;
    return result;
  }

 private:
  static bool is_statement_word(const Token& token) {
    return token.is("time") || token.is("in") || token.is("and") || token.is("or") ||
           token.is("not") || token.is("tamed");
  }

  [[nodiscard]] bool decide(const Token& token) const {
    if (last_.kind == TokenKind::end) return false;
    if (token.is(",") || token.is(")") || token.is("]") || token.is("'")) return false;
    if (last_.is("(") || last_.is("[") || after_prefix_) return false;
    if (last_.is(",") || last_.is("=") || last_.is("~") || token.is("=") || token.is("~"))
      return true;
    if (is_tight(token) || is_tight(last_)) return false;
    if (token.is(":") || last_.is(":")) return depth_ == 0;
    if (is_sign(token) || is_sign(last_)) return square_ == 0;
    if (token.is("[")) return last_.kind == TokenKind::string;  // a unit
    if (token.is("(")) return !is_called(last_);
    return true;
  }

  static bool is_called(const Token& token) {
    return token.kind == TokenKind::identifier && !is_statement_word(token);
  }

  Token last_;
  bool after_prefix_ = false;
  int depth_ = 0;
  int square_ = 0;
};

std::string_view trimmed(std::string_view line) {
  const std::size_t begin = line.find_first_not_of(" \t\r");
  if (begin == std::string_view::npos) return {};
  return line.substr(begin, line.find_last_not_of(" \t\r") - begin + 1);
}

}  // namespace

std::string canonical_text(std::span<const Token> statement) {
  std::string text;
  Spacing spacing;
  for (const Token& token : statement) {
    if (spacing.before(token)) text += ' ';
    if (token.kind == TokenKind::string) {
      text += '"' + std::string(token.text) + '"';
    } else {
      text += token.text;
    }
  }
  return text;
}

std::string header_comment(std::string_view text) {
  std::string result;
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = trimmed(text.substr(0, end));
    if (!line.starts_with('#')) break;
    result += std::string(line) + "\n";
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return result;
}

}  // namespace divker
