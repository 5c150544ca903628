// Paths from the starts of transitions, with what they carry.
#pragma once

#include <Eigen/Dense>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "divker/model.hpp"
#include "fit/series/companion.hpp"
#include "fit/series/legs.hpp"
#include "fit/series/path_clock.hpp"
#include "fit/series/path_program.hpp"

namespace divker::fit {

// How the response to a noise parameter is carried: by the likelihood ratio, or by the divergence
// form, whose covector is damped by A = S S^T P^{-1} with the companion's P, or by the largest of a
// rate and of 1/(time since the start).
struct Carrying {
  bool divergence = false;
  bool gaussian = false;
  double rate = 0.0;                // over the interval of the transition
  std::vector<bool> by_divergence;  // of the active parameters, those that take this form
  bool operator==(const Carrying&) const = default;
};

// The ends of the paths of some transitions: column t * paths + j is path j of transition t. All
// are in coordinates. What is not finite has failed.
struct PathEnds {
  Eigen::MatrixXd fine;        // M x columns, X^K
  Eigen::MatrixXd coarse;      // X^{K/2} on the same Brownian path
  Eigen::MatrixXd companion;   // P^{-1/2} e: standard normal given the start
  Eigen::MatrixXd integral;    // P x columns, I as it is carried
  Eigen::MatrixXd likelihood;  // I by the likelihood ratio
};

class TransitionPaths {
 public:
  // `active`: the parameters that are differentiated.
  TransitionPaths(const Model& model, const LegRules& rules,
                  const std::vector<std::size_t>& active);

  // Those of the active parameters that the noise depends on, if the divergence form is possible.
  [[nodiscard]] const std::vector<std::size_t>& of_noise() const { return of_noise_; }
  [[nodiscard]] const Companion& companion() const { return companion_; }

  struct Run {
    std::vector<double> parameters;  // all of the model's
    Carrying carrying;
    std::size_t paths = 0;  // of each transition
    std::uint64_t seed = 1;
  };
  // Of legs begin ... end - 1, which have equal numbers of substeps. From any thread.
  [[nodiscard]] PathEnds walk(const Run& run, const Legs& legs, std::size_t begin,
                              std::size_t end) const;

 private:
  struct Walk;
  struct Divergence {
    PathProgram jacobian;
    std::vector<std::size_t> places;
    PathProgram step;
    PathProgram first;
  };
  [[nodiscard]] static std::optional<Divergence> divergence_of(const Model& model,
                                                               const LegRules& rules,
                                                               const std::vector<std::size_t>& wrt);

  LegRules rules_;
  std::vector<std::size_t> active_;
  std::vector<std::size_t> of_noise_;
  std::size_t dimension_;
  std::size_t noise_count_;
  PathClock clock_;
  PathClock coarse_clock_;
  Companion companion_;
  PathProgram likelihood_;
  PathProgram coarse_;
  std::optional<Divergence> divergence_;
};

}  // namespace divker::fit
