#include "io/fields.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>

namespace divker {
namespace {

// Takes a quoted field up to its closing quote; false if there is none.
bool take_quoted(std::string_view& line, std::string& text) {
  line.remove_prefix(1);
  for (;;) {
    const std::size_t quote = line.find('"');
    if (quote == std::string_view::npos) return false;
    text += line.substr(0, quote);
    line.remove_prefix(quote + 1);
    if (!line.starts_with('"')) return true;
    text += '"';
    line.remove_prefix(1);
  }
}

bool is_number_or_missing(const Field& field, const Separator& separator) {
  return is_missing(field.text) || number_with_point(field.text) ||
         (separator.sign != ',' && number_with_comma(field.text));
}

// The share of numbers among the fields that a separator makes; nothing if it does not split all
// lines alike.
std::optional<double> share_of_numbers(std::span<const std::string_view> lines,
                                       const Separator& separator) {
  std::vector<Field> fields;
  std::size_t count = 0;
  std::size_t numbers = 0;
  std::size_t all = 0;
  if (lines.empty()) return std::nullopt;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (!split_fields(lines[i], separator, fields).empty()) return std::nullopt;
    if (i == 0) count = fields.size();
    if (count < 2 || fields.size() != count) return std::nullopt;
    if (i == 0 && lines.size() > 1) continue;
    all += count;
    numbers += static_cast<std::size_t>(std::ranges::count_if(
        fields, [&](const Field& field) { return is_number_or_missing(field, separator); }));
  }
  return static_cast<double>(numbers) / static_cast<double>(all);
}

}  // namespace

std::string_view trimmed(std::string_view text, char separator) {
  const std::string_view blank = separator == '\t' ? " \r" : " \t\r";
  const std::size_t begin = text.find_first_not_of(blank);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(blank) - begin + 1);
}

std::string split_fields(std::string_view line, const Separator& separator,
                         std::vector<Field>& fields) {
  fields.clear();
  for (;;) {
    line = trimmed(line, separator.sign);
    Field field;
    if (line.starts_with('"')) {
      field.quoted = true;
      if (!take_quoted(line, field.text)) return "a quoted field has no closing quote";
      line = trimmed(line, separator.sign);
      if (!line.empty() && line.front() != separator.sign) {
        return fmt::format("the text '{}' follows a quoted field; expected {}", line,
                           separator.one);
      }
    } else {
      const std::size_t end = std::min(line.find(separator.sign), line.size());
      field.text = trimmed(line.substr(0, end), separator.sign);
      line.remove_prefix(end);
    }
    fields.push_back(std::move(field));
    if (line.empty()) return {};
    line.remove_prefix(1);
  }
}

std::optional<double> number_with_point(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  double value = 0.0;
  const char* end = text.data() + text.size();
  const auto [stop, code] = std::from_chars(text.data(), end, value);
  if (stop != end || text.empty() || code == std::errc::invalid_argument) return std::nullopt;
  // Out of range means too large or too small; strtod tells infinity from zero.
  if (code != std::errc()) return std::strtod(std::string(text).c_str(), nullptr);
  if (std::isnan(value)) return std::nullopt;
  return value;
}

std::optional<double> number_with_comma(std::string_view text) {
  if (text.find('.') != std::string_view::npos) return std::nullopt;
  std::string with_point(text);
  const std::size_t comma = with_point.find(',');
  if (comma != std::string::npos) with_point[comma] = '.';
  return number_with_point(with_point);
}

bool is_missing(std::string_view text) {
  if (text.empty() || text == ".") return true;
  const auto is = [&](std::size_t i, char letter) { return (text[i] | 0x20) == letter; };
  if (text.size() < 2 || text.size() > 3 || !is(0, 'n') || !is(1, 'a')) return false;
  return text.size() == 2 || is(2, 'n');
}

const Separator& recognised_separator(std::span<const std::string_view> lines) {
  const Separator* best = nullptr;
  double most = -1.0;
  for (const Separator& separator : separators) {
    const std::optional<double> share = share_of_numbers(lines, separator);
    if (!share || *share <= most) continue;
    best = &separator;
    most = *share;
  }
  if (best != nullptr) return *best;
  const auto count = [&](const Separator& separator) {
    return lines.empty() ? 0 : std::ranges::count(lines.front(), separator.sign);
  };
  return *std::ranges::max_element(separators, {}, count);
}

}  // namespace divker
