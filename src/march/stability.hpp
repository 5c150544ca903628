// Is dt small enough for the drift? Euler's step multiplies small differences by 1 + dt lambda,
// lambda the eigenvalues of grad F: it turns over where dt |lambda| > 1 and grows where > 2.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "derive/symbols.hpp"
#include "divker/matrix.hpp"
#include "divker/model.hpp"
#include "divker/model_function.hpp"
#include "divker/paths.hpp"

namespace divker::march {

// Limits of dt times the spectral radius of grad F.
inline constexpr double turning_limit = 1.0;
inline constexpr double stability_limit = 2.0;

// dt rho(grad F), F being the drift that is stepped: in the logarithms of positive states, and
// tamed where the time grid is.
class DriftRate {
 public:
  explicit DriftRate(const Model& model);

  // At each row of `x`, states at that row's time; NaN where grad F is not finite. By 24 iterations
  // of the power method, the mean growth of the last 8: exact for one state, and within some per
  // cent unless eigenvalues of nearly equal size are many. Cost: 24 evaluations of F and of a
  // directional derivative, slow reference ones, for each row.
  [[nodiscard]] std::vector<double> operator()(const Matrix& x,
                                               std::span<const double> times) const;

  // By how much a small difference grows in `parts` steps of dt/parts, the spectral radius of
  // (1 + dt grad F / parts)^parts, at every row.
  [[nodiscard]] std::vector<double> growths(const Matrix& x, std::span<const double> times,
                                            int parts) const;
  // Rows at which a step is unstable and the SDE is not: dt rho is above the limit, or a step makes
  // differences grow that sixteen parts of it let die out, as of an oscillation.
  [[nodiscard]] std::vector<bool> unstable(const Matrix& x, std::span<const double> times,
                                           const std::vector<double>& rates) const;
  // The least power of two by which dt must be divided for steps that let differences die out at
  // all rows, each tried, beginning with 1/rho for the largest dt rho; 0 where sixteen times that
  // does not do, and where dt rho is 1000 or more.
  [[nodiscard]] int parts_needed(const Matrix& x, double time, double largest) const;

 private:
  using Directions = std::vector<std::vector<double>>;  // component by component, row by row
  [[nodiscard]] Directions changes(const Matrix& x, std::span<const double> times,
                                   const Directions& v) const;

  derive::Symbols symbols_;
  std::vector<NodeId> direction_;
  ModelFunction change_;  // dt (grad F) direction
};

// A step with dt rho = rate is too large: the dt that makes it 1, rounded down to two digits.
[[nodiscard]] double smaller_step(double dt, double rate);
// "take dt = 0.01 or less, or tame the drift (`--tamed`)"; no dt where it would be 1000 times
// smaller. Taming holds explosions far out, and is no advice where dt rho is beyond the limit at
// the mean of the initial law: there it would change the drift that matters.
[[nodiscard]] std::string advice_on_step(const Model& model, double rate, double limit);

// A sentence if dt was too large for the drift there: the first point at which dt rho is beyond the
// limit, and the advice. Empty where it is not, and for maps.
[[nodiscard]] std::string fault_of_step(const Model& model, const Trail& trail, double limit);

}  // namespace divker::march
