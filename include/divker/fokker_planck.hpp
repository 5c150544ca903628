// The Fokker-Planck equation in one dimension: a density without paths, to compare with.
//
//   d p / d t = -d (F p) / d x + 1/2 d^2 (sigma^2 p) / d x^2 ,   no flux through the ends
//
// for the Ito equation dx = F dt + sigma dB. Finite volumes with central fluxes in space, the
// Crank-Nicolson scheme in time with coefficients at the middle of each step (e.g. R. J. LeVeque,
// "Finite volume methods for hyperbolic problems", 2002, sections 4.1 and 17.4).
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <vector>

namespace divker {

// Wants an interval outside of which hardly any mass ever is, cells small against sigma^2 / |F| and
// a smooth initial density.
struct FokkerPlanckProblem {
  std::function<double(double t, double x)> drift;
  std::function<double(double t, double x)> sigma;
  std::function<double(double x)> initial_density;  // scaled to mass 1 on the interval
  double lower = -1.0;
  double upper = 1.0;
  std::size_t cells = 1000;
  double start = 0.0;
  double end = 1.0;
  std::size_t steps = 1000;
};

// A density by its values at equidistant points, the centres of the cells.
class GridDensity {
 public:
  // Throws Error(usage) for fewer than 8 values or a spacing that is not positive.
  GridDensity(double first_point, double spacing, std::vector<double> values);

  [[nodiscard]] std::size_t size() const { return values_.size(); }
  [[nodiscard]] double spacing() const { return spacing_; }
  [[nodiscard]] double point(std::size_t i) const {
    return first_point_ + static_cast<double>(i) * spacing_;
  }
  [[nodiscard]] std::span<const double> values() const { return values_; }

  // sum of values * spacing.
  [[nodiscard]] double mass() const;
  // sum of f * values * spacing: an expectation, exact to second order in the spacing.
  [[nodiscard]] double expectation(const std::function<double(double)>& f) const;
  // log p between the points, by the cubic through the logarithms of the four nearest values.
  // Throws Error(usage) outside the points, Error(numerical) where a value is not positive: there
  // the density is below the rounding errors.
  [[nodiscard]] double log_density(double x) const;
  [[nodiscard]] double density(double x) const;
  // d log p / d x: the derivative of the same cubic.
  [[nodiscard]] double score(double x) const;

 private:
  double first_point_;
  double spacing_;
  std::vector<double> values_;
};

// The density at the end. Error of second order in the size of the cells and in the time step; mass
// is conserved to rounding. Cost: cells * steps, memory: cells. Throws Error(usage) for an empty
// interval, an empty time, too few cells (8) or steps (1) or a missing function; Error(numerical)
// where a coefficient or the density is not finite, naming time and place.
[[nodiscard]] GridDensity solve_fokker_planck(const FokkerPlanckProblem& problem);

// Estimated errors of log_density() at some points, by Richardson's extrapolation from a second
// solution with half the cells and half the steps: 25 per cent more work.
[[nodiscard]] std::vector<double> log_density_errors(const FokkerPlanckProblem& problem,
                                                     std::span<const double> points);

}  // namespace divker
