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
//
// so that E[nu_T | x_T = x] is the score and E[I_T | x_T = x] the response d log h_T / d gamma.
// The pages docs/theory.md and docs/step.md tell why.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "divker/covector_covariance.hpp"
#include "divker/model.hpp"
#include "divker/program.hpp"

namespace divker {

// The shape of A. Whatever the form, A acts only through states that carry noise.
enum class DampingForm {
  scalar,    // A = alpha Id;                                         step argument: alpha
  matrix,    // any matrix;               step argument: its noisy rows, row after row
  jacobian,  // A^T w = alpha w - beta (grad F^T + D^{-1} grad F D)(x') w, D = S S^T;
             //                                                       step argument: alpha, beta
  learned,   // A^T w = alpha w + gain C(x') D w, C of StepOptions::covariance;
             //                  step argument: alpha, gain, centres, 1/widths, weights
  mixed,     // A = alpha Id, and the response takes the share c of its likelihood ratio: exact
             // step only;                                               step argument: alpha, c
  kernel,    // alpha dt = 1 and the likelihood ratio at every step;     no step argument
};

// What one step is.
enum class Scheme {
  euler,  // of an SDE: (J^{-T}, log det J) expanded in dt, as above. Maps have no such step
  exact,  // of a map, or of the Euler chain of an SDE: no expansion, the Jacobian J is inverted
};

// How far J^{-T} and log det J, J = Id + dt grad F + sum_k db_k grad S_k, are expanded.
enum class InverseOrder {
  first,   // as above: weak order 1, the cheapest
  second,  // keeps also the products of drift with drift and drift with noise (dt^2, dt db): the
           // bias against the Euler chain all but vanishes, for one or two more reverse derivatives
};

struct StepOptions {
  bool score = true;                   // carry nu
  std::vector<std::size_t> responses;  // parameters to differentiate; they need the score
  DampingForm damping = DampingForm::scalar;
  std::shared_ptr<const CovectorCovariance> covariance;  // learned form only
  InverseOrder order = InverseOrder::first;
  Scheme scheme = Scheme::euler;  // a map's step is exact whatever this says
};

// One step of an SDE from a state whose score is known.
//   arguments  x[M] path, nu[M] path (if score), b[K] path: standard normals, t[1] step,
//              damping[as its form says] step (if score), parameters[P] run, dt[1] run
//   results    x[M], nu[M] (if score), I[responses] (accumulated; if any)
// Operations: O(M + P) for sparse drift and diagonal noise; O(M^3) once a step for full noise that
// varies in space. Throws Error(usage) for maps, which have no small step, and for the forms of
// damping that belong to exact steps.
[[nodiscard]] Program derive_divergence_step(const Model& model, const StepOptions& options);

// One pure-kernel step, which forgets the score of the state it starts from (alpha dt = 1): the
// step of DampingForm::kernel, and the first step from a point or from samples. The response uses
// the one-step likelihood ratio. With mean m (x + F dt, or f), r = S db, C = S S^T, h = dt (maps:
// 1):
//   nu' = -C^{-1} r / h
//   I'  = I + dm . C^{-1} r / h + r . C^{-1} dC C^{-1} r / (2h) - tr(C^{-1} dC) / 2
// Arguments and results as above, without nu and damping among the arguments. With `from_start`
// the states with a point law are taken as functions of the parameters. Every state must carry
// noise, else Error(model).
[[nodiscard]] Program derive_kernel_step(const Model& model, const StepOptions& options,
                                         bool from_start);

// The initial law.
//   arguments  z[M] path: standard normals, sample[M] path (only if some state starts from
//   samples),
//              parameters[P] run
//   results    x[M], nu[M] = grad log h_0 (if score), I[responses] = d log h_0 / d gamma (if any)
// States without a density contribute nothing to nu and I.
[[nodiscard]] Program derive_start(const Model& model, const StepOptions& options);

}  // namespace divker
