// divker response: how the density, or a mean, changes with the parameters.
#include "baseline.hpp"
#include "change.hpp"
#include "divker/error.hpp"
#include "observable_report.hpp"
#include "parameters.hpp"
#include "point_report.hpp"
#include "stationary.hpp"

namespace divker::app {
namespace {

struct ResponseOptions : PointOptions {
  ParameterFlags parameters;
  std::string observable;
  StationaryFlags stationary;
  BaselineFlags baseline;
  ChangeFlags change;
};

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
  if (!options.checkpoint.empty() &&
      (!options.change.to.empty() || !options.baseline.method.empty())) {
    throw Error(ErrorKind::usage,
                "--checkpoint saves one run: it excludes --method and --to, which make several.");
  }
  const LoadedModel loaded = load(options);
  check_out(options);
  if (!options.observable.empty()) check_observable(loaded.model, options.observable);
  if (!options.change.to.empty()) {
    return report_change(options, options.change, loaded, options.observable);
  }
  const std::vector<std::size_t> parameters = options.parameters.chosen(loaded.model);
  if (options.stationary.on) {
    return stationary_response(options, options.stationary, loaded, parameters, options.observable);
  }
  if (!options.baseline.method.empty()) {
    return baseline_response(options, options.baseline, loaded, parameters, options.observable);
  }
  const AnswerOptions how = options.answer_options_with_points(loaded);
  if (!options.observable.empty()) {
    return report_observable(
        options, loaded.model, options.observable,
        observable_response(loaded.model, parameters, options.observable, how));
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
  options->declare_checkpoint(*command);
  options->stationary.declare(*command);
  options->parameters.declare(*command);
  command
      ->add_option("--observable", options->observable,
                   "An expression of states, parameters and t, such as \"x^2\"")
      ->type_name("EXPR")
      ->check(not_empty());
  options->baseline.declare(*command);
  options->change.declare(*command);
  command->callback([options, &code] { code = respond(*options); });
}

}  // namespace divker::app
