// A text and the faults in it.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "divker/language.hpp"

namespace divker {

struct Source {
  std::string_view text;
  std::string file;
  LanguageLimits limits;

  // Throws a LanguageError that shows the line with a caret under the byte at `offset`.
  [[noreturn]] void fail(std::size_t offset, const std::string& message) const;
  // Line number, from 1.
  [[nodiscard]] std::size_t line_of(std::size_t offset) const;
};

}  // namespace divker
