// Simulation, scores, responses, diagnoses and conditional expectations. Every function returns a
// dictionary with the keys of the command's JSON, its arrays as NumPy's.
#include <fmt/format.h>
#include <pybind11/stl.h>

#include <algorithm>
#include <cmath>

#include "divker/answer.hpp"
#include "divker/baseline.hpp"
#include "divker/density_change.hpp"
#include "divker/diagnose.hpp"
#include "divker/error.hpp"
#include "divker/exact_density.hpp"
#include "divker/language.hpp"
#include "divker/stationary.hpp"
#include "module.hpp"
#include "settings.hpp"

namespace divker::python {
namespace {

// The parameters of `wrt`: all that are not fixed where none is named.
std::vector<std::size_t> take_parameters(Arguments& arguments, const Model& model) {
  std::vector<std::string> wrt;
  arguments.take("wrt", wrt, "a list of names");
  if (wrt.empty()) return model.free_parameters();
  std::vector<std::size_t> indices;
  for (const std::string& name : wrt) {
    for (const std::size_t index : model.parameter_indices(name)) {
      if (std::find(indices.begin(), indices.end(), index) != indices.end()) {
        throw Error(ErrorKind::usage, fmt::format("wrt names the parameter {} twice.",
                                                  model.parameters()[index].name));
      }
      indices.push_back(index);
    }
  }
  return indices;
}

std::string take_observable(Arguments& arguments, const Model& model) {
  std::string observable;
  arguments.take("observable", observable, "a text");
  if (observable.empty()) return observable;
  Graph graph(*model.graph());
  try {
    (void)parse_expression(observable, model, graph);
  } catch (const Error& error) {
    throw Error(ErrorKind::usage, fmt::format("observable: {}", error.what()));
  }
  return observable;
}

// Where answers at points are asked for.
struct Points {
  Matrix given;  // none: a grid
  std::size_t grid = 9;

  Points(Arguments& arguments, const Model& model) {
    arguments.take("grid", grid, "a whole number, 1 or more");
    if (grid == 0) throw Error(ErrorKind::usage, "grid: 0 points are none; give 1 or more.");
    const py::object at = arguments.pop("at");
    if (!at || at.is_none()) return;
    given = to_matrix(at, model.dimension(), "at");
    is_given = true;
  }
  [[nodiscard]] Matrix chosen(const LoadedModel& loaded, const RunOptions& run) const {
    return is_given ? given : default_points(loaded.model, run, grid);
  }
  bool is_given = false;
};

// The solution of the Fokker-Planck equation beside the estimates.
void add_exact(Dictionary& result, const LoadedModel& loaded, const Settings& settings,
               const std::vector<std::size_t>& parameters, const std::vector<double>& points) {
  TimeGrid grid = loaded.model.time();
  if (settings.time()) grid.end = *settings.time();
  const Model until = loaded.model.with_time(grid);
  ExactDensity exact;
  {
    const py::gil_scoped_release unlocked;
    const Interval interval = density_interval(until, points);
    exact = exact_density(until, parameters, points, interval.lower, interval.upper);
  }
  fields::exact(result, std::move(exact), parameters.empty());
}

bool take_fokker_planck(Arguments& arguments, const Model& model) {
  bool on = false;
  arguments.take("fokker_planck", on, "True or False");
  if (on && model.dynamics() == Dynamics::map) {
    throw Error(ErrorKind::usage, fmt::format("fokker_planck is for SDEs; model {} is a "
                                              "discrete-time map.",
                                              model.name()));
  }
  if (on && model.dimension() != 1) {
    throw Error(ErrorKind::usage,
                fmt::format("fokker_planck is for models of one state; model {} has {}.",
                            model.name(), model.dimension()));
  }
  return on;
}

StationaryOptions take_stationary(Arguments& arguments, Settings& settings,
                                  const LoadedModel& loaded, const Points& points) {
  StationaryOptions options;
  options.answer = settings.answer(loaded);
  options.answer.checkpoint = Settings::take_checkpoint(arguments);
  arguments.take("window", options.window, "a number");
  arguments.take("spinup", options.spinup, "a number");
  arguments.take("length", options.length, "a number");
  options.grid = points.grid;
  arguments.require_empty();
  return options;
}

py::dict simulate(const LoadedModel& loaded, const py::dict& values) {
  Arguments arguments(values);
  Settings settings(arguments);
  RunOptions run = settings.run(loaded);
  arguments.take("times", run.snapshots, "a list of times");
  bool keep = true;
  arguments.take("keep", keep, "True or False");
  const Checkpoint checkpoint = Settings::take_checkpoint(arguments);
  if (keep && checkpoint.on()) {
    throw Error(ErrorKind::usage,
                "checkpoint is for keep=False: the paths themselves are kept in memory alone.");
  }
  arguments.require_empty();
  Dictionary result;
  Effective effective;
  if (keep) {
    Paths paths = settings.compute([&] {
      StepOptions states_only;
      states_only.score = false;
      const Ensemble ensemble(loaded.model, states_only);
      effective.compile_seconds = ensemble.compile_seconds();
      return ensemble.run(run);
    });
    effective.summary = paths.summary;
    py::list snapshots;
    for (Snapshot& snapshot : paths.snapshots) {
      snapshots.append(py::make_tuple(snapshot.time, adopt(std::move(snapshot.x))));
    }
    result.set("arrays", snapshots);
  } else {
    const MomentsAnswer answer =
        settings.compute([&] { return simulate_moments(loaded.model, run, checkpoint); });
    effective = answer.effective;
    fields::moments(result, answer);
  }
  return settings.with_run(std::move(result), loaded.model, effective);
}

py::dict score(const LoadedModel& loaded, const py::dict& values) {
  Arguments arguments(values);
  bool stationary = false;
  arguments.take("stationary", stationary, "True or False");
  Settings settings(arguments, stationary ? stationary_paths : 100'000, stationary ? 2 : 1);
  const Points points(arguments, loaded.model);
  if (stationary) {
    const StationaryOptions how = take_stationary(arguments, settings, loaded, points);
    StationaryPointAnswer answer =
        settings.compute([&] { return stationary_score_at(loaded.model, points.given, how); });
    const Effective effective = answer.answer.effective;
    Dictionary result;
    fields::points(result, std::move(answer.answer), "score");
    fields::stationary(result, answer.stationary);
    return settings.with_run(std::move(result), loaded.model.with_time(answer.stationary.grid),
                             effective);
  }
  const bool exact = take_fokker_planck(arguments, loaded.model);
  AnswerOptions how = settings.answer(loaded);
  how.checkpoint = Settings::take_checkpoint(arguments);
  arguments.require_empty();
  PointAnswer answer =
      settings.compute([&] { return score_at(loaded.model, points.chosen(loaded, how.run), how); });
  const Effective effective = answer.effective;
  const std::vector<double> where = answer.points.data;
  Dictionary result;
  fields::points(result, std::move(answer), "score");
  if (exact) add_exact(result, loaded, settings, {}, where);
  return settings.with_run(std::move(result), loaded.model, effective);
}

py::dict stationary_response(const LoadedModel& loaded, Arguments& arguments) {
  Settings settings(arguments, stationary_paths, 2);
  const Points points(arguments, loaded.model);
  const std::string observable = take_observable(arguments, loaded.model);
  const std::vector<std::size_t> parameters = take_parameters(arguments, loaded.model);
  const StationaryOptions how = take_stationary(arguments, settings, loaded, points);
  Dictionary result;
  Stationary stationary;
  Effective effective;
  if (!observable.empty()) {
    StationaryObservableAnswer answer = settings.compute(
        [&] { return stationary_observable_response(loaded.model, parameters, observable, how); });
    fields::observable(result, observable, answer.answer);
    result.set("window_stderr", std::move(answer.window_error));
    stationary = std::move(answer.stationary);
    effective = std::move(answer.answer.effective);
  } else {
    StationaryPointAnswer answer = settings.compute(
        [&] { return stationary_response_at(loaded.model, parameters, points.given, how); });
    stationary = std::move(answer.stationary);
    effective = answer.answer.effective;
    fields::points(result, std::move(answer.answer), "response");
    result.set("window_stderr", std::move(answer.window_error));
  }
  fields::stationary(result, stationary);
  return settings.with_run(std::move(result), loaded.model.with_time(stationary.grid), effective);
}

// How another method was used; its warnings, which the command prints, are a list of texts here.
void add_baseline(Dictionary& result, const Baseline& baseline,
                  const std::vector<Estimate>& log_density = {}) {
  fields::baseline(result, baseline);
  fields::baseline_errors(result, baseline, log_density);
  result.set("warnings", baseline.warnings);
}

py::dict response_by(const std::string& method, const LoadedModel& loaded, Arguments& arguments) {
  BaselineOptions how;
  how.method = parse_method(method);
  arguments.take("fd_step", how.step, "a number");
  if (how.step > 0.0 && how.method != Method::finite_difference) {
    throw Error(ErrorKind::usage, "fd_step is for method='finite-difference'.");
  }
  Settings settings(arguments);
  const Points points(arguments, loaded.model);
  const std::string observable = take_observable(arguments, loaded.model);
  const std::vector<std::size_t> parameters = take_parameters(arguments, loaded.model);
  how.answer = settings.answer(loaded);
  arguments.require_empty();
  if (!observable.empty()) {
    const BaselineAnswer answer = settings.compute(
        [&] { return baseline_response(loaded.model, parameters, observable, how); });
    Dictionary result;
    fields::observable(result, observable, answer.answer);
    add_baseline(result, answer.baseline);
    return settings.with_run(std::move(result), loaded.model, answer.answer.effective);
  }
  BaselinePointAnswer answer = settings.compute([&] {
    return baseline_response_at(loaded.model, parameters, points.chosen(loaded, how.answer.run),
                                how);
  });
  const Effective effective = answer.answer.effective;
  Dictionary result;
  fields::points(result, std::move(answer.answer), "response");
  add_baseline(result, answer.baseline, answer.log_density);
  return settings.with_run(std::move(result), loaded.model, effective);
}

py::dict change_to(const py::dict& target, const LoadedModel& loaded, Arguments& arguments) {
  ChangeOptions how;
  arguments.take("nodes", how.nodes, "a whole number from 2 to 64");
  Settings settings(arguments);
  const Points points(arguments, loaded.model);
  const std::string observable = take_observable(arguments, loaded.model);
  how.answer = settings.answer(loaded);
  arguments.require_empty();
  std::vector<double> gamma = loaded.model.parameter_values();
  std::vector<std::pair<std::string, double>> changed;
  for (const auto& [given, number] : target) {
    const auto name = py::cast<std::string>(given);
    changed.emplace_back(name, py::cast<double>(number));
    for (const std::size_t p : loaded.model.parameter_indices(name)) {
      gamma[p] = changed.back().second;
    }
  }
  (void)loaded.model.with_parameters(gamma);  // the bounds
  Matrix where;
  const ChangeAnswer answer = settings.compute([&] {
    if (!observable.empty()) return observable_change(loaded.model, gamma, observable, how);
    where = points.chosen(loaded, how.answer.run);
    return log_density_change(loaded.model, gamma, where, how);
  });
  Dictionary result;
  fields::change(result, std::move(where), observable, answer);
  fields::change_record(result, changed, answer);
  return settings.with_run(std::move(result), loaded.model, answer.effective);
}

// Names of which at most one may be asked for.
void require_alone(const py::dict& values, const std::vector<std::vector<const char*>>& sets) {
  const auto is_given = [&](const char* name) {
    if (!values.contains(name)) return false;
    const py::object value = values[name];
    return !value.is_none() && !value.is(py::bool_(false));
  };
  for (const auto& set : sets) {
    for (std::size_t k = 1; k < set.size(); ++k) {
      if (is_given(set[0]) && is_given(set[k])) {
        throw Error(ErrorKind::usage, fmt::format("{} excludes {}.", set[0], set[k]));
      }
    }
  }
}

py::dict response(const LoadedModel& loaded, const py::dict& values) {
  require_alone(values, {{"at", "observable"},
                         {"fokker_planck", "observable"},
                         {"stationary", "time", "fokker_planck", "method", "to"},
                         {"method", "to", "fokker_planck", "checkpoint"},
                         {"to", "wrt", "fokker_planck", "checkpoint"}});
  Arguments arguments(values);
  bool stationary = false;
  arguments.take("stationary", stationary, "True or False");
  if (stationary) return stationary_response(loaded, arguments);
  std::string method;
  arguments.take("method", method, "a text");
  if (!method.empty()) return response_by(method, loaded, arguments);
  const py::object target = arguments.pop("to");
  if (target && !target.is_none()) return change_to(target, loaded, arguments);
  Settings settings(arguments);
  const Points points(arguments, loaded.model);
  const std::string observable = take_observable(arguments, loaded.model);
  const std::vector<std::size_t> parameters = take_parameters(arguments, loaded.model);
  const bool exact = take_fokker_planck(arguments, loaded.model);
  AnswerOptions how = settings.answer(loaded);
  how.checkpoint = Settings::take_checkpoint(arguments);
  arguments.require_empty();
  if (!observable.empty()) {
    const ObservableAnswer answer = settings.compute(
        [&] { return observable_response(loaded.model, parameters, observable, how); });
    Dictionary result;
    fields::observable(result, observable, answer);
    return settings.with_run(std::move(result), loaded.model, answer.effective);
  }
  PointAnswer answer = settings.compute(
      [&] { return response_at(loaded.model, parameters, points.chosen(loaded, how.run), how); });
  const Effective effective = answer.effective;
  const std::vector<double> where = answer.points.data;
  Dictionary result;
  fields::points(result, std::move(answer), "response");
  if (exact) add_exact(result, loaded, settings, parameters, where);
  return settings.with_run(std::move(result), loaded.model, effective);
}

py::dict diagnosis_of(const LoadedModel& loaded, const py::dict& values) {
  Arguments arguments(values);
  constexpr std::size_t paths_of_each_run = 20'000;
  Settings settings(arguments, paths_of_each_run);
  const Points points(arguments, loaded.model);
  DiagnoseOptions options;
  options.observable = take_observable(arguments, loaded.model);
  options.parameters = take_parameters(arguments, loaded.model);
  options.answer = settings.answer(loaded);
  arguments.require_empty();
  options.points = points.given;
  const Diagnosis diagnosis = settings.compute([&] { return diagnose(loaded.model, options); });
  std::vector<std::string> names;
  for (const std::size_t q : options.parameters) {
    names.push_back(loaded.model.parameters()[q].name);
  }
  Dictionary result;
  fields::diagnosis(result, names, diagnosis);
  return settings.with_run(std::move(result), loaded.model, diagnosis.effective);
}

// x, nu and I of every path, as they are: what the answers are estimated from.
py::dict ensemble(const LoadedModel& loaded, const py::dict& values) {
  Arguments arguments(values);
  Settings settings(arguments);
  StepOptions step;
  arguments.take("score", step.score, "True or False");
  std::vector<std::string> wrt;
  if (const py::object names = arguments.pop("wrt"); names && !names.is_none()) {
    py::dict given;
    given["wrt"] = names;
    Arguments only(given);
    step.responses = take_parameters(only, loaded.model);
  }
  AnswerOptions how = settings.answer(loaded);
  arguments.take("times", how.run.snapshots, "a list of times");
  arguments.require_empty();
  step.order = how.order;
  step.scheme = how.scheme;
  Effective effective;
  Paths paths = settings.compute([&] {
    if (step.score) {
      effective.choice = choose_damping(loaded.model, how.damping, step, how.run);
      how.run.damping = effective.choice.damping;
      how.run.damping.shape(step);
      effective.alpha = how.run.damping.text();
    }
    const Ensemble compiled(loaded.model, step);
    effective.compile_seconds = compiled.compile_seconds();
    return compiled.run(how.run);
  });
  effective.summary = paths.summary;
  py::list snapshots;
  for (Snapshot& snapshot : paths.snapshots) {
    snapshots.append(py::make_tuple(snapshot.time, adopt(std::move(snapshot.x)),
                                    adopt(std::move(snapshot.nu)),
                                    adopt(std::move(snapshot.responses))));
  }
  Dictionary result;
  result.set("arrays", snapshots);
  return settings.with_run(std::move(result), loaded.model, effective);
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

void add_answers(py::module_& module) {
  module.def("simulate", &simulate);
  module.def("score", &score);
  module.def("response", &response);
  module.def("diagnose", &diagnosis_of);
  module.def("ensemble", &ensemble);
  module.def("seconds_in_library", [] { return seconds_in_library; });
  py::class_<Regressor, std::shared_ptr<Regressor>>(module, "Regressor")
      .def(py::init(&fitted_regressor))
      .def("evaluate", &evaluate_regressor)
      .def("predict", &predict);
}

}  // namespace divker::python
