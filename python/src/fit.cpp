// Fits: tables of measurements in, estimates with standard errors out.
#include "divker/fit.hpp"

#include <fmt/format.h>
#include <pybind11/stl.h>

#include <filesystem>

#include "divker/error.hpp"
#include "divker/file.hpp"
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
Value take_choice(Arguments& arguments, const char* name,
                  const std::vector<std::pair<std::string, Value>>& known) {
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
  fit.match = take_choice<MatchKind>(
      arguments, "match", {{"centred", MatchKind::centred}, {"neighbours", MatchKind::neighbours}});
  fit.optimizer = take_choice<Optimizer>(
      arguments, "optimizer",
      {{"newton", Optimizer::newton}, {"adam", Optimizer::adam}, {"gd", Optimizer::gd}});
  arguments.take("iterations", fit.iterations, whole);
  arguments.take("starts", fit.starts, whole);
  arguments.take("tolerance", fit.tolerance, "a number");
  arguments.take("rate", fit.rate, "a number");
  arguments.take("window", fit.window, "a number");
  return fit;
}

// What belongs to the text of the JSON, and beside it the samples that were compared.
py::list goodness_of(const FitResult& result, py::list marginals) {
  py::list list;
  for (const GoodnessOfFit& one : result.goodness) {
    py::dict row;
    row["name"] = one.name;
    row["t"] = one.time;
    row["rows"] = one.rows;
    row["data_mean"] = one.data_mean;
    row["model_mean"] = one.model_mean;
    row["data_deviation"] = one.data_deviation;
    row["model_deviation"] = one.model_deviation;
    row["kolmogorov_smirnov"] = one.kolmogorov_smirnov;
    row["kolmogorov_smirnov_p"] = one.kolmogorov_smirnov_p;
    row["energy"] = one.energy;
    row["energy_p"] = one.energy_p;
    list.append(row);
    py::dict marginal;
    marginal["name"] = one.name;
    marginal["t"] = one.time;
    marginal["data"] = adopt(std::vector<double>(one.data));
    marginal["model"] = adopt(std::vector<double>(one.model));
    marginals.append(marginal);
  }
  return list;
}

// Of means and covariances together, a row for each snapshot with several coordinates.
py::list joint_of(const FitResult& result) {
  py::list list;
  for (const JointGoodness& one : result.joint) {
    py::dict row;
    row["t"] = one.time;
    row["rows"] = one.rows;
    row["chi_square"] = one.statistic;
    row["freedom"] = one.freedom;
    row["p"] = one.p;
    list.append(row);
  }
  return list;
}

py::list history_of(const FitResult& result) {
  py::list list;
  for (const FitIteration& one : result.state.history) {
    py::dict row;
    row["iteration"] = one.iteration;
    row["paths"] = one.paths;
    row["gain"] = one.gain;
    row["psi_over_noise"] = one.psi_over_noise;
    row["step"] = one.step;
    row["halvings"] = one.halvings;
    row["parameters"] = one.parameters;
    list.append(row);
  }
  return list;
}

py::dict to_dict(const FitResult& result, const py::list& marginals) {
  py::dict values;
  values["parameters"] = result.names;
  values["estimate"] = adopt(std::vector<double>(result.estimate));
  values["stderr"] = adopt(std::vector<double>(result.standard_error));
  values["stderr_of_paths"] = adopt(std::vector<double>(result.simulation_error));
  values["iterations"] = result.state.history.size() - 1;
  values["converged"] = result.state.converged;
  values["reason"] = result.state.reason;
  values["psi_over_noise"] = result.state.history.back().psi_over_noise;
  values["correlation"] = adopt(Matrix(result.correlation));
  values["condition"] = result.condition;
  values["weak"] = result.weak;
  values["inactive"] = result.inactive;
  values["rows"] = result.data_rows;
  values["individuals"] = result.individuals;
  if (result.log_likelihood) values["log_likelihood"] = *result.log_likelihood;
  values["goodness"] = goodness_of(result, marginals);
  values["joint"] = joint_of(result);
  values["rejected"] = result.rejected;
  values["history"] = history_of(result);
  return values;
}

// Iterates, saving the state where a checkpoint is asked for.
FitResult iterate(Fit& fit, const std::string& checkpoint) {
  const auto save = [&] {
    if (!checkpoint.empty()) write_whole_file(checkpoint, to_text(fit.state()));
  };
  if (!checkpoint.empty() && std::filesystem::exists(checkpoint)) {
    fit.resume(parse_fit_state(read_text_file(checkpoint), checkpoint));
  }
  while (fit.advance()) save();
  save();
  return fit.result();
}

// (the keys of the command's JSON, marginals, the fitted model, its text)
py::tuple fit_model(const LoadedModel& loaded, const py::dict& values) {
  Arguments arguments(values);
  Settings settings(arguments);
  FitData data = take_data(arguments, loaded.model);
  const FitOptions options = take_options(arguments, settings, loaded);
  std::string checkpoint;
  arguments.take("checkpoint", checkpoint, "the name of a file");
  arguments.require_empty();
  if (!checkpoint.empty()) check_writable(checkpoint);
  const FitResult result = settings.compute([&] {
    Fit fit(loaded.model, std::move(data), options);
    return iterate(fit, checkpoint);
  });
  const py::list marginals;
  py::dict about = to_dict(result, marginals);
  about.attr("update")(settings.describe(result.model, result.effective));
  return py::make_tuple(about, marginals, LoadedModel{result.model, loaded.samples},
                        fitted_text(result));
}

}  // namespace

void add_fit(py::module_& module) { module.def("fit", &fit_model); }

}  // namespace divker::python
