#include "arguments.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <pybind11/stl.h>

#include <algorithm>
#include <cmath>
#include <variant>

#include "divker/error.hpp"
#include "present/fitting.hpp"

namespace divker::python {
namespace {

bool is_path(const py::object& value) { return py::hasattr(value, "__fspath__"); }

}  // namespace

py::object Arguments::pop(const char* name) {
  if (!values_.contains(name)) return {};
  return values_.attr("pop")(name);
}

void Arguments::take(const present::Option& option, present::OptionValue value) {
  told_.push_back(option);
  if (const py::object given = pop(option.name.c_str()); is_asked(given)) {
    given_.push_back(option.name);
    std::visit([&](auto* to) { read(option, given, *to); }, value);
  }
}

bool Arguments::is_asked(const py::object& value) {
  return value && !value.is_none() && !value.is(py::bool_(false));
}

bool Arguments::has(const std::string& name) const {
  return std::ranges::find(given_, name) != given_.end();
}

void Arguments::relate() const {
  for (const present::Option& option : told_) {
    if (!has(option.name)) continue;
    if (!option.needs.empty() && !has(option.needs)) {
      throw Error(ErrorKind::usage, fmt::format("{} needs {}.", option.name, option.needs));
    }
    for (const std::string& other : option.excludes) {
      if (!has(other)) continue;
      throw Error(ErrorKind::usage, fmt::format("{} excludes {}.", option.name, other));
    }
  }
}

void Arguments::require_empty() const {
  for (const auto& [name, value] : values_) {
    if (!is_asked(py::reinterpret_borrow<py::object>(value))) continue;
    throw Error(ErrorKind::usage,
                fmt::format("{} does not apply here: it belongs to another kind of answer.",
                            std::string(py::str(name))));
  }
}

void Arguments::refuse(const present::Option& option, const py::object& given,
                       const std::string& expected) {
  throw Error(ErrorKind::usage, fmt::format("{}: {} is not {}.", option.name,
                                            std::string(py::repr(given)), expected));
}

void Arguments::check_bounds(const present::Option& option, double value, const py::object& given) {
  if (!option.choices.empty()) {
    const std::string text = fmt::format("{}", value);
    if (std::ranges::find(option.choices, text) != option.choices.end()) return;
    throw Error(ErrorKind::usage, fmt::format("{}: {} is none of: {}.", option.name, text,
                                              fmt::join(option.choices, ", ")));
  }
  if (!std::isfinite(value)) refuse(option, given, "a finite number");
  if (option.has_most() && !(value >= option.least && value <= option.most)) {
    refuse(option, given, fmt::format("between {} and {}", option.least, option.most));
  }
  if (option.has_least() && value < option.least) {
    refuse(option, given, fmt::format("{} or more", option.least));
  }
  if (option.positive && value <= 0.0) refuse(option, given, "positive");
}

void Arguments::read(const present::Option& option, const py::object& given, bool& value) {
  try {
    value = py::cast<bool>(given);
  } catch (const py::cast_error&) {
    refuse(option, given, "True or False");
  }
}

// A number is taken for its text: alpha=5.
void Arguments::read(const present::Option& option, const py::object& given, std::string& value) {
  if (is_path(given)) {
    value = py::cast<std::string>(py::str(given.attr("__fspath__")()));
  } else if (py::isinstance<py::str>(given) || PyNumber_Check(given.ptr()) != 0) {
    value = py::str(given);
  } else {
    refuse(option, given, "a text");
  }
  if (option.choices.empty()) return;
  if (std::ranges::find(option.choices, value) != option.choices.end()) return;
  throw Error(ErrorKind::usage, fmt::format("{}: '{}' is none of: {}.", option.name, value,
                                            fmt::join(option.choices, ", ")));
}

void Arguments::read(const present::Option& option, const py::object& given,
                     std::vector<std::string>& value) {
  if (py::isinstance<py::str>(given)) {
    value = {py::cast<std::string>(given)};
    return;
  }
  try {
    value = py::cast<std::vector<std::string>>(py::list(given));
  } catch (const std::exception&) {
    refuse(option, given, "a list of names");
  }
}

void Arguments::read(const present::Option& option, const py::object& given,
                     std::vector<double>& value) {
  try {
    value = py::cast<std::vector<double>>(py::list(given));
  } catch (const std::exception&) {
    refuse(option, given, "a list of numbers");
  }
}

void Arguments::read(const present::Option& option, const py::object& given,
                     present::Values& value) {
  try {
    for (const auto& [name, number] : py::dict(given)) {
      value.emplace_back(py::cast<std::string>(name), py::cast<double>(number));
    }
  } catch (const std::exception&) {
    refuse(option, given, "a dictionary of numbers");
  }
}

void Arguments::read(const present::Option& option, const py::object& given,
                     std::map<std::string, std::string>& value) {
  try {
    value = py::cast<std::map<std::string, std::string>>(py::dict(given));
  } catch (const std::exception&) {
    refuse(option, given, "a dictionary of names");
  }
}

void Arguments::read(const present::Option& option, const py::object& given,
                     present::GivenPoints& value) {
  if (py::isinstance<py::str>(given) || is_path(given)) {
    read(option, given, value.file);
  } else {
    value.rows = to_matrix(given, states_, option.name);
  }
}

// (source, columns, values, texts, time or None) for each table; columns of None: a file. The texts
// of each column that holds some, by its place: (cells, what to say where numbers are needed).
void Arguments::read(const present::Option&, const py::object& given, present::GivenTables& value) {
  using Texts = std::map<std::size_t, std::pair<std::vector<std::string>, std::string>>;
  for (const py::handle& item : given) {
    const auto table = py::cast<py::tuple>(item);
    const auto source = py::cast<std::string>(table[0]);
    const auto time = py::cast<std::optional<double>>(table[4]);
    if (table[1].is_none()) {
      value.tables.push_back(present::data_in(source, time));
      continue;
    }
    DataTable one{source, py::cast<std::vector<std::string>>(table[1]), to_matrix(table[2], source),
                  time};
    for (auto& [column, text] : py::cast<Texts>(table[3])) {
      one.texts[column] = {std::move(text.first), std::move(text.second)};
    }
    value.tables.push_back(std::move(one));
  }
}

}  // namespace divker::python
