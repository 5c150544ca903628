// C(x) = E[nu nu^T | x], the conditional covariance of the covector, as polynomials of the states:
// what learned damping is made of (docs/damping.md).
#pragma once

#include <cstddef>
#include <vector>

namespace divker {

// The shape of a symmetric matrix of polynomials,
//   C_ij(x) = sum over its terms of  weight x product of z_k ,
//   z_k = (x_k - centre_k) / width_k, cut off at -3 and 3 so that C stays bounded.
// Weights, centres and widths are numbers that a step is given; positive states enter by their
// logarithms.
struct CovectorCovariance {
  struct Term {
    std::size_t row = 0;  // row <= column: the entry and its mirror image
    std::size_t column = 0;
    std::vector<std::size_t> factors;  // the states k of the product, ascending; none: 1
    std::size_t weight = 0;            // its number; terms may share one
  };
  std::vector<Term> terms;
  std::size_t weights = 0;
  std::vector<std::size_t> scale_of;  // M: the number of the centre and the width of each state
  std::size_t scales = 0;
};
inline constexpr double largest_standardised_state = 3.0;

}  // namespace divker
