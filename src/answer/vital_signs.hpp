// The checks of a diagnosis that are cheap enough to ride along in every answer. They speak up in
// the record where something is bad, and are silent otherwise.
#pragma once

#include <string>
#include <vector>

#include "divker/model.hpp"
#include "divker/paths.hpp"
#include "divker/record.hpp"
#include "divker/sampling.hpp"

namespace divker {

// dt against the rates of the drift on a few paths (drift_rates.hpp): steps that are unstable at
// one of a hundred places or more, and taming that weakens the drift at one of twenty. For SDEs.
[[nodiscard]] std::vector<Warning> warnings_of_steps(const Model& model, const Sampling& sampling,
                                                     const Session& session);

// Inputs with two knots to a step and more, of whose changes the steps miss a tenth. For SDEs.
// Cost: some thousand interpolations.
[[nodiscard]] std::vector<Warning> warnings_of_inputs(const Model& model, const Sampling& sampling);

// E[I] = 0 for the parameters named, from the estimates of it and the number of paths.
void warn_of_mass(const std::vector<std::string>& names, const std::vector<Estimate>& masses,
                  RunRecord& record);

// E[nu.x] = -M, or E[I] = 0 for the parameters named, from all paths of a snapshot.
void warn_of_identities(const std::vector<std::string>& parameters, const Snapshot& snapshot,
                        RunRecord& record);

}  // namespace divker
