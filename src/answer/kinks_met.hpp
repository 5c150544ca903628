// Which kinks of a model matter: those that paths meet.
#pragma once

#include <vector>

#include "divker/model.hpp"
#include "divker/model_kinks.hpp"
#include "divker/sampling.hpp"

namespace divker {

// The kinks of drift and noise, but for bends and edges, that lie among the states of a small run,
// an eighth of the paths but 512 to 4096, at up to 64 times of the grid: some state is on the one
// side and some on the other. A guard such as max(v, 1e-8) that no path comes near is none of them.
// Without kinks nothing runs.
[[nodiscard]] std::vector<ModelKink> kinks_met(const Model& model, const Sampling& sampling,
                                               const Session& session);

}  // namespace divker
