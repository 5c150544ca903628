// divker simulate: states at the snapshot times, to a file or as means and deviations.
#include "present/questions/simulate.hpp"

#include <fmt/format.h>

#include <optional>

#include "divker/error.hpp"
#include "divker/ranks.hpp"
#include "divker/study.hpp"
#include "picture.hpp"
#include "present/tables.hpp"
#include "report.hpp"
#include "rows.hpp"

namespace divker::app {
namespace {

struct SimulateOptions : CommonOptions {
  present::SimulateRequest request;
  std::string picture;
};

// Where the first rank keeps rows until all are there. With a checkpoint that is a file that
// survives, beside it.
std::optional<Spool> spool_of(const SimulateOptions& options) {
  if (ranks().rank() != 0) return std::nullopt;
  if (options.request.checkpoint.empty()) return Spool::unnamed(options.out);
  return Spool::named(options.request.checkpoint + ".rows");
}

int run_to_file(const SimulateOptions& options, const Model& model) {
  const present::SimulateRequest& request = options.request;
  const present::Simulated simulated(request, model);
  Study study = simulated.study(request, circumstances(options));
  SpooledStates rows(
      simulated.names(),
      [&](const PathGroup& group, std::size_t k) { return simulated.rows(group, k); },
      model.time().snapshot_times(request.times), spool_of(options));
  study.run(rows, simulated.kept());
  const RunRecord& record = study.record();
  on_first_rank(
      [&] { write_table(options.out, rows.table(), present::attributes_of(model, record)); });
  if (options.json) {
    present::Fields fields;
    present::fields::run(fields, model, record);
    fields.set("out", options.out);
    print_json(to_json(fields));
  }
  return finish(options, record, request.checkpoint);
}

int simulate(const SimulateOptions& options) {
  const Model model = load(options);
  check_out(options, options.request.checkpoint);
  if (!options.picture.empty()) check_picture(options.picture);
  present::SimulateRequest request = options.request;
  request.for_picture = !options.picture.empty();
  const bool is_of_rows =
      !request.for_picture && request.bands.empty() && request.data.files.empty();
  if (!options.out.empty() && is_of_rows) return run_to_file(options, model);
  return report(options, reply_to(request, model, circumstances(options)), request.checkpoint,
                options.picture);
}

}  // namespace

void add_simulate(CLI::App& app, int& code) {
  auto options = std::make_shared<SimulateOptions>();
  CLI::App* command = app.add_subcommand(
      "simulate", "Simulate paths; without --out only means and deviations are kept");
  options->declare_all(*command);
  declare(*command, options->request);
  declare_picture(*command, options->picture);
  command->callback([options, &code] { code = simulate(*options); });
}

void add_sample(CLI::App& app, int& code) {
  auto options = std::make_shared<SimulateOptions>();
  CLI::App* command =
      app.add_subcommand("sample", "Draw samples of the model's law at the end of its time grid");
  options->declare_all(*command);
  declare(*command, options->request);
  for (const char* of_bands : {"--map", "--time", "--data", "--bands"}) {
    command->remove_option(command->get_option(of_bands));
  }
  command->add_option("-n", options->request.paths, "Number of samples (the same as --paths)")
      ->type_name("N")
      ->transform(whole_number());
  command->callback([options, &code] {
    if (options->out.empty()) {
      throw Error(ErrorKind::usage, "divker sample needs --out FILE (.csv, .npy or .h5).");
    }
    code = simulate(*options);
  });
}

}  // namespace divker::app
