// HDF5 files of named tables.
#pragma once

#include <filesystem>
#include <span>
#include <string>

#include "divker/table.hpp"

namespace divker {

struct NamedTable {
  std::string name;  // of the dataset; `a/b` puts b into the group a
  Table table;
};

// Writes 2-D datasets of f8, those above 64 KiB in chunks that are shuffled and deflated, each with
// its column names as the attribute `columns` (variable-length UTF-8 strings), and the attributes
// at the root of the file; whole or not at all. Throws Error(usage).
void write_hdf5(const std::filesystem::path& path, std::span<const NamedTable> tables,
                const Attributes& attributes = {});

// The same with one dataset whose rows come in blocks.
void write_hdf5(const std::filesystem::path& path, const std::string& name,
                const TableStream& table, const Attributes& attributes = {});

// Reads one 1-D or 2-D dataset of any numeric type; the empty name means the only dataset of the
// file. Throws Error(model), and names the datasets that are there if this one is not; also where
// the dataset takes its values from other files, or has more than 2^29 of them (4 GiB).
// Files are read in a child process, because damaged ones can crash the HDF5 library: about a
// millisecond.
[[nodiscard]] Table read_hdf5(const std::filesystem::path& path, const std::string& dataset = {});

// The string attributes at the root of the file. Throws Error(model).
[[nodiscard]] Attributes read_hdf5_attributes(const std::filesystem::path& path);

}  // namespace divker
