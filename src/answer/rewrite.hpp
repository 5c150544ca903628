// Models made from a model: the same states and initial law under another equation.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "divker/model.hpp"

namespace divker {

// The model with its parameters on the straight line gamma(u) = (1 - u) from + u to: u is the only
// parameter, between -0.01 and 1.01, and has the value `u`; the others live on as `let`s, so that
// observables may still mention them. `from` and `to` have a value for every parameter.
[[nodiscard]] Model line_between(const Model& model, std::span<const double> from,
                                 std::span<const double> to, double u);

// The model with one parameter p moved in its equations alone, not in its initial law nor where
// observables mention it: p + kick 1(first step) / dt + lasting. The derivative by `kick` is the
// effect of a unit impulse in the first step, that by `lasting` of a lasting change. The parameters
// of the model live on as `let`s.
class KickedModel {
 public:
  KickedModel(const Model& model, std::size_t parameter);

  [[nodiscard]] const Model& model() const { return model_; }
  [[nodiscard]] std::vector<std::size_t> both() const { return {kick_, lasting_}; }
  // The same equations in steps of half the length, with the impulse in the first of these.
  [[nodiscard]] Model at_half_the_step() const;

 private:
  Model model_;
  // Its parameters.
  std::size_t kick_ = 0, lasting_ = 1, rate_ = 2;
};
// The model with some parameters as states that stand still, behind the others, in this order. They
// start from samples, which are to be given, one column a state; so does the whole state where the
// model starts from samples. Observations and functionals of the path stay.
[[nodiscard]] Model parameters_as_states(const Model& model,
                                         const std::vector<std::size_t>& parameters);

}  // namespace divker
