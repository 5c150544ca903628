// Inverses of many small matrices at once, one to a vector lane.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "numbers/aligned_array.hpp"

namespace divker::numbers {

// Gauss-Jordan elimination in place, with partial pivoting in each lane for itself. Component
// (i, j) of lane l is at matrices[(i n + j) lanes + l], aligned to 64 bytes. n^3 multiply-adds a
// lane; backward stable as Gaussian elimination is, row by row of the inverse. Each lane's result
// depends on that lane's matrix alone.
class LaneInverse {
 public:
  // 2, 4 or 8 lanes, which choose the instruction set as they do for kernels.
  LaneInverse(std::size_t n, std::size_t lanes);

  // Afterwards signs()[l] is that of the determinant of lane l: -1 or 1; 0 where the matrix is
  // singular or not a number, and then the lane's inverse has entries that are not finite.
  void operator()(double* matrices);
  [[nodiscard]] const std::vector<std::int64_t>& signs() const { return signs_; }

 private:
  std::size_t n_;
  std::size_t lanes_;
  std::vector<std::int64_t> pivots_;  // row exchanged with row k, in each lane
  std::vector<std::int64_t> signs_;
  AlignedArray rows_;
};

}  // namespace divker::numbers
