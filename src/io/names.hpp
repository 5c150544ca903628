// Lists of names for messages.
#pragma once

#include <string>

namespace divker {

// "a, b, c".
template <typename Names>
[[nodiscard]] std::string joined(const Names& names) {
  std::string text;
  for (const auto& name : names) {
    if (!text.empty()) text += ", ";
    text += name;
  }
  return text;
}

}  // namespace divker
