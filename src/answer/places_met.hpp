// Which kinks and boundaries of a model matter: those that paths meet. A small run tells, of an
// eighth of the paths but 512 to 4096, at up to 64 times of the grid, that steps on beyond the
// boundaries. A model without such places runs nothing.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "divker/boundaries.hpp"
#include "divker/error.hpp"
#include "divker/model.hpp"
#include "divker/model_kinks.hpp"
#include "divker/sampling.hpp"

namespace divker {

// The kinks of drift and noise, but for bends and edges, that lie among the states: some are on the
// one side and some on the other. A guard such as max(v, 1e-8) that no path comes near is none.
struct KinksMet {
  std::vector<ModelKink> kinks;
  // Of the states seen, on the side of each kink where there are fewer; 1 for floor.
  std::vector<double> shares;

  // The first kink, no jump, beyond which less than a share of the states lies; all such are
  // removed.
  std::optional<ModelKink> without_rare(double share);
};
[[nodiscard]] KinksMet kinks_met(const Model& model, const Sampling& sampling,
                                 const Session& session);

// The boundaries beyond which some paths were seen.
struct BoundariesMet {
  std::vector<Boundary> boundaries;
  double share = 0.0;  // the largest of paths beyond one of them
  std::string still;   // a state whose noise was zero at some place there; empty: none
  // Paths went beyond, and where possible states are stepped in their roots since: the above is
  // what is met all the same (Model::stepped_in_roots()).
  bool in_roots = false;

  // For people: "The noise of r ends where r = 0 (sqrt). 12% of a small run's paths go beyond it."
  [[nodiscard]] std::string sentence() const;
};
[[nodiscard]] BoundariesMet boundaries_met(const Model& model, const Sampling& sampling,
                                           const Session& session);

// Error(model) where more paths than may fail go beyond, for answers that need the noise to say
// where a path comes from and cannot step on there.
[[nodiscard]] std::optional<Error> refusal_for_boundaries(const BoundariesMet& met,
                                                          const Sampling& sampling);

}  // namespace divker
