// Damping: how much of the score the noise itself is asked for, step by step.
//
// Without damping the covector grows like exp(contraction x T). The kernel formula says that the
// noise knows the score, E[-S^{-T} db / dt | x'] = s(x'), and any mixture of the two is exact. The
// choice changes the variance alone, by orders of magnitude (docs/damping.md).
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "divker/matrix.hpp"
#include "divker/model.hpp"
#include "divker/step.hpp"

namespace divker {

// A damping with its values. Units of alpha and A: 1/time. beta is a pure number.
struct Damping {
  DampingForm form = DampingForm::scalar;
  double alpha = 1.0;
  double beta = 0.0;
  double likelihood = 0.0;  // mixed form: the share c of the likelihood ratio in the response
  // Use max(alpha, 1/(t - t_0 + dt)): forgets the start quickly. Always on where the start is
  // score-free, for its first step leaves a covector of the size of 1/sqrt(dt).
  bool early = false;
  // Matrix form: A where a step arrives at times[k], linear in between; noisy rows x M.
  std::vector<double> times;
  std::vector<Matrix> matrices;
  // Learned form: C(x) with its numbers. alpha is then the rate below which the early rule gives
  // way to C.
  std::shared_ptr<const CovectorCovariance> covariance;
  std::vector<double> centres;  // and widths: one for each scale of the covariance
  std::vector<double> widths;
  std::vector<double> weights;

  // The damping argument of step n of the grid, as its form says. alpha dt never exceeds 1.
  void arguments(std::size_t n, const TimeGrid& grid, std::span<double> out) const;
  [[nodiscard]] std::size_t argument_count() const;
  // "5", "jacobian:4,0.5", "mixed:0.5,0.2", "kernel", "gaussian", "learned"; parses back where it
  // has neither matrices nor weights.
  [[nodiscard]] std::string text() const;
  // Makes a step one of this form.
  void shape(StepOptions& step) const;

 private:
  void learned_arguments(double early_alpha, std::span<double> out) const;
  void interpolate(double time, std::span<double> out) const;
};

// What a user may ask for on the command line: auto | VALUE | early:VALUE | gaussian |
// jacobian[:alpha,beta] | learned | kernel | mixed:alpha,c.
struct DampingRequest {
  enum class Kind { automatic, given, gaussian, jacobian_grid, learned } kind = Kind::automatic;
  Damping damping;  // for Kind::given
  // Kind::automatic: whether learned damping is among the candidates. Its steps are longer: it pays
  // where variance at equal paths counts, at points and wherever paths must be kept, and not where
  // a mean over paths takes as long as the paths.
  bool may_learn = true;

  [[nodiscard]] DampingRequest without_learning() const {
    DampingRequest request = *this;
    request.may_learn = false;
    return request;
  }
};
// Error(usage) for anything else, negative alpha, beta outside [0, 2], or c outside [0, 1].
[[nodiscard]] DampingRequest parse_damping(std::string_view text);

}  // namespace divker
