// divker._core: the library as the Python package sees it. Arrays move, keys are those of the
// command's JSON, and everything that a user reads is in the package.
#include "module.hpp"

PYBIND11_MODULE(_core, module) {
  module.doc() = "The compiled part of divker; use the package.";
  module.attr("version") = DIVKER_VERSION;
  divker::python::add_errors(module);
  divker::python::add_model(module);
  divker::python::add_builder(module);
  divker::python::add_answers(module);
  divker::python::add_fit(module);
  divker::python::add_fields(module);
}
