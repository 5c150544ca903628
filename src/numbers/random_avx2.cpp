// Random numbers with AVX2: four paths at a time.
#include <immintrin.h>

#include "numbers/random_fill.hpp"
#include "numbers/random_polynomials.hpp"

namespace divker::random_detail {
namespace {

#include "numbers/random_vector.hpp"

struct Avx2 {
  static constexpr int width = 4;
  using Real [[gnu::vector_size(32)]] = double;
  using Word [[gnu::vector_size(32)]] = std::uint64_t;

  static Real fma(Real a, Real b, Real c) { return _mm256_fmadd_pd(a, b, c); }
  static Real square_root(Real a) { return _mm256_sqrt_pd(a); }
  template <int bits>
  static Word rotate(Word a) {
    return (a << bits) | (a >> (64 - bits));
  }
  template <class Polynomials>
  using LogTerms = Polynomials;
  static void split(Real u, Real& base, Real& f) { split_by_bits<Real, Word>(u, base, f); }
};

}  // namespace

const RandomCode random_avx2 = VectorRandom<Avx2>::code("avx2");

}  // namespace divker::random_detail
