// The step itself, for eight paths at a time. Included by one file for each instruction set.
//
// Derivation. Write E = exp(-|x|^2 / 2), q = |x|^2, M = 40. Then, with S_k = sigma e_k,
//   grad sigma = -E x,   Hess sigma = E (x x^T - Id),   lap sigma = E (q - M),
//   sum_k db_k grad D_nu(S_k) = (Hess sigma) db + (nu.db) grad sigma
//                             = E (x (x.db - nu.db) - db),
//   grad sigma (lap sigma + nu.grad sigma) + (Hess sigma) grad sigma
//                             = -E^2 x ((q - M - nu.x) + (q - 1)),
// so that with G = (grad F)^T nu + grad div F, component by component
//   G_j = x_{j-2} nu_{j-1} - x_{j+1} nu_{j+2} + (x_{j+2} - x_{j-1}) nu_{j+1}
//         - (1 + 2 c x_j) nu_j - 2 c,
//   nu_div = nu - dt G + E db + C x,   C = -E (x.db - nu.db) - dt E^2 (2 q - M - 1 - nu.x),
//   nu'    = (1 - alpha dt) nu_div - alpha db / sigma,
//   I_F'   = I_F - dt sum_i nu'_i,   because F moves all x alike,
//   I_s'   = I_s - nu.db + dt E (q - M - nu.x).
//
// NOTE: no standard library here: an inline function compiled for AVX-512 must not be the copy that
// the linker keeps for everybody.
#pragma once

#include <cstddef>

namespace divker::reference {

// Eight paths; index [component][path]. Two further components at each end repeat those of the
// other end, so that neighbours need no wrapping.
struct alignas(64) Lorenz96Block {
  static constexpr int size = 40;
  static constexpr int lanes = 8;
  double x[2][size + 4][lanes];
  double nu[2][size + 4][lanes];
  double response[2][lanes];
  int current;  // which half of x and nu holds the state
};

struct Lorenz96Constants {
  double F, s, alpha, dt, root_dt;
};

// Advances the block; normals are laid out [step][component][path], aligned to 64 bytes.
void lorenz96_steps_avx512(const Lorenz96Constants& constants, const double* normals,
                           std::size_t steps, Lorenz96Block& block);
void lorenz96_steps_portable(const Lorenz96Constants& constants, const double* normals,
                             std::size_t steps, Lorenz96Block& block);

}  // namespace divker::reference
