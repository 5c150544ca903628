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
#include "io/stream_input.hpp"

namespace divker {
namespace {

struct Format {
  std::string_view extension;
  Table (*read)(const std::filesystem::path&);
  // Null for what others write.
  void (*write)(const std::filesystem::path&, const TableStream&, const Attributes&);
};

// The table, if all of it is finite.
Table finite(const std::filesystem::path& path, Table table) {
  const Matrix& values = table.values;
  const auto bad = std::find_if(values.data.begin(), values.data.end(),
                                [](double value) { return !std::isfinite(value); });
  if (bad == values.data.end()) return table;
  const auto at = static_cast<std::size_t>(bad - values.data.begin());
  const std::size_t c = at % values.cols;
  throw Error(ErrorKind::model,
              fmt::format("cannot use '{}': row {}, column {} is {}, which is not finite",
                          path.string(), at / values.cols,
                          table.columns.empty() ? std::to_string(c) : table.columns[c], *bad));
}

// A new format is one file and one line here.
constexpr Format kFormats[] = {
    {".csv", read_csv, write_csv},
    {".csv.gz", read_csv, nullptr},
    {".npy",
     [](const std::filesystem::path& path) {
       return finite(path, {{}, read_npy(path)});
     },
     [](const std::filesystem::path& path, const TableStream& table, const Attributes&) {
       write_npy(path, table);
     }},
    {".h5", [](const std::filesystem::path& path) { return finite(path, read_hdf5(path)); },
     [](const std::filesystem::path& path, const TableStream& table, const Attributes& attributes) {
       write_hdf5(path, "values", table, attributes);
     }},
};

// The format of a name, of those that can be read or of those that can be written.
const Format& format_of(const std::filesystem::path& path, bool to_write) {
  std::string name = path.filename().string();
  if (!to_write && !path.has_extension()) name += extension_by_content(path);
  std::vector<std::string_view> known;
  for (const Format& format : kFormats) {
    if (to_write && format.write == nullptr) continue;
    if (name.size() > format.extension.size() && name.ends_with(format.extension)) return format;
    known.push_back(format.extension);
  }
  throw Error(ErrorKind::usage,
              fmt::format("'{}' has the extension '{}'; the known ones are {}", path.string(),
                          path.extension().string(), joined(known)));
}

// A wanted column holds numbers, and in every row.
void check_numbers(const Table& table, std::size_t column, const std::string& source) {
  const auto texts = table.texts.find(column);
  if (texts != table.texts.end()) throw Error(ErrorKind::model, texts->second.fault);
  for (std::size_t r = 0; r < table.values.rows; ++r) {
    if (!std::isnan(table.values(r, column))) continue;
    const std::string row =
        table.lines.empty() ? fmt::format(", row {}", r + 1) : fmt::format(":{}", table.lines[r]);
    const std::string name = table.columns.empty() ? fmt::format("{}", column + 1)
                                                   : fmt::format("'{}'", table.columns[column]);
    throw Error(ErrorKind::model,
                fmt::format("{}{}: the value of column {} is missing", source, row, name));
  }
}

}  // namespace

Table read_table(const std::filesystem::path& path) {
  if (!is_stream(path)) return format_of(path, false).read(path);
  const StreamInput input(path);
  // A user knows the stream, not the file that holds it meanwhile.
  const auto as_known = [&](std::string sentence) {
    const std::string held = input.file().string();
    for (std::size_t at = 0; (at = sentence.find(held, at)) != std::string::npos;) {
      sentence.replace(at, held.size(), path.string());
    }
    return sentence;
  };
  try {
    Table table = format_of(input.file(), false).read(input.file());
    for (std::string& remark : table.remarks) remark = as_known(remark);
    for (auto& [column, text] : table.texts) text.fault = as_known(text.fault);
    return table;
  } catch (const Error& error) {
    throw Error(error.kind(), as_known(error.what()));
  }
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
  format_of(path, true).write(path, table, attributes);
}

void check_table_writable(const std::filesystem::path& path) {
  (void)format_of(path, true);
  check_writable(path);
}

Matrix select_columns(const Table& table, std::span<const std::string> wanted,
                      const std::string& source) {
  const Matrix& values = table.values;
  if (table.columns.empty()) {
    if (values.cols != wanted.size()) {
      throw Error(ErrorKind::model,
                  fmt::format("{} has {} columns without names; expected {}: {}", source,
                              values.cols, wanted.size(), joined(wanted)));
    }
    for (std::size_t c = 0; c < values.cols; ++c) check_numbers(table, c, source);
    return values;
  }
  std::vector<std::size_t> positions;
  for (const std::string& name : wanted) {
    const auto found = std::find(table.columns.begin(), table.columns.end(), name);
    if (found == table.columns.end()) {
      throw Error(ErrorKind::model, fmt::format("{} has no column '{}'; its columns are {}", source,
                                                name, joined(table.columns)));
    }
    positions.push_back(static_cast<std::size_t>(found - table.columns.begin()));
    check_numbers(table, positions.back(), source);
  }
  Matrix selected(values.rows, wanted.size());
  for (std::size_t r = 0; r < values.rows; ++r) {
    for (std::size_t c = 0; c < positions.size(); ++c) selected(r, c) = values(r, positions[c]);
  }
  return selected;
}

}  // namespace divker
