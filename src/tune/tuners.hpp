// Forms of damping whose numbers are made from paths, where those of the others are tried.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "divker/pilot.hpp"
#include "tune/trial.hpp"

namespace divker::tune {

// A damping, and how long the programs of its paths took to compile.
struct Tuned {
  Damping damping;
  double compile_seconds = 0.0;
};

// One of the two functions is there.
struct Tuner {
  std::string_view form;
  std::size_t most_states = 0;  // where it was not asked for
  // From the states of paths alone. Error(numerical) where that is not possible.
  Tuned (*from_states)(const Model&, const Sampling&, const Session&) = nullptr;
  // From the covectors that other dampings leave, those of the finalists by cost: the candidate
  // with its cost on so many paths. None where it is not possible.
  std::vector<DampingCandidate> (*from_covectors)(Trial&, const std::vector<DampingCandidate>&,
                                                  std::size_t) = nullptr;
};

// The table: a new form that is made from paths is a line here.
[[nodiscard]] const std::vector<Tuner>& tuners();
// Null for a form that is made otherwise, and for none.
[[nodiscard]] const Tuner* tuner_of(const DampingForm* form);

[[nodiscard]] Tuned tune_gaussian(const Model& model, const Sampling& sampling,
                                  const Session& session);
[[nodiscard]] std::vector<DampingCandidate> learn(Trial& trial,
                                                  const std::vector<DampingCandidate>& finalists,
                                                  std::size_t paths);

// Of all that are made from states, from paths of the pilot's: their dampings where the model is
// small enough and nothing is singular.
[[nodiscard]] std::vector<Damping> tuned_from_states(Trial& trial);

}  // namespace divker::tune
