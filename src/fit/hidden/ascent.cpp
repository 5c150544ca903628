#include "fit/hidden/ascent.hpp"

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

// H^{-1} psi with eigenvalues, of H scaled to a unit diagonal, not below the floor.
VectorXd direction_up(const MatrixXd& squares, const VectorXd& score) {
  constexpr double floor = 1e-5;
  const VectorXd unit = squares.diagonal().array().max(1e-300).rsqrt();
  const Eigen::SelfAdjointEigenSolver<MatrixXd> solver(unit.asDiagonal() * squares *
                                                       unit.asDiagonal());
  const VectorXd components = solver.eigenvectors().transpose() * (unit.asDiagonal() * score);
  return unit.asDiagonal() * solver.eigenvectors() *
         (components.array() / solver.eigenvalues().array().max(floor)).matrix();
}

// Half a logarithm, or half the size of a parameter without bounds.
void shorten(const Model& model, const std::vector<std::size_t>& active,
             const std::vector<double>& at, VectorXd& change) {
  constexpr double most = 0.7;
  const VectorXd largest = largest_changes(model, active);
  double factor = 1.0;
  for (Index i = 0; i < change.size(); ++i) {
    const double size = std::isfinite(largest[i])
                            ? 1.0
                            : std::max(1.0, std::fabs(at[active[static_cast<std::size_t>(i)]]));
    factor = std::min(factor, most * size / std::max(std::fabs(change[i]), 1e-300));
  }
  change *= factor;
}

VectorXd first_steps(const Model& model, const std::vector<std::size_t>& active,
                     const std::vector<double>& at) {
  constexpr double share = 1e-4;
  const VectorXd largest = largest_changes(model, active);
  VectorXd steps(largest.size());
  for (Index i = 0; i < steps.size(); ++i) {
    const double size = std::fabs(at[active[static_cast<std::size_t>(i)]]);
    steps[i] = share * (std::isfinite(largest[i]) ? 1.0 : std::max(size, 0.01));
  }
  return steps;
}

// A small share of what one parameter alone could be told by.
VectorXd steps_by(const MatrixXd& squares, const VectorXd& before) {
  constexpr double share = 0.03;
  VectorXd steps = before;
  for (Index i = 0; i < steps.size(); ++i) {
    if (squares(i, i) > 0.0) steps[i] = share / std::sqrt(squares(i, i));
    steps[i] = std::clamp(steps[i], 0.01 * before[i], 100.0 * before[i]);
  }
  return steps;
}

FitIteration iteration_of(const Summit& summit, std::size_t paths, double merit) {
  FitIteration one;
  one.paths = paths;
  one.psi_over_noise = std::sqrt(merit / static_cast<double>(summit.steps.size()));
  one.parameters = summit.parameters;
  return one;
}

}  // namespace

bool is_positive(const MatrixXd& matrix) {
  constexpr double least = -1e-5;
  if (!matrix.allFinite() || !(matrix.diagonal().array() > 0.0).all()) return false;
  const VectorXd unit = matrix.diagonal().array().rsqrt();
  const Eigen::SelfAdjointEigenSolver<MatrixXd> solver(
      unit.asDiagonal() * matrix * unit.asDiagonal(), Eigen::EigenvaluesOnly);
  return solver.eigenvalues().minCoeff() > least;
}

MatrixXd whitened_directions(const MatrixXd& squares, double length, double most) {
  constexpr double floor = 1e-10;
  const VectorXd unit = squares.diagonal().array().max(1e-300).rsqrt();
  const Eigen::SelfAdjointEigenSolver<MatrixXd> solver(unit.asDiagonal() * squares *
                                                       unit.asDiagonal());
  MatrixXd result = unit.asDiagonal() * solver.eigenvectors();
  for (Index k = 0; k < result.cols(); ++k) {
    result.col(k) *= length / std::sqrt(std::max(solver.eigenvalues()[k], floor));
    const double longest = result.col(k).cwiseAbs().maxCoeff();
    if (longest > most) result.col(k) *= most / longest;
  }
  return result;
}

Summit climb(const Model& model, const std::vector<std::size_t>& active,
             SeriesLikelihood& likelihood, const std::vector<double>& from,
             const AscentRules& rules, const Session& session, std::vector<FitIteration>* history,
             std::size_t paths) {
  constexpr std::size_t most_shortened = 8;
  constexpr double shorter = 0.35;
  const Differences differences(model, active, session.threads);
  Summit summit;
  summit.parameters = from;
  summit.base = likelihood.at(from);
  summit.steps = first_steps(model, active, from);
  summit.reason = "the iterations are used up";
  if (!std::isfinite(summit.base.sum())) {
    summit.reason = "no path has a weight at the start";
    return summit;
  }
  bool is_curved = true;
  for (std::size_t n = 0;; ++n) {
    if (session.stopped()) throw Error(ErrorKind::numerical, "The fit was interrupted.");
    summit.ascent = differences.score(likelihood, summit.base, summit.parameters, summit.steps);
    if (!summit.ascent.terms.allFinite()) {
      summit.reason = "the likelihood has no derivative where the fit stands";
      return summit;
    }
    const MatrixXd squares = summit.ascent.squares();
    const VectorXd score = summit.ascent.score();
    if (!rules.by_curvature) summit.information = squares;
    // A second derivative costs as much as many scores, and lasts for a few steps.
    if (rules.by_curvature && (n % 3 == 0 || !is_curved)) {
      const MatrixXd directions = whitened_directions(squares, 0.2, 0.05);
      const MatrixXd inverse = directions.inverse();
      const MatrixXd bend =
          inverse.transpose() *
          differences.curvature(likelihood, summit.base, summit.parameters, directions) * inverse;
      is_curved = is_positive(bend);
      summit.information = is_curved ? bend : squares;
    }
    VectorXd change = direction_up(summit.information, score);
    const double merit = std::max(0.0, change.dot(score));
    if (history != nullptr) {
      FitIteration one = iteration_of(summit, paths, merit);
      if (!history->empty()) one.iteration = history->back().iteration + 1;
      history->push_back(one);
    }
    summit.steps = steps_by(summit.information, summit.steps);
    if (is_curved && merit < rules.small * rules.small) {
      summit.converged = true;
      summit.reason = "the score is below 0.05 of its standard deviation";
      return summit;
    }
    if (n == rules.iterations) return summit;
    shorten(model, active, summit.parameters, change);
    bool rose = false;
    for (std::size_t k = 0; k < most_shortened && !rose; ++k) {
      const std::vector<double> there = moved(model, active, summit.parameters, change);
      LogDensities base = likelihood.at(there);
      const double gain = base.sum() - summit.base.sum();
      rose = std::isfinite(gain) && gain > -rules.blur;
      if (rose) {
        if (history != nullptr) history->back().gain = gain;
        summit.parameters = there;
        summit.base = std::move(base);
      }
      change *= shorter;
    }
    if (!rose) {
      summit.base = likelihood.at(summit.parameters);
      summit.converged = is_curved && merit < 1.0;
      summit.reason = summit.converged ? "no step makes the likelihood larger"
                                       : "no step makes the likelihood larger, far from its summit";
      return summit;
    }
  }
}

}  // namespace divker::fit
