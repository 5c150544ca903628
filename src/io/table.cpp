#include "divker/table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "divker/csv.hpp"
#include "divker/error.hpp"
#include "divker/file.hpp"
#include "divker/hdf5.hpp"
#include "divker/npy.hpp"
#include "io/names.hpp"

namespace divker {
namespace {

struct Format {
  std::string_view extension;
  Table (*read)(const std::filesystem::path&);
  void (*write)(const std::filesystem::path&, const TableStream&, const Attributes&);
};

// A new format is one file and one line here.
constexpr Format kFormats[] = {
    {".csv", read_csv, write_csv},
    {".npy",
     [](const std::filesystem::path& path) {
       return Table{{}, read_npy(path)};
     },
     [](const std::filesystem::path& path, const TableStream& table, const Attributes&) {
       write_npy(path, table);
     }},
    {".h5", [](const std::filesystem::path& path) { return read_hdf5(path); },
     [](const std::filesystem::path& path, const TableStream& table, const Attributes& attributes) {
       write_hdf5(path, "values", table, attributes);
     }},
};

const Format& format_of(const std::filesystem::path& path) {
  const std::string extension = path.extension().string();
  std::vector<std::string_view> known;
  for (const Format& format : kFormats) {
    if (format.extension == extension) return format;
    known.push_back(format.extension);
  }
  throw Error(ErrorKind::usage, fmt::format("'{}' has the extension '{}'; the known ones are {}",
                                            path.string(), extension, joined(known)));
}

}  // namespace

Table read_table(const std::filesystem::path& path) {
  Table table = format_of(path).read(path);
  const Matrix& values = table.values;
  const auto bad = std::find_if(values.data.begin(), values.data.end(),
                                [](double value) { return !std::isfinite(value); });
  if (bad != values.data.end()) {
    const auto at = static_cast<std::size_t>(bad - values.data.begin());
    const std::size_t c = at % values.cols;
    throw Error(ErrorKind::model,
                fmt::format("cannot use '{}': row {}, column {} is {}, which is not finite",
                            path.string(), at / values.cols,
                            table.columns.empty() ? std::to_string(c) : table.columns[c], *bad));
  }
  return table;
}

TableStream stream_of(const Table& table) {
  const Matrix& values = table.values;
  return {table.columns, values.rows, values.cols,
          [rest = std::span(values.data)]() mutable { return std::exchange(rest, {}); }};
}

void write_table(const std::filesystem::path& path, const Table& table,
                 const Attributes& attributes) {
  write_table(path, stream_of(table), attributes);
}

void write_table(const std::filesystem::path& path, const TableStream& table,
                 const Attributes& attributes) {
  format_of(path).write(path, table, attributes);
}

void check_table_writable(const std::filesystem::path& path) {
  (void)format_of(path);
  check_writable(path);
}

Matrix select_columns(const Table& table, std::span<const std::string> wanted,
                      const std::string& source) {
  const Matrix& values = table.values;
  if (table.columns.empty()) {
    if (values.cols == wanted.size()) return values;
    throw Error(ErrorKind::model, fmt::format("{} has {} columns without names; expected {}: {}",
                                              source, values.cols, wanted.size(), joined(wanted)));
  }
  std::vector<std::size_t> positions;
  for (const std::string& name : wanted) {
    const auto found = std::find(table.columns.begin(), table.columns.end(), name);
    if (found == table.columns.end()) {
      throw Error(ErrorKind::model, fmt::format("{} has no column '{}'; its columns are {}", source,
                                                name, joined(table.columns)));
    }
    positions.push_back(static_cast<std::size_t>(found - table.columns.begin()));
  }
  Matrix selected(values.rows, wanted.size());
  for (std::size_t r = 0; r < values.rows; ++r) {
    for (std::size_t c = 0; c < positions.size(); ++c) selected(r, c) = values(r, positions[c]);
  }
  return selected;
}

}  // namespace divker
