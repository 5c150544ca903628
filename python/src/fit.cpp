// Fits: tables of measurements in, estimates with standard errors out.
#include <pybind11/stl.h>

#include <limits>
#include <map>
#include <string>
#include <utility>

#include "module.hpp"
#include "present/fitting.hpp"
#include "present/tables.hpp"
#include "work.hpp"

namespace divker::python {
namespace {

// The texts of each column that holds some, by its place: (cells, what to say where numbers are
// needed).
using Texts = std::map<std::size_t, std::pair<std::vector<std::string>, std::string>>;

// (source, columns, values, texts, time or None) for each table; columns of None: a file.
std::vector<DataTable> take_tables(Arguments& arguments) {
  std::vector<DataTable> tables;
  const py::object given = arguments.pop("tables");
  for (const py::handle& item : given) {
    const auto table = py::cast<py::tuple>(item);
    const auto source = py::cast<std::string>(table[0]);
    const auto time = py::cast<std::optional<double>>(table[4]);
    if (table[1].is_none()) {
      tables.push_back(present::data_in(source, time));
      continue;
    }
    DataTable one{source, py::cast<std::vector<std::string>>(table[1]), to_matrix(table[2], source),
                  time};
    for (auto& [column, text] : py::cast<Texts>(table[3])) {
      one.texts[column] = {std::move(text.first), std::move(text.second)};
    }
    tables.push_back(std::move(one));
  }
  return tables;
}

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
  const std::vector<DataTable> tables = take_tables(arguments);
  present::FitRequest request;
  arguments.take("stationary", request.columns.stationary);
  arguments.fill(request);
  arguments.require_empty();
  const Session session = work.session();
  const auto told = [&](const FitState& state) {
    warn_of_far_data(state);
    if (session.progress) session.progress(state.history.size() - 1, request.options.iterations);
  };
  const auto fitting = work([&] { return present::fit(request, model, tables, session, told); });
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
