// The parts of the extension module, one file each.
#pragma once

#include <pybind11/pybind11.h>

#include <string>
#include <vector>

namespace divker::python {

void add_errors(pybind11::module_& module);
void add_model(pybind11::module_& module);
void add_builder(pybind11::module_& module);
void add_answers(pybind11::module_& module);
void add_fit(pybind11::module_& module);
void add_fields(pybind11::module_& module);

// Warnings of the class DivkerWarning. Needs the interpreter's lock; throws what a filter that
// makes them errors raises.
void warn(const std::vector<std::string>& sentences);

}  // namespace divker::python
