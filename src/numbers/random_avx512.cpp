// Random numbers with AVX-512: eight paths at a time.
#include <immintrin.h>

#include "numbers/random_fill.hpp"
#include "numbers/random_polynomials.hpp"

namespace divker::random_detail {
namespace {

#include "numbers/random_vector.hpp"

struct Avx512 {
  static constexpr int width = 8;
  using Real [[gnu::vector_size(64)]] = double;
  using Word [[gnu::vector_size(64)]] = std::uint64_t;

  static Real fma(Real a, Real b, Real c) { return _mm512_fmadd_pd(a, b, c); }
  static Real square_root(Real a) { return _mm512_sqrt_pd(a); }
  template <int bits>
  static Word rotate(Word a) {
    return (a << bits) | (a >> (64 - bits));
  }
  template <class Polynomials>
  struct LogTerms {
    static constexpr auto& log_terms = Polynomials::near_log_terms;
  };
  // u = 2^e m with m in [1, 2), whose first four bits choose 1/c near m: f = m c - 1, and
  // base = -2 (e log 2 - log c). c = 1 and c = 1/2 at the ends make the base vanish near u = 1.
  static void split(Real u, Real& base, Real& f) {
    const Real exponent = _mm512_getexp_pd(u);
    const Real mantissa = _mm512_getmant_pd(u, _MM_MANT_NORM_1_2, _MM_MANT_SIGN_src);
    const Word index = __builtin_bit_cast(Word, u) >> 48;
    f = fma(mantissa, look_up(LogTable::inverses, index), Real{} - 1.0);
    base = fma(exponent, Real{} + minus_two_log_two, look_up(LogTable::bases, index));
  }
  // The last four bits of each index choose.
  static Real look_up(const double (&table)[16], Word index) {
    return _mm512_permutex2var_pd(_mm512_loadu_pd(table), (__m512i)index,
                                  _mm512_loadu_pd(table + 8));
  }
};

}  // namespace

const RandomCode random_avx512 = VectorRandom<Avx512>::code("avx512");

}  // namespace divker::random_detail
