#include "divker/hdf5.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "divker/error.hpp"
#include "divker/file.hpp"

namespace divker {
namespace {

namespace fs = std::filesystem;

class Hdf5 : public testing::Test {
 protected:
  Hdf5() : folder_(fs::path(testing::TempDir()) / ("divker_hdf5_" + std::to_string(getpid()))) {
    fs::create_directories(folder_);
    path_ = folder_ / "a.h5";
    tables_ = {{"x", {{"q", "p"}, Matrix(2, 2)}}, {"group/nu", {{}, Matrix(3, 1, 0.1)}}};
    tables_[0].table.values.data = {1.0, -0.0, 1e300, 1.0 / 3.0};
  }
  ~Hdf5() override { fs::remove_all(folder_); }

  template <typename Action>
  void expect_error(const std::string& why, Action&& action) const {
    try {
      action();
      ADD_FAILURE() << "no error; expected: " << why;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::model);
      EXPECT_EQ(std::string(error.what()), "cannot read '" + path_.string() + "': " + why);
    }
  }

  fs::path folder_, path_;
  std::vector<NamedTable> tables_;
};

TEST_F(Hdf5, RoundTripIsExact) {
  const Attributes attributes{{"model", "dx = -x dt + dW\n"}, {"note", ""}, {"seed", "7"}};
  write_hdf5(path_, tables_, attributes);
  for (const NamedTable& named : tables_) {
    const Table back = read_hdf5(path_, named.name);
    EXPECT_EQ(back.columns, named.table.columns);
    EXPECT_EQ(back.values, named.table.values);
  }
  EXPECT_EQ(read_hdf5_attributes(path_), attributes);
}

TEST_F(Hdf5, TheOnlyDatasetNeedsNoName) {
  write_hdf5(path_, {tables_.data(), 1});
  EXPECT_EQ(read_hdf5(path_).values, tables_[0].table.values);
  write_hdf5(path_, tables_);
  expect_error("it holds several datasets, name one of group/nu, x",
               [&] { (void)read_hdf5(path_); });
}

TEST_F(Hdf5, NamesWhatIsThere) {
  write_hdf5(path_, tables_);
  expect_error("it has no dataset 'y'; its datasets are group/nu, x",
               [&] { (void)read_hdf5(path_, "y"); });
  write_hdf5(path_, {});
  expect_error("it holds no dataset", [&] { (void)read_hdf5(path_); });
}

TEST_F(Hdf5, RefusesFilesAtFault) {
  expect_error("No such file or directory", [&] { (void)read_hdf5(path_); });
  write_whole_file(path_, "");
  expect_error("it is empty", [&] { (void)read_hdf5(path_); });
  write_whole_file(path_, "certainly no array");
  expect_error("it is not an HDF5 file, or it is damaged", [&] { (void)read_hdf5(path_); });
}

TEST_F(Hdf5, TruncationIsAnError) {
  write_hdf5(path_, tables_);
  const std::string whole = read_binary_file(path_);
  for (const std::size_t part : {std::size_t{20}, whole.size() / 2, whole.size() - 8}) {
    write_whole_file(path_, std::string_view(whole).substr(0, part));
    EXPECT_THROW((void)read_hdf5(path_, "x"), Error) << part;
  }
}

// The shape is found in the file by its number of rows, which stands nowhere else. Small tables are
// stored in one piece, whose size stands there too, and large ones in chunks.
TEST_F(Hdf5, RefusesToPromiseMoreThanItHolds) {
  const auto replace = [](std::string bytes, std::uint64_t from, std::uint64_t to) {
    const std::string before(reinterpret_cast<const char*>(&from), sizeof from);
    const std::string after(reinterpret_cast<const char*>(&to), sizeof to);
    std::size_t found = 0;
    for (std::size_t at = 0; (at = bytes.find(before, at)) != std::string::npos; ++found) {
      bytes.replace(at, sizeof to, after);
    }
    EXPECT_GT(found, 0U);
    return bytes;
  };
  for (const std::uint64_t rows : {7'654U, 12'345U}) {
    write_hdf5(path_, std::vector<NamedTable>{{"x", {{}, Matrix(rows, 1)}}});
    const std::string whole = read_binary_file(path_);
    for (const std::uint64_t promise : {std::uint64_t{1} << 60U, std::uint64_t{1} << 30U}) {
      const std::string shape = replace(whole, rows, promise);
      write_whole_file(path_, shape);
      const auto read = [&] { (void)read_hdf5(path_); };
      expect_error("the dataset 'x' promises more values than it holds", read);
      if (rows > 8192) continue;
      write_whole_file(path_, replace(shape, rows * sizeof(double), promise * sizeof(double)));
      EXPECT_THROW(read(), Error);
    }
  }
}

// Found by fuzzing: the HDF5 library follows the size of a string out of its own memory.
TEST_F(Hdf5, AFileThatCrashesTheLibraryIsRefused) {
  path_ = fs::path(DIVKER_TEST_DATA).parent_path() / "fuzz" / "corpus" / "hdf5" / "damaged_heap.h5";
  expect_error("it is damaged: the HDF5 library fails on it", [&] { (void)read_hdf5(path_); });
}

TEST_F(Hdf5, ReadsNoOtherFiles) {
  const fs::path seeds = fs::path(DIVKER_TEST_DATA).parent_path() / "fuzz" / "corpus" / "hdf5";
  for (const char* name : {"external.h5", "virtual.h5"}) {
    path_ = seeds / name;
    expect_error("the dataset 'v' keeps its values in other files",
                 [&] { (void)read_hdf5(path_); });
  }
  path_ = seeds / "link.h5";
  expect_error("it holds no dataset", [&] { (void)read_hdf5(path_, "v"); });
}

TEST_F(Hdf5, WholeOrNotAtAll) {
  const std::vector<NamedTable> clash{{"x", {{}, Matrix(1, 1)}}, {"x", {{}, Matrix(1, 1)}}};
  try {
    write_hdf5(path_, clash);
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    EXPECT_EQ(std::string(error.what()), "cannot write '" + path_.string() +
                                             "': writing the dataset 'x' failed (is the disk "
                                             "full?)");
  }
  EXPECT_TRUE(fs::is_empty(folder_));
  EXPECT_THROW(write_hdf5(folder_ / "no" / "a.h5", tables_), Error);
  EXPECT_THROW(write_hdf5(path_, std::vector<NamedTable>{{"x", {{"a"}, Matrix(1, 2)}}}), Error);
}

TEST_F(Hdf5, ThreadsMayWriteAtOnce) {
  std::vector<std::jthread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] { write_hdf5(folder_ / (std::to_string(i) + ".h5"), tables_); });
  }
  threads.clear();
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(read_hdf5(folder_ / (std::to_string(i) + ".h5"), "x").values,
              tables_[0].table.values);
  }
}

}  // namespace
}  // namespace divker
