#include "divker/spool.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "divker/error.hpp"
#include "divker/file.hpp"
#include "support/errors.hpp"

namespace divker {
namespace {

using test::expect_error;

namespace fs = std::filesystem;
using Numbers = std::vector<double>;

class SpoolFile : public testing::Test {
 protected:
  SpoolFile()
      : folder_(fs::path(testing::TempDir()) / ("divker_spool_" + std::to_string(getpid()))) {
    fs::create_directories(folder_);
    path_ = folder_ / "c.rows";
  }
  ~SpoolFile() override { fs::remove_all(folder_); }

  [[nodiscard]] bool empty() const { return fs::is_empty(folder_); }
  static Numbers all_of(const Spool& spool) {
    Numbers values(spool.size());
    spool.read(0, values);
    return values;
  }

  fs::path folder_, path_;
};

TEST_F(SpoolFile, AnUnnamedOneLeavesNothing) {
  Spool spool = Spool::unnamed(folder_ / "x.csv");
  EXPECT_TRUE(empty());
  spool.append(Numbers{1.0, -0.0, 1e-310});
  spool.append(Numbers{4.0});
  EXPECT_EQ(all_of(spool), (Numbers{1.0, -0.0, 1e-310, 4.0}));
  Numbers two(2);
  spool.read(2, two);
  EXPECT_EQ(two, (Numbers{1e-310, 4.0}));
  EXPECT_THROW(spool.read(3, two), Error);
  EXPECT_TRUE(empty());
  EXPECT_THROW((void)Spool::unnamed(folder_ / "no" / "x.csv"), Error);
}

TEST_F(SpoolFile, ANamedOneGoesOnWhereItWasCut) {
  {
    Spool spool = Spool::named(path_);
    spool.append(Numbers{1.0, 2.0, 3.0});
    spool.sync();
  }
  {
    Spool spool = Spool::named(path_);
    EXPECT_EQ(spool.size(), 3U);
    spool.cut(2);
    spool.append(Numbers{5.0});
    EXPECT_EQ(all_of(spool), (Numbers{1.0, 2.0, 5.0}));
    expect_error(ErrorKind::model,
                 "cannot read '" + path_.string() + "': 4 numbers should be there, but 3 are",
                 [&] { spool.cut(4); });
  }
  // A number of which only a part was written is none.
  fs::resize_file(path_, fs::file_size(path_) - 3);
  EXPECT_EQ(all_of(Spool::named(path_)), (Numbers{1.0, 2.0}));
}

TEST_F(SpoolFile, OneCutShortAsItBeganBeginsAgain) {
  write_whole_file(path_, "divker r");
  Spool spool = Spool::named(path_);
  EXPECT_EQ(spool.size(), 0U);
  spool.append(Numbers{7.0});
  EXPECT_EQ(all_of(spool), Numbers{7.0});
}

TEST_F(SpoolFile, ForeignFilesAndOtherWritersAreRefused) {
  write_whole_file(path_, "my own notes");
  expect_error(
      ErrorKind::model,
      "cannot read '" + path_.string() + "': it is there already, and holds no rows of a run",
      [&] { (void)Spool::named(path_); });
  EXPECT_EQ(read_text_file(path_), "my own notes");
  const fs::path other = folder_ / "d.rows";
  const Spool first = Spool::named(other);
  expect_error(ErrorKind::usage,
               "cannot write '" + other.string() + "': another process is writing it",
               [&] { (void)Spool::named(other); });
}

}  // namespace
}  // namespace divker
