#include "estimate/products.hpp"

#include <algorithm>
#include <vector>

#include "estimate/parallel.hpp"

namespace divker {
namespace {

// Columns of a table, `width` at a time, each panel contiguous: the strides of the table itself
// would cost a page a line. Panels beyond the last column are filled up with zeros.
template <std::size_t width>
std::vector<double> packed(const Operand& table) {
  const auto [data, columns, rows, contiguous] = table;
  std::vector<double> panels((columns + width - 1) / width * width * rows);
  if (contiguous) {
    for (std::size_t c = 0; c < columns; ++c) {
      double* out = panels.data() + c / width * width * rows + c % width;
      for (std::size_t r = 0; r < rows; ++r) out[r * width] = data[c * rows + r];
    }
    return panels;
  }
  const std::size_t whole = columns / width * width;
  for (std::size_t r = 0; r < rows; ++r) {
    const double* line = data + r * columns;
    double* out = panels.data() + r * width;
    for (std::size_t c = 0; c < whole; c += width) {
      for (std::size_t k = 0; k < width; ++k) out[c * rows + k] = line[c + k];
    }
    for (std::size_t c = whole; c < columns; ++c) out[whole * rows + c - whole] = line[c];
  }
  return panels;
}

constexpr std::size_t kWide = 8;
using Vector [[gnu::vector_size(kWide * sizeof(double))]] = double;
using Unaligned [[gnu::vector_size(kWide * sizeof(double)), gnu::aligned(8)]] = double;

struct Operands {
  const double* a;  // panels of `high` columns
  std::size_t p;
  const double* b;  // panels of kWide columns
  std::size_t q;
  std::size_t rows;
  double* c;
  bool upper;
};

// One tile of c, kept in registers over all rows; a vector for each of its lines.
template <std::size_t high>
[[gnu::always_inline]] inline void tile(const Operands& o, std::size_t i, std::size_t j) {
  Vector sums[high] = {};
  const double* a = o.a + i * o.rows;
  const double* b = o.b + j * o.rows;
  for (std::size_t r = 0; r < o.rows; ++r, a += high, b += kWide) {
    const Vector line = *reinterpret_cast<const Unaligned*>(b);
    for (std::size_t k = 0; k < high; ++k) sums[k] += a[k] * line;
  }
  const std::size_t lines = std::min(high, o.p - i);
  const std::size_t wide = std::min(kWide, o.q - j);
  for (std::size_t k = 0; k < lines; ++k) {
    double* out = o.c + (i + k) * o.q + j;
    for (std::size_t l = 0; l < wide; ++l) out[l] += sums[k][l];
  }
}

// Columns [begin, end) of c. The panel of b stays in the first-level cache.
template <std::size_t high>
[[gnu::always_inline]] inline void strip(const Operands& o, std::size_t begin, std::size_t end) {
  for (std::size_t j = begin; j < end; j += kWide) {
    const std::size_t last = o.upper ? std::min(o.p, j + kWide) : o.p;
    for (std::size_t i = 0; i < last; i += high) tile<high>(o, i, j);
  }
}

using Strip = void (*)(const Operands&, std::size_t, std::size_t);

template <std::size_t high>
void multiply(const Operand& a, const Operand& b, Operands operands, std::size_t threads,
              Strip strip) {
  const std::vector<double> left = packed<high>(a);
  const std::vector<double> right = packed<kWide>(b);
  operands.a = left.data();
  operands.b = right.data();
  for_each_block(b.columns, 2 * kWide, threads,
                 [&](std::size_t begin, std::size_t end) { strip(operands, begin, end); });
}

// Lines of a tile, so that it fills the registers.
constexpr std::size_t kHigh = 6;
constexpr std::size_t kHighest = 16;

void strip_plain(const Operands& o, std::size_t begin, std::size_t end) {
  strip<kHigh>(o, begin, end);
}

#if defined(__x86_64__)
[[gnu::target("avx2,fma")]] void strip_avx2(const Operands& o, std::size_t begin, std::size_t end) {
  strip<kHigh>(o, begin, end);
}
[[gnu::target("avx512f,fma")]] void strip_avx512(const Operands& o, std::size_t begin,
                                                 std::size_t end) {
  strip<kHighest>(o, begin, end);
}
#endif

struct ProductSums {
  std::vector<double> values;
  void operator+=(const ProductSums& other) {
    for (std::size_t i = 0; i < values.size(); ++i) values[i] += other.values[i];
  }
};

}  // namespace

// NOTE: c is written through the operands, which the check below does not see.
// NOLINTNEXTLINE(readability-non-const-parameter)
void add_product(const Operand& a, const Operand& b, double* c, bool upper, std::size_t threads) {
  const Operands operands{nullptr, a.columns, nullptr, b.columns, a.rows, c, upper};
#if defined(__x86_64__)
  static const bool avx512 = __builtin_cpu_supports("avx512f") != 0;
  static const bool avx2 =
      __builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("fma") != 0;
  if (avx512) return multiply<kHighest>(a, b, operands, threads, strip_avx512);
  if (avx2) return multiply<kHigh>(a, b, operands, threads, strip_avx2);
#endif
  multiply<kHigh>(a, b, operands, threads, strip_plain);
}

std::vector<double> cross_products(const double* a, std::size_t p, const double* b, std::size_t q,
                                   std::size_t rows, std::size_t threads) {
  constexpr std::size_t block = 256;
  const auto add = [&](std::size_t begin, std::size_t end, ProductSums& sums) {
    add_product({a + begin * p, p, end - begin}, {b + begin * q, q, end - begin},
                sums.values.data(), false, 1);
  };
  const ProductSums zero{std::vector<double>(p * q, 0.0)};
  return sum_over_rows(rows, block, threads, zero, add).values;
}

}  // namespace divker
