#include "stationary.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "divker/error.hpp"
#include "divker/stationary.hpp"
#include "observable_report.hpp"

namespace divker::app {
namespace {

// Long paths have small sampling errors: the bias of the step is worth removing.
PointOptions with_stationary_defaults(PointOptions options, const StationaryFlags& flags) {
  if (flags.paths->count() == 0) options.paths = stationary_paths;
  if (flags.order->count() == 0) options.order = 2;
  return options;
}

StationaryOptions stationary_options(const PointOptions& options, const StationaryFlags& flags,
                                     const LoadedModel& loaded) {
  StationaryOptions stationary;
  stationary.answer = options.answer_options_with_points(loaded);
  stationary.window = flags.window;
  stationary.spinup = flags.spinup;
  stationary.length = flags.length;
  stationary.grid = options.grid;
  return stationary;
}

Matrix points_or_none(const PointOptions& options, const LoadedModel& loaded,
                      const RunOptions& run) {
  return options.at.empty() ? Matrix() : points_at(options.at, loaded, run, options.grid);
}

// How the stationary density was sampled, for people and for programs.
Remarks remarks_on(const Stationary& how, const std::vector<std::string>& parameters) {
  Remarks remarks;
  remarks.text =
      fmt::format("\nstationary: spin-up {:.4g}, then {} samples of each path, {:.4g} apart\n",
                  how.spinup, how.samples, how.spacing);
  for (std::size_t p = 0; p < how.window.size(); ++p) {
    remarks.text += fmt::format("window {:.4g} for {}\n", how.window[p], parameters[p]);
  }
  JsonObject record;
  fields::stationary(record, how);
  remarks.record = std::move(record.json);
  return remarks;
}

void warn_without_plateau(const Stationary& how, const std::vector<std::string>& parameters) {
  for (std::size_t p = 0; p < how.plateau.size(); ++p) {
    if (how.plateau[p]) continue;
    fmt::print(stderr,
               "divker: the response to {} has no plateau at window {:.6g}: longer windows "
               "disagree, or none was carried.\n",
               parameters[p], how.window[p]);
  }
}

}  // namespace

void StationaryFlags::declare(CLI::App& command) {
  paths = command.get_option("--paths");
  order = command.get_option("--order");
  CLI::Option* flag = command.add_flag(
      "--stationary", on,
      "Of the stationary density, from long paths (defaults: --paths 4096 --order 2)");
  for (const char* other : {"--time", "--fokker-planck"}) flag->excludes(command.get_option(other));
  const auto add = [&](const char* name, std::optional<double>& value, const char* text) {
    command.add_option(name, value, text)->type_name("T")->check(finite_number())->needs(flag);
  };
  add("--window", window, "Time over which responses are accumulated (default: chosen)");
  add("--spinup", spinup, "Time before paths are at the stationary density (default: chosen)");
  add("--length", length, "Time for which paths are followed after it (default: chosen)");
}

int stationary_score(const PointOptions& given, const StationaryFlags& flags) {
  const PointOptions options = with_stationary_defaults(given, flags);
  const LoadedModel loaded = load(options);
  check_out(options);
  const StationaryOptions how = stationary_options(options, flags, loaded);
  const Matrix points = points_or_none(options, loaded, how.answer.run);
  const StationaryPointAnswer answer = stationary_score_at(loaded.model, points, how);
  return report_points(options, loaded.model.with_time(answer.stationary.grid), answer.answer,
                       "score", {}, remarks_on(answer.stationary, {}));
}

int stationary_response(const PointOptions& given, const StationaryFlags& flags,
                        const LoadedModel& loaded, const std::vector<std::size_t>& parameters,
                        const std::string& observable) {
  const PointOptions options = with_stationary_defaults(given, flags);
  const StationaryOptions how = stationary_options(options, flags, loaded);
  if (!observable.empty()) {
    const StationaryObservableAnswer answer =
        stationary_observable_response(loaded.model, parameters, observable, how);
    Remarks remarks = remarks_on(answer.stationary, answer.answer.names);
    remarks.values["window_stderr"] = answer.window_error;
    warn_without_plateau(answer.stationary, answer.answer.names);
    return report_observable(options, loaded.model.with_time(answer.stationary.grid), observable,
                             answer.answer, remarks);
  }
  const Matrix points = points_or_none(options, loaded, how.answer.run);
  const StationaryPointAnswer answer =
      stationary_response_at(loaded.model, parameters, points, how);
  Remarks remarks = remarks_on(answer.stationary, answer.answer.names);
  remarks.values["window_stderr"] = to_json(answer.window_error);
  warn_without_plateau(answer.stationary, answer.answer.names);
  return report_points(options, loaded.model.with_time(answer.stationary.grid), answer.answer,
                       "response", parameters, remarks);
}

}  // namespace divker::app
