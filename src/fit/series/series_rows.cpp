#include "fit/series/series_rows.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "divker/error.hpp"

namespace divker::fit {
namespace {

std::string row_in_words(const DataTable& table, std::size_t row) {
  return table.lines.empty() ? fmt::format("row {}", row)
                             : fmt::format("line {}", table.lines[row - 1]);
}

std::size_t time_column_of(const DataTable& table, const DataOptions& options) {
  const auto found = std::ranges::find(table.columns, options.time_column);
  if (!options.time_column.empty() && found != table.columns.end()) {
    return static_cast<std::size_t>(found - table.columns.begin());
  }
  if (options.time_column.empty()) {
    throw Error(ErrorKind::usage,
                fmt::format("A series has the times of its rows: name the column of {} that holds "
                            "them with --time.",
                            table.source));
  }
  throw Error(ErrorKind::usage,
              fmt::format("--time: {} has no column '{}'.", table.source, options.time_column));
}

double time_in_row(const DataTable& table, std::size_t column, std::size_t row) {
  const double time = table.values(row - 1, column);
  if (std::isfinite(time)) return time;
  throw Error(ErrorKind::model,
              fmt::format("The time is missing in {} of {}, column '{}'.", row_in_words(table, row),
                          table.source, table.columns[column]));
}

void refuse_equal_times(const DataTable& table, const MeasuredRow& a, const MeasuredRow& b) {
  if (a.time < b.time) return;
  throw Error(
      ErrorKind::model,
      fmt::format("{} and {} of {} have the same time {}: one individual has one row at "
                  "each time. Several individuals are told apart with --group COLUMN.",
                  row_in_words(table, a.row), row_in_words(table, b.row), table.source, a.time));
}

std::string name_of_individual(const DataTable& table, const DataOptions& options,
                               const MeasuredRow& row) {
  const auto found = std::ranges::find(table.columns, options.group_column);
  if (options.group_column.empty() || found == table.columns.end()) return table.source;
  const auto column = static_cast<std::size_t>(found - table.columns.begin());
  const auto texts = table.texts.find(column);
  if (texts != table.texts.end() && !texts->second.cells[row.row - 1].empty()) {
    return texts->second.cells[row.row - 1];
  }
  return fmt::format("{:g}", table.values(row.row - 1, column));
}

// The columns of the table are matched as those of snapshots are, all at one time.
std::vector<MeasuredSeries> series_of_table(const Model& model, const DataTable& table,
                                            const DataOptions& options,
                                            std::vector<std::string>& ignored) {
  DataOptions as_snapshot = options;
  as_snapshot.stationary = true;
  const std::size_t column = time_column_of(table, options);
  if (const auto texts = table.texts.find(column); texts != table.texts.end()) {
    throw Error(ErrorKind::model, texts->second.fault);
  }
  const std::size_t width = measurable(model).size();
  const FitData matched = match_data(model, {table}, as_snapshot);
  std::map<std::size_t, MeasuredSeries> series;
  for (const DataBlock& block : matched.blocks) {
    for (std::size_t r = 0; r < block.values.rows; ++r) {
      MeasuredRow one{time_in_row(table, column, block.rows[r]), block.rows[r],
                      std::vector<double>(width, std::numeric_limits<double>::quiet_NaN())};
      for (std::size_t c = 0; c < block.observed.size(); ++c) {
        one.values[block.observed[c]] = block.values(r, c);
      }
      series[options.group_column.empty() ? 0 : block.individuals[r]].rows.push_back(
          std::move(one));
    }
  }
  for (const std::string& name : matched.ignored) {
    if (std::ranges::find(ignored, name) == ignored.end()) ignored.push_back(name);
  }
  std::vector<MeasuredSeries> result;
  for (auto& [individual, one] : series) {
    one.table = &table;
    one.name = name_of_individual(table, options, one.rows.front());
    result.push_back(std::move(one));
  }
  return result;
}

// Whether they were in this order.
bool sort_by_time(MeasuredSeries& series) {
  std::vector<MeasuredRow>& rows = series.rows;
  std::ranges::stable_sort(rows, {}, &MeasuredRow::row);
  const bool was_sorted = std::ranges::is_sorted(rows, {}, &MeasuredRow::time);
  std::ranges::stable_sort(rows, {}, &MeasuredRow::time);
  for (std::size_t r = 1; r < rows.size(); ++r) {
    refuse_equal_times(*series.table, rows[r - 1], rows[r]);
  }
  return was_sorted;
}

}  // namespace

MeasuredTables measured_series(const Model& model, const std::vector<DataTable>& tables,
                               const DataOptions& options) {
  MeasuredTables result;
  std::size_t unsorted = 0;
  for (const DataTable& table : tables) {
    for (MeasuredSeries& one : series_of_table(model, table, options, result.ignored)) {
      if (!sort_by_time(one)) ++unsorted;
      result.series.push_back(std::move(one));
    }
    result.remarks.insert(result.remarks.end(), table.remarks.begin(), table.remarks.end());
  }
  if (unsorted > 0) {
    result.remarks.push_back(fmt::format(
        "Rows were sorted by time: {} not in that order.",
        unsorted == 1 ? "one individual's were" : fmt::format("{} individuals' were", unsorted)));
  }
  return result;
}

std::optional<std::size_t> state_observed_by(const Model& model, std::size_t observation) {
  if (model.observations()[observation].noisy) return std::nullopt;
  for (std::size_t i = 0; i < model.dimension(); ++i) {
    if (model.states()[i].node == model.observations()[observation].value) return i;
  }
  return std::nullopt;
}

void check_units(const std::vector<Interval>& intervals) {
  constexpr double most_times_median = 1000.0;
  if (intervals.size() < 3) return;
  std::vector<double> lengths;
  lengths.reserve(intervals.size());
  for (const Interval& one : intervals) lengths.push_back(one.length);
  const auto middle = lengths.begin() + static_cast<std::ptrdiff_t>(lengths.size() / 2);
  std::ranges::nth_element(lengths, middle);
  const Interval longest = *std::ranges::max_element(intervals, {}, &Interval::length);
  if (longest.length < most_times_median * *middle) return;
  throw Error(ErrorKind::model,
              fmt::format("The interval from time {} to {} is {:.4g}, but half of the intervals "
                          "are at most {:.4g}: the times seem to be in different units, or the "
                          "series in two parts, which --group tells apart.",
                          longest.begin, longest.begin + longest.length, longest.length, *middle));
}

}  // namespace divker::fit
