#include "command.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <limits>

#include "divker/error.hpp"
#include "divker/language.hpp"
#include "divker/ranks.hpp"

namespace divker::app {
namespace {

// The number that the whole text spells; nothing if it spells none.
std::optional<double> number(const std::string& text) {
  double value = 0.0;
  const char* last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), last, value);
  if (error != std::errc() || end != last) return std::nullopt;
  return value;
}

}  // namespace

std::pair<std::string, double> parse_setting(const std::string& option,
                                             const std::string& setting) {
  const std::size_t equals = setting.find('=');
  if (equals == std::string::npos || equals == 0) {
    throw Error(ErrorKind::usage,
                fmt::format("{0} {1}: expected name=value, such as {0} F=8.2.", option, setting));
  }
  const std::string text = setting.substr(equals + 1);
  const std::optional<double> value = number(text);
  if (value) return {setting.substr(0, equals), *value};
  throw Error(ErrorKind::usage, fmt::format("{} {}: '{}' is not a number.", option, setting, text));
}

CLI::Validator whole_number() {
  const auto complaint = [](const std::string& text) {
    std::uint64_t value = 0;
    const char* last = text.data() + text.size();
    const auto [end, error] = std::from_chars(text.data(), last, value);
    if (error == std::errc() && end == last) return std::string();
    return fmt::format("'{}' is not a whole number from 0 to {}", text,
                       std::numeric_limits<std::uint64_t>::max());
  };
  return {complaint, ""};
}

CLI::Validator finite_number() {
  const auto complaint = [](const std::string& text) {
    const std::optional<double> value = number(text);
    if (value && std::isfinite(*value)) return std::string();
    return fmt::format("'{}' is not a finite number", text);
  };
  return {complaint, ""};
}

CLI::Validator not_empty() {
  const auto complaint = [](const std::string& text) {
    return text.empty() ? std::string("the text is empty") : std::string();
  };
  return {complaint, ""};
}

void CommonOptions::declare_model(CLI::App& command) {
  command.add_option("model", model, "A model file, or the name of a shipped model")
      ->type_name("MODEL")
      ->required();
  // One value to each --set, so that the model may follow it.
  command.add_option("--set", settings, "Set a parameter, dt, T or tamed (repeatable)")
      ->type_name("NAME=VALUE")
      ->allow_extra_args(false);
  command.add_flag(
      "--tamed", tamed,
      "Keep the drift's displacement in one step below 1 in every state: no explosions");
}

void CommonOptions::declare(CLI::App& command) {
  declare_model(command);
  command.add_option("--paths", paths, "Number of paths")
      ->type_name("N")
      ->check(whole_number())
      ->capture_default_str();
  command.add_option("--seed", seed, "Seed of the random numbers")
      ->type_name("N")
      ->check(whole_number())
      ->capture_default_str();
  command
      .add_option("--threads", threads,
                  "Threads of each process; 0: all cores. Results do not depend on it")
      ->type_name("N")
      ->check(whole_number())
      ->capture_default_str();
  command
      .add_option("--block", block,
                  "Paths advanced together; 0: chosen. Results do not depend on it")
      ->type_name("N")
      ->check(whole_number())
      ->capture_default_str();
  command
      .add_option("--resolution", resolution, "Random numbers: fast (32 bits) or full (52 bits)")
      ->check(CLI::IsMember({"fast", "full"}))
      ->capture_default_str();
  command.add_option("--failed-share", failed_share, "Share of failed paths that is tolerated")
      ->type_name("X")
      ->check(finite_number())
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  command
      .add_option("--scheme", scheme,
                  "Step of an SDE: euler (default), or exact for its Euler chain, at any dt")
      ->check(CLI::IsMember({"euler", "exact"}));
  command.add_option("--out", out, "Write the result to a .csv, .npy or .h5 file")
      ->type_name("FILE")
      ->check(not_empty());
  command.add_flag("--json", json, "Print one JSON object instead of a table");
  command.add_flag("--quiet", quiet, "No progress and no closing remarks");
}

void CommonOptions::declare_damping(CLI::App& command) {
  command
      .add_option(
          "--alpha", alpha,
          "Damping: auto, a number per unit of time, early:number, gaussian, jacobian, "
          "jacobian:alpha,beta, learned; for maps and the exact scheme also kernel, mixed:alpha,c")
      ->capture_default_str();
  command.add_option("--order", order, "Order in the inverse of the step: 1, or 2 for less bias")
      ->check(CLI::IsMember({1, 2}))
      ->capture_default_str();
}

Model configured_model(const CommonOptions& options) {
  std::vector<std::pair<std::string, double>> values;
  for (const std::string& setting : options.settings) {
    values.push_back(parse_setting("--set", setting));
  }
  Model model = with_values(load_model(options.model), values);
  if (options.tamed && model.time().tamed == 0.0) model = model.with_value("tamed", 1.0);
  return model;
}

LoadedModel load(const CommonOptions& options) {
  Model model = configured_model(options);
  if (model.dynamics() == Dynamics::map && options.scheme == "euler") {
    throw Error(ErrorKind::usage,
                fmt::format("--scheme euler is for SDEs: model {} is a discrete-time map, whose "
                            "step is exact.",
                            model.name()));
  }
  auto samples = read_samples(model, std::filesystem::path(options.model).parent_path());
  return {std::move(model), std::move(samples)};
}

RunOptions run_options(const CommonOptions& options, const LoadedModel& loaded) {
  RunOptions run;
  run.paths = options.paths;
  run.seed = options.seed;
  run.threads = options.threads;
  run.block = options.block;
  run.samples = loaded.samples;
  run.resolution = options.resolution == "full" ? Resolution::full : Resolution::fast;
  run.failed_share = options.failed_share;
  run.stop = &stop_requested();
  if (!options.quiet) run.progress = terminal_progress();
  return run;
}

AnswerOptions answer_options(const CommonOptions& options, const LoadedModel& loaded) {
  AnswerOptions answer;
  answer.run = run_options(options, loaded);
  answer.damping = parse_damping(options.alpha);
  answer.scheme = options.scheme == "exact" ? Scheme::exact : Scheme::euler;
  answer.order = options.order == 2 ? InverseOrder::second : InverseOrder::first;
  answer.checkpoint = checkpoint_of(options);
  return answer;
}

void check_out(const CommonOptions& options) {
  if (!options.out.empty()) on_first_rank([&] { check_table_writable(options.out); });
}

Json describe(const CommonOptions& options, const Model& model, const Effective& effective) {
  JsonObject about;
  fields::run(about, {options.seed, options.order, options.scheme, options.resolution}, model,
              effective);
  return about.json;
}

Attributes attributes(const CommonOptions& options, const Model& model,
                      const Effective& effective) {
  return {
      {"alpha", effective.alpha},
      {"seed", std::to_string(options.seed)},
      {"paths", std::to_string(effective.summary.paths)},
      {"failed_paths", std::to_string(effective.summary.failed)},
      {"time_grid",
       fmt::format("{} : {} : {}{}", model.time().start, model.time().step, model.time().end,
                   model.time().tamed > 0.0 ? fmt::format(" tamed {}", model.time().tamed) : "")},
      {"version", DIVKER_VERSION},
      {"model_hash", model.hash()},
      {"model_text", model.text()}};
}

void write_out(const CommonOptions& options, const Model& model, const Effective& effective,
               const Table& table, const std::function<void()>& print, const Json& record) {
  std::optional<Error> failure;
  if (!options.out.empty()) {
    Attributes about = attributes(options, model, effective);
    for (const auto& [key, value] : record.items()) about[key] = value.dump();
    try {
      on_first_rank([&] { write_table(options.out, table, about); });
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

int finish(const CommonOptions& options, const Effective& effective) {
  const RunSummary& summary = effective.summary;
  if (summary.interrupted) {
    fmt::print(stderr,
               "divker: interrupted; the result rests on the {} of {} paths that were "
               "finished.\n",
               summary.paths, summary.requested);
    if (!options.checkpoint.empty()) {
      fmt::print(stderr, "divker: the same command goes on from {}.\n", options.checkpoint);
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
    if (!effective.alpha.empty()) fmt::print(", damping {}", effective.alpha);
    if (effective.choice.seconds > 0.0) fmt::print(", pilot {:.3f} s", effective.choice.seconds);
    fmt::print(", compilation {:.3f} s\n", effective.compile_seconds);
    if (!options.out.empty()) fmt::print("written to {}\n", options.out);
  }
  return summary.interrupted ? exit_interrupted : exit_done;
}

Matrix points_at(const std::string& file, const LoadedModel& loaded, const RunOptions& run,
                 std::size_t grid) {
  if (file.empty()) return default_points(loaded.model, run, grid);
  std::vector<std::string> names;
  for (const State& state : loaded.model.states()) names.push_back(state.name);
  return select_columns(read_table(file), names, file);
}

Json to_json(const Matrix& matrix) {
  Json rows = Json::array();
  for (std::size_t r = 0; r < matrix.rows; ++r) {
    const auto row = matrix.row(r);
    rows.push_back(std::vector<double>(row.begin(), row.end()));
  }
  return rows;
}

}  // namespace divker::app
