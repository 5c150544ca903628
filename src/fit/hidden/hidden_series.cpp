// Tables of measurements as series of which not all is seen.
#include "divker/hidden_series.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <utility>

#include "divker/error.hpp"
#include "fit/series/series_rows.hpp"

namespace divker {
namespace fit {
namespace {

class HiddenMatcher {
 public:
  explicit HiddenMatcher(const Model& model) : model_(model) {}

  HiddenSeries run(MeasuredTables measured) {
    data_.ignored = std::move(measured.ignored);
    data_.remarks = std::move(measured.remarks);
    find_observations(measured);
    seen_.assign(model_.dimension(), false);
    for (const MeasuredSeries& one : measured.series) add(one);
    if (data_.individuals.empty()) {
      throw Error(ErrorKind::model,
                  "The data hold no series: no individual has two rows with a measurement.");
    }
    check_units(intervals_);
    for (std::size_t i = 0; i < seen_.size(); ++i) {
      if (!seen_[i]) data_.unseen.push_back(i);
    }
    if (single_ > 0) {
      data_.remarks.push_back(
          fmt::format("{} with less than two rows {} nothing.",
                      single_ == 1 ? "One individual" : fmt::format("{} individuals", single_),
                      single_ == 1 ? "adds" : "add"));
    }
    return std::move(data_);
  }

 private:
  // Those with noise that have a value somewhere.
  void find_observations(const MeasuredTables& measured) {
    places_.assign(model_.observations().size(), std::nullopt);
    for (std::size_t j = 0; j < model_.observations().size(); ++j) {
      const bool is_seen = std::ranges::any_of(measured.series, [j](const MeasuredSeries& one) {
        return std::ranges::any_of(
            one.rows, [j](const MeasuredRow& row) { return !std::isnan(row.values[j]); });
      });
      if (!is_seen) continue;
      if (model_.observations()[j].noisy) {
        places_[j] = data_.observations.size();
        data_.observations.push_back(j);
      } else if (!state_observed_by(model_, j)) {
        throw Error(ErrorKind::model,
                    fmt::format("The observation {} of model {} is an expression without noise: a "
                                "series takes states as they are, and expressions with noise, "
                                "observe {} ~ normal(EXPR, sd).",
                                model_.observations()[j].name, model_.name(),
                                model_.observations()[j].name));
      }
    }
  }

  void add(const MeasuredSeries& one) {
    if (one.rows.size() < 2) {
      ++single_;
      return;
    }
    const double none = std::numeric_limits<double>::quiet_NaN();
    HiddenSeries::Individual individual{one.name,
                                        {},
                                        Matrix(one.rows.size(), model_.dimension(), none),
                                        Matrix(one.rows.size(), data_.observations.size(), none)};
    for (std::size_t r = 0; r < one.rows.size(); ++r) {
      const MeasuredRow& row = one.rows[r];
      individual.time.push_back(row.time);
      if (r > 0) intervals_.push_back({one.rows[r - 1].time, row.time - one.rows[r - 1].time});
      take(one, row, r, individual);
    }
    data_.rows += one.rows.size();
    data_.individuals.push_back(std::move(individual));
  }

  void take(const MeasuredSeries& one, const MeasuredRow& row, std::size_t r,
            HiddenSeries::Individual& individual) {
    const std::size_t observations = model_.observations().size();
    for (std::size_t c = 0; c < row.values.size(); ++c) {
      const double value = row.values[c];
      if (std::isnan(value)) continue;
      data_.values += r > 0 ? 1 : 0;
      if (c < observations && places_[c]) {
        individual.observations(r, *places_[c]) = value;
        continue;
      }
      const std::size_t state = c < observations ? *state_observed_by(model_, c) : c - observations;
      double& place = individual.states(r, state);
      if (!std::isnan(place) && place != value) {
        throw Error(ErrorKind::model,
                    fmt::format("{}, time {:g}: the state {} is {:g} in one column and {:g} in "
                                "another.",
                                one.name, row.time, model_.states()[state].name, place, value));
      }
      place = value;
      seen_[state] = true;
    }
    bool is_whole = true;
    for (std::size_t i = 0; i < model_.dimension(); ++i) {
      is_whole = is_whole && !std::isnan(individual.states(r, i));
    }
    if (is_whole) ++data_.whole_rows;
  }

  const Model& model_;
  HiddenSeries data_;
  std::vector<std::optional<std::size_t>> places_;
  std::vector<bool> seen_;
  std::vector<Interval> intervals_;
  std::size_t single_ = 0;
};

}  // namespace
}  // namespace fit

HiddenSeries match_hidden_series(const Model& model, const std::vector<DataTable>& tables,
                                 const DataOptions& options) {
  if (options.stationary) {
    throw Error(ErrorKind::usage,
                "Data of the stationary law are snapshots: they cannot be a series.");
  }
  return fit::HiddenMatcher(model).run(fit::measured_series(model, tables, options));
}

}  // namespace divker
