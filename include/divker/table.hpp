// Tables of numbers with named columns, in the format that the file's extension names.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "divker/matrix.hpp"
#include "divker/text_column.hpp"

namespace divker {

// Columns without names (an NPY array, a CSV file without a header) have `columns` empty; else
// there is one distinct name for each column of `values`, or "" for one that has none.
struct Table {
  std::vector<std::string> columns;
  Matrix values;  // NaN where a value is missing, or is no number
  // The columns of a file that hold more than numbers, by their place.
  std::map<std::size_t, TextColumn> texts = {};
  std::vector<std::size_t> lines = {};    // of the file, for each row; empty: the format has none
  std::vector<std::string> remarks = {};  // what the reader took the file for, where it may err
};

// A table whose rows come in blocks, so that it need not fit into memory.
struct TableStream {
  std::vector<std::string> columns;  // as in Table
  std::size_t rows = 0;
  std::size_t cols = 0;
  // The numbers of the next rows, whole ones, until the next call; none after the last of `rows`.
  std::function<std::span<const double>()> next;
};

// The rows of a table in one block. The table must outlive the stream.
[[nodiscard]] TableStream stream_of(const Table& table);

// What is said about a table: seed, model text, version, ...
using Attributes = std::map<std::string, std::string>;

// Reads .csv, .csv.gz, .npy or .h5 (the only dataset of the file). A file without an extension, and
// a stream ("-" for standard input, /dev/fd/63), is recognised by its first bytes. Throws
// Error(usage) for another extension, Error(model) for a file at fault; a value of an .npy or .h5
// file that is not finite is refused with its row and column.
[[nodiscard]] Table read_table(const std::filesystem::path& path);

// Writes .csv, .npy or .h5, whole or not at all. CSV keeps the attributes as leading `#` comments,
// HDF5 as attributes of the file; NPY holds numbers only. Throws Error(usage).
void write_table(const std::filesystem::path& path, const Table& table,
                 const Attributes& attributes = {});
// The same file, in the memory of a block.
void write_table(const std::filesystem::path& path, const TableStream& table,
                 const Attributes& attributes = {});

// Throws Error(usage) unless write_table knows the extension and could write the file now.
void check_table_writable(const std::filesystem::path& path);

// The wanted columns, in the wanted order. Named columns may stand in any order and be more than
// wanted; columns without names are taken in order and must be as many as wanted. Throws
// Error(model) for a wanted column that is not there, or in which a value is a text or missing;
// `source` names the table in the message.
[[nodiscard]] Matrix select_columns(const Table& table, std::span<const std::string> wanted,
                                    const std::string& source);

}  // namespace divker
