#include "present/tables.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

namespace divker::present {
namespace {

// Rows are appended, all as long as the first.
void append(Matrix& rows, const std::vector<double>& row) {
  rows.cols = row.size();
  ++rows.rows;
  rows.data.insert(rows.data.end(), row.begin(), row.end());
}

std::vector<std::string> names_of_states(const Model& model) {
  std::vector<std::string> names;
  for (const State& state : model.states()) names.push_back(state.name);
  return names;
}

double as_number(bool flag) { return flag ? 1.0 : 0.0; }

// One overload for each kind of answer.
struct Tabulate {
  const Model& model;

  Table operator()(const MomentsAnswer& answer) const {
    Table table{{"t"}, {}};
    for (const std::string& name : names_of_states(model)) {
      for (const char* what : {"mean.", "stderr.", "deviation."}) {
        table.columns.push_back(what + name);
      }
    }
    for (const StateMoments& snapshot : answer.snapshots) {
      const MomentColumns columns(snapshot);
      std::vector<double> row{snapshot.time};
      for (std::size_t i = 0; i < columns.mean.size(); ++i) {
        row.insert(row.end(), {columns.mean[i], columns.error[i], columns.deviation[i]});
      }
      append(table.values, row);
    }
    return table;
  }

  Table operator()(const AtPoints& reply) const {
    const PointAnswer& answer = reply.answer;
    Table table{names_of_states(model), {}};
    for (const std::string& name : answer.names) {
      table.columns.push_back(reply.key + "." + name);
      table.columns.push_back("stderr." + name);
      if (answer.time_step.rows != 0) table.columns.push_back("time_step." + name);
    }
    table.columns.emplace_back("outside");
    for (std::size_t r = 0; r < answer.points.rows; ++r) {
      const auto point = answer.points.row(r);
      std::vector<double> row(point.begin(), point.end());
      for (std::size_t q = 0; q < answer.names.size(); ++q) {
        row.push_back(answer.prediction.value(r, q));
        row.push_back(answer.prediction.standard_error(r, q));
        if (answer.time_step.rows != 0) row.push_back(answer.time_step(r, q));
      }
      row.push_back(as_number(answer.prediction.outside[r]));
      append(table.values, row);
    }
    return table;
  }

  Table operator()(const OfMean& reply) const {
    const ObservableAnswer& answer = reply.answer;
    Table table{{"value", "value_stderr"}, {}};
    std::vector<double> row{answer.value.value, answer.value.standard_error};
    for (std::size_t p = 0; p < answer.names.size(); ++p) {
      table.columns.push_back("response." + answer.names[p]);
      table.columns.push_back("stderr." + answer.names[p]);
      row.push_back(answer.response[p].value);
      row.push_back(answer.response[p].standard_error);
      if (answer.time_step.empty()) continue;
      table.columns.push_back("time_step." + answer.names[p]);
      row.push_back(answer.time_step[1 + p]);
    }
    append(table.values, row);
    return table;
  }

  Table operator()(const OfChange& reply) const {
    const bool at_points = reply.observable.empty();
    Table table;
    if (at_points) table.columns = names_of_states(model);
    table.columns.emplace_back(at_points ? "log_ratio" : "change");
    table.columns.insert(table.columns.end(), {"stderr", "quadrature"});
    if (at_points) table.columns.emplace_back("outside");
    for (std::size_t r = 0; r < reply.answer.change.size(); ++r) {
      std::vector<double> row;
      for (std::size_t c = 0; c < reply.points.cols; ++c) row.push_back(reply.points(r, c));
      const Change& change = reply.answer.change[r];
      row.insert(row.end(), {change.value, change.standard_error, change.quadrature});
      if (at_points) row.push_back(as_number(reply.answer.outside[r]));
      append(table.values, row);
    }
    return table;
  }

  Table operator()(const OfModel& reply) const {
    Table table{{"path_runs", "seconds"}, {}};
    for (const std::string& name : reply.parameters) table.columns.push_back("stderr." + name);
    for (const MethodCost& cost : reply.diagnosis.methods) {
      if (!cost.problem.empty()) continue;
      std::vector<double> row{static_cast<double>(cost.path_runs), cost.seconds};
      row.insert(row.end(), cost.standard_errors.begin(), cost.standard_errors.end());
      append(table.values, row);
    }
    return table;
  }
};

}  // namespace

Table table_of(const Reply& reply) { return std::visit(Tabulate{reply.model}, reply.answer); }

Table history_table(const FitResult& result) {
  Table table{{"iteration", "paths", "gain", "psi_over_noise", "step", "halvings"}, {}};
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
    row.insert(row.end(), one.parameters.begin(), one.parameters.end());
    append(table.values, row);
  }
  return table;
}

MomentColumns::MomentColumns(const StateMoments& snapshot) {
  for (std::size_t i = 0; i < snapshot.x.size(); ++i) {
    mean.push_back(snapshot.x.estimate(i).value);
    error.push_back(snapshot.x.estimate(i).standard_error);
    deviation.push_back(std::sqrt(snapshot.x.variance(i)));
  }
}

Matrix exact_values(const ExactDensity& density, const std::string& key) {
  if (key == "response") return density.response;
  Matrix column(density.score.size(), 1);
  column.data = density.score;
  return column;
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
