// A request as options of the command line: the visitor of its `describe`.
#pragma once

#include <CLI/CLI.hpp>
#include <concepts>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "present/request.hpp"

namespace divker::app {

// The two parts of name=value. Error(usage) names the option.
[[nodiscard]] std::pair<std::string, std::string> parse_setting(const std::string& option,
                                                                const std::string& setting);

// What a text must be, beyond what its conversion to a number asks for.
// 0, 1, 1e6, ...: no sign. To be used by transform(): it writes exponents out.
[[nodiscard]] CLI::Validator whole_number();
[[nodiscard]] CLI::Validator finite_number();  // neither NaN nor infinite
[[nodiscard]] CLI::Validator not_empty();

class Declare : public present::OptionVisitor {
 public:
  explicit Declare(CLI::App& command) : command_(command) {}

  [[nodiscard]] present::Voice voice() const override { return present::Voice::command; }
  // What needs and excludes what, once all options are there.
  void relate();

 private:
  void take(const present::Option& option, present::OptionValue value) override {
    std::visit([&](auto* to) { declare(option, *to); }, value);
  }
  template <class Value>
  void declare(const present::Option& option, Value& value) {
    CLI::Option* declared = add(option, value);
    if (!option.type.empty()) declared->type_name(option.type);
    if (option.required) declared->required();
    if (option.shows_default) declared->capture_default_str();
    if (!option.standard.empty()) declared->default_str(option.standard);
    if (!option.choices.empty()) declared->check(CLI::IsMember(option.choices));
    told_.push_back(option);
  }
  CLI::Option* add(const present::Option& option, bool& value);
  CLI::Option* add(const present::Option& option, std::string& value);
  CLI::Option* add(const present::Option& option, std::vector<std::string>& value);
  CLI::Option* add(const present::Option& option, std::vector<double>& value);
  CLI::Option* add(const present::Option& option, std::optional<present::Values>& value);
  CLI::Option* add(const present::Option& option, std::map<std::string, std::string>& value);
  CLI::Option* add(const present::Option& option, present::GivenPoints& value);
  CLI::Option* add(const present::Option& option, present::GivenTables& value);
  template <class Number>
  requires std::integral<Number> || std::floating_point<Number> CLI::Option* add(
      const present::Option& option, Number& value) {
    return bounded<Number>(option, command_.add_option(flag(option.name), value, option.help));
  }
  template <class Number>
  requires std::integral<Number> || std::floating_point<Number> CLI::Option* add(
      const present::Option& option, std::optional<Number>& value) {
    return bounded<Number>(option, command_.add_option(flag(option.name), value, option.help));
  }

  template <class Number>
  static CLI::Option* bounded(const present::Option& option, CLI::Option* declared) {
    if constexpr (std::floating_point<Number>) {
      declared->check(finite_number());
      if (option.positive) declared->check(CLI::PositiveNumber);
      if (option.has_most()) declared->check(CLI::Range(option.least, option.most));
      if (option.has_least() && !option.has_most()) declared->check(CLI::NonNegativeNumber);
    } else if (option.choices.empty()) {
      declared->transform(whole_number());
      if (option.has_most()) {
        declared->check(
            CLI::Range(static_cast<long>(option.least), static_cast<long>(option.most)));
      }
    }
    return declared;
  }
  [[nodiscard]] static std::string flag(const std::string& name) {
    return present::spelled(present::Voice::command, name);
  }

  CLI::App& command_;
  std::vector<present::Option> told_;
};

// All options of a request, which must outlive the command.
template <class Request>
void declare(CLI::App& command, Request& request) {
  Declare visitor(command);
  describe(request, visitor);
  visitor.relate();
}

}  // namespace divker::app
