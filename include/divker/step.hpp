// The step of the divergence-kernel method, derived from a model as straight-line programs.
//
// Source: A. Ni, "Divergence-kernel method for linear responses of densities and generative
// models", arXiv:2509.03992, and "Divergence-kernel method for scores of random systems",
// arXiv:2507.04035. With D_nu(V) = div V + nu . V, the weighted divergence, one step reads
//
//   x'     = x + F dt + sum_k S_k db_k
//   nu_div = nu - grad D_nu(F) dt - sum_k grad D_nu(S_k) db_k
//               + dt sum_k { (grad S_k)^T grad D_nu(S_k) + 1/2 grad tr((grad S_k)^2) }
//   nu'    = nu_div - dt A^T ( nu_div + S^{-T} db / dt )                           (damping A)
//   I'     = I - dD_nu(F) dt - sum_k dD_nu(S_k) db_k + dt sum_k D_nu((grad S_k) dS_k)
//   I'     = I - nu' . dF dt                  where a parameter has dF that is free of x, and no dS
//   I'     = I - nu_div . (dF dt + sum_k dS_k db_k)      where dF, dS and S are free of x
//
// so that E[nu_T | x_T = x] is the score and E[I_T | x_T = x] the response d log h_T / d gamma.
// The pages docs/theory.md and docs/step.md tell why.
#pragma once

#include "divker/method.hpp"
#include "divker/model.hpp"
#include "divker/program.hpp"

namespace divker {

// One step of an SDE from a state whose score is known.
//   arguments  x[M], nu[M] (if score), noise b[K], time t[1 + 2 inputs: derive/ports.hpp],
//              schedule damping[as its form says] (if score), parameters[P], step size dt[1]
//   results    x[M], nu[M] (if score), I[responses] (accumulated; if any)
// Operations: O(M + P) for sparse drift and diagonal noise; O(M^3) once a step for full noise that
// varies in space. A method that a rule forbids is plan()'s to refuse.
[[nodiscard]] Program derive_divergence_step(const Model& model, const Method& method,
                                             const Asked& asked);

// The noise-only step, which forgets the score of the state it starts from (alpha dt = 1): every
// step of the kernel form of damping, and the first step from a point or from samples. The response
// uses the one-step likelihood ratio. With mean m (x + F dt, or f), r = S db, C = S S^T, h = dt
// (maps: 1):
//   nu' = -C^{-1} r / h
//   I'  = I + dm . C^{-1} r / h + r . C^{-1} dC C^{-1} r / (2h) - tr(C^{-1} dC) / 2
// Arguments and results as above, without nu and damping among the arguments. With `from_start`
// the states with a point law are taken as functions of the parameters. Where a score is asked for
// every state must carry noise, else Error(model). I alone is taken of the states that carry noise,
// with m, r and C those of their rows; Error(model) where a parameter moves another state.
[[nodiscard]] Program derive_noise_step(const Model& model, const Asked& asked, bool from_start);

// The step of the path kernel: the derivatives v_p = d x / d gamma_p of the states at fixed noise,
// of which the share a = A dt is handed to the noise at every step. With the chain x' = m + S db,
// h = dt (maps: 1), r = S db, C = S S^T and D_p the derivative along v_p in x and along gamma_p:
//   w  = D_p x'
//   v' = w - a w                                     (on the states that carry noise, else w)
//   I' = I + a w . C^{-1} r / h - a D_p log det C / 2
// so that d E[Phi(x_T)] / d gamma = E[grad Phi . v_T + (Phi - mean) I_T] for the chain itself. A is
// a rate that depends on the time alone; of the damping `off`, a = 0, there is no I and S may be
// singular. Source: A. Ni, "Path-kernel method for differentiating unstable diffusions",
// arXiv:2503.00718, for the limit dt -> 0.
//   arguments  x[M], v[M responses], noise b[K], time t[1], schedule damping[as its form says],
//              parameters[P], step size dt[1]
//   results    x[M], v[M responses], I[responses] (accumulated; unless a = 0)
// Operations: O(M) for each response with sparse drift and diagonal noise.
[[nodiscard]] Program derive_tangent_step(const Model& model, const Method& method,
                                          const Asked& asked);

// The initial law.
//   arguments  start noise z[M], sample[M] (only if some state starts from samples), parameters[P]
//   results    x[M], nu[M] = grad log h_0 (if score), I[responses] = d log h_0 / d gamma (if any),
//              but v[M responses] = d x_0 / d gamma at fixed z for tangents
// States without a density contribute nothing to nu and I.
[[nodiscard]] Program derive_start(const Model& model, const Asked& asked);

// Names of the arrays above that a snapshot keeps.
inline constexpr const char* state_array = "x";
inline constexpr const char* covector_array = "nu";
inline constexpr const char* response_array = "I";
inline constexpr const char* tangent_array = "v";  // response after response
// Functionals of the path and their derivatives, functional after functional
// (divker/path_functional.hpp, derive/functionals.hpp).
inline constexpr const char* functional_array = "path";
inline constexpr const char* functional_tangent_array = "path_v";

}  // namespace divker
