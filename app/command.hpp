// What the subcommands share: options, running, and reporting.
#pragma once

#include <CLI/CLI.hpp>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "divker/answer.hpp"
#include "divker/model.hpp"
#include "divker/table.hpp"
#include "fields.hpp"
#include "json_object.hpp"
#include "loading.hpp"

namespace divker::app {

// Exit codes beyond those of Error: see README.
constexpr int exit_done = 0;
constexpr int exit_interrupted = 130;

// Options that every subcommand with a model takes.
struct CommonOptions {
  std::string model;
  std::vector<std::string> settings;  // name=value
  bool tamed = false;
  std::size_t paths = 100'000;
  std::uint64_t seed = 1;
  unsigned threads = 0;
  std::size_t block = 0;
  std::string alpha = "auto";
  int order = 1;
  std::string scheme;  // empty: euler for an SDE, exact for a map
  std::string resolution = "fast";
  double failed_share = 1e-3;
  std::string out;
  std::string checkpoint;
  double checkpoint_every = 60.0;
  bool json = false;
  bool quiet = false;

  void declare_model(CLI::App& command);  // MODEL, --set and --tamed
  void declare(CLI::App& command);        // these and all that concerns a run
  void declare_damping(CLI::App& command);
  void declare_checkpoint(CLI::App& command,  // checkpoint.cpp
                          const std::string& description =
                              "Save the run to FILE now and then, and go on from it if it is "
                              "there");
};

// The model with --set applied, and its samples read if it starts from some.
[[nodiscard]] LoadedModel load(const CommonOptions& options);

// The model alone, with --set and --tamed applied.
[[nodiscard]] Model configured_model(const CommonOptions& options);

// The parts of name=value, the value of --set and --to. Error(usage) names the option.
[[nodiscard]] std::pair<std::string, double> parse_setting(const std::string& option,
                                                           const std::string& setting);

// What an option's text must be, beyond what its conversion to a number asks for.
[[nodiscard]] CLI::Validator whole_number();   // 0, 1, ...: no sign, no exponent
[[nodiscard]] CLI::Validator finite_number();  // neither NaN nor infinite
[[nodiscard]] CLI::Validator not_empty();

// The run that the options ask for, with progress on a terminal and the stop flag of Ctrl-C.
[[nodiscard]] RunOptions run_options(const CommonOptions& options, const LoadedModel& loaded);
[[nodiscard]] AnswerOptions answer_options(const CommonOptions& options, const LoadedModel& loaded);

// The --checkpoint of a run, or none; checked to be writable.
[[nodiscard]] Checkpoint checkpoint_of(const CommonOptions& options);

// Checks before a long run that the output can be written.
void check_out(const CommonOptions& options);

// What every result carries (fields::run), as JSON and as attributes of a file.
[[nodiscard]] Json describe(const CommonOptions& options, const Model& model,
                            const Effective& effective);
[[nodiscard]] Attributes attributes(const CommonOptions& options, const Model& model,
                                    const Effective& effective);

// What an answer has to say beyond its numbers.
struct Remarks {
  std::string text;              // below the table
  Json values = Json::object();  // more of the JSON object
  Json record = Json::object();  // the same, and attributes of the file: how the answer was made
};

// Writes --out if asked for, then prints: in this order, so that a reader of standard output who
// leaves early does not cost the file. A file that cannot be written does not cost the printed
// answer: its error is thrown after it.
void write_out(const CommonOptions& options, const Model& model, const Effective& effective,
               const Table& table, const std::function<void()>& print,
               const Json& record = Json::object());

// One line on standard output. Bytes of file names and comments that are no UTF-8 are replaced.
void print_json(const Json& json);

// The last lines of every human report: paths, failures, damping, time. Returns the exit code.
int finish(const CommonOptions& options, const Effective& effective);

// Points of --at, columns in the order of the states; without it a grid, in one dimension.
[[nodiscard]] Matrix points_at(const std::string& file, const LoadedModel& loaded,
                               const RunOptions& run, std::size_t grid);

// The progress line and Ctrl-C (progress.cpp).
void install_signal_handlers();
[[nodiscard]] const std::atomic<bool>& stop_requested();
// Whether there is a terminal to show progress on.
[[nodiscard]] bool progress_is_seen();
[[nodiscard]] std::function<void(std::size_t, std::size_t)> terminal_progress();

// One function a subcommand, one file a function. Each adds itself to the command line and leaves
// its exit code in `code` when it runs.
void add_models(CLI::App& app, int& code);
void add_show(CLI::App& app, int& code);
void add_simulate(CLI::App& app, int& code);
void add_sample(CLI::App& app, int& code);
void add_score(CLI::App& app, int& code);
void add_response(CLI::App& app, int& code);
void add_diagnose(CLI::App& app, int& code);
void add_fit(CLI::App& app, int& code);
void add_bench(CLI::App& app, int& code);
void add_reproduce(CLI::App& app, int& code);

}  // namespace divker::app
