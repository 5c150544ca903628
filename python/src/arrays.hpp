// Numbers between C++ and NumPy.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <string>
#include <vector>

#include "divker/matrix.hpp"

namespace divker::python {

namespace py = pybind11;

// The vector's memory as an array, without a copy: a capsule owns it from now on.
[[nodiscard]] py::array adopt(std::vector<double> values, std::vector<py::ssize_t> shape);
[[nodiscard]] py::array adopt(std::vector<double> values);
[[nodiscard]] py::array adopt(Matrix matrix);  // rows x cols
[[nodiscard]] py::array to_array(const std::vector<bool>& values);

// Anything that NumPy takes for an array of numbers, copied: rows x columns, where a list of
// numbers is one column if one is expected, else one row. Error(usage) naming the argument for
// another shape.
[[nodiscard]] Matrix to_matrix(const py::handle& values, std::size_t columns,
                               const std::string& argument);
// The same with any number of columns; a list of numbers is one column.
[[nodiscard]] Matrix to_matrix(const py::handle& values, const std::string& argument);

// The numbers of a list; Error(usage) naming the argument for a table.
[[nodiscard]] std::vector<double> to_list(const py::handle& values, const std::string& argument);

}  // namespace divker::python
