// The density of a sample whose covectors are known, without a bandwidth.
//
// Rows (x, nu) with E[nu | x] = grad log h(x) satisfy E[nu . g(x) + div g(x)] = 0 for every smooth
// field g that ends somewhere. Fields whose divergence is a point mass at y tell h(y) itself. In
// one dimension, with u = (x - y)/w and phi(u) = exp(-u^2/2),
//
//   h(y) = E[ (c + sign(y - x)/2) (phi(u) nu + phi'(u)/w) ]        for every w and c .
//
// In two dimensions, with r = |x - y|, G_v(r) = exp(-r^2/2v) and K_w the normal density of standard
// deviation w,
//
//   f(v) = E[ K_w(x - y) - nu . (x - y)/(2 pi r^2) (G_{w^2}(r) - G_v(r)) + c . (phi nu + grad phi)
//   ]
//
// is the density smoothed by the variance v, for every w and c, with a variance that grows like
// log(w^2/v) alone. The estimate is 2 f(v) - f(2v), whose bias is v^2/4 of the bilaplacian of h; it
// is measured by f(v), f(2v), f(4v) and part of the error. With w near zero both are kernel
// estimates, with w large the plain formulas of the score.
//
// Source: docs/density.md. w, c and v are chosen for each point by the variance that one half of
// the paths measures, and used on the other half, so that no choice biases value or bar.
#pragma once

#include <array>
#include <cstddef>
#include <limits>
#include <vector>

#include "divker/matrix.hpp"
#include "divker/moments.hpp"

namespace divker {

// Rows of x and nu, one or two columns each: `rows_of_path` successive ones for each path, which
// may depend on each other. Paths are independent.
struct ScoredSample {
  Matrix x;
  Matrix nu;
  std::size_t rows_of_path = 1;

  [[nodiscard]] std::size_t paths() const { return x.rows / rows_of_path; }
};

// How the field at a point is cut off, in units of the spread of the sample.
struct Localisation {
  double width = 0.0;               // w
  double core = 0.0;                // sqrt(v); zero in one dimension
  std::array<double, 2> control{};  // c
};

struct LocalDensity {
  double value = 0.0;
  double deviation = 0.0;  // standard deviation of the value
  double bias = 0.0;       // two dimensions: what smoothing by v leaves
  double unseen = 0.0;     // what a path more at this place would add: the bar where none is
  // Of the summands (divker/tail_index.hpp); NaN where few of them make the value.
  double tail_index = std::numeric_limits<double>::quiet_NaN();
  double paths = 0.0;                  // that make the value
  std::array<Localisation, 2> chosen;  // by each half

  [[nodiscard]] double standard_error() const;
  // Is the bar hardly more than a guess?
  [[nodiscard]] bool outside() const { return paths < 10.0; }
};

// Holds the sample in standard units: 2 d doubles a row.
class LocalisedDensity {
 public:
  // Error(usage) for other shapes, Error(numerical) where some combination of the columns does not
  // vary: there is no density then.
  explicit LocalisedDensity(const ScoredSample& sample);

  // Cost: points * rows, and a choice among widths on at most 32,768 rows of each half.
  [[nodiscard]] std::vector<LocalDensity> at(const Matrix& points, std::size_t threads) const;

  // Mean and error of the density of `coarse` less that of `fine`, whose paths belong together in
  // pairs, with the localisations that were chosen at the points.
  [[nodiscard]] std::vector<Estimate> difference(const std::vector<LocalDensity>& found,
                                                 const Matrix& points, const ScoredSample& coarse,
                                                 const ScoredSample& fine) const;

 private:
  using Point = std::array<double, 2>;
  // In standard units; the second column is empty in one dimension.
  struct Columns {
    std::array<std::vector<double>, 2> x, nu;
    std::size_t rows_of_path = 1;
  };
  struct Choice {
    Localisation localisation;
    double near_score = 0.0;  // size of the covectors of the nearest rows
  };

  [[nodiscard]] Columns standardised(const ScoredSample& sample) const;
  [[nodiscard]] Point standardised(const Matrix& points, std::size_t r) const;
  [[nodiscard]] Choice choose(const Point& y, std::size_t half) const;
  // What a path at the point adds to the sum over paths.
  [[nodiscard]] double size_of_one(const std::array<Choice, 2>& choices) const;
  [[nodiscard]] LocalDensity estimate(const Point& y) const;
  // Sums along each path of what its rows say of the density, and of the bias.
  template <class Take>
  void each_path(const Columns& sample, const Point& y, const std::array<Localisation, 2>& chosen,
                 const Take& take) const;

  std::size_t dimension_;
  Point centre_{};
  std::array<double, 3> root_{};  // lower triangle of the root of the covariance
  double volume_ = 1.0;           // its determinant
  Columns sample_;
};

}  // namespace divker
