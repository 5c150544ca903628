#include "present/questions/series_rows.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "present/fitting.hpp"

namespace divker::present {

void describe(SeriesRequest& r, OptionVisitor& visit) {
  visit(
      Option("data", "A table of measurements, .csv, .npy or .h5 (repeatable)", "FILE").asked_for(),
      r.data);
  visit(Option("time", "The column with the time of each row", "COLUMN").asked_for(),
        r.columns.time_column);
  visit(Option("group", "The column that tells individuals apart", "COLUMN"),
        r.columns.group_column);
  visit(Option("map", "The column that holds a state (repeatable)", "NAME=COLUMN"),
        r.columns.names);
  visit(Option("paths", r.paths_are, "N")
            .by_default(std::to_string(r.usual_paths))
            .within(1, 1'000'000'000),
        r.paths);
  visit(Option("seed", "Seed of the random numbers", "N").shown(), r.seed);
  visit(Option("threads", "Threads (default: all cores)", "N"), r.threads);
}

SeriesData series_of(const SeriesRequest& request, const Model& model,
                     std::size_t fewest_transitions) {
  std::vector<DataTable> tables = request.data.tables;
  for (const std::string& file : request.data.files) tables.push_back(data_in(file, {}));
  return match_series(model, tables, request.columns, fewest_transitions);
}

void tell_remarks(std::vector<Warning>& warnings, const SeriesData& data) {
  std::vector<Warning> remarks;
  for (const std::string& remark : data.remarks) remarks.push_back({"data", remark});
  if (!data.ignored.empty()) {
    remarks.push_back(
        {"data", fmt::format("Columns not used: {}.", fmt::join(data.ignored, ", "))});
  }
  warnings.insert(warnings.begin(), remarks.begin(), remarks.end());
}

}  // namespace divker::present
