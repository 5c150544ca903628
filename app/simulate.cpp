// divker simulate: states at the snapshot times, to a file or as means and deviations.
#include <fmt/format.h>

#include <cmath>

#include "command.hpp"
#include "divker/error.hpp"
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

int run_to_file(const SimulateOptions& options, const LoadedModel& loaded, const RunOptions& run) {
  StepOptions states_only;
  states_only.score = false;
  const Ensemble ensemble(loaded.model, states_only);
  std::vector<std::string> names;
  for (const State& state : loaded.model.states()) names.push_back(state.name);
  // With a checkpoint the rows wait in a file that survives, beside it.
  SpooledStates rows(names, times_of(loaded.model, run),
                     options.checkpoint.empty() ? Spool::unnamed(options.out)
                                                : Spool::named(options.checkpoint + ".rows"));
  Effective effective;
  effective.summary = ensemble.run(run, rows, checkpoint_of(options).of("rows of states"));
  effective.compile_seconds = ensemble.compile_seconds();
  write_table(options.out, rows.table(), attributes(options, loaded.model, effective));
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
  Json snapshots = Json::array();
  for (const StateMoments& snapshot : answer.snapshots) {
    std::vector<double> means, errors, deviations;
    for (std::size_t i = 0; i < snapshot.x.size(); ++i) {
      means.push_back(snapshot.x.estimate(i).value);
      errors.push_back(snapshot.x.estimate(i).standard_error);
      deviations.push_back(std::sqrt(snapshot.x.variance(i)));
    }
    snapshots.push_back(
        {{"t", snapshot.time}, {"mean", means}, {"stderr", errors}, {"deviation", deviations}});
    if (options.json) continue;
    fmt::print("t = {:.6g}\n{:>12} {:>14} {:>12} {:>14}\n", snapshot.time, "state", "mean", "+-",
               "deviation");
    for (std::size_t i = 0; i < means.size(); ++i) {
      fmt::print("{:>12} {:>14.6g} {:>12.2g} {:>14.6g}\n", loaded.model.states()[i].name, means[i],
                 errors[i], deviations[i]);
    }
  }
  if (options.json) {
    Json json = describe(options, loaded.model, answer.effective);
    json["snapshots"] = snapshots;
    print_json(json);
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
