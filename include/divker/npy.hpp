// NumPy's array files (format versions 1.0, 2.0 and 3.0).
#pragma once

#include <filesystem>

#include "divker/matrix.hpp"
#include "divker/table.hpp"

namespace divker {

// Reads an array of little-endian f4, f8, i4 or i8 in C or Fortran order; a 1-D array becomes one
// column. Integers beyond 2^53 are rounded to the nearest double; values are not checked to be
// finite. Throws Error(model) for anything else: missing, empty, truncated or overlong files, files
// that are not NPY, other dimensions or types.
[[nodiscard]] Matrix read_npy(const std::filesystem::path& path);

// Writes a 2-D f8 array in C order, version 1.0, whole or not at all. Throws Error(usage).
void write_npy(const std::filesystem::path& path, const Matrix& values);
void write_npy(const std::filesystem::path& path, const TableStream& table);

}  // namespace divker
