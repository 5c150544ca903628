// Tables of measurements as pairs of consecutive ones.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <utility>

#include "divker/error.hpp"
#include "divker/series.hpp"
#include "fit/series/series_rows.hpp"

namespace divker {
namespace {

// What a row has of the states; NaN where it lacks one.
struct SeriesRow {
  double time = 0.0;
  std::vector<double> states;

  [[nodiscard]] bool is_whole() const {
    return std::ranges::none_of(states, [](double value) { return std::isnan(value); });
  }
};
using SeriesRows = std::vector<SeriesRow>;

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
    fit::MeasuredTables measured = fit::measured_series(model_, tables, options_);
    data_.ignored = std::move(measured.ignored);
    data_.remarks = std::move(measured.remarks);
    std::size_t rows = 0;
    for (const DataTable& table : tables) rows += table.values.rows;
    for (const fit::MeasuredSeries& one : measured.series) add_series(one);
    lacking_ = rows - data_.rows;
    if (data_.names.empty() || data_.size() < fewest) {
      throw Error(ErrorKind::model,
                  "The data hold no transition: no individual has two rows with all states.");
    }
    if (data_.size() > 0) fit::check_units(intervals());
    remark();
    return std::move(data_);
  }

 private:
  [[nodiscard]] std::size_t state_of(const DataTable& table, std::size_t observed) const {
    const std::size_t observations = model_.observations().size();
    if (observed >= observations) return observed - observations;
    if (const auto state = fit::state_observed_by(model_, observed)) return *state;
    throw Error(ErrorKind::model,
                fmt::format("{} holds the observation {} of model {}: a series has the states "
                            "themselves; observations are fitted as snapshots.",
                            table.source, model_.observations()[observed].name, model_.name()));
  }

  void add_series(const fit::MeasuredSeries& one) {
    SeriesRows rows;
    for (const fit::MeasuredRow& measured : one.rows) {
      SeriesRow row{measured.time,
                    std::vector<double>(dimension_, std::numeric_limits<double>::quiet_NaN())};
      for (std::size_t c = 0; c < measured.values.size(); ++c) {
        if (!std::isnan(measured.values[c])) {
          row.states[state_of(*one.table, c)] = measured.values[c];
        }
      }
      if (row.is_whole()) rows.push_back(std::move(row));
    }
    data_.rows += rows.size();
    if (!rows.empty()) add_individual(one.name, rows.back());
    for (std::size_t r = 1; r < rows.size(); ++r) add_transition(rows[r - 1], rows[r]);
    ++(rows.size() > 1 ? data_.individuals : single_);
  }

  void add_individual(const std::string& name, const SeriesRow& last) {
    data_.names.push_back(name);
    data_.last.data.insert(data_.last.data.end(), last.states.begin(), last.states.end());
    ++data_.last.rows;
    data_.last_time.push_back(last.time);
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

  [[nodiscard]] std::vector<fit::Interval> intervals() const {
    std::vector<fit::Interval> result;
    for (std::size_t i = 0; i < data_.size(); ++i) {
      result.push_back({data_.time[i], data_.interval[i]});
    }
    return result;
  }

  void remark() {
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
  std::size_t lacking_ = 0, single_ = 0, equal_ = 0;
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
