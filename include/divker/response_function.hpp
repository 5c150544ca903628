// Linear response in time: what a kick of a parameter does to the mean of an observable later on.
//
//   R(tau) = d E[Phi(x_{t + tau})] / d (unit impulse in a parameter p at time t)
//   G(tau) = integral of R from 0 to tau, the effect of a lasting change of p since t
//   chi(omega) = integral of R(tau) exp(i omega tau), the susceptibility
//
// The parameter is kicked in the equations alone: the initial law, and p where Phi mentions it,
// stay as they are. From the start of a model the derivatives of the paths by the kick and by the
// lasting change are carried together, damped as in the method path-kernel (divker/step.hpp), so
// that one run tells every lag. Of a stationary law every step of a long path is a kick: with the
// integrals I of the divergence kernel
//   G(tau) = integral over s of E[ Phi(x_{t + s}) dI_t/dt ] ,
// averaged over all t, because the increment of I in one step is the response of the density after
// this step to the parameter in this step alone. Sources: R. Kubo, J. Phys. Soc. Japan 12 (1957)
// 570; G. S. Agarwal, Z. Physik 252 (1972) 25; A. Ni, arXiv:2509.03992.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "divker/answer.hpp"
#include "divker/joint_estimate.hpp"
#include "divker/model.hpp"
#include "divker/stationary.hpp"

namespace divker {

struct Kick {
  std::size_t parameter = 0;
  std::vector<double> lags;  // ascending, on the time grid, from 0 on
  // Of a stationary law whose equations repeat themselves after a period: that at so much time, the
  // phase, after the start of the grid or whole periods later.
  std::optional<double> period;
  double phase = 0.0;
};

// What is known of R and G together: numbers 0 ... L-1 are R at the lags, L ... 2L-1 are G there,
// and 2L ... 3L-1 the mean of Phi without a kick; what follows is of no use for answers.
struct ResponseFunction {
  std::string parameter;
  std::vector<double> lags;
  std::vector<Estimate> response;  // R
  std::vector<Estimate> integral;  // G
  std::vector<Estimate> value;     // E[Phi] without a kick; of a stationary law all the same
  std::vector<double> time_step;   // what dt adds to the bars of R, and of G
  std::vector<double> integral_time_step;
  JointEstimate joint;
  std::optional<JointEstimate> step_bias;  // of dt, in each of these numbers
  TimeStep policy = TimeStep::in_bar;
  std::optional<Stationary> stationary;
  std::optional<double> period;  // of the law, if it has one
  RunRecord record;

  // A sum of all these numbers with its bar: sampling, and the bias of dt as asked for.
  [[nodiscard]] Estimate of(std::span<const double> weights) const;
};

// From the start of the model's time grid. Error(usage) for lags that do not ascend, off the grid
// or beyond its end, for a parameter that no equation mentions; Error(model) where Phi jumps with a
// state without noise. Where Phi jumps with the states all of a derivative is handed to the noise
// at once, which is the likelihood ratio. Cost: paths * lags / dt steps of two tangents, a fifth
// for the choice of the damping, and pairs for the bias of dt.
[[nodiscard]] ResponseFunction response_function(const Model& model, const std::string& observable,
                                                 const Kick& kick, const AnswerOptions& options);

// Of the stationary law, by the method path-kernel or divergence-kernel; by default the latter
// where the parameter moves the noise or Phi jumps, and else the one with less error^2 x steps,
// where errors of path-kernel are not small anyway. path-kernel kicks each path once, after a
// spin-up of its own; divergence-kernel at every step of long paths. Errors as of
// stationary_observable_response(), and those of the lags. With a period, by path-kernel alone:
// Error(usage) without a spin-up, where the equations do not repeat themselves, Error(numerical)
// where the law after the spin-up is not that of a period before.
// divergence-kernel records some thousand times at most, and R at a lag is the slope of a cubic
// through G: what they resolve poorly is part of its bar.
[[nodiscard]] ResponseFunction stationary_response_function(const Model& model,
                                                            const std::string& observable,
                                                            const Kick& kick,
                                                            const StationaryOptions& options);

// chi(omega) up to the longest lag, R taken as constant between two lags.
struct Susceptibility {
  double frequency = 0.0;
  Estimate real, imaginary;
};
[[nodiscard]] std::vector<Susceptibility> susceptibility(const ResponseFunction& function,
                                                         const std::vector<double>& frequencies);

// A small history of the parameter: the change of its value at ascending times, linear between them
// and none before the first.
struct Forcing {
  std::vector<double> times, change;
};
// The change of the mean of Phi at the times of the forcing, the convolution of R with it.
// Error(usage) for a forcing that is none, and for a response function that is not of a stationary
// law.
[[nodiscard]] std::vector<Estimate> forced_change(const ResponseFunction& function,
                                                  const Forcing& forcing);

}  // namespace divker
