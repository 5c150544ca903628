// divker simulate: states at the snapshot times, to a file or as means and deviations.
#include <fmt/format.h>

#include <optional>

#include "command.hpp"
#include "divker/error.hpp"
#include "divker/ranks.hpp"
#include "rows.hpp"

namespace divker::app {
namespace {

struct SimulateOptions : CommonOptions {
  std::vector<double> times;
};

std::vector<double> times_of(const Model& model, const RunOptions& run) {
  std::vector<double> times;
  for (const std::size_t step : snapshot_steps(model.time(), run.snapshots)) {
    times.push_back(model.time().time(step));
  }
  return times;
}

// Where the first rank keeps rows until all are there. With a checkpoint that is a file that
// survives, beside it.
std::optional<Spool> spool_of(const SimulateOptions& options) {
  if (ranks().rank() != 0) return std::nullopt;
  if (options.checkpoint.empty()) return Spool::unnamed(options.out);
  return Spool::named(options.checkpoint + ".rows");
}

int run_to_file(const SimulateOptions& options, const LoadedModel& loaded, const RunOptions& run) {
  StepOptions states_only;
  states_only.score = false;
  const Ensemble ensemble(loaded.model, states_only);
  std::vector<std::string> names;
  for (const State& state : loaded.model.states()) names.push_back(state.name);
  SpooledStates rows(names, times_of(loaded.model, run), spool_of(options));
  Effective effective;
  effective.summary = ensemble.run(run, rows, checkpoint_of(options).of("rows of states"));
  effective.compile_seconds = ensemble.compile_seconds();
  on_first_rank([&] {
    write_table(options.out, rows.table(), attributes(options, loaded.model, effective));
  });
  if (options.json) {
    Json json = describe(options, loaded.model, effective);
    json["out"] = options.out;
    print_json(json);
  }
  return finish(options, effective);
}

int run_to_moments(const SimulateOptions& options, const LoadedModel& loaded,
                   const RunOptions& run) {
  const MomentsAnswer answer = simulate_moments(loaded.model, run, checkpoint_of(options));
  if (options.json) {
    JsonObject object;
    object.json = describe(options, loaded.model, answer.effective);
    fields::moments(object, answer);
    print_json(object.json);
    return finish(options, answer.effective);
  }
  for (const StateMoments& snapshot : answer.snapshots) {
    const fields::MomentColumns columns(snapshot);
    fmt::print("t = {:.6g}\n{:>12} {:>14} {:>12} {:>14}\n", snapshot.time, "state", "mean", "+-",
               "deviation");
    for (std::size_t i = 0; i < columns.mean.size(); ++i) {
      fmt::print("{:>12} {:>14.6g} {:>12.2g} {:>14.6g}\n", loaded.model.states()[i].name,
                 columns.mean[i], columns.error[i], columns.deviation[i]);
    }
  }
  return finish(options, answer.effective);
}

int simulate(const SimulateOptions& options) {
  const LoadedModel loaded = load(options);
  check_out(options);
  RunOptions run = run_options(options, loaded);
  run.snapshots = options.times;
  return options.out.empty() ? run_to_moments(options, loaded, run)
                             : run_to_file(options, loaded, run);
}

}  // namespace

void add_simulate(CLI::App& app, int& code) {
  auto options = std::make_shared<SimulateOptions>();
  CLI::App* command = app.add_subcommand(
      "simulate", "Simulate paths; without --out only means and deviations are kept");
  options->declare(*command);
  options->declare_checkpoint(*command);
  command->add_option("--times", options->times, "Snapshot times, ascending (default: the end)")
      ->type_name("T1,T2,...")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->check(finite_number());
  command->callback([options, &code] { code = simulate(*options); });
}

void add_sample(CLI::App& app, int& code) {
  auto options = std::make_shared<SimulateOptions>();
  CLI::App* command =
      app.add_subcommand("sample", "Draw samples of the model's law at the end of its time grid");
  options->declare(*command);
  options->declare_checkpoint(*command);
  command->add_option("-n", options->paths, "Number of samples (the same as --paths)")
      ->type_name("N")
      ->check(whole_number());
  command->callback([options, &code] {
    if (options->out.empty()) {
      throw Error(ErrorKind::usage, "divker sample needs --out FILE (.csv, .npy or .h5).");
    }
    code = simulate(*options);
  });
}

}  // namespace divker::app
