// A request as keyword arguments: the visitor of its `describe`.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "arrays.hpp"
#include "divker/model.hpp"
#include "present/question.hpp"

namespace divker::python {

// Values by name, each asked for once. Error(usage) for a value of another type or out of range,
// and for names that nobody has asked for. None and False ask for nothing.
class Arguments : public present::OptionVisitor {
 public:
  // Arrays of points have a column for each state of the model.
  Arguments(const py::dict& values, const Model& model)
      : values_(values), states_(model.dimension()) {}

  [[nodiscard]] present::Voice voice() const override { return present::Voice::python; }
  template <class Request>
  void fill(Request& request) {
    describe(request, *this);
    relate();
  }
  void fill(present::Request& request) {
    request.describe_to(*this);
    relate();
  }
  // One value; `value` stays as it is where the name is missing or None.
  template <class Value>
  void take(const char* name, Value& value) {
    if (const py::object given = pop(name); given && !given.is_none()) {
      read(present::Option(name, {}), given, value);
    }
  }
  [[nodiscard]] py::object pop(const char* name);
  void require_empty() const;

 private:
  void take(const present::Option& option, present::OptionValue value) override;
  [[nodiscard]] static bool is_asked(const py::object& value);
  // What needs and excludes what, among the options that were asked for.
  void relate() const;
  [[nodiscard]] bool has(const std::string& name) const;
  [[noreturn]] static void refuse(const present::Option& option, const py::object& given,
                                  const std::string& expected);

  template <class Number>
  requires std::integral<Number> || std::floating_point<Number>
  void read(const present::Option& option, const py::object& given, Number& value) {
    try {
      value = py::cast<Number>(given);
    } catch (const py::cast_error&) {
      refuse(option, given, std::floating_point<Number> ? "a number" : "a whole number, 0 or more");
    }
    check_bounds(option, static_cast<double>(value), given);
  }
  template <class Value>
  void read(const present::Option& option, const py::object& given, std::optional<Value>& value) {
    read(option, given, value.emplace());
  }
  void read(const present::Option& option, const py::object& given, bool& value);
  void read(const present::Option& option, const py::object& given, std::string& value);
  void read(const present::Option& option, const py::object& given,
            std::vector<std::string>& value);
  void read(const present::Option& option, const py::object& given, std::vector<double>& value);
  void read(const present::Option& option, const py::object& given, present::Values& value);
  void read(const present::Option& option, const py::object& given,
            std::map<std::string, std::string>& value);
  void read(const present::Option& option, const py::object& given, present::GivenPoints& value);
  static void read(const present::Option& option, const py::object& given,
                   present::GivenTables& value);
  static void check_bounds(const present::Option& option, double value, const py::object& given);

  py::dict values_;
  std::size_t states_;
  std::vector<present::Option> told_;
  std::vector<std::string> given_;
};

}  // namespace divker::python
