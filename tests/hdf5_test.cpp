#include "divker/hdf5.hpp"

#include <gtest/gtest.h>

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
