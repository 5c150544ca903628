#include "change.hpp"

#include <fmt/format.h>

#include "divker/density_change.hpp"
#include "divker/error.hpp"

namespace divker::app {
namespace {

struct Target {
  std::vector<double> values;                         // of all parameters
  std::vector<std::pair<std::string, double>> given;  // those of --to, by name
};

Target parse_target(const Model& model, const std::vector<std::string>& settings) {
  Target target{model.parameter_values(), {}};
  for (const std::string& setting : settings) {
    const auto [name, value] = parse_setting("--to", setting);
    for (const std::size_t p : model.parameter_indices(name)) target.values[p] = value;
    target.given.emplace_back(name, value);
  }
  (void)model.with_parameters(target.values);  // the bounds
  return target;
}

Table change_table(const Model& model, const Matrix& points, const ChangeAnswer& answer) {
  Table table;
  const bool at_points = points.rows > 0;
  if (at_points) {
    for (const State& state : model.states()) table.columns.push_back(state.name);
  }
  table.columns.emplace_back(at_points ? "log_ratio" : "change");
  table.columns.emplace_back("stderr");
  table.columns.emplace_back("quadrature");
  if (at_points) table.columns.emplace_back("outside");
  table.values = Matrix(answer.change.size(), table.columns.size());
  for (std::size_t r = 0; r < answer.change.size(); ++r) {
    const auto row = table.values.row(r);
    const Change& change = answer.change[r];
    std::size_t c = 0;
    for (; c < points.cols; ++c) row[c] = points(r, c);
    row[c++] = change.value;
    row[c++] = change.standard_error;
    row[c++] = change.quadrature;
    if (at_points) row[c] = answer.outside[r] ? 1.0 : 0.0;
  }
  return table;
}

void print_changes(const Model& model, const Matrix& points, const ChangeAnswer& answer) {
  for (const State& state : model.states()) fmt::print("{:>12} ", state.name);
  fmt::print(" {:>26} {:>12}\n", "log of the density ratio", "quadrature");
  for (std::size_t r = 0; r < points.rows; ++r) {
    for (std::size_t c = 0; c < points.cols; ++c) fmt::print("{:>12.5g} ", points(r, c));
    const Change& change = answer.change[r];
    fmt::print(" {:>13.5g} +- {:<9.2g} {:>12.2g}{}\n", change.value, change.standard_error,
               change.quadrature, answer.outside[r] ? "  outside the sample" : "");
  }
}

}  // namespace

void ChangeFlags::declare(CLI::App& command) {
  CLI::Option* target =
      command
          .add_option("--to", to,
                      "Change of the log density, or of the observable's mean, when parameters "
                      "take these values (repeatable)")
          ->type_name("NAME=VALUE")
          ->allow_extra_args(false);
  for (const char* other : {"--stationary", "--method", "--wrt", "--fokker-planck"}) {
    target->excludes(command.get_option(other));
  }
  command
      .add_option("--nodes", nodes,
                  "Nodes of the quadrature along the way to --to, a run at each (default: chosen)")
      ->type_name("N")
      ->check(whole_number())
      ->check(CLI::Range(2, 64))
      ->needs(target);
}

int report_change(const PointOptions& options, const ChangeFlags& flags, const LoadedModel& loaded,
                  const std::string& observable) {
  const Target target = parse_target(loaded.model, flags.to);
  ChangeOptions how;
  how.answer = options.answer_options_with_points(loaded);
  how.nodes = flags.nodes;
  Matrix points;
  if (observable.empty()) points = points_at(options.at, loaded, how.answer.run, options.grid);
  const ChangeAnswer answer = observable.empty()
                                  ? log_density_change(loaded.model, target.values, points, how)
                                  : observable_change(loaded.model, target.values, observable, how);
  JsonObject record;
  fields::change_record(record, target.given, answer);
  const auto print = [&] {
    if (options.json) {
      JsonObject object;
      fields::change(object, points, observable, answer);
      object.json.update(record.json);
      object.json.update(describe(options, loaded.model, answer.effective));
      print_json(object.json);
      return;
    }
    if (observable.empty()) {
      print_changes(loaded.model, points, answer);
    } else {
      const Change& change = answer.change.front();
      fmt::print("E[{}] changes by {:.6g} +- {:.2g} (quadrature {:.2g})\n", observable,
                 change.value, change.standard_error, change.quadrature);
    }
    fmt::print("\nwith {}: {} nodes of {} paths each\n", record.json["to"].dump(), answer.nodes,
               how.answer.run.paths);
  };
  write_out(options, loaded.model, answer.effective, change_table(loaded.model, points, answer),
            print, record.json);
  return finish(options, answer.effective);
}

}  // namespace divker::app
