#include "numbers/inverse.hpp"

#include "numbers/inverse_lanes.hpp"

namespace divker::numbers {

LaneInverse::LaneInverse(std::size_t n, std::size_t lanes)
    : n_(n), lanes_(lanes), pivots_(n * lanes), signs_(lanes) {
  rows_.resize(inverse_detail::panel * n * lanes);
}

void LaneInverse::operator()(double* matrices) {
  const inverse_detail::InvertLanes invert = lanes_ == 8   ? inverse_detail::invert_avx512
                                             : lanes_ == 4 ? inverse_detail::invert_avx2
                                                           : inverse_detail::invert_sse2;
  invert(n_, matrices, pivots_.data(), signs_.data(), rows_.data());
}

}  // namespace divker::numbers
