// What a model predicts: measurements of its paths, and paths whose parameters are drawn from the
// errors of a fit.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "divker/matrix.hpp"
#include "divker/model.hpp"
#include "divker/model_function.hpp"
#include "divker/paths.hpp"

namespace divker {

// y = value, or y = value + deviation z with z standard normal, for each `observe` of a model; of a
// model without any the states themselves.
class Measurement {
 public:
  // z depends on the seed, the path and the step of the grid alone.
  Measurement(const Model& model, std::uint64_t seed);

  [[nodiscard]] const std::vector<std::string>& names() const { return names_; }
  // paths x names. Error(numerical) where a value is not finite or a deviation not positive.
  [[nodiscard]] Matrix of(const PathGroup& group, std::size_t snapshot) const;

 private:
  std::vector<std::string> names_;
  std::vector<Observation> observations_;
  TimeGrid grid_;
  std::uint64_t seed_;
  ModelFunction function_;  // values and deviations in turn
};

// The covariance of the estimates of a model's errors() in the coordinates of a fit, in which a
// parameter with bounds is a number without: u = log(gamma - a) for gamma in (a, inf), and so on.
// C_u = D^-1 C D^-1 with D = d gamma / d u at the estimates, a row for each error.
[[nodiscard]] Matrix covariance_in_coordinates(const Model& model);

// gamma(u + c): all parameters of the model, with those that have errors moved by c.
[[nodiscard]] std::vector<double> parameters_moved(const Model& model, std::span<const double> c);

// Columns c_k with sum_k c_k c_k^T = C_u, of the principal directions of the correlations; none for
// directions without variance.
[[nodiscard]] Matrix principal_errors(const Model& model);

// What the errors of a fit do to numbers that depend on the parameters, each on its own:
//   sqrt(sum_k ((A(u + c_k) - A(u - c_k)) / 2)^2) ,  c_k the columns of principal_errors() ,
// exact for A linear in u. `numbers_at` gives A for a model with other values; where it rests on
// paths they should be the same ones, so that their noise leaves the differences. Cost: two
// evaluations a column.
[[nodiscard]] std::vector<double> errors_by_fit(
    const Model& model, const std::function<std::vector<double>(const Model&)>& numbers_at);

// paths x errors(): parameters of each path, drawn from normal(u, C_u).
[[nodiscard]] Matrix drawn_parameters(const Model& model, std::size_t paths, std::uint64_t seed);

// A model whose path j has the parameters of row j: those with errors are states that stand still,
// behind the states of the model. To be run with StartRows::by_path, paths and the seed as here:
// what else starts from samples is drawn as it would be. Error(usage) for a model without errors,
// and where the numbers drawn would take more than 1 GiB.
[[nodiscard]] Model with_drawn_parameters(const Model& model, std::size_t paths,
                                          std::uint64_t seed);

}  // namespace divker
