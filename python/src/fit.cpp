// Fits: tables of measurements in, estimates with standard errors out.
#include <pybind11/stl.h>

#include <limits>
#include <string>
#include <utility>

#include "module.hpp"
#include "present/fitting.hpp"
#include "present/tables.hpp"
#include "work.hpp"

namespace divker::python {
namespace {

// Once the law at the start is known. What a filter of warnings makes an error cannot end the fit.
void warn_of_far_data(const FitState& state) {
  if (state.history.size() != 1) return;
  const py::gil_scoped_acquire locked;
  try {
    warn(state.far);
  } catch (py::error_already_set& error) {
    error.discard_as_unraisable("a warning of divker.fit");
  }
}

// (the fitted model, the keys of the command's JSON, what a file holds, marginals, the text)
py::tuple fit_model(const Model& model, const py::dict& values) {
  Arguments arguments(values, model);
  Work work(arguments);
  present::GivenTables data;
  arguments.take("tables", data);
  present::FitRequest request;
  arguments.take("stationary", request.columns.stationary);
  arguments.fill(request);
  arguments.require_empty();
  const Session session = work.session();
  const auto told = [&](const FitState& state) {
    warn_of_far_data(state);
    if (session.progress) session.progress(state.history.size() - 1, request.options.iterations);
  };
  const auto fitting =
      work([&] { return present::fit(request, model, data.tables, session, told); });
  const FitResult& result = fitting.result.value();
  present::Fields about, how_made, compared;
  fields::fitted(about, result);
  fields::method(how_made, result.record);
  fields::marginals(compared, result, std::numeric_limits<std::size_t>::max());
  return py::make_tuple(
      result.model, to_dict(about),
      file_of(result.model, result.record, how_made, present::history_table(result)),
      to_dict(compared)["marginals"], fitted_text(result));
}

}  // namespace

void add_fit(py::module_& module) { module.def("fit", &fit_model); }

}  // namespace divker::python
