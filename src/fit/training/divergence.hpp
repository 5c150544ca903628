// Divergences of the data from the model, one line each: what a fit makes small.
//
// With r the density of the data over that of the model and f convex, f(1) = f'(1) = 0,
//
//   D = E_model[f(r)] >= mean over data of f'(t) + mean over model of (f(t) - t f'(t))
//
// for every positive function t, with equality at t = r (Nguyen, Wainwright and Jordan, IEEE Trans.
// Inf. Theory 56, 2010). The gradient of D by the parameters is E_model[w I], w = f(r) - r f'(r).
#pragma once

#include <string>
#include <vector>

namespace divker::fit {

// As functions of log r.
struct Divergence {
  std::string name;
  double (*slope)(double log_ratio);    // f'(r)
  double (*witness)(double log_ratio);  // f(r) - r f'(r)
  // Where the witness is 1 + r b: b. Its mean over the model with a factor g is that of g, and of
  // b g over the data, which has less variance than r. Else null.
  double (*over_data)(double log_ratio);
  double curvature = 1.0;  // f''(1): near r = 1, D is curvature / 2 times E_model[(r - 1)^2]
  // Does its gradient lead on where no point of the data is near the model's?
  bool reaches_apart = false;
};

// Error(usage) for an unknown name, with the known ones.
[[nodiscard]] const Divergence& divergence_named(const std::string& name);

}  // namespace divker::fit
