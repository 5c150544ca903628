#include "present/option.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace divker::present {

std::string spelled(Voice voice, std::string_view name) {
  std::string text(name);
  if (voice == Voice::python) return text;
  std::ranges::replace(text, '_', '-');
  return "--" + text;
}

std::string spelled(Voice voice, std::string_view name, std::string_view value) {
  if (voice == Voice::python) return fmt::format("{}='{}'", name, value);
  return fmt::format("{} {}", spelled(voice, name), value);
}

}  // namespace divker::present
