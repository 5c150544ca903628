// How an answer is made, and what of it is asked for: the words in which a plan is ordered.
#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "divker/damping.hpp"
#include "divker/scheme.hpp"

namespace divker {

// How. The default leaves everything open: plan() and choose_damping() fill it in, and what they
// took is what a record says.
struct Method {
  // A name of estimators() (divker/estimator.hpp); empty: the divergence kernel.
  std::string estimator;
  Scheme scheme = Scheme::automatic;
  InverseOrder order = InverseOrder::automatic;
  Damping damping = Damping::automatic();
};

// Is everything but the estimator left to be chosen?
[[nodiscard]] inline bool steps_are_open(const Method& method) {
  return method.damping.form == nullptr && method.scheme == Scheme::automatic &&
         method.order == InverseOrder::automatic;
}

// What the programs of a plan must deliver beside the states.
struct Asked {
  bool score = true;  // carry nu
  // Parameters to differentiate. Without the score I is the likelihood ratio of the path, made of
  // noise-only steps.
  std::vector<std::size_t> wrt;
  // Carry the derivatives v of the states by these parameters at fixed noise, without the score: I
  // is then the likelihood ratio of the share of v that was handed to the noise.
  bool tangents = false;
  // Errors of sampling are small, as along the paths of stationary answers: the bias of the step is
  // worth removing where the order is left open.
  bool long_paths = false;
  // Of states alone: paths step on where the equations end, without the roots and logarithms that
  // end there (divker/boundaries.hpp).
  bool beyond_boundaries = false;
  // Functionals of the path to carry along: their numbers in the model. Not with a score, which is
  // about the state where a path ends.
  std::vector<std::size_t> functionals;

  [[nodiscard]] static Asked states() {
    Asked asked;
    asked.score = false;
    return asked;
  }
  [[nodiscard]] static Asked responses_to(std::vector<std::size_t> parameters) {
    Asked asked;
    asked.wrt = std::move(parameters);
    return asked;
  }
  [[nodiscard]] static Asked likelihood_ratios_of(std::vector<std::size_t> parameters) {
    Asked asked = states();
    asked.wrt = std::move(parameters);
    return asked;
  }
  [[nodiscard]] static Asked tangents_by(std::vector<std::size_t> parameters) {
    Asked asked = likelihood_ratios_of(std::move(parameters));
    asked.tangents = true;
    return asked;
  }
  [[nodiscard]] Asked with(std::vector<std::size_t> functionals_of_path) const {
    Asked asked = *this;
    asked.functionals = std::move(functionals_of_path);
    return asked;
  }
  [[nodiscard]] bool states_alone() const { return !score && wrt.empty(); }
  // Is something carried along that a damping keeps small?
  [[nodiscard]] bool is_damped() const { return score || tangents; }
};

}  // namespace divker
