// divker fit: the parameters of a model from snapshots of a population.
#include <fmt/format.h>

#include <cmath>
#include <filesystem>

#include "command.hpp"
#include "divker/error.hpp"
#include "divker/file.hpp"
#include "divker/ranks.hpp"
#include "fit_report.hpp"
#include "numbers/number_in.hpp"
#include "page.hpp"
#include "picture.hpp"
#include "present/fitting.hpp"
#include "present/loading.hpp"
#include "present/tables.hpp"

namespace divker::app {
namespace {

struct FitCommandOptions : CommonOptions {
  present::FitRequest request;
  std::vector<std::string> data;
  std::string history;
  std::string graph;

  void declare_everything(CLI::App& command);
};

void FitCommandOptions::declare_everything(CLI::App& command) {
  declare_all(command);
  declare_report(command);
  command.get_option("--out")->description("Write the fitted model to a .sde file");
  command.get_option("--out")->type_name("FILE.sde");
  command
      .add_option("--data", data,
                  "A table of measurements, .csv, .npy or .h5: of the end of the time grid, of "
                  "time T with @T, of the stationary law with @stationary (repeatable)")
      ->type_name("FILE[@T]")
      ->required()
      ->allow_extra_args(false)
      ->check(not_empty());
  declare(command, request);
  command.add_option("--history", history, "Write the iterations to a .csv, .npy or .h5 file")
      ->type_name("FILE")
      ->check(not_empty());
  command.get_option("--picture")
      ->description(
          "Draw data against model and the iterations, .png, .pdf or .svg (by matplotlib)");
  command
      .add_option("--graph", graph,
                  "With --sparse: draw what drives what, .svg, .png or .pdf (by matplotlib)")
      ->type_name("FILE")
      ->needs("--sparse")
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
  result.time = number_in(when);
  if (!result.time || !std::isfinite(*result.time)) {
    throw Error(ErrorKind::usage,
                fmt::format("--data {}: '{}' after the @ is neither a time nor 'stationary'.",
                            argument, when));
  }
  return result;
}

// The tables that --data names; all or none are of the stationary law.
std::vector<DataTable> read_data(const std::vector<std::string>& arguments, DataOptions& columns) {
  std::vector<DataTable> tables;
  std::size_t stationary = 0;
  for (const std::string& argument : arguments) {
    const DataArgument parsed = parse_data(argument);
    if (parsed.stationary) ++stationary;
    if (parsed.time && !columns.time_column.empty()) {
      throw Error(ErrorKind::usage,
                  fmt::format("--data {} gives a time, and so does --time {}; give one of them.",
                              argument, columns.time_column));
    }
    tables.push_back(present::data_in(parsed.file, parsed.time));
  }
  if (stationary != 0 && stationary != tables.size()) {
    throw Error(ErrorKind::usage,
                "Stationary data and data of a time cannot be fitted together: give @stationary to "
                "all of --data or to none.");
  }
  columns.stationary = stationary != 0;
  return tables;
}

void check_outputs(const FitCommandOptions& options) {
  if (!options.out.empty() && std::filesystem::path(options.out).extension() != ".sde") {
    throw Error(ErrorKind::usage,
                fmt::format("--out {}: the fitted model is written to a .sde file.", options.out));
  }
  on_first_rank([&] {
    if (!options.out.empty()) check_writable(options.out);
    if (!options.request.checkpoint.empty()) check_writable(options.request.checkpoint);
    if (!options.history.empty()) check_table_writable(options.history);
    if (!options.graph.empty()) check_picture("--graph", options.graph);
  });
  check_shown(options);
}

void show_progress(const FitCommandOptions& options, const FitState& state) {
  if (state.history.size() == 1) {
    for (const std::string& sentence : state.far) fmt::print(stderr, "divker: {}\n", sentence);
  }
  if (options.quiet || !progress_is_seen()) return;
  const FitIteration& last = state.history.back();
  std::string line = fmt::format("iteration {:>3}  {:>9} paths  |psi| {:10.3g} of its noise",
                                 last.iteration, last.paths, last.psi_over_noise);
  if (last.divergence) {
    line += fmt::format("  {} {:.4f} +- {:.4f}", options.request.options.divergence,
                        last.divergence->value, last.divergence->standard_error);
  }
  if (last.halvings > 0) line += fmt::format("  shortened {} times", last.halvings);
  fmt::print(stderr, "{}\n", line);
}

int interrupted(const FitCommandOptions& options, const FitState& state) {
  if (options.request.checkpoint.empty()) {
    fmt::print(stderr,
               "divker: interrupted after {} iterations; nothing is saved without --checkpoint.\n",
               state.history.size());
  } else {
    fmt::print(stderr,
               "divker: interrupted after {} iterations; the same command goes on from {}.\n",
               state.history.size(), options.request.checkpoint);
  }
  return exit_interrupted;
}

int run_fit(FitCommandOptions& options) {
  const Model model = load(options);
  check_outputs(options);
  const auto tables = read_data(options.data, options.request.columns);
  const present::Fitting fitting =
      present::fit(options.request, model, tables, circumstances(options),
                   [&](const FitState& state) { show_progress(options, state); });
  if (!fitting.result) return interrupted(options, fitting.state);
  const FitResult& result = *fitting.result;
  on_first_rank([&] {
    if (!options.out.empty()) {
      FitResult written = result;
      written.model = present::with_weights_written(written.model, options.out);
      write_whole_file(options.out, fitted_text(written));
    }
    if (!options.history.empty()) write_table(options.history, present::history_table(result));
  });
  const int code = report_fit(options, result);
  if (!options.page.empty()) {
    write_page(options.page, present::page_of(result, command_as_typed()));
  }
  if (!options.picture.empty()) {
    on_first_rank([&] { draw_picture(fit_picture(options, result), options.picture); });
  }
  if (!options.graph.empty()) {
    on_first_rank([&] { draw_picture(fit_picture(options, result), options.graph, "couplings"); });
  }
  return code;
}

}  // namespace

void add_fit(CLI::App& app, int& code) {
  auto options = std::make_shared<FitCommandOptions>();
  CLI::App* command = app.add_subcommand(
      "fit", "Fit the parameters to snapshots of a population, with standard errors");
  options->declare_everything(*command);
  command->callback([options, &code] { code = run_fit(*options); });
}

}  // namespace divker::app
