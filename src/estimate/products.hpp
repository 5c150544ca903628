// The one product that large least-squares fits spend their time in.
#pragma once

#include <cstddef>
#include <vector>

namespace divker {

// A table of so many rows, one row after the other or one column after the other.
struct Operand {
  const double* data = nullptr;
  std::size_t columns = 0;
  std::size_t rows = 0;
  bool contiguous = false;  // each column is
};

// c += a^T b for a (rows x p), b (rows x q) and row-major c (p x q). With `upper`, tiles of c below
// the diagonal are left alone. Uses the widest vectors that the machine has; the sum over the rows
// runs in order, so results do not depend on the number of threads. Cost: rows * p * q
// multiplications, at 60% of the machine's peak for rows near 256.
void add_product(const Operand& a, const Operand& b, double* c, bool upper, std::size_t threads);

// a^T b, p x q, for tables of many rows, which the threads share.
[[nodiscard]] std::vector<double> cross_products(const double* a, std::size_t p, const double* b,
                                                 std::size_t q, std::size_t rows,
                                                 std::size_t threads);

}  // namespace divker
