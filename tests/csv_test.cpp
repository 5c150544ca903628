#include "divker/csv.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <limits>
#include <string>
#include <vector>

#include "divker/error.hpp"
#include "divker/file.hpp"

namespace divker {
namespace {

namespace fs = std::filesystem;
using Names = std::vector<std::string>;

class Csv : public testing::Test {
 protected:
  Csv() : path_(fs::path(testing::TempDir()) / ("divker_" + std::to_string(getpid()) + ".csv")) {}
  ~Csv() override { fs::remove(path_); }

  [[nodiscard]] Table parse(const std::string& text) const {
    write_whole_file(path_, text);
    return read_csv(path_);
  }

  // `%` in the message stands for the path.
  void expect_error(const std::string& text, std::string message) const {
    if (const auto at = message.find('%'); at != std::string::npos) {
      message.replace(at, 1, path_.string());
    }
    try {
      (void)parse(text);
      ADD_FAILURE() << "no error; expected: " << message;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::model);
      EXPECT_EQ(std::string(error.what()), message);
    }
  }

  fs::path path_;
};

TEST_F(Csv, RoundTripIsExactAndShort) {
  Table table{{"x", "a, b", "say \"hi\"", "1"}, Matrix(2, 4)};
  table.values.data = {0.1,  1.0 / 3.0, -1e-320, std::numeric_limits<double>::max(),
                       -0.0, 5e-324,    1e22,    3.0};
  write_csv(path_, table, {{"model", "dx = 1\ndy = 2\n"}, {"seed", "7"}});
  const Table back = read_csv(path_);
  EXPECT_EQ(back.columns, table.columns);
  EXPECT_EQ(back.values, table.values);
  EXPECT_NE(read_text_file(path_).find("# seed: 7\n"), std::string::npos);
  EXPECT_NE(read_text_file(path_).find("\n0.1,0.333"), std::string::npos);
}

TEST_F(Csv, HeaderIsOptional) {
  Matrix values(2, 2);
  values.data = {1, 2, 3, 4};
  const Table bare = parse("1,2\n3,4\n");
  EXPECT_TRUE(bare.columns.empty());
  EXPECT_EQ(bare.values, values);
  const Table named = parse("q,p\n1,2\n3,4");
  EXPECT_EQ(named.columns, (Names{"q", "p"}));
  EXPECT_EQ(named.values, values);
}

TEST_F(Csv, ToleratesSpacesLineEndsQuotesAndComments) {
  Matrix values(2, 2);
  values.data = {1, 2, -3, 4e5};
  const Table table = parse(
      "\xef\xbb\xbf# made by hand\r\n\r\n \"x[0]\" , \"the \"\"y\"\"\"\r\n# data\r\n"
      " 1 ,\t+2 \r\n\"-3\", 4e5\r\n\r\n\n");
  EXPECT_EQ(table.columns, (Names{"x[0]", "the \"y\""}));
  EXPECT_EQ(table.values, values);
}

TEST_F(Csv, TinyNumbersAreZeroAndHugeOnesRefused) {
  EXPECT_EQ(parse("1e-999\n").values(0, 0), 0.0);
  expect_error("x\n1e999\n", "%:2: '1e999' in column 'x' is not finite");
}

TEST_F(Csv, NamesRowColumnAndText) {
  expect_error("x,y\n1,2\n3,nan\n", "%:3: 'nan' in column 'y' is not finite");
  expect_error("x,y\n-inf,2\n", "%:2: '-inf' in column 'x' is not finite");
  expect_error("x,y\n\n# c\n1,2.0.0\n", "%:4: '2.0.0' in column 'y' is not a number");
  expect_error("1,2\n3,\n", "%:2: '' in column 2 is not a number");
  expect_error("1,2\n3,4x\n", "%:2: '4x' in column 2 is not a number");
  expect_error("1,a\n3,4\n", "%:1: 'a' in column 2 is not a number");
  expect_error("1,2\n3,4;5\n",
               "%:2: '4;5' in column 2 is not a number; columns are separated by commas");
}

TEST_F(Csv, RefusesBrokenShapes) {
  expect_error("x,y\n1,2\n3\n", "%:3: the row has 1 fields; expected 2");
  expect_error("1,2\n3,4,5\n", "%:2: the row has 3 fields; expected 2");
  expect_error("", "cannot read '%': it is empty");
  expect_error("\n# only a comment\n", "cannot read '%': it holds no rows of numbers");
  expect_error("x,y\n", "cannot read '%': it holds no rows of numbers");
  expect_error("x,x\n1,2\n", "%:1: the header names the column 'x' twice");
  expect_error("x,\n1,2\n", "%:1: column 2 of the header has no name");
  expect_error("\"x,y\n1,2\n", "%:1: a quoted field has no closing quote");
  expect_error("\"x\"y,z\n1,2\n", "%:1: the text 'y,z' follows a quoted field; expected a comma");
  expect_error(std::string("1,\0002\n", 5),
               "cannot read '%': it is not a text file (it holds a NUL byte)");
}

TEST_F(Csv, MissingFile) {
  fs::remove(path_);
  try {
    (void)read_csv("/no/such.csv");
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "cannot read '/no/such.csv': No such file or directory");
  }
}

TEST_F(Csv, WriterChecksTheNames) {
  try {
    write_csv(path_, Table{{"x"}, Matrix(1, 2)});
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    EXPECT_EQ(std::string(error.what()),
              "cannot write '" + path_.string() + "': the table has 1 column names for 2 columns");
  }
}

}  // namespace
}  // namespace divker
