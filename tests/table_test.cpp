#include "divker/table.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "divker/error.hpp"
#include "divker/file.hpp"
#include "divker/hdf5.hpp"
#include "support/errors.hpp"

namespace divker {
namespace {

using test::expect_error;

namespace fs = std::filesystem;
using Names = std::vector<std::string>;

class TableFile : public testing::Test {
 protected:
  TableFile()
      : folder_(fs::path(testing::TempDir()) / ("divker_table_" + std::to_string(getpid()))) {
    fs::create_directories(folder_);
  }
  ~TableFile() override { fs::remove_all(folder_); }

  fs::path folder_;
  Table table_{{"q", "p"}, Matrix(3, 2, 0.1)};
};

TEST_F(TableFile, EveryFormatRoundTrips) {
  for (const std::string name : {"a.csv", "a.npy", "a.h5"}) {
    const fs::path path = folder_ / name;
    check_table_writable(path);
    write_table(path, table_, {{"seed", "7"}});
    const Table back = read_table(path);
    EXPECT_EQ(back.values, table_.values) << name;
    EXPECT_EQ(back.columns, name == "a.npy" ? Names{} : table_.columns) << name;
  }
  EXPECT_EQ(read_hdf5_attributes(folder_ / "a.h5"), (Attributes{{"seed", "7"}}));
}

// Blocks of any size make the file that the whole table makes; in HDF5 they cross the chunks.
TEST_F(TableFile, BlocksMakeTheSameFileAsTheWhole) {
  Table table{{"q", "p", "r"}, Matrix(30'001, 3)};
  for (std::size_t i = 0; i < table.values.data.size(); ++i) {
    table.values.data[i] = std::sin(static_cast<double>(i));
  }
  for (const std::string extension : {".csv", ".npy", ".h5"}) {
    TableStream stream = stream_of(table);
    stream.next = [rest = std::span<const double>(table.values.data)]() mutable {
      const auto block = rest.first(std::min<std::size_t>(rest.size(), 3 * 257));
      rest = rest.subspan(block.size());
      return block;
    };
    write_table(folder_ / ("blocks" + extension), stream, {{"seed", "7"}});
    write_table(folder_ / ("whole" + extension), table, {{"seed", "7"}});
    EXPECT_EQ(read_table(folder_ / ("blocks" + extension)).values, table.values) << extension;
    if (extension == ".h5") continue;
    EXPECT_EQ(read_binary_file(folder_ / ("blocks" + extension)),
              read_binary_file(folder_ / ("whole" + extension)));
  }
  EXPECT_LT(fs::file_size(folder_ / "blocks.h5"), 0.95 * 8.0 * 3.0 * 30'001.0) << "not deflated";
}

TEST_F(TableFile, UnknownExtension) {
  const std::string sentence =
      "'data.txt' has the extension '.txt'; the known ones are .csv, .npy, .h5";
  expect_error(ErrorKind::usage,
               "'data.txt' has the extension '.txt'; the known ones are .csv, .csv.gz, .npy, .h5",
               [] { (void)read_table("data.txt"); });
  expect_error(ErrorKind::usage,
               "'a.csv.gz' has the extension '.gz'; the known ones are .csv, .npy, .h5",
               [] { check_table_writable("a.csv.gz"); });
  expect_error(ErrorKind::usage, sentence, [&] { write_table("data.txt", table_); });
  expect_error(ErrorKind::usage, sentence, [] { check_table_writable("data.txt"); });
  EXPECT_THROW(check_table_writable(folder_ / "no" / "a.csv"), Error);
}

TEST_F(TableFile, RefusesValuesThatAreNotFinite) {
  table_.values(2, 1) = std::nan("");
  for (const auto& [name, column] : {std::pair{"a.npy", "1"}, std::pair{"a.h5", "p"}}) {
    const fs::path path = folder_ / name;
    write_table(path, table_);
    expect_error(ErrorKind::model,
                 "cannot use '" + path.string() + "': row 2, column " + column +
                     " is nan, which is not finite",
                 [&] { (void)read_table(path); });
  }
}

TEST(SelectColumns, ByNameInAnyOrder) {
  Table table{{"p", "t", "q"}, Matrix(1, 3)};
  table.values.data = {1, 2, 3};
  const Matrix selected = select_columns(table, Names{"q", "p"}, "'a.csv'");
  EXPECT_EQ(selected.data, (std::vector<double>{3, 1}));
  try {
    (void)select_columns(table, Names{"q", "z"}, "'a.csv'");
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::model);
    EXPECT_STREQ(error.what(), "'a.csv' has no column 'z'; its columns are p, t, q");
  }
}

// Columns that are not wanted may hold anything.
TEST(SelectColumns, WantsNumbers) {
  Table table{{"t", "x", "strain"}, Matrix(2, 3, 1.0)};
  table.texts[2] = {{"wt", ""}, "a.csv:2: 'wt' in column 'strain' is not a number"};
  table.values(1, 1) = table.values(0, 2) = std::nan("");
  EXPECT_EQ(select_columns(table, Names{"t"}, "a.csv").data, (std::vector<double>{1, 1}));
  const auto fault = [&](const std::string& wanted) {
    return test::message_of([&] { (void)select_columns(table, Names{wanted}, "a.csv"); });
  };
  EXPECT_EQ(fault("strain"), "a.csv:2: 'wt' in column 'strain' is not a number");
  EXPECT_EQ(fault("x"), "a.csv, row 2: the value of column 'x' is missing");
  table.lines = {2, 4};
  EXPECT_EQ(fault("x"), "a.csv:4: the value of column 'x' is missing");
  table.columns.clear();
  EXPECT_EQ(test::message_of([&] {
              (void)select_columns(table, Names{"t", "x", "y"}, "a.csv");
            }),
            "a.csv:4: the value of column 2 is missing");
}

TEST(SelectColumns, WithoutNamesInOrderOfDeclaration) {
  const Table table{{}, Matrix(2, 2, 1.0)};
  EXPECT_EQ(select_columns(table, Names{"q", "p"}, "'a.npy'"), table.values);
  try {
    (void)select_columns(table, Names{"q", "p", "z"}, "'a.npy'");
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::model);
    EXPECT_STREQ(error.what(), "'a.npy' has 2 columns without names; expected 3: q, p, z");
  }
}

}  // namespace
}  // namespace divker
