// Comma-separated values.
#pragma once

#include <filesystem>

#include "divker/table.hpp"

namespace divker {

// Reads a CSV file, compressed by gzip where its name ends in `.gz`: lines ended by LF or CRLF,
// blank lines and lines that begin with `#` skipped, fields in double quotes allowed, spaces around
// fields ignored. Fields are separated by commas, semicolons or tabs, whichever splits the first 20
// lines alike; where it is not a comma, numbers may have decimal commas, if the first number with
// decimals has one. What was recognised is in `remarks`.
// The first line is a header if no field of it is a plain number; columns without a name have "".
// A field that is no finite number makes its column one of text. An empty field, "." and NA or NaN
// in letters of any case are missing: NaN.
// Throws Error(model) that names file and line for ragged rows and repeated names, and for an empty
// or binary or missing file, damaged compressed data, and more than `largest_file` bytes of
// contents or of memory for texts. Cost: about 70 ns a field.
[[nodiscard]] Table read_csv(const std::filesystem::path& path);

// Writes a CSV file, whole or not at all, each number in the shortest form that reads back to the
// same double; the header is left out if the columns have no names. Attributes become leading
// comments `# key: value`. Throws Error(usage).
void write_csv(const std::filesystem::path& path, const Table& table,
               const Attributes& attributes = {});
void write_csv(const std::filesystem::path& path, const TableStream& table,
               const Attributes& attributes = {});

}  // namespace divker
