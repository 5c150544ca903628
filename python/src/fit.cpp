// Fits: tables of measurements in, estimates with standard errors out.
#include "divker/fit.hpp"

#include <fmt/format.h>
#include <pybind11/stl.h>

#include <filesystem>
#include <limits>

#include "checkpoint_file.hpp"
#include "divker/error.hpp"
#include "divker/file.hpp"
#include "fit_names.hpp"
#include "module.hpp"
#include "settings.hpp"

namespace divker::python {
namespace {

// (source, columns, values, time or None) for each table.
std::vector<DataTable> take_tables(Arguments& arguments) {
  std::vector<DataTable> tables;
  const py::object given = arguments.pop("tables");
  for (const py::handle& item : given) {
    const auto table = py::cast<py::tuple>(item);
    DataTable one;
    one.source = py::cast<std::string>(table[0]);
    one.columns = py::cast<std::vector<std::string>>(table[1]);
    one.values = to_matrix(table[2], one.source);
    one.time = py::cast<std::optional<double>>(table[3]);
    tables.push_back(std::move(one));
  }
  return tables;
}

FitData take_data(Arguments& arguments, const Model& model) {
  const std::vector<DataTable> tables = take_tables(arguments);
  DataOptions columns;
  arguments.take("time_column", columns.time_column, "the name of a column");
  arguments.take("group", columns.group_column, "the name of a column");
  arguments.take("map", columns.names, "a dictionary of names");
  arguments.take("stationary", columns.stationary, "True or False");
  return match_data(model, tables, columns);
}

template <class Value>
Value take_choice(Arguments& arguments, const char* name, const app::Names<Value>& known) {
  std::string given = known.front().first;
  arguments.take(name, given, "a text");
  std::string names;
  for (const auto& [text, value] : known) {
    if (text == given) return value;
    names += (names.empty() ? "" : ", ") + text;
  }
  throw Error(ErrorKind::usage, fmt::format("{}: '{}' is none of: {}.", name, given, names));
}

FitOptions take_options(Arguments& arguments, Settings& settings, const LoadedModel& loaded) {
  const AnswerOptions answer = settings.answer(loaded);
  FitOptions fit;
  fit.run = answer.run;
  fit.run.progress = nullptr;
  fit.damping = answer.damping;
  fit.order = answer.order;
  fit.regressor = answer.regressor;
  fit.regressor_options = answer.regressor_options;
  fit.match = take_choice(arguments, "match", app::matches());
  fit.optimizer = take_choice(arguments, "optimizer", app::optimizers());
  arguments.take("iterations", fit.iterations, whole);
  arguments.take("starts", fit.starts, whole);
  arguments.take("tolerance", fit.tolerance, "a number");
  arguments.take("rate", fit.rate, "a number");
  arguments.take("window", fit.window, "a number");
  return fit;
}

// Iterates, saving the state after each iteration.
FitResult iterate(Fit& fit, const std::string& checkpoint, const app::SavedRuns& runs) {
  const auto save = [&] { write_whole_file(checkpoint, to_text(fit.state())); };
  if (std::filesystem::exists(checkpoint)) {
    fit.resume(parse_fit_state(read_text_file(checkpoint), checkpoint));
  }
  while (fit.advance()) {
    save();
    runs.keep_only(fit.current_run());
  }
  save();
  FitResult result = fit.result();
  runs.keep_only();
  return result;
}

FitResult fitted(const Model& model, FitData data, FitOptions options,
                 const Checkpoint& checkpoint) {
  if (!checkpoint.on()) return fit_parameters(model, data, options);
  const app::SavedRuns runs(checkpoint.name, checkpoint.seconds);
  options.saved_runs = [&runs](const std::string& run) { return runs.of(run); };
  Fit fit(model, std::move(data), options);
  return iterate(fit, checkpoint.name, runs);
}

// (the keys of the command's JSON, marginals, the fitted model, its text)
py::tuple fit_model(const LoadedModel& loaded, const py::dict& values) {
  Arguments arguments(values);
  Settings settings(arguments);
  FitData data = take_data(arguments, loaded.model);
  const FitOptions options = take_options(arguments, settings, loaded);
  const Checkpoint checkpoint = Settings::take_checkpoint(arguments);
  arguments.require_empty();
  const FitResult result =
      settings.compute([&] { return fitted(loaded.model, std::move(data), options, checkpoint); });
  Dictionary about;
  fields::fit(about, result);
  Dictionary compared;
  fields::marginals(compared, result, std::numeric_limits<std::size_t>::max());
  return py::make_tuple(settings.with_run(std::move(about), result.model, result.effective),
                        compared.values["marginals"], LoadedModel{result.model, loaded.samples},
                        fitted_text(result));
}

}  // namespace

void add_fit(py::module_& module) { module.def("fit", &fit_model); }

}  // namespace divker::python
