// Inverses with SSE2, which every x86-64 machine has: two matrices at a time.
#include "numbers/inverse_lanes.hpp"

namespace divker::inverse_detail {
namespace {

#include "numbers/inverse_vector.hpp"

struct Sse2 {
  static constexpr std::size_t width = 2;
  using Real [[gnu::vector_size(16), gnu::may_alias]] = double;
  using Word [[gnu::vector_size(16)]] = std::int64_t;
  static Real fma(Real a, Real b, Real c) { return a * b + c; }
};

}  // namespace

const InvertLanes invert_sse2 = &VectorInverse<Sse2>::invert;

}  // namespace divker::inverse_detail
