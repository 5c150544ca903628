#include "divker/neighbours.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

#include "divker/error.hpp"

namespace divker {
namespace {

Matrix normals(std::size_t rows, std::size_t cols, unsigned seed) {
  std::mt19937_64 generator(seed);
  std::normal_distribution<double> normal;
  Matrix m(rows, cols);
  for (double& value : m.data) value = normal(generator);
  return m;
}

std::vector<Neighbour> all_sorted(const Matrix& points, std::span<const double> query) {
  std::vector<Neighbour> list;
  for (std::size_t r = 0; r < points.rows; ++r) {
    double sum = 0.0;
    for (std::size_t c = 0; c < points.cols; ++c) {
      sum += (query[c] - points(r, c)) * (query[c] - points(r, c));
    }
    list.push_back({sum, r});
  }
  std::sort(list.begin(), list.end());
  return list;
}

void expect_exact(const Matrix& points, const Matrix& queries, NeighbourSearch search) {
  const NeighbourIndex index(points, search);
  for (const std::size_t k : {std::size_t{1}, std::size_t{10}, points.rows}) {
    const auto lists = index.nearest(queries, k);
    for (std::size_t q = 0; q < queries.rows; ++q) {
      std::vector<Neighbour> expected = all_sorted(points, queries.row(q));
      expected.resize(k);
      EXPECT_EQ(lists[q], expected) << "k " << k << ", query " << q;
    }
  }
  const double radius = 0.9;
  for (std::size_t q = 0; q < queries.rows; ++q) {
    std::vector<Neighbour> expected = all_sorted(points, queries.row(q));
    std::erase_if(expected,
                  [&](const Neighbour& n) { return n.squared_distance > radius * radius; });
    EXPECT_EQ(index.within(queries.row(q), radius), expected) << "query " << q;
  }
}

TEST(NeighbourIndex, EverySearchIsExact) {
  expect_exact(normals(300, 1, 1), normals(20, 1, 2), NeighbourSearch::sorted);
  for (const std::size_t d : {1, 2, 5, 12}) {
    expect_exact(normals(300, d, 1), normals(20, d, 2), NeighbourSearch::tree);
    expect_exact(normals(300, d, 1), normals(20, d, 2), NeighbourSearch::brute_force);
  }
}

TEST(NeighbourIndex, TiesGoByRowNumber) {
  Matrix grid(200, 1);
  for (std::size_t r = 0; r < 200; ++r) grid(r, 0) = static_cast<double>((r * 7) % 10);
  Matrix queries(3, 1);
  queries.data = {4.0, 4.5, 100.0};
  for (const auto search :
       {NeighbourSearch::sorted, NeighbourSearch::tree, NeighbourSearch::brute_force}) {
    expect_exact(grid, queries, search);
  }
}

TEST(NeighbourIndex, ChoosesByDimensionOfTheData) {
  EXPECT_EQ(NeighbourIndex(normals(5000, 1, 1)).search(), NeighbourSearch::sorted);
  EXPECT_EQ(NeighbourIndex(normals(5000, 5, 1)).search(), NeighbourSearch::tree);
  EXPECT_EQ(NeighbourIndex(normals(5000, 20, 1)).search(), NeighbourSearch::brute_force);
  // Twenty coordinates, but the data lie on a plane.
  Matrix sheet(5000, 20);
  const Matrix plane = normals(5000, 2, 3);
  for (std::size_t r = 0; r < sheet.rows; ++r) {
    for (std::size_t c = 0; c < 20; ++c) {
      sheet(r, c) = plane(r, 0) + static_cast<double>(c) * plane(r, 1);
    }
  }
  EXPECT_EQ(NeighbourIndex(sheet).search(), NeighbourSearch::tree);
}

TEST(NeighbourIndex, RefusesWhatItCannotDo) {
  const NeighbourIndex index(normals(5, 2, 1));
  try {
    (void)index.nearest(normals(1, 2, 2), 6);
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    EXPECT_STREQ(error.what(), "6 neighbours are asked of 5 points; expected 1 to 5");
  }
  EXPECT_THROW((void)index.nearest(normals(1, 2, 2), 0), Error);
  EXPECT_THROW(NeighbourIndex{Matrix()}, Error);
  EXPECT_THROW(NeighbourIndex(normals(5, 2, 1), NeighbourSearch::sorted), Error);
}

}  // namespace
}  // namespace divker
