// Tables of measurements as pairs of consecutive ones.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <set>
#include <utility>

#include "divker/error.hpp"
#include "divker/series.hpp"

namespace divker {
namespace {

// A row of a table with what it has of the states; NaN where it lacks one.
struct SeriesRow {
  double time = 0.0;
  std::size_t row = 0;  // of the table, from 1
  std::vector<double> states;

  [[nodiscard]] bool is_whole() const {
    return std::ranges::none_of(states, [](double value) { return std::isnan(value); });
  }
};
using SeriesRows = std::vector<SeriesRow>;

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

// Transitions of one table after the other.
class SeriesMatcher {
 public:
  SeriesMatcher(const Model& model, const DataOptions& options)
      : model_(model), options_(options), dimension_(model.dimension()) {
    data_.from.cols = data_.to.cols = data_.last.cols = dimension_;
  }

  SeriesData run(const std::vector<DataTable>& tables, std::size_t fewest) {
    if (options_.stationary) {
      throw Error(ErrorKind::usage,
                  "Data of the stationary law are snapshots: they cannot be a series.");
    }
    for (const DataTable& table : tables) add(table);
    if (data_.names.empty() || data_.size() < fewest) {
      throw Error(ErrorKind::model,
                  "The data hold no transition: no individual has two rows with all states.");
    }
    if (data_.size() > 0) check_units();
    remark();
    return std::move(data_);
  }

 private:
  // The columns of the table are matched as those of snapshots are, all at one time.
  void add(const DataTable& table) {
    DataOptions as_snapshot = options_;
    as_snapshot.stationary = true;
    const std::size_t column = time_column_of(table, options_);
    if (const auto texts = table.texts.find(column); texts != table.texts.end()) {
      throw Error(ErrorKind::model, texts->second.fault);
    }
    const FitData matched = match_data(model_, {table}, as_snapshot);
    std::map<std::size_t, SeriesRows> series;
    for (const DataBlock& block : matched.blocks) {
      for (std::size_t r = 0; r < block.values.rows; ++r) {
        SeriesRow one{time_in_row(table, column, block.rows[r]), block.rows[r],
                      std::vector<double>(dimension_, std::numeric_limits<double>::quiet_NaN())};
        for (std::size_t c = 0; c < block.observed.size(); ++c) {
          one.states[state_of(table, block.observed[c])] = block.values(r, c);
        }
        series[options_.group_column.empty() ? 0 : block.individuals[r]].push_back(std::move(one));
      }
    }
    for (const std::string& name : matched.ignored) {
      if (std::ranges::find(data_.ignored, name) == data_.ignored.end())
        data_.ignored.push_back(name);
    }
    const std::size_t before = data_.rows;
    for (auto& [individual, rows] : series) add_series(table, rows);
    lacking_ += table.values.rows - (data_.rows - before);
    data_.remarks.insert(data_.remarks.end(), table.remarks.begin(), table.remarks.end());
  }

  [[nodiscard]] std::size_t state_of(const DataTable& table, std::size_t observed) const {
    const std::size_t observations = model_.observations().size();
    if (observed >= observations) return observed - observations;
    throw Error(ErrorKind::model,
                fmt::format("{} holds the observation {} of model {}: a series has the states "
                            "themselves; observations are fitted as snapshots.",
                            table.source, model_.observations()[observed].name, model_.name()));
  }

  void add_series(const DataTable& table, SeriesRows& rows) {
    std::ranges::stable_sort(rows, {}, &SeriesRow::row);
    if (!std::ranges::is_sorted(rows, {}, &SeriesRow::time)) ++unsorted_;
    std::ranges::stable_sort(rows, {}, &SeriesRow::time);
    for (std::size_t r = 1; r < rows.size(); ++r) refuse_equal_times(table, rows[r - 1], rows[r]);
    std::erase_if(rows, [](const SeriesRow& row) { return !row.is_whole(); });
    data_.rows += rows.size();
    if (!rows.empty()) add_individual(table, rows.back());
    for (std::size_t r = 1; r < rows.size(); ++r) add_transition(rows[r - 1], rows[r]);
    ++(rows.size() > 1 ? data_.individuals : single_);
  }

  static void refuse_equal_times(const DataTable& table, const SeriesRow& a, const SeriesRow& b) {
    if (a.time < b.time) return;
    throw Error(
        ErrorKind::model,
        fmt::format("{} and {} of {} have the same time {}: one individual has one row at "
                    "each time. Several individuals are told apart with --group COLUMN.",
                    row_in_words(table, a.row), row_in_words(table, b.row), table.source, a.time));
  }

  void add_individual(const DataTable& table, const SeriesRow& last) {
    data_.names.push_back(name_of_individual(table, last));
    data_.last.data.insert(data_.last.data.end(), last.states.begin(), last.states.end());
    ++data_.last.rows;
    data_.last_time.push_back(last.time);
  }

  // What its column of groups holds, and without one the table's name.
  [[nodiscard]] std::string name_of_individual(const DataTable& table, const SeriesRow& row) const {
    const auto found = std::ranges::find(table.columns, options_.group_column);
    if (options_.group_column.empty() || found == table.columns.end()) return table.source;
    const auto column = static_cast<std::size_t>(found - table.columns.begin());
    const auto texts = table.texts.find(column);
    if (texts != table.texts.end() && !texts->second.cells[row.row - 1].empty()) {
      return texts->second.cells[row.row - 1];
    }
    return fmt::format("{:g}", table.values(row.row - 1, column));
  }

  void add_transition(const SeriesRow& from, const SeriesRow& to) {
    data_.individual.push_back(data_.names.size() - 1);
    data_.from.data.insert(data_.from.data.end(), from.states.begin(), from.states.end());
    data_.to.data.insert(data_.to.data.end(), to.states.begin(), to.states.end());
    ++data_.from.rows;
    ++data_.to.rows;
    data_.time.push_back(from.time);
    data_.interval.push_back(to.time - from.time);
    if (from.states == to.states) ++equal_;
  }

  // Times that are seconds here and milliseconds there.
  void check_units() const {
    constexpr double most_times_median = 1000.0;
    std::vector<double> intervals = data_.interval;
    const auto middle = intervals.begin() + static_cast<std::ptrdiff_t>(intervals.size() / 2);
    std::ranges::nth_element(intervals, middle);
    const auto longest = std::ranges::max_element(data_.interval);
    if (intervals.size() < 3 || *longest < most_times_median * *middle) return;
    const std::size_t at = static_cast<std::size_t>(longest - data_.interval.begin());
    throw Error(ErrorKind::model,
                fmt::format("The interval from time {} to {} is {:.4g}, but half of the intervals "
                            "are at most {:.4g}: the times seem to be in different units, or the "
                            "series in two parts, which --group tells apart.",
                            data_.time[at], data_.time[at] + *longest, *longest, *middle));
  }

  void remark() {
    if (unsorted_ > 0) {
      data_.remarks.push_back(fmt::format("Rows were sorted by time: {} not in that order.",
                                          unsorted_ == 1
                                              ? "one individual's were"
                                              : fmt::format("{} individuals' were", unsorted_)));
    }
    if (lacking_ > 0) {
      data_.remarks.push_back(
          fmt::format("{} of {} rows lack a state and are left out: the transition goes from the "
                      "row before to the one after.",
                      lacking_, lacking_ + data_.rows));
    }
    if (single_ > 0) {
      data_.remarks.push_back(
          fmt::format("{} with less than two rows that have all states {} nothing.",
                      single_ == 1 ? "One individual" : fmt::format("{} individuals", single_),
                      single_ == 1 ? "adds" : "add"));
    }
    if (equal_ > 0) {
      data_.remarks.push_back(
          fmt::format("{} of {} transitions end in the very state they start from, which has no "
                      "probability under diffusion: repeated or rounded values make the noise "
                      "seem smaller than it is.",
                      equal_, data_.size()));
    }
  }

  const Model& model_;
  const DataOptions& options_;
  std::size_t dimension_;
  SeriesData data_;
  std::size_t unsorted_ = 0, lacking_ = 0, single_ = 0, equal_ = 0;
};

}  // namespace

SeriesData match_series(const Model& model, const std::vector<DataTable>& tables,
                        const DataOptions& options, std::size_t fewest) {
  return SeriesMatcher(model, options).run(tables, fewest);
}

bool looks_like_series(const DataTable& table, const DataOptions& options, std::size_t least_rows) {
  const auto found = std::ranges::find(table.columns, options.time_column);
  if (options.time_column.empty() || found == table.columns.end()) return false;
  if (table.values.rows < least_rows) return false;
  const auto column = static_cast<std::size_t>(found - table.columns.begin());
  std::set<double> times;
  for (std::size_t r = 0; r < table.values.rows; ++r) times.insert(table.values(r, column));
  return times.size() == table.values.rows;
}

}  // namespace divker
