// divker response: how the density, or a mean, changes with the parameters.
#include <fmt/format.h>

#include <algorithm>

#include "divker/error.hpp"
#include "divker/language.hpp"
#include "point_report.hpp"

namespace divker::app {
namespace {

struct ResponseOptions : PointOptions {
  std::vector<std::string> wrt;
  std::string observable;
};

std::vector<std::size_t> chosen_parameters(const Model& model,
                                           const std::vector<std::string>& names) {
  if (names.empty()) return model.free_parameters();
  std::vector<std::size_t> chosen;
  for (const std::string& name : names) {
    for (const std::size_t index : model.parameter_indices(name)) {
      if (std::find(chosen.begin(), chosen.end(), index) != chosen.end()) {
        throw Error(ErrorKind::usage, fmt::format("--wrt names the parameter {} twice.",
                                                  model.parameters()[index].name));
      }
      chosen.push_back(index);
    }
  }
  return chosen;
}

Table observable_table(const ObservableAnswer& answer) {
  Table table;
  table.columns = {"value", "value_stderr"};
  std::vector<double> row{answer.value.value, answer.value.standard_error};
  for (std::size_t p = 0; p < answer.names.size(); ++p) {
    table.columns.push_back("response." + answer.names[p]);
    table.columns.push_back("stderr." + answer.names[p]);
    row.push_back(answer.response[p].value);
    row.push_back(answer.response[p].standard_error);
  }
  table.values = Matrix(1, row.size());
  table.values.data = std::move(row);
  return table;
}

void print_observable(const std::string& observable, const ObservableAnswer& answer) {
  fmt::print("E[{}] = {:.6g} +- {:.2g}\n\n", observable, answer.value.value,
             answer.value.standard_error);
  fmt::print("{:>14} {:>28}\n", "parameter", "d E / d parameter");
  for (std::size_t p = 0; p < answer.response.size(); ++p) {
    fmt::print("{:>14} {:>14.5g} +- {:<10.2g}\n", answer.names[p], answer.response[p].value,
               answer.response[p].standard_error);
  }
}

int respond_observable(const ResponseOptions& options, const LoadedModel& loaded,
                       const std::vector<std::size_t>& parameters, const AnswerOptions& how) {
  const ObservableAnswer answer =
      observable_response(loaded.model, parameters, options.observable, how);
  std::vector<double> response, errors;
  for (const Estimate& estimate : answer.response) {
    response.push_back(estimate.value);
    errors.push_back(estimate.standard_error);
  }
  const auto print = [&] {
    if (!options.json) return print_observable(options.observable, answer);
    Json json{{"parameters", answer.names},  {"observable", options.observable},
              {"value", answer.value.value}, {"value_stderr", answer.value.standard_error},
              {"response", response},        {"stderr", errors}};
    json.update(describe(options, loaded.model, answer.effective));
    print_json(json);
  };
  write_out(options, loaded.model, answer.effective, observable_table(answer), print);
  return finish(options, answer.effective);
}

// The observable is an argument of the command line: what is wrong with it is a matter of usage.
void check_observable(const Model& model, const std::string& observable) {
  Graph graph(*model.graph());
  try {
    (void)parse_expression(observable, model, graph);
  } catch (const Error& error) {
    throw Error(ErrorKind::usage, fmt::format("--observable: {}", error.what()));
  }
}

int respond(const ResponseOptions& options) {
  if (!options.at.empty() && !options.observable.empty()) {
    throw Error(
        ErrorKind::usage,
        "--at and --observable exclude each other: a response is asked for at points of the "
        "state space, or of the mean of an observable.");
  }
  if (options.fokker_planck && !options.observable.empty()) {
    throw Error(ErrorKind::usage, "--fokker-planck compares densities: it excludes --observable.");
  }
  const LoadedModel loaded = load(options);
  check_out(options);
  const std::vector<std::size_t> parameters = chosen_parameters(loaded.model, options.wrt);
  const AnswerOptions how = options.answer_options_with_points(loaded);
  if (!options.observable.empty()) {
    check_observable(loaded.model, options.observable);
    return respond_observable(options, loaded, parameters, how);
  }
  const Matrix points = points_at(options.at, loaded, how.run, options.grid);
  const PointAnswer answer = response_at(loaded.model, parameters, points, how);
  return report_points(options, loaded.model, answer, "response", parameters);
}

}  // namespace

void add_response(CLI::App& app, int& code) {
  auto options = std::make_shared<ResponseOptions>();
  CLI::App* command = app.add_subcommand(
      "response", "Parameter derivatives of the log density at points, or of an observable's mean");
  options->declare_all(*command);
  command->add_option("--wrt", options->wrt, "Parameters (default: all that are not fixed)")
      ->type_name("A,B,...")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->check(not_empty());
  command
      ->add_option("--observable", options->observable,
                   "An expression of states, parameters and t, such as \"x^2\"")
      ->type_name("EXPR")
      ->check(not_empty());
  command->callback([options, &code] { code = respond(*options); });
}

}  // namespace divker::app
