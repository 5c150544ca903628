// The density of a one-dimensional model without paths: what estimates are to be compared with.
#pragma once

#include <cstddef>
#include <vector>

#include "divker/fokker_planck.hpp"
#include "divker/matrix.hpp"
#include "divker/model.hpp"

namespace divker {

struct ExactDensity {
  std::vector<double> points;
  std::vector<double> log_density;
  std::vector<double> score;
  Matrix response;  // points x parameters, d log h / d gamma
};

// Solves the Fokker-Planck equation of a one-dimensional SDE with a normal or lognormal initial
// law, on 4,000 cells between `lower` and `upper`, and again at shifted parameters for central
// differences. Errors are of the order of 1e-4 of the values wherever hardly any mass is near the
// ends. Cost: 1 + 2 P solutions of about 0.1 s. Error(usage) for other models or an interval that
// does not hold the points.
[[nodiscard]] ExactDensity exact_density(const Model& model,
                                         const std::vector<std::size_t>& parameters,
                                         const std::vector<double>& points, double lower,
                                         double upper);

// An interval that holds all but about 1e-9 of the density at all times, by simulation: the extent
// of 20,000 paths at 50 times, a third wider on either side, and the points.
struct Interval {
  double lower = 0.0;
  double upper = 0.0;
};
[[nodiscard]] Interval density_interval(const Model& model, const std::vector<double>& points);

}  // namespace divker
