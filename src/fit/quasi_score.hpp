// The best combination of matching equations whose derivative is not symmetric.
//
// Where Ihat is what a window of W time units teaches and H = E[Ihat I^T] is taken with more of I,
// H is not symmetric. With K the covariance of Ihat, the combination H^T K^-1 psi has the same root
// and the symmetric derivative H^T K^-1 H; no other combination has less variance (Godambe, Ann.
// Math. Statist. 31, 1960; Heyde, Quasi-Likelihood, 1997). For I whole, K = H, it is psi itself.
#pragma once

#include "fit/matching.hpp"

namespace divker::fit {

// `matching` with H and its parts as they are, not symmetrised. H^T K^-1 H is made of two halves of
// the parts, so that what chance adds to H is not squared, and its antisymmetric part is noise
// again.
[[nodiscard]] Matching quasi_score(const Matching& matching);

}  // namespace divker::fit
