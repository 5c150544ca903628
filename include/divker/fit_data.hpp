// Snapshots of a population, matched to a model: which columns are what, and at which step.
//
// The rows of a snapshot are individuals measured at one time; nothing links the individuals of
// one time with those of another, unless a column of groups says so.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "divker/matrix.hpp"
#include "divker/model.hpp"
#include "divker/text_column.hpp"

namespace divker {

// A table of measurements as it was read.
struct DataTable {
  std::string source;                // names the table in messages
  std::vector<std::string> columns;  // empty: in the order of declaration; "": one without a name
  Matrix values;                     // NaN: missing
  std::optional<double> time;        // of all rows; empty: the end of the time grid
  std::map<std::size_t, TextColumn> texts = {};  // columns that hold more than numbers
  std::vector<std::size_t> lines = {};           // of the file, for each row; empty: no text file
  std::vector<std::string> remarks = {};         // of the reader
};

struct DataOptions {
  std::string time_column;   // a table with the times of its rows; "": none
  std::string group_column;  // equal numbers or texts: measurements of one individual
  std::map<std::string, std::string> names;  // name in the model -> column of the tables
  bool stationary = false;                   // the data follow the stationary law
};

// What was measured at one time of the grid, in rows that have values of the same columns.
struct DataBlock {
  std::string source;
  double time = 0.0;
  std::vector<std::size_t> observed;     // places in measurable(model)
  Matrix values;                         // rows x observed
  std::vector<std::size_t> rows;         // of the table, from 1
  std::vector<std::size_t> individuals;  // 0 ... FitData::individuals - 1
};

struct FitData {
  std::vector<DataBlock> blocks;  // in the order of time; of one time there may be several
  std::size_t rows = 0;
  std::size_t individuals = 0;
  bool stationary = false;
  double largest_shift = 0.0;        // of a time to its step of the grid
  std::vector<std::string> ignored;  // columns that are nothing in the model
  std::vector<std::string> remarks;  // on rows and columns that are left out, in full sentences

  [[nodiscard]] std::vector<double> times() const;  // of the blocks, ascending, each once
};

// All that a column can be: the observations of the model, then its states as they are.
[[nodiscard]] std::vector<Observation> measurable(const Model& model);

// The rows of a table may have values in so many different sets of columns: each set is a block of
// its own at each time, and costs what another snapshot costs.
inline constexpr std::size_t most_column_sets = 64;

// Rows of one time that have values of the same columns become a block, and a row without any value
// is left out. Columns without a name, and those that programs make of row numbers ("Unnamed: 0",
// "rownames"), are left out unless an option or the model names them. So are columns that are
// nothing in the model beside others that are, whatever they hold; but without `names` those whose
// name is a slip of a state or observation that the table has not, or that of a time ("t", "time")
// in a table without one, are refused. Times between steps go to the nearest one.
//
// Throws Error(model) for a value that is infinite or a text (row and column), a missing time or
// group, a table without a column of the model, columns as above, a value outside the support of a
// state (a state that starts positive and whose noise vanishes at zero stays positive), tables
// without values, and more than `most_column_sets`; Error(usage) for a time outside the grid,
// naming the nearest step, and for options that name no column.
[[nodiscard]] FitData match_data(const Model& model, const std::vector<DataTable>& tables,
                                 const DataOptions& options);

}  // namespace divker
