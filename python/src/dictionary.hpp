// Fields as a dictionary: numbers in a row are NumPy's arrays.
#pragma once

#include "arrays.hpp"
#include "present/fields.hpp"

namespace divker::python {

namespace fields = present::fields;

[[nodiscard]] py::dict to_dict(const present::Fields& fields);

}  // namespace divker::python
