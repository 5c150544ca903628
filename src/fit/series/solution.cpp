#include "fit/series/solution.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "divker/error.hpp"
#include "fit/coordinates.hpp"

namespace divker::fit {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

// Of a parameter without bounds: half its size, but at least this.
constexpr double least_largest_step = 0.5;
constexpr double shorter = 0.4;

MatrixXd symmetrised(const MatrixXd& m) { return 0.5 * (m + m.transpose()); }

VectorXd standard_errors(const EquationValue& value) {
  return covariance_of(value).model.diagonal().cwiseMax(0.0).cwiseSqrt();
}

FitIteration iteration_of(const SeriesPoint& point, std::size_t transitions) {
  FitIteration one;
  one.paths = transitions * point.run.paths;
  one.psi_over_noise = std::sqrt(std::max(0.0, point.value.merit(point.value.sum)) /
                                 static_cast<double>(point.value.sum.size()));
  one.parameters = point.run.parameters;
  return one;
}

}  // namespace

SeriesCovariance covariance_of(const EquationValue& value) {
  const MatrixXd inverse = value.slope.completeOrthogonalDecomposition().pseudoInverse();
  const auto sandwich = [&inverse](const MatrixXd& m) -> MatrixXd {
    return inverse * m * inverse.transpose();
  };
  return {sandwich(value.terms * value.terms.transpose()),
          sandwich(value.variance + value.of_paths), sandwich(value.of_paths)};
}

VectorXd SeriesSolver::scale(const std::vector<double>& parameters) const {
  return slopes(model_, active_, parameters);
}

SeriesPoint SeriesSolver::begin(TransitionPaths::Run run) const {
  SeriesPoint point;
  run.carrying = best_carrying(paths_, run, active_, sample_);
  point.limits = limits_of(paths_, run, sample_);
  point.value = equation_.at(run, scale(run.parameters), point.limits);
  point.run = std::move(run);
  return point;
}

// matrix^{-1} psi with eigenvalues, of the matrix scaled to a unit diagonal, no smaller than the
// floor, no component beyond what one step may change.
SeriesSolver::Move SeriesSolver::move(const MatrixXd& matrix, const SeriesPoint& from,
                                      double floor) const {
  const VectorXd unit = matrix.diagonal().array().max(1e-300).rsqrt();
  const Eigen::SelfAdjointEigenSolver<MatrixXd> solver(unit.asDiagonal() * symmetrised(matrix) *
                                                       unit.asDiagonal());
  const VectorXd components =
      solver.eigenvectors().transpose() * (unit.asDiagonal() * from.value.sum);
  Move result;
  result.change = unit.asDiagonal() * solver.eigenvectors() *
                  (components.array() / solver.eigenvalues().array().max(floor)).matrix();
  const VectorXd largest = largest_changes(model_, active_);
  double factor = 1.0;
  for (Index i = 0; i < largest.size(); ++i) {
    const double at = std::fabs(from.run.parameters[active_[static_cast<std::size_t>(i)]]);
    const double most = std::min(largest[i], least_largest_step * std::max(1.0, at));
    factor = std::min(factor, most / std::max(std::fabs(result.change[i]), 1e-300));
  }
  result.whole = factor >= 1.0;
  result.change *= factor;
  return result;
}

std::optional<SeriesPoint> SeriesSolver::evaluate(const SeriesPoint& from,
                                                  const VectorXd& change) const {
  SeriesPoint there = from;
  there.run.parameters = moved(model_, active_, from.run.parameters, change);
  try {
    there.value = equation_.at(there.run, scale(there.run.parameters), there.limits);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::numerical) throw;
    return std::nullopt;
  }
  if (!there.value.is_finite()) return std::nullopt;
  return there;
}

SeriesPoint SeriesSolver::carried_anew(SeriesPoint point) const {
  const Carrying carrying = best_carrying(paths_, point.run, active_, sample_);
  if (carrying == point.run.carrying) return point;
  return begin(point.run);
}

// By the slope of the equation, or by the variance of what was learned, which is the same matrix
// but for what the regression misses, and has less noise.
std::optional<SeriesSolver::Taken> SeriesSolver::newton_step(const SeriesPoint& point,
                                                             double merit) const {
  constexpr std::size_t most_shortened = 4;
  constexpr double enough = 1e-4, blur = 1e-6;  // of a smaller merit
  for (const MatrixXd* matrix : {&point.value.slope, &point.value.variance}) {
    if (!(matrix->diagonal().array() > 0.0).all()) continue;
    Move by = move(*matrix, point, 1e-4);
    for (std::size_t halvings = 0; halvings < most_shortened; ++halvings) {
      auto there = evaluate(point, by.change);
      if (there && point.value.merit(there->value.sum) < merit * (1.0 - enough) + blur) {
        return Taken{std::move(*there), by.change, halvings, by.whole && halvings == 0};
      }
      by.change *= shorter;
    }
  }
  return std::nullopt;
}

// By the information of whole paths, which is larger: the gradient of the EM algorithm
// (K. Lange, J. R. Stat. Soc. B 57 (1995) 425). It leads uphill from far away.
std::optional<SeriesSolver::Taken> SeriesSolver::complete_step(const SeriesPoint& point) const {
  constexpr std::size_t most_shortened = 4;
  Move by = move(point.value.complete, point, 1e-8);
  for (std::size_t halvings = 0; halvings < most_shortened; ++halvings) {
    if (auto there = evaluate(point, by.change)) {
      return Taken{std::move(*there), by.change, halvings, false};
    }
    by.change *= shorter;
  }
  return std::nullopt;
}

std::optional<Solution> SeriesSolver::solve(SeriesPoint point, std::size_t iterations,
                                            const Session& session,
                                            std::vector<FitIteration>& history) const {
  constexpr double small_step = 0.02;  // in standard errors
  constexpr double at_rest = 0.05;     // a merit that nothing makes smaller
  const auto transitions = static_cast<std::size_t>(point.value.terms.cols());
  Solution solution;
  if (history.empty()) history.push_back(iteration_of(point, transitions));
  for (std::size_t n = 0; n < iterations; ++n) {
    if (session.stopped()) return std::nullopt;
    if (n == 2 || n == 5) point = carried_anew(std::move(point));
    const double merit = point.value.merit(point.value.sum);
    const VectorXd errors = standard_errors(point.value);
    std::optional<Taken> taken = newton_step(point, merit);
    if (!taken && merit < at_rest) {
      solution.converged = true;
      solution.reason = "no step leads nearer to the root";
      break;
    }
    if (!taken) taken = complete_step(point);
    if (!taken) {
      solution.reason = "no step in the direction of the likelihood could be evaluated";
      break;
    }
    const bool is_small = (taken->by.array().abs() < small_step * errors.array()).all();
    FitIteration one = iteration_of(taken->there, transitions);
    one.iteration = history.back().iteration + 1;
    one.halvings = taken->halvings;
    const double bend = taken->by.dot(symmetrised(point.value.slope) * taken->by);
    const auto rows = static_cast<double>(transitions);
    one.step = std::sqrt(std::max(0.0, bend) / rows);
    one.gain = (point.value.sum.dot(taken->by) - 0.5 * bend) / rows;
    history.push_back(one);
    const bool is_whole = taken->is_whole;
    point = std::move(taken->there);
    if (is_small && is_whole) {
      solution.converged = true;
      solution.reason = "the last step was below 0.02 standard errors";
      break;
    }
  }
  if (solution.reason.empty()) solution.reason = "the iterations are used up";
  solution.point = std::move(point);
  return solution;
}

}  // namespace divker::fit
