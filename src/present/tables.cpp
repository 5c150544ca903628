#include "present/tables.hpp"

#include <fmt/format.h>

namespace divker::present {

std::vector<std::string> names_of_states(const Model& model) {
  std::vector<std::string> names;
  for (const State& state : model.states()) names.push_back(state.name);
  return names;
}

std::vector<std::string> names_along_paths(const Model& model) {
  std::vector<std::string> names = names_of_states(model);
  for (const PathFunctional& one : model.functionals()) names.push_back(one.name);
  return names;
}

void append_row(Matrix& rows, const std::vector<double>& row) {
  rows.cols = row.size();
  ++rows.rows;
  rows.data.insert(rows.data.end(), row.begin(), row.end());
}

Table history_table(const FitResult& result) {
  Table table{{"iteration", "paths", "gain", "psi_over_noise", "step", "halvings"}, {}};
  if (result.divergence) {
    table.columns.insert(table.columns.end(), {"divergence", "divergence_stderr"});
  }
  for (const Parameter& parameter : result.model.parameters()) {
    table.columns.push_back(parameter.name);
  }
  for (const FitIteration& one : result.state.history) {
    std::vector<double> row{static_cast<double>(one.iteration),
                            static_cast<double>(one.paths),
                            one.gain,
                            one.psi_over_noise,
                            one.step,
                            static_cast<double>(one.halvings)};
    if (result.divergence) {
      const Estimate divergence = one.divergence.value_or(Estimate());
      row.insert(row.end(), {divergence.value, divergence.standard_error});
    }
    row.insert(row.end(), one.parameters.begin(), one.parameters.end());
    append_row(table.values, row);
  }
  return table;
}

Attributes attributes_of(const Model& model, const RunRecord& record) {
  const TimeGrid& grid = model.time();
  return {{"alpha", record.alpha},
          {"seed", std::to_string(record.sampling.seed)},
          {"paths", std::to_string(record.summary.paths)},
          {"failed_paths", std::to_string(record.summary.failed)},
          {"time_grid", fmt::format("{} : {} : {}{}", grid.start, grid.step, grid.end,
                                    grid.tamed > 0.0 ? fmt::format(" tamed {}", grid.tamed) : "")},
          {"version", DIVKER_VERSION},
          {"model_hash", model.hash()},
          {"model_text", model.text()}};
}

}  // namespace divker::present
