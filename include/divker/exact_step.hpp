// The exact step of a chain x' = m(x) + S(x) b, for steps of any size: a discrete-time map, or the
// Euler chain of an SDE (m = x + F dt, with S sqrt(dt) for S).
//
// Source: A. Ni, "Divergence-kernel method for linear responses of densities and generative
// models", arXiv:2509.03992, for the formulas of one step. With J = d x'/dx at fixed b:
//
//   nu_div = J^{-T} ( nu - grad log|det J| )
//   nu'    = nu_div - dt A^T ( nu_div + S^{-T} db / dt )               (maps: dt = 1, db = b)
//   I'     = I - tr( J^{-1} d_gamma J ) - nu_div . d_gamma x'          (divergence form)
//
// or the share c of the one-step likelihood ratio and 1 - c of the divergence form. All are
// identities for the chain, at any dt, as long as x -> x' is smooth with an invertible J: where J
// can be singular they have no mean, and where it jumps they miss the fold. See docs/exact.md.
//
// With Phi = sum_ij held(J^{-1}_ji) J_ij + held(nu_div) . x', one reverse derivative each gives
// grad log|det J| (in x, of the first term) and -dI (in gamma): sparse when the equations are. Only
// J^{-1} costs O(M^3), and it is made outside the program, for whole vectors of paths.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "divker/model.hpp"
#include "divker/program.hpp"
#include "divker/step.hpp"

namespace divker {

// More states make the programs, with their M^2 arguments, too long to compile.
inline constexpr std::size_t largest_exact_dimension = 128;

// The entries of J that are not zero whatever the state, row after row.
//   arguments  x[M], noise b[K], time t[1], parameters[P], step size dt[1]
//   results    jacobian[entries]
struct JacobianProgram {
  Program program;
  std::vector<std::size_t> places;  // of the entries in the M x M matrix, row * M + column
};
[[nodiscard]] JacobianProgram derive_step_jacobian(const Model& model);

// The step itself.
//   arguments  x[M], nu[M], noise b[K], inverse[M * M]: J^{-1} row after row, time t[1], schedule
//              damping[as its form says], parameters[P], step size dt[1]
//   results    x[M], nu[M], I[responses] (accumulated; if any)
// Operations: O(M^2), of which the derivatives take as many as J has entries. A method that a rule
// forbids is plan()'s to refuse.
[[nodiscard]] Program derive_exact_step(const Model& model, const Method& method,
                                        const Asked& asked);

// The name of a function that makes x -> x' or its derivative jump, or the derivative infinite
// (abs under a root); none if the step is smooth but for roots at zero. See find_kinks().
[[nodiscard]] std::optional<std::string> kink_of(const Model& model);

}  // namespace divker
