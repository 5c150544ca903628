#include "command.hpp"

#include <fmt/format.h>

#include <filesystem>

#include "divker/error.hpp"
#include "divker/language.hpp"
#include "divker/ranks.hpp"
#include "page.hpp"
#include "picture.hpp"
#include "present/loading.hpp"

namespace divker::app {

void CommonOptions::declare_model(CLI::App& command) {
  command.add_option("model", model, "A model file, or the name of a shipped model")
      ->type_name("MODEL")
      ->required();
  Declare visit(command);
  // One value to each --set, so that the model may follow it.
  command
      .add_option_function<std::vector<std::string>>(
          "--set",
          [this](const std::vector<std::string>& all) {
            for (const std::string& one : all) settings.push_back(parse_setting("--set", one));
          },
          "Set a parameter, dt, T or tamed, to a number or an expression such as 2*a (repeatable)")
      ->type_name("NAME=VALUE")
      ->allow_extra_args(false);
  visit(present::Option("fix", "Parameters that are left as they are: no response, no fit",
                        "a,b,..."),
        fixed);
  visit(present::Option("free", "Parameters that are fixed in the model, and shall not be",
                        "a,b,..."),
        free);
  visit(present::Option(
            "tamed",
            "Keep the drift's displacement in one step below 1 in every state: no explosions"),
        tamed);
}

void CommonOptions::declare_json(CLI::App& command) {
  command.add_flag("--json", json, "Print one JSON object instead of a table");
}

void CommonOptions::declare_all_but_out(CLI::App& command) {
  declare_model(command);
  declare_json(command);
  command.add_flag("--quiet", quiet, "No progress and no closing remarks");
}

void CommonOptions::declare_all(CLI::App& command) {
  declare_all_but_out(command);
  command.add_option("--out", out, "Write the result to a .csv, .npy or .h5 file")
      ->type_name("FILE")
      ->check(not_empty());
}

void CommonOptions::declare_report(CLI::App& command) {
  command.add_option("--report", page, "Write a page about the answer that needs no network")
      ->type_name("FILE.html")
      ->check(not_empty());
  command.add_option("--picture", picture, "Draw the answer, .png, .pdf or .svg (by matplotlib)")
      ->type_name("FILE")
      ->check(not_empty());
}

Model configured_model(const CommonOptions& options) {
  Model model = load_model(options.model);
  if (!options.settings.empty()) {
    model = present::with_settings(model, options.settings, present::Voice::command);
  }
  if (!options.fixed.empty()) model = present::with_fixed(model, options.fixed, true);
  if (!options.free.empty()) model = present::with_fixed(model, options.free, false);
  if (options.tamed && model.time().tamed == 0.0) model = model.with_value("tamed", 1.0);
  return model;
}

namespace {

using Reader = Model (*)(const Model&, const std::filesystem::path&, std::vector<std::string>&);

Model load_by(Reader read, const CommonOptions& options) {
  std::vector<std::string> remarks;
  Model model =
      read(configured_model(options), std::filesystem::path(options.model).parent_path(), remarks);
  if (options.quiet) return model;
  for (const std::string& remark : remarks) fmt::print(stderr, "divker: {}\n", remark);
  return model;
}

}  // namespace

Model load(const CommonOptions& options) { return load_by(present::with_files_read, options); }
Model load_with_inputs(const CommonOptions& options) {
  return load_by(present::with_inputs_read, options);
}

Session circumstances(const CommonOptions& options) {
  Session session;
  session.stop = &stop_requested();
  if (!options.quiet) session.progress = terminal_progress();
  return session;
}

void check_out(const CommonOptions& options, const std::string& checkpoint) {
  using std::filesystem::weakly_canonical;
  if (options.out.empty()) return;
  on_first_rank([&] { check_table_writable(options.out); });
  if (!checkpoint.empty() && weakly_canonical(options.out) == weakly_canonical(checkpoint)) {
    throw Error(ErrorKind::usage, "--checkpoint and --out name the same file.");
  }
}

void check_shown(const CommonOptions& options) {
  check_page(options.page);
  if (!options.picture.empty()) on_first_rank([&] { check_picture("--picture", options.picture); });
}

void write_out(const CommonOptions& options, const Table& table, const Attributes& attributes,
               const std::function<void()>& print) {
  std::optional<Error> failure;
  if (!options.out.empty()) {
    try {
      on_first_rank([&] { write_table(options.out, table, attributes); });
    } catch (const Error& error) {
      failure = error;
    }
  }
  print();
  if (failure) throw Error(*failure);
}

void print_json(const Json& json) {
  fmt::print("{}\n", json.dump(-1, ' ', false, Json::error_handler_t::replace));
}

void tell_warnings(const RunRecord& record) {
  for (const Warning& warning : record.warnings) {
    fmt::print(stderr, "divker: {}\n", warning.sentence);
  }
}

int finish(const CommonOptions& options, const RunRecord& record, const std::string& checkpoint) {
  const RunSummary& summary = record.summary;
  if (summary.interrupted) {
    fmt::print(stderr,
               "divker: interrupted; the result rests on the {} of {} paths that were "
               "finished.\n",
               summary.paths, summary.requested);
    if (!checkpoint.empty()) {
      fmt::print(stderr, "divker: the same command goes on from {}.\n", checkpoint);
    }
  }
  for (const FailedPath& failure : summary.first_failures) {
    fmt::print(stderr, "divker: path {} failed: its {} was not finite at t = {:.6g}.\n",
               failure.path, failure.what, failure.time);
  }
  if (!summary.cause.empty()) {
    fmt::print(stderr, "divker: on path {}: {}\n", summary.first_failures.front().path,
               summary.cause);
  }
  if (summary.failed > summary.first_failures.size()) {
    fmt::print(stderr, "divker: {} paths failed in all and were left out.\n", summary.failed);
  }
  if (!options.json && !options.quiet) {
    const double work = static_cast<double>(summary.paths) * static_cast<double>(summary.steps);
    fmt::print("\n{} paths of {} steps in {:.3f} s ({:.3g} path-steps per second)", summary.paths,
               summary.steps, summary.seconds, work / summary.seconds);
    if (!record.alpha.empty()) fmt::print(", damping {}", record.alpha);
    if (record.choice.seconds > 0.0) fmt::print(", pilot {:.3f} s", record.choice.seconds);
    fmt::print(", compilation {:.3f} s\n", record.compile_seconds);
    if (!options.out.empty()) fmt::print("written to {}\n", options.out);
  }
  return summary.interrupted ? exit_interrupted : exit_done;
}

}  // namespace divker::app
