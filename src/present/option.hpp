// One option of a request, told once: the command declares it, Python takes it as an argument.
//
// A request is a struct of plain values with a function
//   void describe(Request& request, OptionVisitor& visit)
// that calls visit(option, value) for each of them. Names are those of Python's arguments.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "divker/fit_data.hpp"
#include "divker/matrix.hpp"

namespace divker::present {

struct Option {
  static constexpr double infinite = std::numeric_limits<double>::infinity();

  std::string name;
  std::string help;
  std::string type;                       // of the value in the help, such as N or FILE
  bool shows_default = false;             // the help ends with the value that the request has
  std::string standard = {};              // or with this one, where the request leaves it open
  std::vector<std::string> choices = {};  // the only values; none: any
  double least = -infinite;
  double most = infinite;
  bool positive = false;  // zero is too little
  bool required = false;
  std::string needs = {};                  // an option without which it means nothing
  std::vector<std::string> excludes = {};  // options that cannot be asked for together with it

  Option(std::string called, std::string says, std::string takes = {})
      : name(std::move(called)), help(std::move(says)), type(std::move(takes)) {}

  Option&& shown() && { return shows_default = true, std::move(*this); }
  Option&& by_default(std::string text) && { return standard = std::move(text), std::move(*this); }
  Option&& one_of(std::vector<std::string> all) && {
    return choices = std::move(all), std::move(*this);
  }
  Option&& at_least(double value) && { return least = value, std::move(*this); }
  Option&& within(double low, double high) && { return least = low, most = high, std::move(*this); }
  Option&& asked_for() && { return required = true, std::move(*this); }
  Option&& above_zero() && { return positive = true, std::move(*this); }
  Option&& only_with(std::string other) && { return needs = std::move(other), std::move(*this); }
  Option&& not_with(std::vector<std::string> others) && {
    return excludes = std::move(others), std::move(*this);
  }

  [[nodiscard]] bool has_least() const { return least > -infinite; }
  [[nodiscard]] bool has_most() const { return most < infinite; }
};

// Values of parameters by name.
using Values = std::vector<std::pair<std::string, double>>;

// The same as it is written: a number, or an expression of the model's own values.
using Settings = std::vector<std::pair<std::string, std::string>>;

// Points of the state space: a table in a file whose columns are the states, or rows.
struct GivenPoints {
  std::string file;
  std::optional<Matrix> rows;

  [[nodiscard]] bool any() const { return rows.has_value() || !file.empty(); }
};

// Tables of measurements: files of them, or what Python has in arrays.
struct GivenTables {
  std::vector<std::string> files;
  std::vector<DataTable> tables;
};

// Who asks, for messages that name an option as its user writes it.
enum class Voice { command, python };
// --fd-step, or fd_step.
[[nodiscard]] std::string spelled(Voice voice, std::string_view name);
// --method toy, or method='toy'.
[[nodiscard]] std::string spelled(Voice voice, std::string_view name, std::string_view value);

// The value of an option, where it is in its request: of one of the types that both the command and
// Python can fill.
using OptionValue =
    std::variant<bool*, int*, unsigned*, std::uint64_t*, double*, std::string*,
                 std::vector<std::string>*, std::vector<double>*, std::optional<int>*,
                 std::optional<std::size_t>*, std::optional<double>*, std::optional<Values>*,
                 std::map<std::string, std::string>*, GivenPoints*, GivenTables*>;

// What a request is filled by: the command line, or the arguments of Python.
class OptionVisitor {
 public:
  virtual ~OptionVisitor() = default;
  [[nodiscard]] virtual Voice voice() const = 0;
  template <class Value>
  void operator()(const Option& option, Value& value) {
    take(option, OptionValue(&value));
  }

 private:
  virtual void take(const Option& option, OptionValue value) = 0;
};

}  // namespace divker::present
