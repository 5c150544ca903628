#include "language/lexer.hpp"

#include <fmt/format.h>

#include <array>
#include <cctype>
#include <charconv>
#include <cmath>

#include "model/names.hpp"

namespace divker {
namespace {

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

struct Lookalike {
  std::string_view text;
  std::string_view meant;
};
// What editors and papers put in place of plain characters.
constexpr std::array lookalikes{Lookalike{"\u2212", "-"},
                                Lookalike{"\u2013", "-"},
                                Lookalike{"\u00D7", "*"},
                                Lookalike{"\u00B7", "*"},
                                Lookalike{"\u22C5", "*"},
                                Lookalike{"\u2032", "'"},
                                Lookalike{"\u2019", "'"},
                                Lookalike{"\u201C", "\""},
                                Lookalike{"\u201D", "\""},
                                Lookalike{"\u221E", "inf"},
                                Lookalike{"\u03C0", "pi"},
                                Lookalike{"\u03BE", "xi"},
                                Lookalike{"\u00B2", "^2"},
                                Lookalike{"\u2264", "<="},
                                Lookalike{"\u2265", ">="},
                                Lookalike{"\u2260", "!="},
                                Lookalike{"&", "and"},
                                Lookalike{"|", "or"},
                                Lookalike{"\u00A0", "a plain space"}};

class Lexer {
 public:
  explicit Lexer(const Source& source) : source_(source), text_(source.text) {}

  std::vector<Token> run() {
    if (text_.starts_with("\xEF\xBB\xBF")) at_ = 3;
    while (at_ < text_.size()) next();
    if (!open_.empty()) {
      source_.fail(open_.back(), fmt::format("This '{}' is never closed.", text_[open_.back()]));
    }
    add(TokenKind::newline, text_.size(), 0);
    add(TokenKind::end, text_.size(), 0);
    return std::move(tokens_);
  }

 private:
  void add(TokenKind kind, std::size_t offset, std::size_t length) {
    tokens_.push_back({kind, text_.substr(offset, length), offset, 0.0});
  }

  void next() {
    const char c = text_[at_];
    if (c == ' ' || c == '\t' || c == '\r') {
      ++at_;
    } else if (c == '#') {
      at_ = std::min(text_.find('\n', at_), text_.size());
    } else if (c == '\n') {
      if (open_.empty()) add(TokenKind::newline, at_, 1);
      ++at_;
    } else if (is_digit(c) || (c == '.' && at_ + 1 < text_.size() && is_digit(text_[at_ + 1]))) {
      number();
    } else if (is_word(c)) {
      word();
    } else if (c == '"') {
      string();
    } else {
      symbol(c);
    }
  }

  void word() {
    const std::size_t begin = at_;
    while (at_ < text_.size() && is_word(text_[at_])) ++at_;
    // Weights of a network have a point in their names: h.W1.
    if (at_ + 1 < text_.size() && text_[at_] == '.' && is_word(text_[at_ + 1]) &&
        !is_digit(text_[at_ + 1])) {
      ++at_;
      while (at_ < text_.size() && is_word(text_[at_])) ++at_;
    }
    // A name of the greatest length may stand in a differential, with one letter more.
    if (at_ - begin > longest_name + 1) {
      source_.fail(begin, fmt::format("This name has {} characters; the limit is {}.", at_ - begin,
                                      longest_name));
    }
    add(TokenKind::identifier, begin, at_ - begin);
  }

  void digits() {
    while (at_ < text_.size() && is_digit(text_[at_])) ++at_;
  }

  void number() {
    const std::size_t begin = at_;
    digits();
    if (at_ < text_.size() && text_[at_] == '.') {
      ++at_;
      digits();
    }
    std::size_t exponent = at_;
    if (exponent < text_.size() && (text_[exponent] == 'e' || text_[exponent] == 'E')) {
      ++exponent;
      if (exponent < text_.size() && (text_[exponent] == '+' || text_[exponent] == '-')) {
        ++exponent;
      }
      if (exponent < text_.size() && is_digit(text_[exponent])) {
        at_ = exponent;
        digits();
      }
    }
    add(TokenKind::number, begin, at_ - begin);
    Token& token = tokens_.back();
    const char* last = token.text.data() + token.text.size();
    const auto [end, error] = std::from_chars(token.text.data(), last, token.value);
    if (error == std::errc::result_out_of_range) {
      source_.fail(begin, fmt::format("The number {} is beyond the range of double precision.",
                                      token.text.substr(0, 40)));
    }
    if (at_ < text_.size() && (is_word(text_[at_]) || text_[at_] == '.')) {
      source_.fail(at_,
                   fmt::format("An operator was expected after the number {}: write {}*... for "
                               "a product.",
                               token.text.substr(0, 40), token.text.substr(0, 40)));
    }
  }

  void string() {
    const std::size_t begin = at_;
    const std::size_t end = text_.find_first_of("\"\n", at_ + 1);
    if (end == std::string_view::npos || text_[end] == '\n') {
      source_.fail(begin, "This string is not closed; a closing \" was expected on the same line.");
    }
    for (std::size_t i = begin + 1; i < end; ++i) {
      if (std::iscntrl(static_cast<unsigned char>(text_[i])) != 0) {
        source_.fail(i, "A control character stands inside this string.");
      }
    }
    if (end - begin - 1 > longest_file_name) {
      source_.fail(begin, fmt::format("This name of a file has {} bytes; the limit is {}.",
                                      end - begin - 1, longest_file_name));
    }
    add(TokenKind::string, begin + 1, end - begin - 1);
    tokens_.back().offset = begin;
    at_ = end + 1;
  }

  void symbol(char c) {
    for (const std::string_view pair : {"<=", ">=", "==", "!=", "&&", "||"}) {
      if (!text_.substr(at_).starts_with(pair)) continue;
      add(TokenKind::symbol, at_, pair.size());
      at_ += pair.size();
      return;
    }
    constexpr std::string_view known = "()[],:=~+-*/^'<>!";
    if (known.find(c) == std::string_view::npos) unexpected(c);
    if (text_.substr(at_).starts_with("**")) source_.fail(at_, "A power is written ^, not **.");
    if (c == '(' || c == '[') {
      if (open_.size() >= source_.limits.nesting) {
        source_.fail(at_,
                     fmt::format("Brackets are nested more than {} deep.", source_.limits.nesting));
      }
      open_.push_back(at_);
    }
    if (c == ')' || c == ']') close(c);
    add(TokenKind::symbol, at_++, 1);
  }

  void close(char c) {
    if (open_.empty()) source_.fail(at_, fmt::format("This '{}' closes nothing.", c));
    const char opened = text_[open_.back()];
    if ((opened == '(') != (c == ')')) {
      source_.fail(at_,
                   fmt::format("'{}' was expected here, to close the '{}' of line {}.",
                               opened == '(' ? ')' : ']', opened, source_.line_of(open_.back())));
    }
    open_.pop_back();
  }

  [[noreturn]] void unexpected(char c) {
    for (const Lookalike& like : lookalikes) {
      if (text_.substr(at_).starts_with(like.text)) {
        source_.fail(at_, fmt::format("The character '{}' is not part of the language; write {}.",
                                      like.text, like.meant));
      }
    }
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20U || byte >= 0x7FU) {
      source_.fail(at_, fmt::format("The byte 0x{:02X} is not part of the language; names and "
                                    "operators are plain ASCII.",
                                    byte));
    }
    source_.fail(at_, fmt::format("The character '{}' is not part of the language.", c));
  }

  const Source& source_;
  std::string_view text_;
  std::size_t at_ = 0;
  std::vector<std::size_t> open_;
  std::vector<Token> tokens_;
};

}  // namespace

std::vector<Token> tokenize(const Source& source) {
  if (source.text.size() > source.limits.bytes) {
    source.fail(0, fmt::format("The text has {} bytes; the limit is {}.", source.text.size(),
                               source.limits.bytes));
  }
  return Lexer(source).run();
}

}  // namespace divker
