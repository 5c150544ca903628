// divker simulate: states at the snapshot times, to a file or as means and deviations.
#include <fmt/format.h>

#include "command.hpp"
#include "divker/error.hpp"
#include "divker/ranks.hpp"

namespace divker::app {
namespace {

struct SimulateOptions : CommonOptions {
  std::vector<double> times;
};

// One row a path and snapshot; with several snapshots the first column is the time.
Table states_table(const Model& model, const std::vector<Snapshot>& snapshots) {
  Table table;
  const bool with_time = snapshots.size() > 1;
  if (with_time) table.columns.emplace_back("t");
  for (const State& state : model.states()) table.columns.push_back(state.name);
  std::size_t rows = 0;
  for (const Snapshot& snapshot : snapshots) rows += snapshot.x.rows;
  table.values = Matrix(rows, table.columns.size());
  std::size_t row = 0;
  for (const Snapshot& snapshot : snapshots) {
    for (std::size_t r = 0; r < snapshot.x.rows; ++r, ++row) {
      const auto target = table.values.row(row);
      if (with_time) target[0] = snapshot.time;
      const auto source = snapshot.x.row(r);
      std::copy(source.begin(), source.end(), target.begin() + (with_time ? 1 : 0));
    }
  }
  return table;
}

int run_to_file(const SimulateOptions& options, const LoadedModel& loaded, const RunOptions& run) {
  StepOptions states_only;
  states_only.score = false;
  const Ensemble ensemble(loaded.model, states_only);
  const Paths paths = ensemble.run(run);
  Effective effective;
  effective.summary = paths.summary;
  effective.compile_seconds = ensemble.compile_seconds();
  on_first_rank([&] {
    write_table(options.out, states_table(loaded.model, paths.snapshots),
                attributes(options, loaded.model, effective));
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
  const MomentsAnswer answer = simulate_moments(loaded.model, run);
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
