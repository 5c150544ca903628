// What the subcommands share: options beside those of a request, running, and the last lines.
#pragma once

#include <CLI/CLI.hpp>
#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "declare.hpp"
#include "divker/model.hpp"
#include "divker/record.hpp"
#include "divker/table.hpp"
#include "json.hpp"

namespace divker::app {

// Exit codes beyond those of Error: see README.
constexpr int exit_done = 0;
constexpr int exit_interrupted = 130;

// What every subcommand with a model takes beside its request.
struct CommonOptions {
  std::string model;
  present::Settings settings;
  std::vector<std::string> fixed;
  std::vector<std::string> free;
  bool tamed = false;
  std::string out;
  std::string page;     // of --report
  std::string picture;  // of --picture
  bool json = false;
  bool quiet = false;

  void declare_model(CLI::App& command);  // MODEL, --set and --tamed
  void declare_json(CLI::App& command);
  void declare_all(CLI::App& command);
  void declare_all_but_out(CLI::App& command);
  void declare_report(CLI::App& command);  // --report and --picture
};

// The model with --set and --tamed applied.
[[nodiscard]] Model configured_model(const CommonOptions& options);
// And the files read that it names, or those of its inputs alone; what is remarked on them goes to
// the error stream.
[[nodiscard]] Model load(const CommonOptions& options);
[[nodiscard]] Model load_with_inputs(const CommonOptions& options);

// The stop flag of Ctrl-C, and progress on a terminal.
[[nodiscard]] Session circumstances(const CommonOptions& options);

// Checks before a long run that the output can be written, beside the checkpoint.
void check_out(const CommonOptions& options, const std::string& checkpoint = {});
// The same of --report and --picture.
void check_shown(const CommonOptions& options);

// Writes --out if asked for, then prints: in this order, so that a reader of standard output who
// leaves early does not cost the file. A file that cannot be written does not cost the printed
// answer: its error is thrown after it.
void write_out(const CommonOptions& options, const Table& table, const Attributes& attributes,
               const std::function<void()>& print);

// One line on standard output. Bytes of file names and comments that are no UTF-8 are replaced.
void print_json(const Json& json);

// On the error stream, before the answer.
void tell_warnings(const RunRecord& record);

// The last lines of every human report: paths, failures, damping, time. Returns the exit code.
int finish(const CommonOptions& options, const RunRecord& record,
           const std::string& checkpoint = {});

// The progress line and Ctrl-C (progress.cpp).
void install_signal_handlers();
[[nodiscard]] const std::atomic<bool>& stop_requested();
// Whether there is a terminal to show progress on.
[[nodiscard]] bool progress_is_seen();
[[nodiscard]] std::function<void(std::size_t, std::size_t)> terminal_progress();

// One function a subcommand, one file a function, but for questions(). Each adds itself to the
// command line and leaves its exit code in `code` when it runs.
void add_models(CLI::App& app, int& code);
void add_new(CLI::App& app, int& code);
void add_show(CLI::App& app, int& code);
void add_simulate(CLI::App& app, int& code);
void add_sample(CLI::App& app, int& code);
void add_answers(CLI::App& app, int& code);  // questions() whose answers are worth a file
void add_fit(CLI::App& app, int& code);
void add_compare(CLI::App& app, int& code);
void add_checks(CLI::App& app, int& code);  // the other questions()
void add_bench(CLI::App& app, int& code);
void add_reproduce(CLI::App& app, int& code);
void add_completion(CLI::App& app, int& code);
void add_manual(CLI::App& app, int& code);

}  // namespace divker::app
