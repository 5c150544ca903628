#include "declare.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <cstdint>
#include <limits>

#include "divker/error.hpp"
#include "numbers/number_in.hpp"

namespace divker::app {
namespace {

std::pair<std::string, std::string> parse_name(const std::string& option, const std::string& text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0 || equals + 1 == text.size()) {
    throw Error(ErrorKind::usage, fmt::format("{} {}: expected NAME=COLUMN, such as {} w=weight.",
                                              option, text, option));
  }
  return {text.substr(0, equals), text.substr(equals + 1)};
}

// A comma inside brackets separates the indices of one name, A[1,2], or arguments, max(a, b).
std::vector<std::string> rejoined(const std::vector<std::string>& pieces) {
  std::vector<std::string> names;
  std::ptrdiff_t open = 0;
  for (const std::string& piece : pieces) {
    if (open > 0) {
      names.back() += "," + piece;
    } else {
      names.push_back(piece);
      open = 0;
    }
    for (const char c : piece) {
      if (c == '[' || c == '(') ++open;
      if (c == ']' || c == ')') --open;
    }
  }
  return names;
}

}  // namespace

std::pair<std::string, std::string> parse_setting(const std::string& option,
                                                  const std::string& setting) {
  const std::size_t equals = setting.find('=');
  if (equals == std::string::npos || equals == 0) {
    throw Error(ErrorKind::usage,
                fmt::format("{0} {1}: expected name=value, such as {0} F=8.2.", option, setting));
  }
  return {setting.substr(0, equals), setting.substr(equals + 1)};
}

CLI::Validator whole_number() {
  const auto as_digits = [](std::string& text) {
    std::uint64_t value = 0;
    const char* last = text.data() + text.size();
    const auto [end, error] = std::from_chars(text.data(), last, value);
    if (error == std::errc() && end == last) return std::string();
    constexpr double largest = 9007199254740992.0;  // beyond 2^53 an exponent is not exact
    const std::optional<double> number = number_in(text);
    if (number && *number >= 0.0 && *number <= largest && *number == std::floor(*number) &&
        !std::signbit(*number)) {
      text = std::to_string(static_cast<std::uint64_t>(*number));
      return std::string();
    }
    return fmt::format("'{}' is not a whole number from 0 to {}", text,
                       std::numeric_limits<std::uint64_t>::max());
  };
  return {as_digits, ""};
}

CLI::Validator finite_number() {
  const auto complaint = [](const std::string& text) {
    const std::optional<double> value = number_in(text);
    if (value && std::isfinite(*value)) return std::string();
    return fmt::format("'{}' is not a finite number", text);
  };
  return {complaint, ""};
}

CLI::Validator not_empty() {
  const auto complaint = [](const std::string& text) {
    return text.empty() ? std::string("the text is empty") : std::string();
  };
  return {complaint, ""};
}

CLI::Option* Declare::add(const present::Option& option, bool& value) {
  return command_.add_flag(flag(option.name), value, option.help);
}

CLI::Option* Declare::add(const present::Option& option, std::string& value) {
  CLI::Option* declared = command_.add_option(flag(option.name), value, option.help);
  return option.type.empty() ? declared : declared->check(not_empty());
}

CLI::Option* Declare::add(const present::Option& option, std::vector<std::string>& value) {
  const auto parse = [&value](const std::vector<std::string>& pieces) { value = rejoined(pieces); };
  return command_
      .add_option_function<std::vector<std::string>>(flag(option.name), parse, option.help)
      ->delimiter(',')
      ->allow_extra_args(false)
      ->check(not_empty());
}

CLI::Option* Declare::add(const present::Option& option, std::vector<double>& value) {
  return command_.add_option(flag(option.name), value, option.help)
      ->delimiter(',')
      ->allow_extra_args(false)
      ->check(finite_number());
}

CLI::Option* Declare::add(const present::Option& option, std::optional<present::Values>& value) {
  const auto parse = [&value, name = flag(option.name)](const std::vector<std::string>& settings) {
    value.emplace();
    for (const std::string& setting : settings) {
      const auto [key, text] = parse_setting(name, setting);
      const std::optional<double> number = number_in(text);
      if (!number) {
        throw Error(ErrorKind::usage,
                    fmt::format("{} {}: '{}' is not a number.", name, setting, text));
      }
      value->emplace_back(key, *number);
    }
  };
  return command_
      .add_option_function<std::vector<std::string>>(flag(option.name), parse, option.help)
      ->allow_extra_args(false);
}

CLI::Option* Declare::add(const present::Option& option,
                          std::map<std::string, std::string>& value) {
  const auto parse = [&value, name = flag(option.name)](const std::vector<std::string>& pairs) {
    for (const std::string& pair : pairs) {
      auto [key, mapped] = parse_name(name, pair);
      value[key] = mapped;
    }
  };
  return command_
      .add_option_function<std::vector<std::string>>(flag(option.name), parse, option.help)
      ->allow_extra_args(false);
}

CLI::Option* Declare::add(const present::Option& option, present::GivenPoints& value) {
  return command_.add_option(flag(option.name), value.file, option.help)->check(not_empty());
}

CLI::Option* Declare::add(const present::Option& option, present::GivenTables& value) {
  return command_.add_option(flag(option.name), value.files, option.help)
      ->allow_extra_args(false)
      ->check(not_empty());
}

void Declare::relate() {
  for (const present::Option& option : told_) {
    CLI::Option* one = command_.get_option(flag(option.name));
    if (!option.needs.empty()) one->needs(command_.get_option(flag(option.needs)));
    for (const std::string& other : option.excludes) {
      one->excludes(command_.get_option(flag(other)));
    }
  }
}

}  // namespace divker::app
