// Random numbers with SSE2, which every x86-64 machine has: two paths at a time.
#include <emmintrin.h>

#include "numbers/random_fill.hpp"
#include "numbers/random_polynomials.hpp"

namespace divker::random_detail {
namespace {

#include "numbers/random_vector.hpp"

struct Sse2 {
  static constexpr int width = 2;
  using Real [[gnu::vector_size(16)]] = double;
  using Word [[gnu::vector_size(16)]] = std::uint64_t;

  static Real fma(Real a, Real b, Real c) { return a * b + c; }
  static Real square_root(Real a) { return _mm_sqrt_pd(a); }
  template <int bits>
  static Word rotate(Word a) {
    return (a << bits) | (a >> (64 - bits));
  }
  template <class Polynomials>
  using LogTerms = Polynomials;
  static void split(Real u, Real& base, Real& f) { split_by_bits<Real, Word>(u, base, f); }
};

}  // namespace

const RandomCode random_sse2 = VectorRandom<Sse2>::code("sse2");

}  // namespace divker::random_detail
