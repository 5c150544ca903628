#include "page.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <string_view>

#include "divker/error.hpp"
#include "divker/file.hpp"
#include "divker/ranks.hpp"

namespace divker::app {
namespace {

std::string& typed() {
  static std::string command;
  return command;
}

std::string in_shell(const std::string& word) {
  constexpr std::string_view plain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=./,:@%";
  if (!word.empty() && word.find_first_not_of(plain) == std::string::npos) return word;
  std::string quoted = "'";
  for (const char c : word) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

}  // namespace

void remember_command(const std::vector<std::string>& words) {
  typed() = "divker";
  for (const std::string& word : words) typed() += " " + in_shell(word);
}

const std::string& command_as_typed() { return typed(); }

void check_page(const std::string& file) {
  if (file.empty()) return;
  if (std::filesystem::path(file).extension() != ".html") {
    throw Error(ErrorKind::usage, fmt::format("--report {}: reports are .html files.", file));
  }
  on_first_rank([&] { check_writable(file); });
}

void write_page(const std::string& file, const present::Page& page) {
  on_first_rank([&] { write_whole_file(file, present::html(page)); });
}

}  // namespace divker::app
