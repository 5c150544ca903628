#include "arrays.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "divker/error.hpp"

namespace divker::python {
namespace {

using Numbers = py::array_t<double, py::array::c_style | py::array::forcecast>;

Numbers numbers_of(const py::handle& values, const std::string& argument) {
  Numbers numbers = Numbers::ensure(values);
  if (!numbers) {
    PyErr_Clear();
    throw Error(ErrorKind::usage,
                fmt::format("{}: expected an array of numbers, not {}.", argument,
                            std::string(py::str(py::type::handle_of(values).attr("__name__")))));
  }
  if (numbers.ndim() < 1 || numbers.ndim() > 2) {
    throw Error(ErrorKind::usage,
                fmt::format("{}: expected an array of one or two dimensions, not of {}.", argument,
                            numbers.ndim()));
  }
  return numbers;
}

Matrix filled(const Numbers& numbers, std::size_t rows, std::size_t columns) {
  Matrix matrix;
  matrix.rows = rows;
  matrix.cols = columns;
  matrix.data.assign(numbers.data(), numbers.data() + numbers.size());
  return matrix;
}

}  // namespace

py::array adopt(std::vector<double> values, std::vector<py::ssize_t> shape) {
  auto owned = std::make_unique<std::vector<double>>(std::move(values));
  double* const first = owned->data();
  const py::capsule owner(owned.get(),
                          [](void* held) { delete static_cast<std::vector<double>*>(held); });
  (void)owned.release();  // NOLINT(bugprone-unused-return-value): the capsule deletes it
  return py::array_t<double>(std::move(shape), first, owner);
}

py::array adopt(std::vector<double> values) {
  const auto size = static_cast<py::ssize_t>(values.size());
  return adopt(std::move(values), {size});
}

py::array adopt(Matrix matrix) {
  return adopt(std::move(matrix.data),
               {static_cast<py::ssize_t>(matrix.rows), static_cast<py::ssize_t>(matrix.cols)});
}

py::array to_array(const std::vector<bool>& values) {
  py::array_t<bool> array(static_cast<py::ssize_t>(values.size()));
  std::copy(values.begin(), values.end(), array.mutable_data());
  return array;
}

Matrix to_matrix(const py::handle& values, std::size_t columns, const std::string& argument) {
  const Numbers numbers = numbers_of(values, argument);
  const auto size = static_cast<std::size_t>(numbers.size());
  if (numbers.ndim() == 1 && columns == 1) return filled(numbers, size, 1);
  if (numbers.ndim() == 1 && size == columns) return filled(numbers, 1, columns);
  if (numbers.ndim() == 2 && static_cast<std::size_t>(numbers.shape(1)) == columns) {
    return filled(numbers, static_cast<std::size_t>(numbers.shape(0)), columns);
  }
  const std::string shape = numbers.ndim() == 1
                                ? fmt::format("({},)", size)
                                : fmt::format("({}, {})", numbers.shape(0), numbers.shape(1));
  throw Error(ErrorKind::usage,
              fmt::format("{}: the array has the shape {}, but needs {} column{}, one for each "
                          "state.",
                          argument, shape, columns, columns == 1 ? "" : "s"));
}

Matrix to_matrix(const py::handle& values, const std::string& argument) {
  const Numbers numbers = numbers_of(values, argument);
  if (numbers.ndim() == 1) return filled(numbers, static_cast<std::size_t>(numbers.size()), 1);
  return filled(numbers, static_cast<std::size_t>(numbers.shape(0)),
                static_cast<std::size_t>(numbers.shape(1)));
}

std::vector<double> to_list(const py::handle& values, const std::string& argument) {
  const Numbers numbers = numbers_of(values, argument);
  if (numbers.ndim() == 1) return {numbers.data(), numbers.data() + numbers.size()};
  throw Error(ErrorKind::usage,
              fmt::format("{}: the array has the shape ({}, {}), but one dimension was expected.",
                          argument, numbers.shape(0), numbers.shape(1)));
}

}  // namespace divker::python
