// The Object of present/fields.hpp that is a dictionary: numbers in a row are NumPy's arrays.
#pragma once

#include <pybind11/stl.h>

#include <string>
#include <utility>
#include <vector>

#include "arrays.hpp"
#include "present/fields.hpp"

namespace divker::python {

namespace fields = present::fields;

struct Dictionary {
  py::dict values;

  template <class Value>
  void set(const std::string& key, const Value& value) {
    values[py::str(key)] = value;
  }
  void set(const std::string& key, std::vector<double> numbers) {
    values[py::str(key)] = adopt(std::move(numbers));
  }
  void set(const std::string& key, Matrix matrix) {
    values[py::str(key)] = adopt(std::move(matrix));
  }
  void set(const std::string& key, const std::vector<bool>& flags) {
    values[py::str(key)] = to_array(flags);
  }

  template <class Row, class Fill>
  void list(const std::string& key, const std::vector<Row>& rows, const Fill& fill) {
    py::list all;
    for (const Row& row : rows) {
      Dictionary one;
      fill(one, row);
      all.append(one.values);
    }
    values[py::str(key)] = all;
  }

  template <class Fill>
  void object(const std::string& key, const Fill& fill) {
    Dictionary one;
    fill(one);
    values[py::str(key)] = one.values;
  }
};

}  // namespace divker::python
