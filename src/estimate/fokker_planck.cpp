#include "divker/fokker_planck.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <utility>

#include "divker/error.hpp"

namespace divker {
namespace {

constexpr std::size_t least_cells = 8;

void check(const FokkerPlanckProblem& problem) {
  const auto refuse = [](const std::string& sentence) { throw Error(ErrorKind::usage, sentence); };
  if (!problem.drift || !problem.sigma || !problem.initial_density) {
    refuse("A Fokker-Planck problem needs its drift, sigma and initial density.");
  }
  if (!(problem.upper > problem.lower)) {
    refuse(
        fmt::format("The interval from {} to {} is empty: the upper end must be above the lower.",
                    problem.lower, problem.upper));
  }
  if (!(problem.end > problem.start)) {
    refuse(fmt::format("Time ends at {}, which is not after its start {}.", problem.end,
                       problem.start));
  }
  if (problem.cells < least_cells) {
    refuse(fmt::format("{} cells were asked for; at least {} are needed.", problem.cells,
                       least_cells));
  }
  if (problem.steps == 0) refuse("The number of time steps is 0: it must be at least 1.");
}

double finite(double value, const char* what, double t, double x) {
  if (std::isfinite(value)) return value;
  throw Error(ErrorKind::numerical,
              fmt::format("The {} of the Fokker-Planck problem is {} at t = {:.6g}, x = {:.6g}.",
                          what, value, t, x));
}

// The cells and the densities in them, marched in time.
class Grid {
 public:
  explicit Grid(const FokkerPlanckProblem& problem)
      : problem_(problem),
        spacing_((problem.upper - problem.lower) / static_cast<double>(problem.cells)),
        density_(problem.cells),
        below_(problem.cells),
        centre_(problem.cells),
        above_(problem.cells),
        right_(problem.cells),
        ratio_(problem.cells) {
    for (std::size_t i = 0; i < density_.size(); ++i) {
      density_[i] =
          finite(problem.initial_density(point(i)), "initial density", problem.start, point(i));
    }
    const double mass = std::accumulate(density_.begin(), density_.end(), 0.0) * spacing_;
    if (!(mass > 0.0)) {
      throw Error(ErrorKind::usage,
                  fmt::format("The initial density has mass {} between {} and {}; "
                              "it must be positive.",
                              mass, problem.lower, problem.upper));
    }
    for (double& value : density_) value /= mass;
  }

  [[nodiscard]] GridDensity march() {
    const double dt = (problem_.end - problem_.start) / static_cast<double>(problem_.steps);
    for (std::size_t n = 0; n < problem_.steps; ++n) {
      advance(problem_.start + (static_cast<double>(n) + 0.5) * dt, dt);
    }
    for (std::size_t i = 0; i < density_.size(); ++i) {
      finite(density_[i], "density", problem_.end, point(i));
    }
    return {point(0), spacing_, std::move(density_)};
  }

 private:
  [[nodiscard]] double point(std::size_t i) const {
    return problem_.lower + (static_cast<double>(i) + 0.5) * spacing_;
  }

  // The generator as a tridiagonal matrix whose columns sum to zero, so that mass is conserved. The
  // flux between cells i and i + 1 is F (p_i + p_{i+1}) / 2 - (sigma^2 p)' / 2.
  void assemble(double t) {
    std::fill(below_.begin(), below_.end(), 0.0);
    std::fill(centre_.begin(), centre_.end(), 0.0);
    std::fill(above_.begin(), above_.end(), 0.0);
    const auto half_square = [&](std::size_t i) {
      const double sigma = finite(problem_.sigma(t, point(i)), "sigma", t, point(i));
      return 0.5 * sigma * sigma / (spacing_ * spacing_);
    };
    double here = half_square(0);
    for (std::size_t i = 0; i + 1 < density_.size(); ++i) {
      const double between = point(i) + 0.5 * spacing_;
      const double carried =
          0.5 * finite(problem_.drift(t, between), "drift", t, between) / spacing_;
      const double next = half_square(i + 1);
      const double from_left = carried + here;
      const double from_right = carried - next;
      centre_[i] -= from_left;
      above_[i] -= from_right;
      below_[i + 1] += from_left;
      centre_[i + 1] += from_right;
      here = next;
    }
  }

  // (1 - dt/2 L) p' = (1 + dt/2 L) p, by elimination (Thomas).
  void advance(double t, double dt) {
    assemble(t);
    const std::size_t n = density_.size();
    const double half = 0.5 * dt;
    for (std::size_t i = 0; i < n; ++i) {
      double change = centre_[i] * density_[i];
      if (i > 0) change += below_[i] * density_[i - 1];
      if (i + 1 < n) change += above_[i] * density_[i + 1];
      right_[i] = density_[i] + half * change;
    }
    double pivot = 1.0 - half * centre_[0];
    density_[0] = right_[0] / pivot;
    for (std::size_t i = 1; i < n; ++i) {
      ratio_[i] = -half * above_[i - 1] / pivot;
      pivot = 1.0 - half * centre_[i] + half * below_[i] * ratio_[i];
      density_[i] = (right_[i] + half * below_[i] * density_[i - 1]) / pivot;
    }
    for (std::size_t i = n - 1; i-- > 0;) density_[i] -= ratio_[i + 1] * density_[i + 1];
  }

  const FokkerPlanckProblem& problem_;
  double spacing_;
  std::vector<double> density_;
  std::vector<double> below_, centre_, above_, right_, ratio_;
};

// Four neighbouring logarithms and the place among them, in units of the spacing: 1 to 2 except
// near the ends.
struct Stencil {
  std::array<double, 4> logarithms{};
  double place = 0.0;
};

Stencil stencil_at(const GridDensity& grid, double x) {
  const double position = (x - grid.point(0)) / grid.spacing();
  const auto last = static_cast<double>(grid.size() - 1);
  if (!(position >= 0.0 && position <= last)) {
    throw Error(ErrorKind::usage, fmt::format("The point {} is outside the grid from {} to {}.", x,
                                              grid.point(0), grid.point(grid.size() - 1)));
  }
  const double left = std::clamp(std::floor(position) - 1.0, 0.0, last - 3.0);
  const auto first = static_cast<std::size_t>(left);
  Stencil stencil;
  stencil.place = position - left;
  for (std::size_t j = 0; j < 4; ++j) {
    const double value = grid.values()[first + j];
    if (!(value > 0.0)) {
      throw Error(ErrorKind::numerical,
                  fmt::format("The density near x = {} is {}: it is below the errors of the grid, "
                              "so that it has no logarithm.",
                              x, value));
    }
    stencil.logarithms[j] = std::log(value);
  }
  return stencil;
}

}  // namespace

GridDensity::GridDensity(double first_point, double spacing, std::vector<double> values)
    : first_point_(first_point), spacing_(spacing), values_(std::move(values)) {
  if (values_.size() < least_cells) {
    throw Error(ErrorKind::usage, fmt::format("A density on a grid of {} points was given; at "
                                              "least {} are needed.",
                                              values_.size(), least_cells));
  }
  if (!(spacing_ > 0.0)) {
    throw Error(ErrorKind::usage,
                fmt::format("The grid has spacing {}; it must be positive.", spacing_));
  }
}

double GridDensity::mass() const {
  return std::accumulate(values_.begin(), values_.end(), 0.0) * spacing_;
}

double GridDensity::expectation(const std::function<double(double)>& f) const {
  double sum = 0.0;
  for (std::size_t i = 0; i < values_.size(); ++i) sum += f(point(i)) * values_[i];
  return sum * spacing_;
}

// Newton's form of the cubic, with differences d and places 0, 1, 2, 3.
double GridDensity::log_density(double x) const {
  const auto [f, u] = stencil_at(*this, x);
  const double d1 = f[1] - f[0], d2 = f[2] - 2.0 * f[1] + f[0];
  const double d3 = f[3] - 3.0 * f[2] + 3.0 * f[1] - f[0];
  return f[0] + u * (d1 + (u - 1.0) / 2.0 * (d2 + (u - 2.0) / 3.0 * d3));
}

double GridDensity::density(double x) const { return std::exp(log_density(x)); }

double GridDensity::score(double x) const {
  const auto [f, u] = stencil_at(*this, x);
  const double d1 = f[1] - f[0], d2 = f[2] - 2.0 * f[1] + f[0];
  const double d3 = f[3] - 3.0 * f[2] + 3.0 * f[1] - f[0];
  return (d1 + (2.0 * u - 1.0) / 2.0 * d2 + (3.0 * u * u - 6.0 * u + 2.0) / 6.0 * d3) / spacing_;
}

GridDensity solve_fokker_planck(const FokkerPlanckProblem& problem) {
  check(problem);
  return Grid(problem).march();
}

std::vector<double> log_density_errors(const FokkerPlanckProblem& problem,
                                       std::span<const double> points) {
  FokkerPlanckProblem coarse = problem;
  coarse.cells = problem.cells / 2;
  coarse.steps = std::max<std::size_t>(problem.steps / 2, 1);
  const GridDensity here = solve_fokker_planck(problem);
  const GridDensity there = solve_fokker_planck(coarse);
  std::vector<double> errors;
  errors.reserve(points.size());
  // Second order: the coarse error is four times the fine one, their difference three times.
  for (const double x : points) {
    errors.push_back(std::fabs(here.log_density(x) - there.log_density(x)) / 3.0);
  }
  return errors;
}

}  // namespace divker
