// Models: loading, values, samples; tables in files.
#include "divker/model.hpp"

#include <pybind11/stl.h>

#include "arrays.hpp"
#include "divker/file.hpp"
#include "divker/kernel.hpp"
#include "divker/language.hpp"
#include "divker/table.hpp"
#include "loading.hpp"
#include "module.hpp"
#include "operations.hpp"

namespace divker::python {
namespace {

using app::LoadedModel;

LoadedModel load(const std::string& file_or_name) {
  Model model = load_model(file_or_name);
  auto samples = app::read_samples(model, std::filesystem::path(file_or_name).parent_path());
  return {std::move(model), std::move(samples)};
}

LoadedModel parse(const std::string& text, const std::string& source) {
  Model model = parse_model(text, source);
  auto samples = app::read_samples(model, {});
  return {std::move(model), std::move(samples)};
}

// Samples are given as an array: the text alone would look for a file.
LoadedModel parse_with_samples(const std::string& text, const py::object& rows) {
  Model model = parse_model(text);
  auto samples = std::make_shared<Matrix>(to_matrix(rows, model.dimension(), "samples"));
  return {std::move(model), std::move(samples)};
}

LoadedModel starting_from(const LoadedModel& loaded, const py::object& rows) {
  auto samples = std::make_shared<Matrix>(to_matrix(rows, loaded.model.dimension(), "samples"));
  return {loaded.model.starting_from_samples("samples.npy"), std::move(samples)};
}

py::object samples_of(const LoadedModel& loaded) {
  if (!loaded.samples) return py::none();
  return adopt(Matrix(*loaded.samples));
}

py::list parameters_of(const LoadedModel& loaded) {
  py::list list;
  for (const Parameter& parameter : loaded.model.parameters()) {
    list.append(py::make_tuple(parameter.name, parameter.value, parameter.lower, parameter.upper,
                               parameter.fixed));
  }
  return list;
}

std::vector<std::string> states_of(const LoadedModel& loaded) {
  std::vector<std::string> names;
  for (const State& state : loaded.model.states()) names.push_back(state.name);
  return names;
}

py::dict show(const LoadedModel& loaded) {
  Dictionary about;
  fields::show(about, loaded.model, app::count_operations(loaded.model));
  return about.values;
}

void write(const std::string& file, const std::vector<std::string>& columns,
           const py::object& values, const Attributes& attributes) {
  const Table table{columns, to_matrix(values, columns.size(), "values")};
  const py::gil_scoped_release unlocked;
  write_table(file, table, attributes);
}

py::tuple read(const std::string& file) {
  Table table = read_table(file);
  return py::make_tuple(table.columns, adopt(std::move(table.values)));
}

// The columns of a file that are named as the states, as the command's --at.
py::array read_columns(const std::string& file, const std::vector<std::string>& names) {
  return adopt(select_columns(read_table(file), names, file));
}

}  // namespace

void add_model(py::module_& module) {
  py::class_<LoadedModel>(module, "Model")
      .def_property_readonly("name", [](const LoadedModel& m) { return m.model.name(); })
      .def_property_readonly("text", [](const LoadedModel& m) { return m.model.text(); })
      .def_property_readonly("hash", [](const LoadedModel& m) { return m.model.hash(); })
      .def_property_readonly(
          "is_map", [](const LoadedModel& m) { return m.model.dynamics() == Dynamics::map; })
      .def_property_readonly("states", &states_of)
      .def_property_readonly("parameters", &parameters_of)
      .def_property_readonly("time_grid",
                             [](const LoadedModel& m) {
                               const TimeGrid& grid = m.model.time();
                               return py::make_tuple(grid.start, grid.step, grid.end);
                             })
      .def_property_readonly("samples", &samples_of)
      .def("with_values",
           [](const LoadedModel& m, const std::vector<std::pair<std::string, double>>& values) {
             return LoadedModel{app::with_values(m.model, values), m.samples};
           })
      .def("starting_from", &starting_from)
      .def("show", &show);
  module.def("load_model", &load);
  module.def("parse_model", &parse);
  module.def("parse_model_with_samples", &parse_with_samples);
  module.def("shipped_models", [] {
    py::list list;
    for (const ShippedModel& model : shipped_models()) {
      list.append(py::make_tuple(model.name, model.path, model.summary));
    }
    return list;
  });
  module.def("write_table", &write);
  module.def("read_table", &read);
  module.def("read_columns", &read_columns);
  module.def("write_text", [](const std::string& file, const std::string& text) {
    write_whole_file(file, text);
  });
}

}  // namespace divker::python
