// Errors of the library as the exceptions of divker.errors.
#include "divker/error.hpp"
#include "divker/language.hpp"
#include "module.hpp"

namespace divker::python {
namespace {

namespace py = pybind11;

const char* class_of(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::usage:
      return "UsageError";
    case ErrorKind::model:
      return "ModelError";
    case ErrorKind::numerical:
      return "NumericalError";
  }
  return "Error";
}

void raise(const char* name, const char* sentence, const LanguageError* place = nullptr) {
  const py::object type = py::module_::import("divker.errors").attr(name);
  const py::object error = type(sentence);
  if (place != nullptr) {
    error.attr("file") = place->file();
    error.attr("line") = place->line();
    error.attr("column") = place->column();
  }
  PyErr_SetObject(type.ptr(), error.ptr());
}

}  // namespace

void warn(const std::vector<std::string>& sentences) {
  if (sentences.empty()) return;
  const py::object tell = py::module_::import("warnings").attr("warn");
  const py::object kind = py::module_::import("divker.errors").attr("DivkerWarning");
  for (const std::string& sentence : sentences) tell(sentence, kind);
}

void add_errors(py::module_& module) {
  (void)module;
  py::register_exception_translator([](std::exception_ptr thrown) {  // NOLINT: as it is declared
    try {
      if (thrown) std::rethrow_exception(thrown);
    } catch (const LanguageError& error) {
      raise("LanguageError", error.what(), &error);
    } catch (const Error& error) {
      raise(class_of(error.kind()), error.what());
    }
  });
}

}  // namespace divker::python
