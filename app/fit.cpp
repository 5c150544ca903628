// divker fit: the parameters of a model from snapshots of a population.
#include "divker/fit.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <filesystem>

#include "checkpoint_file.hpp"
#include "command.hpp"
#include "divker/error.hpp"
#include "divker/file.hpp"
#include "divker/ranks.hpp"
#include "fit_names.hpp"
#include "fit_report.hpp"
#include "picture.hpp"

namespace divker::app {
namespace {

struct FitCommandOptions : CommonOptions {
  std::vector<std::string> data;
  std::vector<std::string> maps;
  DataOptions columns;
  std::string match = "centred";
  std::string optimizer = "newton";
  FitOptions fit;
  std::string history;
  std::string picture;

  void declare_all(CLI::App& command);
};

void declare_data(FitCommandOptions& o, CLI::App& command) {
  command
      .add_option("--data", o.data,
                  "A table of measurements, .csv, .npy or .h5: of the end of the time grid, of "
                  "time T with @T, of the stationary law with @stationary (repeatable)")
      ->type_name("FILE[@T]")
      ->required()
      ->allow_extra_args(false)
      ->check(not_empty());
  command.add_option("--time", o.columns.time_column, "The column with the time of each row")
      ->type_name("COLUMN")
      ->check(not_empty());
  command
      .add_option("--map", o.maps,
                  "The column that holds a state or observation; other columns may then be there "
                  "(repeatable)")
      ->type_name("NAME=COLUMN")
      ->allow_extra_args(false);
  command
      .add_option("--group", o.columns.group_column,
                  "The column that numbers individuals measured several times, for the standard "
                  "errors")
      ->type_name("COLUMN")
      ->check(not_empty());
}

template <class Value>
std::vector<std::string> names_of(const Names<Value>& all) {
  std::vector<std::string> names;
  for (const auto& [name, value] : all) names.push_back(name);
  return names;
}

// CLI11 has seen to it that the name is one of them.
template <class Value>
Value named(const Names<Value>& all, const std::string& name) {
  return std::ranges::find(all, name, &std::pair<std::string, Value>::first)->second;
}

void declare_method(FitCommandOptions& o, CLI::App& command) {
  command.add_option("--match", o.match, "The matching equation: centred or neighbours")
      ->check(CLI::IsMember(names_of(matches())))
      ->capture_default_str();
  command.add_option("--optimizer", o.optimizer, "newton, adam or gd")
      ->check(CLI::IsMember(names_of(optimizers())))
      ->capture_default_str();
  command
      .add_option("--iterations", o.fit.iterations, "Iterations at most; the last have all paths")
      ->type_name("N")
      ->check(whole_number())
      ->capture_default_str();
  command
      .add_option(
          "--starts", o.fit.starts,
          "Starts: the model's values, and others at random; the nearest to the data is taken")
      ->type_name("N")
      ->check(whole_number())
      ->capture_default_str();
  command
      .add_option("--tolerance", o.fit.tolerance,
                  "Converged where |psi| is this share of its noise")
      ->type_name("X")
      ->check(finite_number())
      ->capture_default_str();
  command.add_option("--rate", o.fit.rate, "Step size of adam (0.05) and gd (0.2)")
      ->type_name("X")
      ->check(finite_number());
  command
      .add_option("--window", o.fit.window,
                  "Stationary data: time before the end over which responses are accumulated")
      ->type_name("W")
      ->check(finite_number());
  std::vector<std::string> regressors = regressor_names();
  regressors.insert(regressors.begin(), "hermite");
  command
      .add_option("--regressor", o.fit.regressor,
                  "For the conditional expectation: hermite, or one of score and response")
      ->check(CLI::IsMember(regressors));
  command
      .add_option("--neighbours", o.fit.regressor_options.neighbours,
                  "Of the neighbours and local-linear regressors; 0: chosen")
      ->type_name("N")
      ->check(whole_number());
}

void FitCommandOptions::declare_all(CLI::App& command) {
  declare(command);
  command.get_option("--paths")->description("Number of paths in the last iterations");
  command.get_option("--out")->description("Write the fitted model to a .sde file");
  command.get_option("--out")->type_name("FILE.sde");
  declare_damping(command);
  declare_data(*this, command);
  declare_method(*this, command);
  declare_checkpoint(command,
                     "Save the fit after every iteration, and within long ones; go on from it if "
                     "it is there");
  command.add_option("--history", history, "Write the iterations to a .csv, .npy or .h5 file")
      ->type_name("FILE")
      ->check(not_empty());
  command
      .add_option("--picture", picture,
                  "Draw data against model and the iterations, .png, .pdf or .svg (by matplotlib)")
      ->type_name("FILE")
      ->check(not_empty());
}

// FILE, FILE@T or FILE@stationary; an @ within a folder's name is part of it.
struct DataArgument {
  std::string file;
  std::optional<double> time;
  bool stationary = false;
};

DataArgument parse_data(const std::string& argument) {
  const std::size_t at = argument.rfind('@');
  if (at == std::string::npos || argument.find('/', at) != std::string::npos) {
    return {argument, std::nullopt, false};
  }
  DataArgument result{argument.substr(0, at), std::nullopt, false};
  const std::string when = argument.substr(at + 1);
  if (when == "stationary") {
    result.stationary = true;
    return result;
  }
  double time = 0.0;
  const char* last = when.data() + when.size();
  const auto [end, error] = std::from_chars(when.data(), last, time);
  if (error != std::errc() || end != last || !std::isfinite(time)) {
    throw Error(ErrorKind::usage,
                fmt::format("--data {}: '{}' after the @ is neither a time nor 'stationary'.",
                            argument, when));
  }
  result.time = time;
  return result;
}

FitData read_data(const FitCommandOptions& options, const Model& model) {
  DataOptions columns = options.columns;
  for (const std::string& map : options.maps) {
    const std::size_t equals = map.find('=');
    if (equals == std::string::npos || equals == 0 || equals + 1 == map.size()) {
      throw Error(ErrorKind::usage,
                  fmt::format("--map {}: expected NAME=COLUMN, such as --map w=weight.", map));
    }
    columns.names[map.substr(0, equals)] = map.substr(equals + 1);
  }
  std::vector<DataTable> tables;
  std::size_t stationary = 0;
  for (const std::string& argument : options.data) {
    const DataArgument parsed = parse_data(argument);
    if (parsed.stationary) ++stationary;
    if (parsed.time && !columns.time_column.empty()) {
      throw Error(ErrorKind::usage,
                  fmt::format("--data {} gives a time, and so does --time {}; give one of them.",
                              argument, columns.time_column));
    }
    Table table = read_table(parsed.file);
    tables.push_back({parsed.file, std::move(table.columns), std::move(table.values), parsed.time});
  }
  if (stationary != 0 && stationary != tables.size()) {
    throw Error(ErrorKind::usage,
                "Stationary data and data of a time cannot be fitted together: give @stationary to "
                "all of --data or to none.");
  }
  columns.stationary = stationary != 0;
  return match_data(model, tables, columns);
}

FitOptions fit_options(const FitCommandOptions& options, const LoadedModel& loaded) {
  FitOptions fit = options.fit;
  fit.run = run_options(options, loaded);
  fit.run.progress = nullptr;
  fit.damping = parse_damping(options.alpha);
  fit.order = options.order == 2 ? InverseOrder::second : InverseOrder::first;
  fit.match = named(matches(), options.match);
  fit.optimizer = named(optimizers(), options.optimizer);
  return fit;
}

void check_outputs(const FitCommandOptions& options) {
  if (!options.out.empty() && std::filesystem::path(options.out).extension() != ".sde") {
    throw Error(ErrorKind::usage,
                fmt::format("--out {}: the fitted model is written to a .sde file.", options.out));
  }
  on_first_rank([&] {
    if (!options.out.empty()) check_writable(options.out);
    if (!options.checkpoint.empty()) check_writable(options.checkpoint);
    if (!options.history.empty()) check_table_writable(options.history);
    if (!options.picture.empty()) check_picture(options.picture);
  });
}

// The state to go on from; empty if there is none.
std::string saved_state(const std::string& checkpoint) {
  if (checkpoint.empty()) return {};
  return from_first_rank([&] {
    remove_abandoned(checkpoint);
    return std::filesystem::exists(checkpoint) ? read_text_file(checkpoint) : std::string();
  });
}

void show_progress(const FitCommandOptions& options, const FitState& state) {
  if (options.quiet || !progress_is_seen()) return;
  const FitIteration& last = state.history.back();
  fmt::print(stderr, "iteration {:>3}  {:>9} paths  |psi| {:10.3g} of its noise\n", last.iteration,
             last.paths, last.psi_over_noise);
}

int interrupted(const FitCommandOptions& options, const FitState& state) {
  if (options.checkpoint.empty()) {
    fmt::print(stderr,
               "divker: interrupted after {} iterations; nothing is saved without --checkpoint.\n",
               state.history.size());
  } else {
    fmt::print(stderr,
               "divker: interrupted after {} iterations; the same command goes on from {}.\n",
               state.history.size(), options.checkpoint);
  }
  return exit_interrupted;
}

int run_fit(const FitCommandOptions& options) {
  const LoadedModel loaded = load(options);
  check_outputs(options);
  FitData data = read_data(options, loaded.model);
  const DataRemarks remarks{data.largest_shift, data.ignored};
  FitOptions how = fit_options(options, loaded);
  const SavedRuns runs(options.checkpoint, options.checkpoint_every);
  const bool is_saved = !options.checkpoint.empty();
  if (is_saved) {
    how.saved_runs = [&runs](const std::string& run) { return runs.of(run); };
  }
  Fit fit(loaded.model, std::move(data), how);
  if (const std::string saved = saved_state(options.checkpoint); !saved.empty()) {
    fit.resume(parse_fit_state(saved, options.checkpoint));
  }
  const auto save = [&] {
    if (!is_saved) return;
    on_first_rank([&] { write_whole_file(options.checkpoint, to_text(fit.state())); });
  };
  while (fit.advance()) {
    save();
    if (is_saved) runs.keep_only(fit.current_run());
    show_progress(options, fit.state());
  }
  save();
  if (on_any_rank(stop_requested())) return interrupted(options, fit.state());
  const FitResult result = fit.result();
  if (is_saved) runs.keep_only();
  on_first_rank([&] {
    if (!options.out.empty()) write_whole_file(options.out, fitted_text(result));
    if (!options.history.empty()) write_table(options.history, history_table(result));
  });
  const int code = report_fit(options, remarks, result);
  if (!options.picture.empty()) {
    on_first_rank([&] { draw_picture("fit", fit_picture(options, result), options.picture); });
  }
  return code;
}

}  // namespace

void add_fit(CLI::App& app, int& code) {
  auto options = std::make_shared<FitCommandOptions>();
  CLI::App* command = app.add_subcommand(
      "fit", "Fit the parameters to snapshots of a population, with standard errors");
  options->declare_all(*command);
  command->callback([options, &code] { code = run_fit(*options); });
}

}  // namespace divker::app
