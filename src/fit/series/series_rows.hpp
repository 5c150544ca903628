// Rows of tables as individuals' series, before anything is made of them.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "divker/fit_data.hpp"
#include "divker/model.hpp"

namespace divker::fit {

struct MeasuredRow {
  double time = 0.0;
  std::size_t row = 0;         // of its table, from 1
  std::vector<double> values;  // one for each of measurable(model); NaN where it lacks one
};

// Rows of one individual, sorted by time.
struct MeasuredSeries {
  const DataTable* table = nullptr;
  std::string name;  // what its column of groups holds, and without one the table's
  std::vector<MeasuredRow> rows;
};

struct MeasuredTables {
  std::vector<MeasuredSeries> series;
  std::vector<std::string> ignored;  // columns that are nothing in the model
  std::vector<std::string> remarks;  // of the reader, and on rows that were not sorted
};

// Columns are matched as those of snapshots are. Errors as match_series() throws them.
[[nodiscard]] MeasuredTables measured_series(const Model& model,
                                             const std::vector<DataTable>& tables,
                                             const DataOptions& options);

// The state that an observation without noise is, if it is one.
[[nodiscard]] std::optional<std::size_t> state_observed_by(const Model& model,
                                                           std::size_t observation);

// Error(model) for times that are seconds here and milliseconds there.
struct Interval {
  double begin = 0.0, length = 0.0;
};
void check_units(const std::vector<Interval>& intervals);

}  // namespace divker::fit
