// Steps on the way to a target: a linear observation of where a path will be.
//
// A step is normal, x' = m(x) + S' db, with the terms of second order that are,
//
//   m = x + F dt + 1/2 dt^2 L F ,   S' = S + 1/2 dt (grad F) S ,   L F = (grad F) F + 1/2 tr(S S^T
//   F'')
//
// at the middle of its time: of weak order 2 where S does not depend on the state (P. Kloeden,
// E. Platen, Numerical Solution of SDEs (1992), 14.2), else of order 1. S stands for S' below.
//
// Some steps ahead stands an observation o = C x_K + noise. Seen from the arrival x' of the next
// step it is, along a reference path, o = H x' + N(0, V'), with V' = T[S S^T] + R linear in the
// covariance of a step of this very path. With r = o - H m(x) and V = V' + H S S^T H^T the step
// that knows of it is, in the form of G. Matheron,
//
//   x' = m(x) + S db + S S^T H^T V^{-1} ( r - H S db - e ) ,   e ~ N(0, V') ,
//
// and the density of the step over that of the guided one is h(x) / h'(x'), h(x) = N(r; 0, V),
// h'(x') = N(o - H x'; 0, V'), exactly, whatever H, o and T are. (M. Schauer, F. van der Meulen,
// H. van Zanten, Bernoulli 23 (2017) 2917; G. Whitaker, A. Golightly, R. Boys, C. Sherlock,
// Statistics and Computing 27 (2017) 885.) All is in coordinates (Symbols); dt S S^T is written
// S S^T above. Normal densities go without 2 pi.
#pragma once

#include <cstddef>
#include <vector>

#include "derive/symbols.hpp"
#include "divker/model.hpp"
#include "divker/program.hpp"

namespace divker::derive {

inline constexpr const char* log_weight_array = "log weight";
inline constexpr const char* guide_array = "guide";

// Where the numbers of a guide stand: dt, H by rows, o, R, and T: for each pair a <= b of rows one
// number for each pair i <= j of states.
struct GuideShape {
  std::size_t rows = 0;    // Q
  std::size_t states = 0;  // M
  [[nodiscard]] static std::size_t pairs(std::size_t n) { return n * (n + 1) / 2; }
  [[nodiscard]] std::size_t gain() const { return 1; }
  [[nodiscard]] std::size_t target() const { return gain() + rows * states; }
  [[nodiscard]] std::size_t noise() const { return target() + rows; }
  [[nodiscard]] std::size_t rest() const { return noise() + rows; }
  [[nodiscard]] std::size_t size() const { return rest() + pairs(rows) * pairs(states); }
};

// Does S depend on no state, so that steps are of order 2?
[[nodiscard]] bool has_additive_noise(const Symbols& s);

// The path without noise, with d mean/dx and S sqrt(dt) there:
//   arguments  x[M], time, parameters, dt
//   results    x[M], jacobian[M * M] and amplitude[M * K], row after row
[[nodiscard]] Program guided_companion(const Symbols& s);

// One step of all but the last:
//   arguments  x[M], b[K + Q] normals, time, guide, parameters
//   results    x[M], log weight[1], to which log h(x) - log h'(x') is added
[[nodiscard]] Program guided_step(const Symbols& s, const GuideShape& shape);
// The last one, at whose end T is zero. Of the rows, `held` at the beginning are observations whose
// density stays in the weight, and the others are divided by: log h(x) - log h'(x' on the others).
[[nodiscard]] Program guided_arrival(const Symbols& s, const GuideShape& shape, std::size_t held);
// log h(x) alone, as a result of its own, "ahead"[1].
[[nodiscard]] Program guided_lookahead(const Symbols& s, const GuideShape& shape);

// Of some observations of the model at coordinates x:
//   arguments  x[M], time, parameters
//   results    value[m], deviation[m], slope[m * M] and slope of log deviation[m * M], by rows
[[nodiscard]] Program observation_slopes(const Symbols& s, const Model& model,
                                         const std::vector<std::size_t>& observations);
//   arguments  x[M], time, seen[2 m]: values, and 1 for those that there are, else 0; parameters
//   results    log weight[1], to which the log density is added
[[nodiscard]] Program observation_density(const Symbols& s, const Model& model,
                                          const std::vector<std::size_t>& observations);
// The log density of the initial law of each state, in coordinates; 0 of points:
//   arguments  x[M], parameters;  result  start[M]
[[nodiscard]] Program start_density(const Symbols& s, const Model& model);
// Mean and standard deviation of that law, in states, start[2 M]; of points the latter is 0.
[[nodiscard]] Program start_moments(const Symbols& s, const Model& model);

}  // namespace divker::derive
