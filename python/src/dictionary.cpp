#include "dictionary.hpp"

#include <pybind11/stl.h>

#include <memory>
#include <variant>
#include <vector>

namespace divker::python {
namespace {

using present::Fields;

struct Convert {
  template <class Value>
  py::object operator()(const Value& value) const {
    return py::cast(value);
  }
  py::object operator()(const std::vector<double>& numbers) const { return adopt(numbers); }
  py::object operator()(const Matrix& matrix) const { return adopt(matrix); }
  py::object operator()(const std::vector<bool>& flags) const { return to_array(flags); }
  py::object operator()(const std::shared_ptr<const Fields>& fields) const {
    return to_dict(*fields);
  }
  py::object operator()(const std::vector<Fields>& rows) const {
    py::list all;
    for (const Fields& row : rows) all.append(to_dict(row));
    return all;
  }
};

}  // namespace

py::dict to_dict(const Fields& fields) {
  py::dict values;
  for (const auto& [key, value] : fields.all()) {
    values[py::str(key)] = std::visit(Convert{}, value);
  }
  return values;
}

}  // namespace divker::python
