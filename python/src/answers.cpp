// Simulation, scores, responses, diagnoses and conditional expectations. Every function returns the
// model as it ran, a dictionary with the keys of the command's JSON, its arrays as NumPy's, and
// what a file holds.
#include <pybind11/stl.h>

#include <memory>
#include <utility>

#include "divker/error.hpp"
#include "divker/step.hpp"
#include "divker/study.hpp"
#include "module.hpp"
#include "present/question.hpp"
#include "present/questions/likelihoods.hpp"
#include "present/questions/simulate.hpp"
#include "present/tables.hpp"
#include "work.hpp"

namespace divker::python {
namespace {

py::tuple told(const present::Reply& reply) {
  py::dict file = file_of(reply.model, reply.record, reply.how_made, reply.table);
  file["picture"] = to_dict(reply.picture);
  return py::make_tuple(reply.model, to_dict(present::fields_of(reply)), file);
}

py::tuple answer(const present::Question& question, const Model& model, const py::dict& values) {
  Arguments arguments(values, model);
  Work work(arguments);
  const std::unique_ptr<present::Request> request = question.ask();
  arguments.fill(*request);
  arguments.require_empty();
  return told(work([&] { return request->reply(model, work.session()); }));
}

// All paths, with the arrays of each snapshot that are named.
py::tuple paths_of(Study& study, Work& work, const std::vector<std::string_view>& names) {
  Paths paths = work([&study] { return study.run(); });
  py::list snapshots;
  for (Snapshot& snapshot : paths.snapshots) {
    py::list arrays;
    arrays.append(snapshot.time);
    for (const std::string_view name : names) {
      arrays.append(adopt(name == functional_array   ? snapshot.functionals()
                          : snapshot[name].cols == 0 ? Matrix()
                                                     : std::move(snapshot.table(name))));
    }
    snapshots.append(py::tuple(arrays));
  }
  present::Fields how_made;
  fields::method(how_made, study.record());
  present::Fields all = how_made;
  fields::run(all, study.model(), study.record());
  py::dict values = to_dict(all);
  values["arrays"] = snapshots;
  return py::make_tuple(study.model(), values, file_of(study.model(), study.record(), how_made));
}

// The columns of all paths: states and functionals side by side, or measurements.
py::tuple rows_of_paths(const present::SimulateRequest& request, const Model& model, Work& work) {
  std::unique_ptr<Study> study;
  std::vector<Matrix> rows;
  std::vector<double> times;
  std::vector<std::string> names;
  work([&] {
    const present::Simulated simulated(request, model);
    study = std::make_unique<Study>(simulated.study(request, work.session()));
    Paths paths = study->run();
    const PathGroup all{0, std::move(paths.numbers), std::move(paths.snapshots)};
    for (std::size_t k = 0; k < all.snapshots.size(); ++k) {
      times.push_back(all.snapshots[k].time);
      rows.push_back(simulated.rows(all, k));
    }
    names = simulated.names();
    return true;
  });
  py::list snapshots;
  for (std::size_t k = 0; k < rows.size(); ++k) {
    snapshots.append(py::make_tuple(times[k], adopt(std::move(rows[k]))));
  }
  present::Fields how_made;
  fields::method(how_made, study->record());
  present::Fields all = how_made;
  fields::run(all, model, study->record());
  py::dict values = to_dict(all);
  values["arrays"] = snapshots;
  values["names"] = names;
  return py::make_tuple(model, values, file_of(model, study->record(), how_made));
}

py::tuple simulate(const Model& model, const py::dict& values) {
  bool keep = true;
  Arguments arguments(values, model);
  arguments.take("keep", keep);
  Work work(arguments);
  present::SimulateRequest request;
  arguments.fill(request);
  arguments.require_empty();
  if (!keep) return told(work([&] { return reply_to(request, model, work.session()); }));
  if (!request.checkpoint.empty()) {
    throw Error(ErrorKind::usage,
                "checkpoint is for keep=False: the paths themselves are kept in memory alone.");
  }
  if (!request.bands.empty() || !request.data.tables.empty() || !request.data.files.empty()) {
    throw Error(ErrorKind::usage, "bands and data are for keep=False: paths come without them.");
  }
  return rows_of_paths(request, model, work);
}

// Several models, in their order, with names.
py::tuple compare(const py::list& models, const py::dict& values) {
  std::vector<present::NamedModel> named;
  for (const py::handle& one : models) {
    const auto pair = one.cast<py::tuple>();
    named.push_back({pair[0].cast<std::string>(), pair[1].cast<Model>()});
  }
  if (named.empty()) throw Error(ErrorKind::usage, "A comparison is of two models at least.");
  Arguments arguments(values, named.front().model);
  Work work(arguments);
  present::CompareRequest request;
  arguments.fill(request);
  arguments.require_empty();
  return told(work([&] { return present::compared(request, named, work.session()); }));
}

// x, nu and I of every path, as they are: what the answers are estimated from.
py::tuple ensemble(const Model& model, const py::dict& values) {
  Arguments arguments(values, model);
  Work work(arguments);
  Asked asked;
  std::vector<std::string> wrt;
  std::vector<double> times;
  arguments.take("score", asked.score);
  arguments.take("wrt", wrt);
  arguments.take("times", times);
  present::DampedRequest request;
  arguments.fill(request);
  arguments.require_empty();
  if (!wrt.empty()) asked.wrt = parameters_of(wrt, model, request.voice);
  Sampling sampling = sampling_of(request);
  sampling.snapshots = times;
  const auto study = work([&] {
    return std::make_unique<Study>(model, method_of(request), asked, sampling,
                                   session_of(request, work.session()));
  });
  return paths_of(*study, work, {state_array, covector_array, response_array});
}

// A regressor that has seen its samples.
std::shared_ptr<Regressor> fitted_regressor(const std::string& name, const py::object& x,
                                            const py::object& y) {
  RegressorOptions options;
  options.threads = 0;
  const Matrix points = to_matrix(x, "x");
  const Matrix values = to_matrix(y, "y");
  const std::string chosen = name.empty() ? default_regressor(points.cols, points.rows) : name;
  const py::gil_scoped_release unlocked;
  std::shared_ptr<Regressor> regressor = make_regressor(chosen, options);
  regressor->fit(points, values);
  return regressor;
}

py::array evaluate_regressor(const Regressor& regressor, const py::object& points) {
  const Matrix where = to_matrix(points, "points");
  Matrix values;
  {
    const py::gil_scoped_release unlocked;
    values = regressor.evaluate(where);
  }
  return adopt(std::move(values));
}

py::tuple predict(const Regressor& regressor, const py::object& points) {
  const Matrix where = to_matrix(points, "points");
  Prediction prediction;
  {
    const py::gil_scoped_release unlocked;
    prediction = regressor.predict(where);
  }
  return py::make_tuple(adopt(std::move(prediction.value)),
                        adopt(std::move(prediction.standard_error)));
}

}  // namespace

py::dict file_of(const Model& model, const RunRecord& record, const present::Fields& how_made,
                 std::optional<Table> table) {
  py::dict file;
  file["attributes"] = present::attributes_of(model, record);
  file["record"] = to_dict(how_made);
  if (table) {
    file["columns"] = table->columns;
    file["rows"] = adopt(std::move(table->values));
  }
  return file;
}

void add_answers(py::module_& module) {
  module.def("simulate", &simulate);
  for (const present::Question& question : present::questions()) {
    module.def(question.name.c_str(), [question](const Model& model, const py::dict& values) {
      return answer(question, model, values);
    });
  }
  module.def("compare", &compare);
  module.def("ensemble", &ensemble);
  module.def("seconds_in_library", [] { return seconds_in_library; });
  py::class_<Regressor, std::shared_ptr<Regressor>>(module, "Regressor")
      .def(py::init(&fitted_regressor))
      .def("evaluate", &evaluate_regressor)
      .def("predict", &predict);
}

}  // namespace divker::python
