#include "divker/fit_data.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <map>
#include <set>
#include <utility>

#include "divker/error.hpp"
#include "fit/support.hpp"
#include "model/names.hpp"

namespace divker {
namespace {

// Where the columns of one table go.
struct Columns {
  std::vector<std::size_t> observed;  // places in measurable()
  std::vector<std::size_t> column;    // and the columns with their values
  std::optional<std::size_t> time;
  std::optional<std::size_t> group;

  // With some of the observed ones alone.
  [[nodiscard]] Columns part(const std::vector<std::size_t>& places) const {
    Columns result{{}, {}, time, group};
    for (const std::size_t c : places) {
      result.observed.push_back(observed[c]);
      result.column.push_back(column[c]);
    }
    return result;
  }
};

// The rows of one table: by time, and by the places in Columns of the values that they have.
struct Rows {
  std::map<std::pair<double, std::vector<std::size_t>>, std::vector<std::size_t>> of;
  std::vector<std::size_t> empty;
  std::size_t incomplete = 0;  // but not empty
};

// A column that some program has made of row numbers: pandas and R leave it without a name.
bool is_index(const std::string& column) {
  return column.empty() || column == "rownames" || column.starts_with("Unnamed: ");
}

std::vector<std::string> names_of(const std::vector<Observation>& observations) {
  std::vector<std::string> names;
  names.reserve(observations.size());
  for (const Observation& observation : observations) names.push_back(observation.name);
  return names;
}

class Matcher {
 public:
  Matcher(const Model& model, const DataOptions& options)
      : model_(model),
        options_(options),
        measurable_(measurable(model)),
        names_(names_of(measurable_)),
        supports_(fit::supports(model)) {}

  FitData run(const std::vector<DataTable>& tables) {
    if (tables.empty()) throw Error(ErrorKind::usage, "No data were given.");
    data_.stationary = options_.stationary;
    for (const DataTable& table : tables)
      std::ranges::copy(table.remarks, std::back_inserter(data_.remarks));
    for (const DataTable& table : tables) add(table);
    std::stable_sort(data_.blocks.begin(), data_.blocks.end(),
                     [](const DataBlock& a, const DataBlock& b) { return a.time < b.time; });
    data_.individuals = individuals_.empty() ? data_.rows : individuals_.size();
    return std::move(data_);
  }

 private:
  void add(const DataTable& table) {
    if (table.values.rows == 0) {
      throw Error(ErrorKind::model, fmt::format("{} holds no rows.", table.source));
    }
    const Columns columns = match_columns(table);
    for (const std::size_t c : columns.column) check_numbers(table, c);
    if (columns.time && !options_.stationary) check_numbers(table, *columns.time);
    const Rows rows = sorted_rows(table, columns);
    check_column_sets(table, columns, rows);
    for (const auto& [key, members] : rows.of) {
      add_block(table, columns.part(key.second), key.first, members);
    }
    remark_on_missing(table, columns, rows);
  }

  Rows sorted_rows(const DataTable& table, const Columns& columns) {
    Rows rows;
    for (std::size_t r = 0; r < table.values.rows; ++r) {
      std::vector<std::size_t> present;
      for (std::size_t c = 0; c < columns.column.size(); ++c) {
        if (!std::isnan(table.values(r, columns.column[c]))) present.push_back(c);
      }
      if (present.empty()) {
        rows.empty.push_back(r);
        continue;
      }
      if (present.size() < columns.column.size()) ++rows.incomplete;
      rows.of[{time_of(table, columns, r), std::move(present)}].push_back(r);
    }
    return rows;
  }

  void check_column_sets(const DataTable& table, const Columns& columns, const Rows& rows) const {
    if (rows.of.empty()) {
      throw Error(ErrorKind::model, fmt::format("{} holds no row with a value of {}.", table.source,
                                                list_of(observed_names(columns))));
    }
    std::set<std::vector<std::size_t>> sets;
    for (const auto& [key, members] : rows.of) sets.insert(key.second);
    if (sets.size() <= most_column_sets) return;
    throw Error(ErrorKind::model,
                fmt::format("The rows of {} have values in {} different sets of columns; the limit "
                            "is {}. Leave out columns or rows that are hardly filled.",
                            table.source, sets.size(), most_column_sets));
  }

  void remark_on_missing(const DataTable& table, const Columns& columns, const Rows& rows) {
    const std::size_t all = table.values.rows;
    if (!rows.empty.empty()) {
      data_.remarks.push_back(
          fmt::format("{}: {} of {} rows have no value of {} and are left out, {} first.",
                      table.source, rows.empty.size(), all, list_of(observed_names(columns)),
                      row_or_line(table, rows.empty.front())));
    }
    if (rows.incomplete > 0) {
      data_.remarks.push_back(
          fmt::format("{}: {} of {} rows lack some values of {}; they count for those they have.",
                      table.source, rows.incomplete, all, list_of(observed_names(columns))));
    }
  }

  [[nodiscard]] std::vector<std::string> observed_names(const Columns& columns) const {
    std::vector<std::string> names;
    for (const std::size_t place : columns.observed) names.push_back(names_[place]);
    return names;
  }

  static std::string column_name(const DataTable& table, std::size_t column) {
    return table.columns.empty() || table.columns[column].empty()
               ? fmt::format("number {}", column + 1)
               : in_quotes(table.columns[column]);
  }

  static std::string row_or_line(const DataTable& table, std::size_t row) {
    return table.lines.empty() ? fmt::format("row {}", row + 1)
                               : fmt::format("line {}", table.lines[row]);
  }

  // A column that is used holds numbers; some may be missing.
  static void check_numbers(const DataTable& table, std::size_t column) {
    const auto texts = table.texts.find(column);
    if (texts != table.texts.end()) throw Error(ErrorKind::model, texts->second.fault);
    for (std::size_t r = 0; r < table.values.rows; ++r) {
      if (!std::isinf(table.values(r, column))) continue;
      throw Error(
          ErrorKind::model,
          fmt::format("{} holds {} in {}, column {}; data must be finite.", table.source,
                      table.values(r, column), row_or_line(table, r), column_name(table, column)));
    }
  }

  [[noreturn]] static void fail_missing(const DataTable& table, std::size_t row, std::size_t column,
                                        const std::string& what) {
    throw Error(ErrorKind::model,
                fmt::format("The {} is missing in {} of {}, column {}.", what,
                            row_or_line(table, row), table.source, column_name(table, column)));
  }

  Columns match_columns(const DataTable& table) {
    Columns result;
    if (table.columns.empty()) return match_by_order(table);
    result.time = special(table, options_.time_column, "--time");
    result.group = special(table, options_.group_column, "--group");
    std::set<std::size_t> mapped;
    for (const auto& [name, column] : options_.names) {
      const std::size_t c = find(table, column, "--map");
      place(result, index_of(name), c);
      mapped.insert(c);
    }
    std::vector<std::size_t> unused;
    for (std::size_t c = 0; c < table.columns.size(); ++c) {
      if (c == result.time || c == result.group || mapped.contains(c)) continue;
      const auto found = std::find(names_.begin(), names_.end(), table.columns[c]);
      if (found != names_.end() && !options_.names.contains(*found)) {
        place(result, static_cast<std::size_t>(found - names_.begin()), c);
      } else if (is_index(table.columns[c])) {
        data_.remarks.push_back(fmt::format("{}: the column {}, an index of rows, is not used.",
                                            table.source, column_name(table, c)));
      } else {
        unused.push_back(c);
      }
    }
    leave_out(table, result, unused);
    return result;
  }

  // Columns that are nothing in the model are left out, unless one of them seems to be meant.
  void leave_out(const DataTable& table, const Columns& columns,
                 const std::vector<std::size_t>& unused) {
    std::vector<std::string> missing;
    for (std::size_t i = 0; i < names_.size(); ++i) {
      if (std::ranges::find(columns.observed, i) == columns.observed.end()) {
        missing.push_back(names_[i]);
      }
    }
    for (const std::size_t c : unused) {
      const std::string& name = table.columns[c];
      if (options_.names.empty()) {
        if (columns.observed.empty() || nearest_name(name, missing)) {
          unknown_column(table, c, missing);
        }
        if (may_be_time(table, columns, name)) fail_time_not_named(table, name);
      }
      if (std::ranges::find(data_.ignored, name) == data_.ignored.end()) {
        data_.ignored.push_back(name);
      }
    }
    if (columns.observed.empty()) {
      throw Error(ErrorKind::model,
                  fmt::format("{} has no column that the model {} knows; it knows {}.",
                              table.source, model_.name(), list_of(names_)));
    }
  }

  // Rows without a time are data of the end of the grid: a time that nobody asked for would be
  // lost.
  [[nodiscard]] bool may_be_time(const DataTable& table, const Columns& columns,
                                 const std::string& name) const {
    return !columns.time && !table.time && !options_.stationary &&
           (name == "t" || name == "T" || name == "time" || name == "Time" || name == "TIME");
  }

  [[noreturn]] static void fail_time_not_named(const DataTable& table, const std::string& name) {
    throw Error(ErrorKind::model,
                fmt::format("{} has a column {}: name it with --time {} if it holds the times of "
                            "the rows, or give the time of all rows with @T.",
                            table.source, in_quotes(name), name));
  }

  // The observations if there are any, else the states.
  Columns match_by_order(const DataTable& table) {
    if (!options_.time_column.empty() || !options_.group_column.empty() ||
        !options_.names.empty()) {
      throw Error(ErrorKind::usage,
                  fmt::format("{} has columns without names: --time, --group and --map cannot be "
                              "used with it.",
                              table.source));
    }
    const std::size_t wanted =
        model_.observations().empty() ? model_.dimension() : model_.observations().size();
    if (table.values.cols != wanted) {
      const std::vector<std::string> expected(names_.begin(),
                                              names_.begin() + static_cast<std::ptrdiff_t>(wanted));
      throw Error(ErrorKind::model,
                  fmt::format("{} has {} columns without names; expected {}: {}.", table.source,
                              table.values.cols, wanted, list_of(expected)));
    }
    Columns result;
    for (std::size_t c = 0; c < wanted; ++c) place(result, c, c);
    return result;
  }

  static void place(Columns& columns, std::size_t observed, std::size_t column) {
    columns.observed.push_back(observed);
    columns.column.push_back(column);
  }

  [[nodiscard]] std::size_t index_of(const std::string& name) const {
    const auto found = std::find(names_.begin(), names_.end(), name);
    if (found != names_.end()) return static_cast<std::size_t>(found - names_.begin());
    throw Error(ErrorKind::usage,
                fmt::format("--map {}=...: {} is neither an observation nor a state of the model "
                            "{}; these are {}.{}",
                            name, in_quotes(name), model_.name(), list_of(names_),
                            did_you_mean(name, names_)));
  }

  static std::size_t find(const DataTable& table, const std::string& column,
                          const std::string& option) {
    const auto found = std::find(table.columns.begin(), table.columns.end(), column);
    if (found != table.columns.end()) {
      return static_cast<std::size_t>(found - table.columns.begin());
    }
    throw Error(ErrorKind::usage,
                fmt::format("{}: {} has no column {}; its columns are {}.{}", option, table.source,
                            in_quotes(column), list_of(table.columns),
                            did_you_mean(column, table.columns)));
  }

  static std::optional<std::size_t> special(const DataTable& table, const std::string& column,
                                            const std::string& option) {
    if (column.empty()) return std::nullopt;
    return find(table, column, option);
  }

  // `missing`: what it may be meant for.
  [[noreturn]] void unknown_column(const DataTable& table, std::size_t c,
                                   const std::vector<std::string>& missing) const {
    throw Error(
        ErrorKind::model,
        fmt::format("The column {} of {} is neither an observation nor a state of the model {}; "
                    "these are {}.{} Columns can be renamed, and others left out, with --map "
                    "NAME=COLUMN.",
                    in_quotes(table.columns[c]), table.source, model_.name(), list_of(names_),
                    did_you_mean(table.columns[c], missing)));
  }

  double time_of(const DataTable& table, const Columns& columns, std::size_t row) {
    const TimeGrid& grid = model_.time();
    if (options_.stationary) return grid.time(grid.steps());
    double time = table.time.value_or(grid.time(grid.steps()));
    if (columns.time) time = table.values(row, *columns.time);
    if (columns.time && std::isnan(time)) fail_missing(table, row, *columns.time, "time");
    const std::size_t step = grid.nearest_step(time);
    const double on_grid = grid.time(step);
    if (std::fabs(grid.position(time) - static_cast<double>(step)) > 0.5 + 1e-9) {
      throw Error(ErrorKind::usage,
                  fmt::format("The time {} of {}{} is outside the time grid {} : {} : {} of the "
                              "model; the nearest time on it is {}.",
                              time, table.source,
                              columns.time ? fmt::format(", {},", row_or_line(table, row)) : "",
                              grid.start, grid.step, grid.end, on_grid));
    }
    if (step == 0 && !model_.has_initial_density()) {
      throw Error(ErrorKind::usage,
                  fmt::format("The data of {} at time {} stand at the start, where the initial law "
                              "of the model {} has no density; leave them out, or give the states "
                              "a normal or lognormal initial law.",
                              table.source, time, model_.name()));
    }
    data_.largest_shift = std::max(data_.largest_shift, std::fabs(time - on_grid));
    return on_grid;
  }

  void add_block(const DataTable& table, const Columns& columns, double time,
                 const std::vector<std::size_t>& rows) {
    DataBlock block;
    block.source = table.source;
    block.time = time;
    block.observed = columns.observed;
    block.values = Matrix(rows.size(), columns.column.size());
    for (std::size_t r = 0; r < rows.size(); ++r) {
      for (std::size_t c = 0; c < columns.column.size(); ++c) {
        const double value = table.values(rows[r], columns.column[c]);
        check_support(table, columns, rows[r], c, value);
        block.values(r, c) = value;
      }
      block.rows.push_back(rows[r] + 1);
      block.individuals.push_back(individual(table, columns, rows[r]));
      ++data_.rows;
    }
    data_.blocks.push_back(std::move(block));
  }

  std::size_t individual(const DataTable& table, const Columns& columns, std::size_t row) {
    if (!columns.group) return data_.rows;
    const std::pair<double, std::string> identity = identity_of(table, *columns.group, row);
    return individuals_.try_emplace(identity, individuals_.size()).first->second;
  }

  // A number or a text.
  static std::pair<double, std::string> identity_of(const DataTable& table, std::size_t column,
                                                    std::size_t row) {
    constexpr double most_told_apart = 9007199254740992.0;  // 2^53: beyond, integers are rounded
    const auto texts = table.texts.find(column);
    const double number = table.values(row, column);
    if (texts != table.texts.end() && !texts->second.cells[row].empty()) {
      return {0.0, texts->second.cells[row]};
    }
    if (std::isnan(number)) fail_missing(table, row, column, "group");
    if (std::fabs(number) < most_told_apart) return {number, ""};
    throw Error(ErrorKind::model,
                fmt::format("The group {} in {} of {} is too large a number to be told from its "
                            "neighbours; the limit is {}. Write a letter before it.",
                            number, row_or_line(table, row), table.source, most_told_apart));
  }

  void check_support(const DataTable& table, const Columns& columns, std::size_t row, std::size_t c,
                     double value) const {
    const Observation& observation = measurable_[columns.observed[c]];
    if (observation.noisy) return;
    for (std::size_t i = 0; i < model_.dimension(); ++i) {
      if (supports_[i].contains(value) || model_.states()[i].node != observation.value) continue;
      throw Error(ErrorKind::model,
                  fmt::format("{} {} of {} has {} = {}, but {} stays {} in the model {}: "
                              "the value is outside its support.",
                              table.lines.empty() ? "Row" : "Line",
                              table.lines.empty() ? row + 1 : table.lines[row], table.source,
                              column_name(table, columns.column[c]), value, model_.states()[i].name,
                              supports_[i].text(), model_.name()));
    }
  }

  const Model& model_;
  const DataOptions& options_;
  std::vector<Observation> measurable_;
  std::vector<std::string> names_;
  std::vector<Range> supports_;
  std::map<std::pair<double, std::string>, std::size_t> individuals_;
  FitData data_;
};

}  // namespace

std::vector<double> FitData::times() const {
  std::vector<double> times;
  for (const DataBlock& block : blocks) {
    if (times.empty() || block.time != times.back()) times.push_back(block.time);
  }
  return times;
}

std::vector<Observation> measurable(const Model& model) {
  std::vector<Observation> all = model.observations();
  for (const State& state : model.states()) all.push_back({state.name, state.node, 0, false});
  return all;
}

FitData match_data(const Model& model, const std::vector<DataTable>& tables,
                   const DataOptions& options) {
  return Matcher(model, options).run(tables);
}

}  // namespace divker
