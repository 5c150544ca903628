// Which parameters of a model are zero: what drives what.
//
// Around the estimate theta of a fit the data's likelihood is a quadratic form,
//
//   Q(m) = (theta - m)^T K (theta - m) ,   K = covariance^-1 ,   theta = gamma + H^-1 psi ,
//
// so that parameters set to zero cost what Q rises by, a chi-square number. Kept are those of the
// candidates that make
//
//   Q(S) + sum_{i = 1 ... |S|} z(q/2 * i / (m + 1 - i (1 - q)))^2
//
// smallest, m the number of candidates, q the rate of false discoveries, z(p) the normal number
// exceeded with probability p: the procedure of Benjamini and Hochberg, step-down and adaptive,
// where estimates are independent, and stepwise regression where they are not (Y. Benjamini,
// Y. Gavrilov, Ann. Appl. Stat. 3 (2009) 179). Then the rest is zero, what was kept is fitted anew
// without shrinkage, and the form is taken again where that fit stands, until nothing changes.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "divker/fit.hpp"
#include "divker/model.hpp"

namespace divker {

// Parameters that a pattern names, by their index. What parameter_indices() knows; a star stands
// for any text, in the name or in the place of an index; letters in the place of indices are equal
// where they are the same and different where they are not: "A[i,i]" is the diagonal of A, "A[i,j]"
// all but the diagonal. Error(usage) where nothing has such a name.
[[nodiscard]] std::vector<std::size_t> parameters_like(const Model& model,
                                                       std::string_view pattern);

// The states in the derivative of the drift and the noise of a state with respect to a parameter:
// one entry for each of them, with an empty `from` where there is none. A parameter A[2,5] of
// dx = A*x is from x[5] to x[2].
[[nodiscard]] std::vector<Coupling> couplings_through(const Model& model, std::size_t parameter);

struct StructureOptions {
  std::vector<std::size_t> candidates;  // parameters that may be zero, not fixed
  double false_discovery_rate = 0.05;
  std::size_t rounds = 4;  // of fits without what was set to zero, at most
};

// Before a long fit. Error(usage) for no candidate, one that is fixed or whose bounds leave out
// zero, and a rate that is not in (0, 1).
void check_candidates(const Model& model, const StructureOptions& options);

// How a fit is made anew.
struct Refitting {
  // From the model's values, its fixed parameters as they are.
  std::function<FitResult(const Model&)> fit;
  // The quadratic form at the model's values, without a step.
  std::function<FitResult(const Model&)> look;
};

// `full` is a fit of all that is free in `model`. The result has no entry for what was set to zero,
// which `structure` tells; its model has all of the freedom of `model`.
//
// The errors of check_candidates(); Error(usage) for a fit without errors. Cost: in each round a
// fit and an evaluation.
[[nodiscard]] FitResult without_zeros(const Model& model, const FitResult& full,
                                      const StructureOptions& options, const Refitting& refitting);

}  // namespace divker
