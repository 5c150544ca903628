#include "divker/npy.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <limits>
#include <string>
#include <vector>

#include "divker/error.hpp"
#include "divker/file.hpp"

namespace divker {
namespace {

namespace fs = std::filesystem;

class Npy : public testing::Test {
 protected:
  Npy() : path_(fs::path(testing::TempDir()) / ("divker_" + std::to_string(getpid()) + ".npy")) {}
  ~Npy() override { fs::remove(path_); }

  template <typename Number>
  static std::string bytes_of(const std::vector<Number>& numbers) {
    std::string bytes(numbers.size() * sizeof(Number), '\0');
    std::memcpy(bytes.data(), numbers.data(), bytes.size());
    return bytes;
  }

  void write(const std::string& header, const std::string& body, int version = 1) const {
    std::string bytes = "\x93NUMPY";
    bytes += static_cast<char>(version);
    bytes += '\0';
    const auto length = static_cast<std::uint32_t>(header.size());
    bytes += std::string(reinterpret_cast<const char*>(&length), version == 1 ? 2 : 4);
    write_whole_file(path_, bytes + header + body);
  }

  static std::string header(const std::string& type, const std::string& shape,
                            const std::string& order = "False") {
    return "{'descr': '" + type + "', 'fortran_order': " + order + ", 'shape': " + shape + ", }\n";
  }

  void expect_error(const std::string& why) const {
    try {
      (void)read_npy(path_);
      ADD_FAILURE() << "no error; expected: " << why;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::model);
      EXPECT_EQ(std::string(error.what()),
                "'" + path_.string() + "' is not a readable NPY file: " + why);
    }
  }

  fs::path path_;
};

TEST_F(Npy, RoundTripIsExact) {
  Matrix m(3, 2);
  m.data = {1.0, -0.1, 1e-320, std::numeric_limits<double>::max(), 0.0, 1.0 / 3.0};
  write_npy(path_, m);
  EXPECT_EQ(read_npy(path_), m);
  const std::string bytes = read_binary_file(path_);
  EXPECT_EQ((bytes.size() - 6 * sizeof(double)) % 64, 0U);
}

TEST_F(Npy, ReadsEveryTypeOrderAndVersion) {
  Matrix expected(2, 3);
  expected.data = {1, 2, 3, 4, 5, 6};
  const std::vector<double> rows{1, 2, 3, 4, 5, 6};
  const std::vector<double> columns{1, 4, 2, 5, 3, 6};
  for (const int version : {1, 2, 3}) {
    write(header("<f8", "(2, 3)"), bytes_of(rows), version);
    EXPECT_EQ(read_npy(path_), expected) << version;
  }
  write(header("<f8", "(2, 3)", "True"), bytes_of(columns));
  EXPECT_EQ(read_npy(path_), expected);
  write(header("<f4", "(2, 3)"), bytes_of(std::vector<float>(rows.begin(), rows.end())));
  EXPECT_EQ(read_npy(path_), expected);
  write(header("<i4", "(2, 3)"), bytes_of(std::vector<std::int32_t>(rows.begin(), rows.end())));
  EXPECT_EQ(read_npy(path_), expected);
  write(header("<i8", "(2, 3)"), bytes_of(std::vector<std::int64_t>(rows.begin(), rows.end())));
  EXPECT_EQ(read_npy(path_), expected);
}

TEST_F(Npy, OneDimensionIsOneColumn) {
  Matrix expected(3, 1);
  expected.data = {-1, 0, 7};
  for (const std::string order : {"False", "True"}) {
    write(header("<f8", "(3,)", order), bytes_of(expected.data));
    EXPECT_EQ(read_npy(path_), expected);
  }
}

TEST_F(Npy, RefusesWhatItCannotRead) {
  const std::string six = bytes_of(std::vector<double>(6, 1.0));
  write_whole_file(path_, std::string("\x00\x01garbage that is no array", 26));
  expect_error("it does not begin with the NPY signature");
  write_whole_file(path_, "\x93NUMPY\x01");
  expect_error("it ends inside the header");
  write(header("<f8", "(2, 3)"), six, 4);
  expect_error("its format version is 4.0; expected 1.0, 2.0 or 3.0");
  write(header("|O", "(2, 3)"), six);
  expect_error("it holds Python objects; expected numbers");
  write(header(">f8", "(2, 3)"), six);
  expect_error("its numbers have the type '>f8'; expected '<f8', '<f4', '<i8' or '<i4'");
  write("{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (2,), }\n", six);
  expect_error("it holds records with named fields; expected plain numbers");
  write(header("<f8", "(1, 2, 3)"), six);
  expect_error("its array is 3-D; expected 1-D or 2-D");
  write(header("<f8", "()"), six);
  expect_error("its array is 0-D; expected 1-D or 2-D");
  write(header("<f8", "(0, 3)"), "");
  expect_error("its array holds no values");
}

TEST_F(Npy, RefusesSizesThatDoNotFit) {
  const std::string six = bytes_of(std::vector<double>(6, 1.0));
  write(header("<f8", "(3, 3)"), six);
  expect_error("its header promises 3 x 3 numbers of 8 bytes, but only 48 bytes follow");
  write(header("<f8", "(1, 3)"), six);
  expect_error("24 bytes follow its 1 x 3 numbers");
  write(header("<f8", "(4294967296, 4294967296)"), six);
  expect_error(
      "its header promises 4294967296 x 4294967296 numbers of 8 bytes, but only 48 bytes follow");
  write(header("<f8", "(2305843009213693953, 1)"), six);
  expect_error(
      "its header promises 2305843009213693953 x 1 numbers of 8 bytes, but only 48 bytes follow");
  write(header("<f8", "(1152921504606846976,)"), six);
  expect_error(
      "its header promises 1152921504606846976 x 1 numbers of 8 bytes, but only 48 bytes follow");
  write(header("<f8", "(99999999999999999999999,)"), six);
  expect_error("its shape is too large");
  write(header("<f8", "(-6,)"), six);
  expect_error("its header has a shape that is not a tuple of integers");
}

TEST_F(Npy, RefusesBrokenHeaders) {
  write("{'descr': '<f8', 'shape': (2,), }", "");
  expect_error("its header lacks one of 'descr', 'fortran_order' and 'shape'");
  write("{'descr': '<f8", "");
  expect_error("its header has a string without an end");
  write("{'size': 3}", "");
  expect_error("its header has the unknown key 'size'");
  write("nonsense", "");
  expect_error("its header has no '{' at byte 0");
  write("{'fortran_order': Maybe}", "");
  expect_error("its header has no True or False for 'fortran_order'");
}

TEST_F(Npy, EveryTruncationIsAnError) {
  write_npy(path_, Matrix(3, 2, 1.5));
  const std::string whole = read_binary_file(path_);
  for (std::size_t size = 1; size < whole.size(); ++size) {
    write_whole_file(path_, std::string_view(whole).substr(0, size));
    EXPECT_THROW((void)read_npy(path_), Error) << size;
  }
}

TEST_F(Npy, MissingFile) {
  try {
    (void)read_npy("/no/such.npy");
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "cannot read '/no/such.npy': No such file or directory");
  }
}

}  // namespace
}  // namespace divker
