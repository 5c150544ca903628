#include "divker/csv.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "divker/error.hpp"
#include "divker/file.hpp"
#include "io/gzip.hpp"
#include "support/errors.hpp"

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

  // The same of the sentence for whoever needs the numbers of a column.
  void expect_fault(const std::string& text, std::size_t column, std::string message) const {
    message.replace(message.find('%'), 1, path_.string());
    const Table table = parse(text);
    ASSERT_TRUE(table.texts.contains(column)) << text;
    EXPECT_EQ(table.texts.at(column).fault, message);
  }

  fs::path path_;
};

TEST_F(Csv, RoundTripIsExactAndShort) {
  Table table{{"x", "a; b", "say \"hi\"", "1,5"}, Matrix(2, 4)};
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

TEST_F(Csv, TinyNumbersAreZeroAndHugeOnesAreText) {
  EXPECT_EQ(parse("1e-999\n").values(0, 0), 0.0);
  expect_fault("x\n1e999\n", 0, "%:2: '1e999' in column 'x' is not finite");
}

// Only who needs numbers is told where they are not.
TEST_F(Csv, ColumnsMayHoldText) {
  const Table table = parse("t,x,strain\n1.0,1.7,wt\n1.0,1.6,\"mutant, old\"\n\n2.0,1.9,7\n");
  EXPECT_EQ(table.columns, (Names{"t", "x", "strain"}));
  EXPECT_EQ(table.values.column(1), (std::vector<double>{1.7, 1.6, 1.9}));
  EXPECT_EQ(table.lines, (std::vector<std::size_t>{2, 3, 5}));
  ASSERT_EQ(table.texts.size(), 1U);
  EXPECT_EQ(table.texts.at(2).cells, (Names{"wt", "mutant, old", ""}));
  EXPECT_TRUE(std::isnan(table.values(0, 2)));
  EXPECT_EQ(table.values(2, 2), 7.0);
  EXPECT_TRUE(table.remarks.empty());
  // The rows after the last text are there as well.
  EXPECT_EQ(parse("x\na\n1\n2\n").texts.at(0).cells, (Names{"a", "", ""}));
}

TEST_F(Csv, FaultNamesRowColumnAndText) {
  expect_fault("x,y\n-inf,2\n", 0, "%:2: '-inf' in column 'x' is not finite");
  expect_fault("x,y\n\n# c\n1,2.0.0\n2,z\n", 1, "%:4: '2.0.0' in column 'y' is not a number");
  expect_fault("1,2\n3,4x\n", 1, "%:2: '4x' in column 2 is not a number");
  expect_fault("1,a\n3,4\n", 1, "%:1: 'a' in column 2 is not a number");
  expect_fault("x,\n1,a\n", 1, "%:2: 'a' in column 2 is not a number");
  expect_fault("1,2\n3,4;5\n", 1,
               "%:2: '4;5' in column 2 is not a number; columns are separated by commas");
  expect_fault("x,y\n\"1,5\",2\n", 0,
               "%:2: '1,5' in column 'x' is not a number; decimal commas are read where columns "
               "are separated by ';' or tabs");
}

TEST_F(Csv, MissingValues) {
  const Table table = parse("x,y,z\n,NA,.\nnan,NaN,na\n \"\" ,1,-1\n");
  EXPECT_TRUE(table.texts.empty());
  EXPECT_EQ(std::ranges::count_if(table.values.data, [](double v) { return std::isnan(v); }), 7);
  EXPECT_EQ(table.values(2, 1), 1.0);
  const Table bare = parse("NA,.\n1,2\n");
  EXPECT_TRUE(bare.columns.empty());
  EXPECT_EQ(bare.values.rows, 2U);
  // Other words are texts, and so are names in quotes.
  EXPECT_EQ(parse("x\nnaa\nnx\n..\n").texts.at(0).cells, (Names{"naa", "nx", ".."}));
  EXPECT_EQ(parse("\"NA\"\n1\n").columns, Names{"NA"});
}

TEST_F(Csv, RecognisesSeparators) {
  Matrix values(2, 2);
  values.data = {1, 1.5, 2, -3};
  for (const auto& [text, separator] : std::vector<std::pair<std::string, std::string>>{
           {"t;x\n1;1.5\n2;-3\n", "';'"},
           {"t\tx\n1\t1.5\r\n2\t-3\r\n", "tabs"},
           {"t;\"x\"\n1; 1.5\n2 ;-3\n", "';'"},
           {"# a, b, c\n\nt;x\n1;1.5\n2;-3\n", "';'"}}) {
    const Table table = parse(text);
    EXPECT_EQ(table.columns, (Names{"t", "x"})) << text;
    EXPECT_EQ(table.values, values) << text;
    EXPECT_EQ(table.remarks,
              Names{path_.string() + ": columns are separated by " + separator + "."});
  }
  // A tab beside a comma is a blank; one beside a tab stands before a missing value.
  EXPECT_EQ(parse("1,\t1.5\n2,\t-3\n").values, values);
  const Table missing = parse("a\tb\tc\n\t1\t2\n3\t4\t\n");
  EXPECT_TRUE(std::isnan(missing.values(0, 0)) && std::isnan(missing.values(1, 2)));
  // Separators in quotes, and in texts of some rows, separate nothing.
  EXPECT_EQ(parse("\"a;b\",c\n1,2\n").columns, (Names{"a;b", "c"}));
  EXPECT_EQ(parse("x;note\n1;\"a;b\"\n2;c, d\n").texts.at(1).cells, (Names{"a;b", "c, d"}));
  EXPECT_EQ(parse("x,note\n1,a;b\n2,c;d\n").texts.at(1).cells, (Names{"a;b", "c;d"}));
}

TEST_F(Csv, RecognisesDecimalCommas) {
  const std::string by = path_.string() + ": columns are separated by ';'.";
  const Table table = parse("t;x\n1;1,75\n1;-2,5e-1\n2;3\n");
  EXPECT_EQ(table.values.column(1), (std::vector<double>{1.75, -0.25, 3}));
  EXPECT_EQ(table.remarks, (Names{by, path_.string() + ": decimals are written with commas; "
                                                       "'1,75' in line 2 is 1.75."}));
  const Table bare = parse("1,0;1,5\n2,0;2,5\n");
  EXPECT_TRUE(bare.columns.empty());
  EXPECT_EQ(bare.values.data, (std::vector<double>{1, 1.5, 2, 2.5}));
  EXPECT_EQ(parse("t\tx\n1,5\t2\n").values.data, (std::vector<double>{1.5, 2}));
}

// 1.234 may be a number between one and two, or more than a thousand.
TEST_F(Csv, OneFileHasOneDecimalMark) {
  expect_fault(
      "t;x\n1,5;1.234\n", 1,
      "%:2: '1.234' in column 'x' is not a number; line 2 has a comma before the decimals");
  expect_fault(
      "t;x\n1.5;1\n2;1,234\n", 1,
      "%:3: '1,234' in column 'x' is not a number; line 2 has a point before the decimals");
  EXPECT_EQ(parse("t;x\n1.5;1\n2;1,234\n3;2,5\n").remarks.back(),
            path_.string() +
                ": '1,234' in line 3 has a comma, but '.' marks the decimals since "
                "line 2; it is taken as text.");
  expect_fault("t;x\n1;1.234,5\n", 1, "%:2: '1.234,5' in column 'x' is not a number");
  expect_fault("t;x\n1;1e999\n", 1, "%:2: '1e999' in column 'x' is not finite");
}

TEST_F(Csv, RefusesBrokenShapes) {
  expect_error("x,y\n1,2\n3\n", "%:3: the row has 1 fields; expected 2");
  expect_error("1,2\n3,4.5,5\n", "%:2: the row has 3 fields; expected 2");
  expect_error("t;x\n1;2\n3\n", "%:3: the row has 1 fields; expected 2");
  expect_error("", "cannot read '%': it is empty");
  expect_error("\n# only a comment\n", "cannot read '%': it holds no rows of numbers");
  expect_error("x,y\n", "cannot read '%': it holds no rows of numbers");
  expect_error("x,x\n1,2\n", "%:1: the header names the column 'x' twice");
  expect_error("\"x,y\n1,2\n", "%:1: a quoted field has no closing quote");
  expect_error("\"x\"y,z\n1,2\n", "%:1: the text 'y,z' follows a quoted field; expected a comma");
  expect_error("t;x\n\"1\"2;3\n", "%:2: the text '2;3' follows a quoted field; expected ';'");
  expect_error(std::string("1,\0002\n", 5),
               "cannot read '%': it is not a text file (it holds a NUL byte)");
}

TEST_F(Csv, SaysWhatToDoAboutSeparators) {
  expect_error("t,x\n1,2\n3;4\n",
               "%:3: the row has 1 fields; expected 2; line 1 separates columns by commas, and "
               "this one has ';'");
  expect_error("# c\nt;x\n1\t2\n",
               "%:3: the row has 1 fields; expected 2; line 2 separates columns by ';', and this "
               "one has a tab");
  expect_error("t,x\n1,0,1,7148\n",
               "%:2: the row has 4 fields; expected 2; if numbers have decimal commas, separate "
               "the columns by ';' or tabs");
  expect_error("t,x\n1,1,5\n",
               "%:2: the row has 3 fields; expected 2; if numbers have decimal commas, separate "
               "the columns by ';' or tabs");
}

// What gzip makes of "t,x\n1,2\n" and of "3,4\n".
const std::string compressed(
    "\037\213\010\000\000\000\000\000\002\003\053\321\251\340\062\324\061\342\002\000\311\031\201"
    "\234\010\000\000\000",
    28);
const std::string compressed_row(
    "\037\213\010\000\000\000\000\000\002\003\063\326\061\341\002\000\076\055\162\251\004\000\000"
    "\000",
    24);

TEST_F(Csv, ReadsCompressedFiles) {
  const fs::path path = path_.string() + ".gz";
  const auto read = [&](const std::string& bytes) {
    write_whole_file(path, bytes);
    return read_csv(path);
  };
  const auto expect_refused = [&](const std::string& bytes, const std::string& why) {
    test::expect_error(ErrorKind::model, "cannot read '" + path.string() + "': " + why,
                       [&] { (void)read(bytes); });
  };
  EXPECT_EQ(read(compressed).columns, (Names{"t", "x"}));
  // Members of one file follow each other.
  EXPECT_EQ(read(compressed + compressed_row).values.data, (std::vector<double>{1, 2, 3, 4}));
  for (std::size_t size = 1; size < compressed.size(); ++size) {
    expect_refused(compressed.substr(0, size), "its compressed data end early");
  }
  std::string damaged = compressed;
  damaged[damaged.size() - 5] ^= 1;
  expect_refused(damaged, "its compressed data are damaged (incorrect data check)");
  expect_refused("t,x\n1,2\n", "its compressed data are damaged (incorrect header check)");
  expect_refused("", "it is empty");
  write_whole_file(path, compressed);
  EXPECT_EQ(read_gzip_text_file(path, 8), "t,x\n1,2\n");
  test::expect_error(
      ErrorKind::model,
      "cannot read '" + path.string() + "': what it holds is larger than the limit of 7 bytes",
      [&] { (void)read_gzip_text_file(path, 7); });
  fs::remove(path);
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
