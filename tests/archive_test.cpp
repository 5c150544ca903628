#include "divker/archive.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "divker/moments.hpp"

namespace divker {
namespace {

struct Point {
  double x = 0.0;
  std::vector<std::vector<double>> rows;
  std::string name;
  void transfer(Archive& archive) { archive(x, rows, name); }
  bool operator==(const Point&) const = default;
};

TEST(Archive, ReturnsEveryKindOfValue) {
  Point point{-0.0, {{1.0, std::numeric_limits<double>::denorm_min()}, {}}, "two\nlines"};
  Matrix matrix(2, 3, 0.1);
  std::vector<double> three{1.0, 2.0, 3.0};
  Archive written;
  written(point, matrix);
  written(std::span(three));

  Archive read(written.bytes());
  Point same;
  Matrix other;
  std::vector<double> numbers(3);
  read(same, other);
  read(std::span(numbers));
  EXPECT_TRUE(read.at_end());
  EXPECT_EQ(same, point);
  EXPECT_TRUE(std::signbit(same.x));
  EXPECT_EQ(other, matrix);
  EXPECT_EQ(numbers, three);
}

TEST(Archive, MomentsGoOnWhereTheyStood) {
  Moments whole(1), first(1);
  for (int i = 0; i < 100; ++i) {
    const std::vector<double> sample{1.0 / (1.0 + i)};
    whole.add(sample);
    if (i < 50) first.add(sample);
  }
  Archive written;
  first.transfer(written);
  Archive read(written.bytes());
  Moments second(1);
  second.transfer(read);
  for (int i = 50; i < 100; ++i) second.add(std::vector<double>{1.0 / (1.0 + i)});
  EXPECT_EQ(second.mean(), whole.mean());
  EXPECT_EQ(second.variance(0), whole.variance(0));
}

// Every prefix is too short: none may crash, ask for endless memory or be taken for the whole.
TEST(Archive, EveryTruncationIsAnError) {
  Point point{1.0, {{1.0}, {2.0, 3.0}}, "name"};
  Matrix matrix(2, 2, 4.0);
  Archive written;
  written(point, matrix);
  for (std::size_t size = 0; size < written.bytes().size(); ++size) {
    Archive read(written.bytes().substr(0, size));
    Point other_point;
    Matrix other_matrix;
    EXPECT_THROW(read(other_point, other_matrix), Error) << size;
  }
}

TEST(Archive, AnAbsurdLengthIsAnError) {
  Archive written;
  std::size_t length = std::numeric_limits<std::size_t>::max() / 2;
  written(length);
  Archive read(written.bytes());
  std::vector<double> values;
  EXPECT_THROW(read(values), Error);
}

}  // namespace
}  // namespace divker
