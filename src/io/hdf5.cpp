#include "divker/hdf5.hpp"

#include <fmt/format.h>
#include <hdf5.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "divker/error.hpp"
#include "divker/file.hpp"
#include "io/child.hpp"
#include "io/names.hpp"
#include "io/reading.hpp"

namespace divker {
namespace {

namespace fs = std::filesystem;

// The C library is built without thread safety, and prints its own account of each error unless
// told not to: both are handled here for as long as a Library lives.
class Library {
 public:
  Library() : lock_(mutex()) {
    // A file that could not be closed on a full disk would be closed again at the end of the
    // process, and crash it. All that can be closed is closed here.
    static const herr_t stays = H5dont_atexit();
    (void)stays;
    H5Eget_auto2(H5E_DEFAULT, &handler_, &data_);
    H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
  }
  ~Library() { H5Eset_auto2(H5E_DEFAULT, handler_, data_); }
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;

 private:
  static std::mutex& mutex() {
    static std::mutex mutex;
    return mutex;
  }
  std::lock_guard<std::mutex> lock_;
  H5E_auto2_t handler_ = nullptr;
  void* data_ = nullptr;
};

class Handle {
 public:
  using Close = herr_t (*)(hid_t);
  Handle(hid_t id, Close closer) : id_(id), close_(closer) {}
  ~Handle() { (void)close(); }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;

  operator hid_t() const { return id_; }  // NOLINT: a stand-in for the C library's own handle
  [[nodiscard]] bool valid() const { return id_ >= 0; }
  [[nodiscard]] bool close() { return id_ < 0 || close_(std::exchange(id_, -1)) >= 0; }

 private:
  hid_t id_;
  Close close_;
};

hid_t make_string_type() {
  const hid_t type = H5Tcopy(H5T_C_S1);
  H5Tset_size(type, H5T_VARIABLE);
  H5Tset_cset(type, H5T_CSET_UTF8);
  return type;
}

bool write_strings(hid_t object, const std::string& name, const std::vector<const char*>& strings,
                   bool scalar) {
  const Handle type(make_string_type(), H5Tclose);
  const hsize_t count = strings.size();
  const Handle space(scalar ? H5Screate(H5S_SCALAR) : H5Screate_simple(1, &count, nullptr),
                     H5Sclose);
  Handle attribute(H5Acreate2(object, name.c_str(), type, space, H5P_DEFAULT, H5P_DEFAULT),
                   H5Aclose);
  return attribute.valid() && H5Awrite(attribute, type, strings.data()) >= 0 && attribute.close();
}

// A large dataset lies in chunks of half a megabyte, the same byte of all their numbers together
// (shuffle), then deflated at the fastest level: that finds what sign and exponent have in common,
// and there is nothing more to find in random digits.
hid_t make_layout(const std::array<hsize_t, 2>& shape) {
  const hid_t layout = H5Pcreate(H5P_DATASET_CREATE);
  constexpr hsize_t kSmall = 8 * 1024;  // numbers
  constexpr hsize_t kChunk = 64 * 1024;
  if (shape[0] == 0 || shape[1] == 0 || shape[0] * shape[1] <= kSmall) return layout;
  const hsize_t cols = std::min(shape[1], kChunk);
  const std::array<hsize_t, 2> chunk{std::clamp<hsize_t>(kChunk / cols, 1, shape[0]), cols};
  H5Pset_chunk(layout, 2, chunk.data());
  H5Pset_shuffle(layout);
  H5Pset_deflate(layout, 1);
  return layout;
}

bool write_blocks(hid_t dataset, const TableStream& table) {
  const Handle space(H5Dget_space(dataset), H5Sclose);
  std::array<hsize_t, 2> at{0, 0};
  for (auto block = table.next(); !block.empty(); block = table.next()) {
    const std::array<hsize_t, 2> count{block.size() / table.cols, table.cols};
    const Handle rows(H5Screate_simple(2, count.data(), nullptr), H5Sclose);
    if (H5Sselect_hyperslab(space, H5S_SELECT_SET, at.data(), nullptr, count.data(), nullptr) < 0 ||
        H5Dwrite(dataset, H5T_NATIVE_DOUBLE, rows, space, H5P_DEFAULT, block.data()) < 0) {
      return false;
    }
    at[0] += count[0];
  }
  return true;
}

bool write_dataset(hid_t file, const std::string& name, const TableStream& table) {
  const std::array<hsize_t, 2> shape{table.rows, table.cols};
  const Handle space(H5Screate_simple(2, shape.data(), nullptr), H5Sclose);
  const Handle groups(H5Pcreate(H5P_LINK_CREATE), H5Pclose);
  H5Pset_create_intermediate_group(groups, 1);
  const Handle layout(make_layout(shape), H5Pclose);
  Handle dataset(H5Dcreate2(file, name.c_str(), H5T_IEEE_F64LE, space, groups, layout, H5P_DEFAULT),
                 H5Dclose);
  if (!dataset.valid() || !write_blocks(dataset, table)) return false;
  if (!table.columns.empty()) {
    std::vector<const char*> names;
    for (const std::string& column : table.columns) names.push_back(column.c_str());
    if (!write_strings(dataset, "columns", names, false)) return false;
  }
  return dataset.close();
}

// Opens the file after saying in plain words why it could not be.
hid_t open_file(const std::filesystem::path& path) {
  (void)open_to_read(path);
  if (std::filesystem::file_size(path) == 0) fail_reading(path, "it is empty");
  const hid_t file = H5Fopen(path.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT);
  if (file < 0) fail_reading(path, "it is not an HDF5 file, or it is damaged");
  return file;
}

std::vector<std::string> dataset_names(hid_t file) {
  std::vector<std::string> names;
  const auto visit = [](hid_t, const char* name, const H5O_info_t* info, void* into) -> herr_t {
    if (info->type == H5O_TYPE_DATASET) static_cast<decltype(names)*>(into)->emplace_back(name);
    return 0;
  };
  H5Ovisit2(file, H5_INDEX_NAME, H5_ITER_INC, visit, &names, H5O_INFO_BASIC);
  return names;
}

std::vector<std::string> read_strings(hid_t object, const char* name) {
  std::vector<std::string> strings;
  const Handle attribute(H5Aopen(object, name, H5P_DEFAULT), H5Aclose);
  if (!attribute.valid()) return strings;
  const Handle stored(H5Aget_type(attribute), H5Tclose);
  const Handle space(H5Aget_space(attribute), H5Sclose);
  const hssize_t count = H5Sget_simple_extent_npoints(space);
  if (H5Tget_class(stored) != H5T_STRING || count <= 0) return strings;
  // An attribute that is not damaged is no larger than this.
  constexpr std::size_t kMost = std::size_t{1} << 24U;
  const auto size = static_cast<std::size_t>(count);
  const std::size_t width = H5Tget_size(stored);
  if (width == 0 || size > kMost / width) return strings;
  if (H5Tis_variable_str(stored) > 0) {
    std::vector<char*> pointers(size, nullptr);
    if (H5Aread(attribute, stored, pointers.data()) < 0) return strings;
    for (const char* pointer : pointers) strings.emplace_back(pointer != nullptr ? pointer : "");
    H5Dvlen_reclaim(stored, space, H5P_DEFAULT, pointers.data());
    return strings;
  }
  std::vector<char> bytes(size * width);
  if (H5Aread(attribute, stored, bytes.data()) < 0) return strings;
  for (std::size_t i = 0; i < size; ++i) {
    const char* begin = bytes.data() + i * width;
    strings.emplace_back(begin, std::find(begin, begin + width, '\0'));
  }
  return strings;
}

// A dataset may name other files to take its values from; a file of a stranger must not choose what
// else is read.
bool is_elsewhere(hid_t dataset) {
  const Handle properties(H5Dget_create_plist(dataset), H5Pclose);
  return H5Pget_external_count(properties) != 0 || H5Pget_layout(properties) == H5D_VIRTUAL;
}

Matrix read_values(hid_t dataset, const std::filesystem::path& path, const std::string& name) {
  const auto fail = [&](const std::string& why) {
    fail_reading(path, fmt::format("the dataset '{}' {}", name, why));
  };
  const Handle type(H5Dget_type(dataset), H5Tclose);
  const H5T_class_t kind = H5Tget_class(type);
  if (kind != H5T_FLOAT && kind != H5T_INTEGER) fail("does not hold numbers");
  const Handle space(H5Dget_space(dataset), H5Sclose);
  const int rank = H5Sget_simple_extent_ndims(space);
  if (rank != 1 && rank != 2) fail(fmt::format("is {}-D; expected 1-D or 2-D", rank));
  std::array<hsize_t, 2> shape{0, 1};
  H5Sget_simple_extent_dims(space, shape.data(), nullptr);
  if (shape[0] == 0 || shape[1] == 0) fail("holds no values");
  if (is_elsewhere(dataset)) fail("keeps its values in other files");
  // A damaged header may promise more than memory holds, in the shape and in the size stored.
  const hsize_t stored = std::min<hsize_t>(H5Dget_storage_size(dataset), fs::file_size(path));
  constexpr hsize_t kDensest = 1032;  // numbers a byte that deflate could reach
  if (shape[0] > (stored + 1) * kDensest / shape[1]) fail("promises more values than it holds");
  constexpr hsize_t kMost = largest_file / sizeof(double);
  if (shape[0] > kMost / shape[1]) {
    fail(fmt::format("has {} x {} values; the limit is {}", shape[0], shape[1], kMost));
  }
  Matrix values(shape[0], shape[1]);
  if (H5Dread(dataset, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data.data()) < 0) {
    fail("is damaged");
  }
  return values;
}

struct NamedStream {
  std::string name;
  TableStream table;
};

void write_streams(const std::filesystem::path& path, const std::vector<NamedStream>& streams,
                   const Attributes& attributes) {
  for (const auto& [name, table] : streams) {
    const std::size_t names = table.columns.size();
    if (names != 0 && names != table.cols) {
      throw Error(
          ErrorKind::usage,
          fmt::format("cannot write '{}': the table '{}' has {} column names for {} columns",
                      path.string(), name, names, table.cols));
    }
  }
  StagedFile staged(path);
  {
    const Library library;
    const auto check = [&](bool done, const std::string& what) {
      if (done) return;
      throw Error(ErrorKind::usage, fmt::format("cannot write '{}': {} failed (is the disk full?)",
                                                path.string(), what));
    };
    Handle file(H5Fcreate(staged.temporary().c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT),
                H5Fclose);
    check(file.valid(), "creating the file");
    for (const auto& [name, table] : streams) {
      check(write_dataset(file, name, table), fmt::format("writing the dataset '{}'", name));
    }
    for (const auto& [key, value] : attributes) {
      check(write_strings(file, key, {value.c_str()}, true),
            fmt::format("writing the attribute '{}'", key));
    }
    check(H5Fflush(file, H5F_SCOPE_GLOBAL) >= 0 && file.close(), "closing the file");
  }
  staged.commit();
}

}  // namespace

void write_hdf5(const std::filesystem::path& path, std::span<const NamedTable> tables,
                const Attributes& attributes) {
  std::vector<NamedStream> streams;
  for (const NamedTable& named : tables) {
    streams.push_back({named.name, stream_of(named.table)});
  }
  write_streams(path, streams, attributes);
}

void write_hdf5(const std::filesystem::path& path, const std::string& name,
                const TableStream& table, const Attributes& attributes) {
  write_streams(path, {{name, table}}, attributes);
}

namespace {

Table table_of(const fs::path& path, const std::string& dataset) {
  const Handle file(open_file(path), H5Fclose);
  const std::vector<std::string> names = dataset_names(file);
  if (names.empty()) fail_reading(path, "it holds no dataset");
  if (dataset.empty() && names.size() > 1) {
    fail_reading(path, fmt::format("it holds several datasets, name one of {}", joined(names)));
  }
  const std::string& name = dataset.empty() ? names.front() : dataset;
  // Only what the file itself holds: a link may lead to other files.
  if (std::find(names.begin(), names.end(), name) == names.end()) {
    fail_reading(path,
                 fmt::format("it has no dataset '{}'; its datasets are {}", name, joined(names)));
  }
  const Handle opened(H5Dopen2(file, name.c_str(), H5P_DEFAULT), H5Dclose);
  if (!opened.valid()) fail_reading(path, fmt::format("the dataset '{}' is damaged", name));
  Table table{read_strings(opened, "columns"), read_values(opened, path, name)};
  if (!table.columns.empty() && table.columns.size() != table.values.cols) {
    fail_reading(path, fmt::format("the dataset '{}' has {} column names for {} columns", name,
                                   table.columns.size(), table.values.cols));
  }
  return table;
}

Attributes attributes_of(const fs::path& path) {
  const Handle file(open_file(path), H5Fclose);
  std::vector<std::string> names;
  const auto collect = [](hid_t, const char* name, const H5A_info_t*, void* into) -> herr_t {
    static_cast<decltype(names)*>(into)->emplace_back(name);
    return 0;
  };
  H5Aiterate2(file, H5_INDEX_NAME, H5_ITER_INC, nullptr, collect, &names);
  Attributes attributes;
  for (const std::string& name : names) {
    const std::vector<std::string> strings = read_strings(file, name.c_str());
    if (strings.size() == 1) attributes[name] = strings.front();
  }
  return attributes;
}

}  // namespace

// No other thread is inside the library while the process forks: Library holds the lock.
Table read_hdf5(const fs::path& path, const std::string& dataset) {
  (void)open_to_read(path);
  const Library library;
  return read_in_child(path, [&] { return FileContents{table_of(path, dataset), {}}; }).table;
}

Attributes read_hdf5_attributes(const fs::path& path) {
  (void)open_to_read(path);
  const Library library;
  return read_in_child(path, [&] { return FileContents{{}, attributes_of(path)}; }).attributes;
}

}  // namespace divker
