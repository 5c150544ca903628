// Gauss-Jordan elimination for one vector type. Included once by the file of each instruction set,
// inside an anonymous namespace of its own: see the note in inverse_lanes.hpp.
//
// An instruction set `Isa` provides Real and Word (vectors of `width` doubles and 64-bit integers)
// and fma(a, b, c) = a b + c.

template <class Isa>
struct VectorInverse {
  using Real = typename Isa::Real;
  using Word = typename Isa::Word;
  static constexpr std::size_t width = Isa::width;

  static Real magnitude(Real a) {
    const Word bits = __builtin_bit_cast(Word, a);
    return __builtin_bit_cast(Real, bits & (Word{} + 0x7FFF'FFFF'FFFF'FFFF));
  }

  // For each lane the row at or below k whose entry in column k is the largest.
  static Word largest(std::size_t n, std::size_t k, const Real* a) {
    Word row = Word{} + static_cast<std::int64_t>(k);
    Real best = magnitude(a[k * n + k]);
    for (std::size_t i = k + 1; i < n; ++i) {
      const Real size = magnitude(a[i * n + k]);
      const Word larger = size > best;
      best = larger ? size : best;
      row = larger ? Word{} + static_cast<std::int64_t>(i) : row;
    }
    return row;
  }

  // Exchanges `count` entries of one lane, `stride` vectors apart.
  static void exchange(Real* a, Real* b, std::size_t count, std::size_t stride, std::size_t lane) {
    double* first = reinterpret_cast<double*>(a) + lane;
    double* second = reinterpret_cast<double*>(b) + lane;
    for (std::size_t j = 0; j < count; ++j) {
      const double kept = first[j * stride * width];
      first[j * stride * width] = second[j * stride * width];
      second[j * stride * width] = kept;
    }
  }

  // Gauss-Jordan step k on columns first ... last - 1 alone.
  static void eliminate(std::size_t n, std::size_t k, std::size_t first, std::size_t last,
                        Real* a) {
    Real* pivot_row = a + k * n;
    const Real inverse = (Real{} + 1.0) / pivot_row[k];
    pivot_row[k] = Real{} + 1.0;
    for (std::size_t j = first; j < last; ++j) pivot_row[j] *= inverse;
    for (std::size_t i = 0; i < n; ++i) {
      if (i == k) continue;
      Real* row = a + i * n;
      const Real factor = -row[k];
      row[k] = Real{};
      for (std::size_t j = first; j < last; ++j) row[j] = Isa::fma(factor, pivot_row[j], row[j]);
    }
  }

  // The steps k ... k + size - 1 on all other columns, from what they left in their own: the rows k
  // ... are replaced by zero, and every row gets its combination of the old ones.
  template <std::size_t size>
  static void follow(std::size_t n, std::size_t k, Real* a, Real* old) {
    for (std::size_t b = 0; b < size; ++b) {
      Real* row = a + (k + b) * n;
      for (std::size_t j = 0; j < n; ++j) {
        const bool is_own = j >= k && j < k + size;
        old[b * n + j] = is_own ? Real{} : row[j];
        if (!is_own) row[j] = Real{};
      }
    }
    for (std::size_t i = 0; i < n; ++i) {
      Real* row = a + i * n;
      Real factors[size];
      for (std::size_t b = 0; b < size; ++b) factors[b] = row[k + b];
      for (std::size_t j = 0; j < n; ++j) {
        Real value = row[j];
        for (std::size_t b = 0; b < size; ++b) value = Isa::fma(factors[b], old[b * n + j], value);
        row[j] = value;
      }
    }
  }

  // Chooses and exchanges the pivot of step k in whole rows; the sign of det gets its share.
  static void exchange_rows(std::size_t n, std::size_t k, Real* a, std::int64_t* pivots,
                            Word& sign) {
    const Word row = largest(n, k, a);
    for (std::size_t lane = 0; lane < width; ++lane) {
      const auto r = static_cast<std::size_t>(row[lane]);
      pivots[k * width + lane] = row[lane];
      if (r == k) continue;
      exchange(a + k * n, a + r * n, n, 1, lane);
      sign[lane] = -sign[lane];
    }
    const Real pivot = a[k * n + k];
    const Word is_positive = pivot > Real{};  // -1 where true
    const Word is_negative = pivot < Real{};
    sign *= is_negative - is_positive;
  }

  static void invert(std::size_t n, double* matrices, std::int64_t* pivots, std::int64_t* signs,
                     double* rows) {
    Real* a = reinterpret_cast<Real*>(matrices);
    Real* old = reinterpret_cast<Real*>(rows);
    Word sign = Word{} + 1;
    for (std::size_t first = 0; first < n; first += panel) {
      const std::size_t last = first + panel < n ? first + panel : n;
      for (std::size_t k = first; k < last; ++k) {
        exchange_rows(n, k, a, pivots, sign);
        eliminate(n, k, first, last, a);
      }
      switch (last - first) {
        case panel:
          follow<panel>(n, first, a, old);
          break;
        case 3:
          follow<3>(n, first, a, old);
          break;
        case 2:
          follow<2>(n, first, a, old);
          break;
        default:
          follow<1>(n, first, a, old);
      }
    }
    // The inverse of the matrix with exchanged rows has its columns exchanged: in reverse order.
    for (std::size_t k = n; k-- > 0;) {
      for (std::size_t lane = 0; lane < width; ++lane) {
        const auto r = static_cast<std::size_t>(pivots[k * width + lane]);
        if (r != k) exchange(a + k, a + r, n, n, lane);
      }
    }
    for (std::size_t lane = 0; lane < width; ++lane) signs[lane] = sign[lane];
  }
};
