#include "fit/series/companion_scores.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "fit/coordinates.hpp"

namespace divker::fit {
namespace {

using Eigen::Index;

constexpr Index most_full_states = 4;  // of which B is kept whole

Eigen::MatrixXd solved(const Eigen::MatrixXd& root, const Eigen::MatrixXd& columns) {
  return root.triangularView<Eigen::Lower>().solve(columns);
}

// So that steps of Fisher's scoring exist where parameters cannot be told apart.
Eigen::VectorXd regularised_solve(Eigen::MatrixXd information, const Eigen::VectorXd& score) {
  constexpr double ridge = 1e-9;
  const Eigen::VectorXd scale = information.diagonal()
                                    .cwiseMax(std::numeric_limits<double>::min())
                                    .cwiseSqrt()
                                    .cwiseInverse();
  information = scale.asDiagonal() * information * scale.asDiagonal();
  information.diagonal().array() += ridge;
  return scale.asDiagonal() * information.ldlt().solve(scale.asDiagonal() * score);
}

}  // namespace

CompanionScores::CompanionScores(const Companion& companion, const Model& model,
                                 const std::vector<std::size_t>& active,
                                 const std::vector<double>& parameters, const Legs& legs,
                                 std::size_t threads) {
  constexpr double change = 1e-4;
  const NormalLegs law = companion.law(parameters, legs, threads);
  const auto count = static_cast<Index>(legs.size());
  const Index dimension = law.mean.rows();
  mean_ = law.mean;
  for (const Eigen::MatrixXd& covariance : law.covariance) {
    const Eigen::LLT<Eigen::MatrixXd> factor(covariance);
    Eigen::MatrixXd root = factor.matrixL();
    if (factor.info() != Eigen::Success) root.setConstant(std::numeric_limits<double>::quiet_NaN());
    root_.push_back(std::move(root));
  }
  for (Index i = 0; i < dimension; ++i) {
    for (Index j = dimension <= most_full_states ? 0 : i; j <= i; ++j) pairs_.emplace_back(i, j);
  }
  for (std::size_t p = 0; p < active.size(); ++p) {
    Eigen::VectorXd step = Eigen::VectorXd::Zero(static_cast<Index>(active.size()));
    step[static_cast<Index>(p)] = change;
    const NormalLegs up = companion.law(moved(model, active, parameters, step), legs, threads);
    const NormalLegs down = companion.law(moved(model, active, parameters, -step), legs, threads);
    Eigen::MatrixXd slope(dimension, count);
    Eigen::MatrixXd spread(static_cast<Index>(pairs_.size()), count);
    for (Index t = 0; t < count; ++t) {
      const auto at = static_cast<std::size_t>(t);
      slope.col(t) = solved(root_[at], (up.mean.col(t) - down.mean.col(t)) / (2.0 * change));
      const Eigen::MatrixXd half =
          solved(root_[at], (up.covariance[at] - down.covariance[at]) / (2.0 * change));
      const Eigen::MatrixXd whole = solved(root_[at], half.transpose());
      for (std::size_t k = 0; k < pairs_.size(); ++k) {
        spread(static_cast<Index>(k), t) = whole(pairs_[k].first, pairs_[k].second);
      }
    }
    slope_.push_back(std::move(slope));
    spread_.push_back(std::move(spread));
  }
}

Eigen::MatrixXd CompanionScores::whitened(const Eigen::MatrixXd& ends, std::size_t begin,
                                          std::size_t paths) const {
  Eigen::MatrixXd result(ends.rows(), ends.cols());
  const auto many = static_cast<Index>(paths);
  for (Index at = 0; at < ends.cols(); at += many) {
    const std::size_t leg = begin + static_cast<std::size_t>(at / many);
    result.middleCols(at, many) = solved(
        root_[leg], ends.middleCols(at, many).colwise() - mean_.col(static_cast<Index>(leg)));
  }
  return result;
}

Eigen::MatrixXd CompanionScores::at(const Eigen::MatrixXd& z, std::size_t begin,
                                    std::size_t paths) const {
  Eigen::MatrixXd result(static_cast<Index>(parameters()), z.cols());
  for (Index c = 0; c < z.cols(); ++c) {
    const auto leg = static_cast<Index>(begin + static_cast<std::size_t>(c) / paths);
    for (std::size_t p = 0; p < parameters(); ++p) {
      double score = slope_[p].col(leg).dot(z.col(c));
      for (std::size_t k = 0; k < pairs_.size(); ++k) {
        const auto [i, j] = pairs_[k];
        score += weight(k) * spread_[p](static_cast<Index>(k), leg) *
                 (z(i, c) * z(j, c) - (i == j ? 1.0 : 0.0));
      }
      result(static_cast<Index>(p), c) = score;
    }
  }
  return result;
}

double CompanionScores::log_likelihood(const Eigen::MatrixXd& ends) const {
  const Eigen::MatrixXd z = whitened(ends, 0, 1);
  double sum = -0.5 * z.squaredNorm();
  for (const Eigen::MatrixXd& root : root_) sum -= root.diagonal().array().log().sum();
  return sum;
}

Eigen::MatrixXd CompanionScores::information() const {
  const auto count = static_cast<Index>(parameters());
  Eigen::MatrixXd sum(count, count);
  for (Index p = 0; p < count; ++p) {
    for (Index q = 0; q <= p; ++q) {
      const auto a = static_cast<std::size_t>(p);
      const auto b = static_cast<std::size_t>(q);
      double value = slope_[a].cwiseProduct(slope_[b]).sum();
      for (std::size_t k = 0; k < pairs_.size(); ++k) {
        const auto row = static_cast<Index>(k);
        value += weight(k) * spread_[a].row(row).dot(spread_[b].row(row));
      }
      sum(p, q) = sum(q, p) = value;
    }
  }
  return sum;
}

QuasiLikelihood quasi_likelihood(const Companion& companion, const Model& model,
                                 const std::vector<std::size_t>& active,
                                 std::vector<double> parameters, const Legs& legs,
                                 std::size_t threads) {
  constexpr std::size_t most_iterations = 40;
  constexpr std::size_t most_halvings = 12;
  constexpr double small_gain = 1e-4;
  const auto at = [&](const std::vector<double>& values) {
    return CompanionScores(companion, model, active, values, legs, threads);
  };
  CompanionScores here = at(parameters);
  QuasiLikelihood result{parameters, here.log_likelihood(legs.end), false};
  for (std::size_t n = 0; n < most_iterations && !result.converged; ++n) {
    const Eigen::VectorXd score = here.at(here.whitened(legs.end, 0, 1), 0, 1).rowwise().sum();
    Eigen::VectorXd change = regularised_solve(here.information(), score);
    if (!change.allFinite()) break;
    const Eigen::VectorXd largest = largest_changes(model, active);
    for (Index i = 0; i < change.size(); ++i) {
      if (std::fabs(change[i]) > largest[i]) change *= largest[i] / std::fabs(change[i]);
    }
    bool rises = false;
    for (std::size_t halving = 0; halving < most_halvings && !rises; ++halving) {
      const std::vector<double> there = moved(model, active, result.parameters, change);
      CompanionScores trial = at(there);
      const double value = trial.log_likelihood(legs.end);
      change *= 0.5;
      if (!(value > result.value) && std::isfinite(result.value)) continue;
      if (!std::isfinite(value)) continue;
      rises = true;
      result.converged = value - result.value < small_gain;
      result.parameters = there;
      result.value = value;
      here = std::move(trial);
    }
    if (!rises) {
      result.converged = std::isfinite(result.value);
      break;
    }
  }
  return result;
}

}  // namespace divker::fit
