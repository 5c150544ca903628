// Models: loading, values, samples; tables in files.
#include "divker/model.hpp"

#include <pybind11/stl.h>
#include <pybind11/stl/filesystem.h>

#include "arrays.hpp"
#include "dictionary.hpp"
#include "divker/error.hpp"
#include "divker/file.hpp"
#include "divker/kernel.hpp"
#include "divker/language.hpp"
#include "divker/table.hpp"
#include "module.hpp"
#include "present/loading.hpp"

namespace divker::python {
namespace {

Model load(const std::string& file_or_name) {
  std::vector<std::string> remarks;
  Model model = present::load_with_files(file_or_name, remarks);
  warn(remarks);
  return model;
}

Model parse(const std::string& text, const std::string& source) {
  std::vector<std::string> remarks;
  Model model = present::with_files_read(parse_model(text, source), {}, remarks);
  warn(remarks);
  return model;
}

Model with_samples(const Model& model, const py::object& rows) {
  return model.with_samples(
      std::make_shared<Matrix>(to_matrix(rows, model.dimension(), "samples")));
}

// A pair of arrays, times and values, for every input in their order.
Model with_inputs(const Model& model, const py::list& arrays) {
  std::vector<std::shared_ptr<const Knots>> knots;
  for (const py::handle& one : arrays) {
    const auto pair = one.cast<py::tuple>();
    knots.push_back(
        std::make_shared<const Knots>(to_list(pair[0], "t"), to_list(pair[1], "values")));
  }
  return model.with_inputs(knots);
}

py::list inputs_of(const Model& model) {
  py::list list;
  for (const Input& input : model.inputs()) {
    list.append(py::make_tuple(input.name, adopt(std::vector<double>(input.knots->times())),
                               adopt(std::vector<double>(input.knots->values()))));
  }
  return list;
}

// What files would hold is given as arrays: the text alone would look for them.
Model parse_with_inputs(const std::string& text, const py::list& arrays) {
  return with_inputs(parse_model(text), arrays);
}

Model starting_from(const Model& model, const py::object& rows) {
  return with_samples(model.starting_from_samples("samples.npy"), rows);
}

py::object samples_of(const Model& model) {
  if (!model.samples()) return py::none();
  return adopt(Matrix(*model.samples()));
}

py::list parameters_of(const Model& model) {
  py::list list;
  for (const Parameter& parameter : model.parameters()) {
    list.append(py::make_tuple(parameter.name, parameter.value, parameter.lower, parameter.upper,
                               parameter.fixed));
  }
  return list;
}

// Name, number of the first component, and the shape of the array.
py::list parameter_arrays_of(const Model& model) {
  py::list list;
  for (const Family& family : model.parameter_families()) {
    std::vector<std::size_t> shape;
    if (family.columns > 0) shape = {family.size / family.columns, family.columns};
    if (family.is_vector && family.columns == 0) shape = {family.size};
    list.append(py::make_tuple(family.name, family.first, shape));
  }
  return list;
}

// The text of this one is whole without files of weights.
Model with_inline_weights(Model model) {
  for (std::size_t n = 0; n < model.networks().size(); ++n) {
    model = model.with_weights(n, model.weights(n), "");
  }
  return model;
}

std::vector<std::string> states_of(const Model& model) {
  std::vector<std::string> names;
  for (const State& state : model.states()) names.push_back(state.name);
  return names;
}

py::dict show(const Model& model) {
  present::Fields about;
  fields::show(about, model, present::count_operations(model));
  return to_dict(about);
}

void write(const std::string& file, const std::vector<std::string>& columns,
           const py::object& values, const Attributes& attributes) {
  const Table table{columns, to_matrix(values, columns.size(), "values")};
  const py::gil_scoped_release unlocked;
  write_table(file, table, attributes);
}

}  // namespace

void add_model(py::module_& module) {
  py::class_<Model>(module, "Model")
      .def_property_readonly("name", [](const Model& m) { return m.name(); })
      .def_property_readonly("text", [](const Model& m) { return m.text(); })
      .def_property_readonly("hash", [](const Model& m) { return m.hash(); })
      .def_property_readonly("is_map", [](const Model& m) { return m.dynamics() == Dynamics::map; })
      .def_property_readonly("states", &states_of)
      .def_property_readonly("functionals",
                             [](const Model& model) {
                               std::vector<std::string> names;
                               for (const PathFunctional& one : model.functionals()) {
                                 names.push_back(one.name);
                               }
                               return names;
                             })
      .def_property_readonly("parameters", &parameters_of)
      .def("with_inline_weights", &with_inline_weights)
      .def("with_weights_written", &present::with_weights_written)
      .def_property_readonly("parameter_arrays", &parameter_arrays_of)
      .def_property_readonly("time_grid",
                             [](const Model& m) {
                               const TimeGrid& grid = m.time();
                               return py::make_tuple(grid.start, grid.step, grid.end);
                             })
      .def_property_readonly("samples", &samples_of)
      .def("with_values",
           [](const Model& m, const std::vector<std::pair<std::string, double>>& values) {
             return present::with_values(m, values);
           })
      .def("with_fixed", &present::with_fixed)
      .def("with_settings",
           [](const Model& m, const present::Settings& settings) {
             return present::with_settings(m, settings, present::Voice::python);
           })
      .def_property_readonly("labels",
                             [](const Model& m) {
                               py::dict all;
                               for (const auto& [name, label] : m.labels()) {
                                 all[py::str(name)] = py::make_tuple(label.words, label.unit);
                               }
                               return all;
                             })
      .def("title_of", &Model::title_of)
      .def_property_readonly("errors",
                             [](const Model& m) {
                               py::dict all;
                               for (const EstimateError& one : m.errors()) {
                                 all[py::str(m.parameters()[one.parameter].name)] =
                                     one.standard_error;
                               }
                               return all;
                             })
      .def_property_readonly("inputs", &inputs_of)
      .def("with_inputs", &with_inputs)
      .def("with_samples", &with_samples)
      .def("starting_from", &starting_from)
      .def("show", &show)
      .def("latex", &latex)
      .def("mathml", &mathml);
  module.def("load_model", &load);
  module.def("parse_model", &parse);
  module.def("parse_model_with_inputs", &parse_with_inputs);
  module.def("shipped_models", [] {
    py::list list;
    for (const ShippedModel& model : shipped_models()) {
      list.append(py::make_tuple(model.name, model.path, model.summary));
    }
    return list;
  });
  module.def("write_table", &write);
  module.def("write_text", [](const std::string& file, const std::string& text) {
    write_whole_file(file, text);
  });
}

}  // namespace divker::python
