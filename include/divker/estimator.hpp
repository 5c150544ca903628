// The methods that answer what a mean or a density has to do with the parameters, one interface.
//
//   divergence-kernel   d E[Phi] = E[(Phi - mean) I] + E[dPhi], d log h(y) = E[I | x_T = y]
//   likelihood-ratio    the same with the score of the law of the whole path of the Euler chain,
//                         I = d log h_0(x_0) + sum_n { (S^{-1} dF) . db + r . C^{-1} dC C^{-1} r
//                             / (2 dt) - tr(C^{-1} dC) / 2 },   r = S db,  C = S S^T
//                       (Girsanov; P. Glynn, Comm. ACM 33 (1990) 75). Exact for the chain. The
//                       variance grows with time and like 1/noise^2, for parameters of the noise
//                       also like 1/dt.
//   finite-difference   {E[Phi](gamma + h) - E[Phi](gamma - h)} / (2h) with common random numbers:
//                       path j has the same noise at both ends. Bias of the order h^2; standard
//                       errors are sqrt(deviation^2 + truncation^2). 2P + 1 runs of `paths` paths
//                       for P parameters, 8 bytes a path, 4P + 1 where something jumps; the other
//                       methods take one run. The step is chosen for each parameter by a pilot of
//                       paths/8 (256 to 8192) paths at six steps or more, each half of the one
//                       before: the differences between steps tell the bias c h^2, their spread
//                       the noise, and the step is taken that makes the mean square error of the
//                       whole run least. A parameter that moves the time of a jump is moved by
//                       whole time steps, Error(model) where its bounds leave no room for two. At
//                       points: of the logarithms of Gaussian kernel estimates of the density, one
//                       state only, with a bandwidth chosen together with the step.
// docs/baselines.md tells which is best when. A new one is one file of src/answer/estimators and
// one line in the table.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "divker/answer.hpp"
#include "divker/matrix.hpp"
#include "divker/model.hpp"

namespace divker {

class Estimator {
 public:
  Estimator() = default;
  virtual ~Estimator() = default;
  Estimator(const Estimator&) = delete;
  Estimator& operator=(const Estimator&) = delete;

  [[nodiscard]] virtual std::string_view name() const = 0;
  // d E[Phi(x_T)] / d gamma; parameters are not empty.
  [[nodiscard]] virtual ObservableAnswer observable_response(
      const Model& model, const std::vector<std::size_t>& parameters, const std::string& observable,
      const AnswerOptions& options) const = 0;
  // d log h_T(y) / d gamma at points; parameters are not empty, points are checked.
  [[nodiscard]] virtual PointAnswer response_at(const Model& model,
                                                const std::vector<std::size_t>& parameters,
                                                const Matrix& points,
                                                const AnswerOptions& options) const = 0;
};

// What is asked for a mean by this name is answered by the method that small runs recommend:
// error^2 x operations, a fifth of the run at most. At points it is a method left open.
inline constexpr const char* automatic_method = "auto";

// The table. To add one from outside, append it before the first question is asked.
[[nodiscard]] std::vector<const Estimator*>& estimators();
[[nodiscard]] std::vector<std::string> estimator_names();
// Empty: the divergence kernel. Error(usage) for another name, listing the known ones.
[[nodiscard]] const Estimator& estimator(std::string_view name);

}  // namespace divker
