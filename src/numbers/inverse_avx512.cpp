// Inverses with AVX-512: eight matrices at a time.
#include <immintrin.h>

#include "numbers/inverse_lanes.hpp"

namespace divker::inverse_detail {
namespace {

#include "numbers/inverse_vector.hpp"

struct Avx512 {
  static constexpr std::size_t width = 8;
  using Real [[gnu::vector_size(64), gnu::may_alias]] = double;
  using Word [[gnu::vector_size(64)]] = std::int64_t;
  static Real fma(Real a, Real b, Real c) { return _mm512_fmadd_pd(a, b, c); }
};

}  // namespace

const InvertLanes invert_avx512 = &VectorInverse<Avx512>::invert;

}  // namespace divker::inverse_detail
