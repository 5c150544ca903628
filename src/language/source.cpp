#include "language/source.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace divker {
namespace {

constexpr std::size_t widest = 160;  // bytes of a line that a message shows

bool continues_character(char c) { return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U; }

// One column a character: tabs and control characters would move the caret.
std::string printable(std::string_view text) {
  std::string result;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\t') {
      result += ' ';
    } else if (byte < 0x20U || byte == 0x7FU) {
      result += '?';
    } else {
      result += c;
    }
  }
  return result;
}

std::size_t characters(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return !continues_character(c); }));
}

}  // namespace

LanguageError::LanguageError(const std::string& message, std::string file, std::size_t line,
                             std::size_t column)
    : Error(ErrorKind::model, message), file_(std::move(file)), line_(line), column_(column) {}

std::size_t Source::line_of(std::size_t offset) const {
  const auto end = text.begin() + static_cast<std::ptrdiff_t>(std::min(offset, text.size()));
  return 1 + static_cast<std::size_t>(std::count(text.begin(), end, '\n'));
}

void Source::fail(std::size_t offset, const std::string& message) const {
  offset = std::min(offset, text.size());
  const std::size_t before = offset == 0 ? std::string_view::npos : text.rfind('\n', offset - 1);
  const std::size_t begin = before == std::string_view::npos ? 0 : before + 1;
  std::string_view line = text.substr(begin, text.find('\n', begin) - begin);
  if (line.ends_with('\r')) line.remove_suffix(1);
  std::size_t place = std::min(offset - begin, line.size());
  const std::size_t column = characters(line.substr(0, place)) + 1;
  if (line.size() > widest) {
    std::size_t first = place > widest / 2 ? place - widest / 2 : 0;
    while (first < place && continues_character(line[first])) ++first;
    std::size_t length = std::min(widest, line.size() - first);
    while (first + length < line.size() && continues_character(line[first + length])) ++length;
    line = line.substr(first, length);
    place -= first;
  }
  const std::string shown = printable(line);
  const std::string caret(characters(std::string_view(shown).substr(0, place)), ' ');
  const std::size_t number = line_of(offset);
  throw LanguageError(
      fmt::format("{}:{}:{}: {}\n  {}\n  {}^", file, number, column, message, shown, caret), file,
      number, column);
}

}  // namespace divker
