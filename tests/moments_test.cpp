#include "divker/moments.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "divker/error.hpp"

namespace divker {
namespace {

Matrix normals(std::size_t rows, std::size_t cols, unsigned seed, double offset = 0.0) {
  std::mt19937_64 generator(seed);
  std::normal_distribution<double> normal;
  Matrix m(rows, cols);
  for (double& value : m.data) value = normal(generator) + offset;
  return m;
}

Matrix rows_of(const Matrix& m, std::size_t begin, std::size_t end) {
  Matrix part(end - begin, m.cols);
  std::copy_n(m.row(begin).data(), part.data.size(), part.data.begin());
  return part;
}

TEST(Moments, SmallCaseByHand) {
  Moments moments(2);
  moments.add(std::vector<double>{1.0, 10.0});
  EXPECT_TRUE(std::isnan(moments.variance(0)));
  moments.add(std::vector<double>{3.0, 10.0});
  moments.add(std::vector<double>{5.0, 16.0});
  EXPECT_EQ(moments.count(), 3U);
  EXPECT_DOUBLE_EQ(moments.mean()[0], 3.0);
  EXPECT_DOUBLE_EQ(moments.variance(0), 4.0);
  EXPECT_DOUBLE_EQ(moments.variance(1), 12.0);
  EXPECT_DOUBLE_EQ(moments.estimate(0).standard_error, std::sqrt(4.0 / 3.0));
}

TEST(Moments, LargeOffsetsCostNoDigits) {
  const Matrix plain = normals(1000, 1, 1);
  Matrix moved = plain;
  for (double& value : moved.data) value = (value + 1e9) - 1e9;  // as the offset rounds it
  Matrix offset = moved;
  for (double& value : offset.data) value += 1e9;
  Moments a(1);
  Moments b(1);
  a.add(moved);
  b.add(offset);
  EXPECT_NEAR(b.variance(0) / a.variance(0), 1.0, 1e-6);
}

TEST(Moments, MergingEqualsAddingAndIsReproducible) {
  const Matrix samples = normals(1001, 3, 2, 5.0);
  Moments whole(3);
  whole.add(samples);
  const auto grouped = [&] {
    Moments total(3);
    for (const auto& [begin, end] : {std::pair{0, 7}, std::pair{7, 500}, std::pair{500, 1001}}) {
      Moments part(3);
      part.add(rows_of(samples, begin, end));
      total.merge(part);
    }
    total.merge(Moments(3));
    return total;
  };
  const Moments once = grouped();
  const Moments again = grouped();
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_NEAR(once.mean()[i], whole.mean()[i], 1e-13);
    EXPECT_NEAR(once.variance(i), whole.variance(i), 1e-12);
    EXPECT_EQ(once.mean()[i], again.mean()[i]);
    EXPECT_EQ(once.variance(i), again.variance(i));
  }
}

TEST(Moments, SizesMustFit) {
  Moments moments(2);
  try {
    moments.add(std::vector<double>(3));
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    EXPECT_STREQ(error.what(), "the sample has 3 components; expected 2");
  }
  EXPECT_THROW(moments.merge(Moments(1)), Error);
  EXPECT_THROW(CovarianceMoments(2).merge(CovarianceMoments(3)), Error);
}

TEST(CovarianceMoments, AgreesWithTwoPassesAndMerges) {
  Matrix samples = normals(500, 3, 3, 100.0);
  for (std::size_t r = 0; r < samples.rows; ++r) samples(r, 2) += 2.0 * samples(r, 0);
  CovarianceMoments whole(3);
  whole.add(samples);
  CovarianceMoments left(3);
  CovarianceMoments right(3);
  left.add(rows_of(samples, 0, 123));
  right.add(rows_of(samples, 123, 500));
  left.merge(right);
  std::vector<double> mean(3);
  for (std::size_t c = 0; c < 3; ++c) {
    for (std::size_t r = 0; r < 500; ++r) mean[c] += samples(r, c) / 500.0;
  }
  for (std::size_t i = 0; i < 3; ++i) {
    for (std::size_t j = 0; j < 3; ++j) {
      double sum = 0.0;
      for (std::size_t r = 0; r < 500; ++r) {
        sum += (samples(r, i) - mean[i]) * (samples(r, j) - mean[j]);
      }
      EXPECT_NEAR(whole.covariance()(i, j), sum / 499.0, 1e-10);
      EXPECT_NEAR(left.covariance()(i, j), sum / 499.0, 1e-10);
    }
  }
}

}  // namespace
}  // namespace divker
