// Lines of a table as fields: separators, quotes, numbers, and what stands for a missing value.
#pragma once

#include <array>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace divker {

struct Separator {
  char sign;
  std::string_view one;   // in messages
  std::string_view many;  // "columns are separated by ..."
};
inline constexpr std::array<Separator, 3> separators{
    {{',', "a comma", "commas"}, {';', "';'", "';'"}, {'\t', "a tab", "tabs"}}};

struct Field {
  std::string text;
  bool quoted = false;
};

// Without the blanks around it. A tab that separates is no blank.
[[nodiscard]] std::string_view trimmed(std::string_view text, char separator = ',');

// Splits a line. Returns what is wrong with its quotes: nothing if all is well.
[[nodiscard]] std::string split_fields(std::string_view line, const Separator& separator,
                                       std::vector<Field>& fields);

// The number that the whole text spells, with a decimal point or with a decimal comma; nothing if
// it spells none. May be infinite.
[[nodiscard]] std::optional<double> number_with_point(std::string_view text);
[[nodiscard]] std::optional<double> number_with_comma(std::string_view text);

// Nothing, ".", and NA or NaN in letters of any case.
[[nodiscard]] bool is_missing(std::string_view text);

// That which splits all lines into equally many fields, more than one; of several the one by which
// more of the fields are numbers, the first line aside. If there is none, that which is most
// frequent in the first line.
[[nodiscard]] const Separator& recognised_separator(std::span<const std::string_view> lines);

}  // namespace divker
