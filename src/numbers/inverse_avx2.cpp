// Inverses with AVX2: four matrices at a time.
#include <immintrin.h>

#include "numbers/inverse_lanes.hpp"

namespace divker::inverse_detail {
namespace {

#include "numbers/inverse_vector.hpp"

struct Avx2 {
  static constexpr std::size_t width = 4;
  using Real [[gnu::vector_size(32), gnu::may_alias]] = double;
  using Word [[gnu::vector_size(32)]] = std::int64_t;
  static Real fma(Real a, Real b, Real c) { return _mm256_fmadd_pd(a, b, c); }
};

}  // namespace

const InvertLanes invert_avx2 = &VectorInverse<Avx2>::invert;

}  // namespace divker::inverse_detail
