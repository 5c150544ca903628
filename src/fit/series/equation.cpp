#include "fit/series/equation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "divker/error.hpp"
#include "estimate/parallel.hpp"

namespace divker::fit {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

constexpr std::size_t most_columns = 1024;  // of paths that are marched together

// X^{-1} Y for the normal equations X of a regression, scaled to a unit diagonal.
MatrixXd regression(const MatrixXd& squares, const MatrixXd& products) {
  constexpr double ridge = 1e-8;
  const VectorXd scale =
      squares.diagonal().cwiseMax(std::numeric_limits<double>::min()).cwiseSqrt().cwiseInverse();
  MatrixXd scaled = scale.asDiagonal() * squares * scale.asDiagonal();
  scaled.diagonal().array() += ridge;
  return scale.asDiagonal() * scaled.ldlt().solve(scale.asDiagonal() * products);
}

// Columns from `first` on less their mean, which is returned; failed ones become zero.
VectorXd take_mean(MatrixXd& columns, Index first, Index many, const std::vector<bool>& failed) {
  VectorXd mean = VectorXd::Zero(columns.rows());
  Index sound = 0;
  for (Index c = first; c < first + many; ++c) {
    if (failed[static_cast<std::size_t>(c)]) continue;
    mean += columns.col(c);
    ++sound;
  }
  mean /= static_cast<double>(std::max<Index>(sound, 1));
  for (Index c = first; c < first + many; ++c) {
    if (failed[static_cast<std::size_t>(c)]) {
      columns.col(c).setZero();
    } else {
      columns.col(c) -= mean;
    }
  }
  return mean;
}

// Numbers that are not finite as zero, others within +- limit.
void bound_rows(MatrixXd& rows, const VectorXd& limits) {
  for (Index p = 0; p < rows.rows(); ++p) {
    for (Index c = 0; c < rows.cols(); ++c) {
      double& value = rows(p, c);
      value = std::isfinite(value) ? std::clamp(value, -limits[p], limits[p]) : 0.0;
    }
  }
}

std::vector<bool> failed_columns(PathEnds& ends) {
  std::vector<bool> failed(static_cast<std::size_t>(ends.fine.cols()));
  for (Index c = 0; c < ends.fine.cols(); ++c) {
    if (ends.fine.col(c).allFinite() && ends.coarse.col(c).allFinite()) continue;
    failed[static_cast<std::size_t>(c)] = true;
    ends.fine.col(c).setZero();
    ends.coarse.col(c).setZero();
    ends.companion.col(c).setZero();
  }
  return failed;
}

}  // namespace

double EquationValue::merit(const VectorXd& psi) const {
  return psi.dot((variance + of_paths).ldlt().solve(psi));
}

bool EquationValue::is_finite() const {
  return sum.allFinite() && slope.allFinite() && variance.allFinite() && of_paths.allFinite();
}

// What the two halves of the paths of all transitions sum up to.
struct Equation::Sums {
  struct Half {
    MatrixXd squares, learned;                  // phi phi^T, phi I^T
    MatrixXd control_squares, control_learned;  // c c^T, c (2 phi^K - phi^{K/2})^T
  };
  Half half[2];
  MatrixXd complete;
  std::size_t failed = 0;

  Sums(Index instruments, Index controls, Index parameters)
      : complete(MatrixXd::Zero(parameters, parameters)) {
    for (Half& one : half) {
      one.squares = MatrixXd::Zero(instruments, instruments);
      one.learned = MatrixXd::Zero(instruments, parameters);
      one.control_squares = MatrixXd::Zero(controls, controls);
      one.control_learned = MatrixXd::Zero(controls, instruments);
    }
  }
  Sums& operator+=(const Sums& other) {
    for (int a = 0; a < 2; ++a) {
      half[a].squares += other.half[a].squares;
      half[a].learned += other.half[a].learned;
      half[a].control_squares += other.half[a].control_squares;
      half[a].control_learned += other.half[a].control_learned;
    }
    complete += other.complete;
    failed += other.failed;
    return *this;
  }
};

Equation::Equation(const TransitionPaths& paths, const Instruments& instruments, const Legs& legs,
                   std::size_t threads)
    : paths_(paths),
      instruments_(instruments),
      legs_(legs),
      threads_(threads),
      observed_(instruments.at(legs.end, 0, 1)) {}

void Equation::add(const TransitionPaths::Run& run, const VectorXd& limits, std::size_t begin,
                   std::size_t end, Sums& sums, MatrixXd means[2], MatrixXd controls[2],
                   MatrixXd shifts[2]) const {
  PathEnds ends = paths_.walk(run, legs_, begin, end);
  const std::vector<bool> failed = failed_columns(ends);
  sums.failed += static_cast<std::size_t>(std::count(failed.begin(), failed.end(), true));
  MatrixXd fine = instruments_.at(ends.fine, begin, run.paths);
  const MatrixXd coarse = instruments_.at(ends.coarse, begin, run.paths);
  MatrixXd extrapolated = 2.0 * fine - coarse;
  MatrixXd control = instruments_.controls_at(ends.companion, begin, run.paths);
  bound_rows(ends.integral, limits);
  bound_rows(ends.likelihood,
             VectorXd::Constant(limits.size(), std::numeric_limits<double>::infinity()));
  const auto half = static_cast<Index>(run.paths / 2);
  for (std::size_t t = begin; t < end; ++t) {
    const auto leg = static_cast<Index>(t);
    for (Index a = 0; a < 2; ++a) {
      const Index first = static_cast<Index>((t - begin) * run.paths) + a * half;
      const VectorXd mean = take_mean(fine, first, half, failed);
      means[a].col(leg) = take_mean(extrapolated, first, half, failed);
      shifts[a].col(leg) = mean - means[a].col(leg);
      controls[a].col(leg) = take_mean(control, first, half, failed);
    }
  }
  for (Index a = 0; a < 2; ++a) {
    std::vector<Index> columns;
    for (std::size_t t = 0; t < end - begin; ++t) {
      for (Index j = 0; j < half; ++j) {
        columns.push_back(static_cast<Index>(t * run.paths) + a * half + j);
      }
    }
    const MatrixXd phi = fine(Eigen::all, columns);
    const MatrixXd told = ends.likelihood(Eigen::all, columns);
    const MatrixXd c = control(Eigen::all, columns);
    Sums::Half& to = sums.half[a];
    to.squares.noalias() += phi * phi.transpose();
    to.learned.noalias() += phi * ends.integral(Eigen::all, columns).transpose();
    to.control_squares.noalias() += c * c.transpose();
    to.control_learned.noalias() += c * extrapolated(Eigen::all, columns).transpose();
    sums.complete.noalias() += told * told.transpose() / static_cast<double>(run.paths);
  }
}

EquationValue Equation::at(const TransitionPaths::Run& run, const VectorXd& scale,
                           const VectorXd& limits) const {
  constexpr double most_failed = 0.2;
  const auto count = static_cast<Index>(legs_.size());
  const auto instruments = static_cast<Index>(instruments_.count());
  const auto controls = static_cast<Index>(instruments_.controls());
  MatrixXd means[2], shifts[2], control_means[2];
  for (int a = 0; a < 2; ++a) {
    means[a].resize(instruments, count);
    shifts[a].resize(instruments, count);
    control_means[a].resize(controls, count);
  }
  const auto pieces = legs_.pieces(std::max<std::size_t>(1, most_columns / run.paths));
  const Sums sums = sum_over_rows(
      pieces.size(), 1, threads_, Sums(instruments, controls, scale.size()),
      [&](std::size_t begin, std::size_t end, Sums& part) {
        for (std::size_t k = begin; k < end; ++k) {
          add(run, limits, pieces[k].first, pieces[k].second, part, means, control_means, shifts);
        }
      });
  if (static_cast<double>(sums.failed) >
      most_failed * static_cast<double>(legs_.size() * run.paths)) {
    throw Error(ErrorKind::numerical,
                fmt::format("{} of {} paths from the starts of the transitions failed.",
                            sums.failed, legs_.size() * run.paths));
  }
  EquationValue value;
  value.failed_paths = sums.failed;
  value.complete = scale.asDiagonal() * sums.complete * scale.asDiagonal();
  MatrixXd beta[2], terms[2];
  for (int a = 0; a < 2; ++a) {
    beta[a] = regression(sums.half[a].squares, sums.half[a].learned * scale.asDiagonal());
  }
  const std::size_t in_half = run.paths / 2;
  const double unbiased = 1.0 / (static_cast<double>(in_half) - 1.0);
  value.slope = value.variance = MatrixXd::Zero(scale.size(), scale.size());
  value.step_bias = VectorXd::Zero(scale.size());
  for (int a = 0; a < 2; ++a) {
    const int other = 1 - a;
    const MatrixXd gamma =
        regression(sums.half[a].control_squares, sums.half[a].control_learned * beta[a]);
    terms[a] =
        beta[a].transpose() * (observed_ - means[other]) + gamma.transpose() * control_means[other];
    value.slope +=
        0.5 * unbiased * beta[a].transpose() * sums.half[other].learned * scale.asDiagonal();
    value.variance += 0.5 * unbiased * beta[a].transpose() * sums.half[other].squares * beta[a];
    value.step_bias += 0.5 * beta[a].transpose() * shifts[other].rowwise().sum();
  }
  value.terms = 0.5 * (terms[0] + terms[1]);
  value.sum = value.terms.rowwise().sum();
  const MatrixXd difference = 0.5 * (terms[0] - terms[1]);
  value.of_paths = difference * difference.transpose();
  return value;
}

VectorXd limits_of(const TransitionPaths& paths, const TransitionPaths::Run& run,
                   const Legs& sample) {
  constexpr double medians = 20.0;
  std::vector<std::vector<double>> sizes;
  for (const auto& [begin, end] : sample.pieces(most_columns)) {
    const PathEnds ends = paths.walk(run, sample, begin, end);
    sizes.resize(static_cast<std::size_t>(ends.integral.rows()));
    for (Index p = 0; p < ends.integral.rows(); ++p) {
      for (Index c = 0; c < ends.integral.cols(); ++c) {
        const double size = std::fabs(ends.integral(p, c));
        if (std::isfinite(size)) sizes[static_cast<std::size_t>(p)].push_back(size);
      }
    }
  }
  VectorXd limits(static_cast<Index>(sizes.size()));
  for (std::size_t p = 0; p < sizes.size(); ++p) {
    std::vector<double>& all = sizes[p];
    const auto middle = all.begin() + static_cast<std::ptrdiff_t>(all.size() / 2);
    std::ranges::nth_element(all, middle);
    limits[static_cast<Index>(p)] = all.empty() ? 0.0 : medians * *middle;
  }
  return limits;
}

namespace {

// The mean over transitions of the variance of I given the start, of each active parameter; a
// number that is not finite counts as infinitely many.
VectorXd variances_of(const TransitionPaths& paths, const TransitionPaths::Run& run,
                      const Legs& sample) {
  VectorXd sum;
  for (const auto& [begin, end] : sample.pieces(most_columns / run.paths + 1)) {
    const PathEnds ends = paths.walk(run, sample, begin, end);
    if (sum.size() == 0) sum = VectorXd::Zero(ends.integral.rows());
    const auto many = static_cast<Index>(run.paths);
    for (Index at = 0; at < ends.integral.cols(); at += many) {
      const auto block = ends.integral.middleCols(at, many);
      sum += (block.colwise() - block.rowwise().mean()).rowwise().squaredNorm() /
             static_cast<double>(many - 1);
    }
  }
  sum /= static_cast<double>(sample.size());
  for (double& value : sum) {
    if (!std::isfinite(value)) value = std::numeric_limits<double>::infinity();
  }
  return sum;
}

}  // namespace

Carrying best_carrying(const TransitionPaths& paths, TransitionPaths::Run run,
                       const std::vector<std::size_t>& active, const Legs& sample) {
  constexpr double rates[] = {0.0, 3.0, 8.0, 20.0, 50.0};
  Carrying best;
  best.by_divergence.assign(active.size(), false);
  if (paths.of_noise().empty()) return best;
  run.carrying = best;
  const VectorXd told = variances_of(paths, run, sample);
  std::vector<Carrying> candidates(1 + std::size(rates), best);
  for (std::size_t k = 0; k < candidates.size(); ++k) {
    candidates[k].divergence = true;
    candidates[k].gaussian = k == 0;
    candidates[k].rate = k == 0 ? 0.0 : rates[k - 1];
    for (std::size_t p = 0; p < active.size(); ++p) {
      candidates[k].by_divergence[p] = std::ranges::count(paths.of_noise(), active[p]) > 0;
    }
  }
  double least = 0.0;  // sum of log(variance / that of the likelihood ratio)
  for (Carrying& candidate : candidates) {
    run.carrying = candidate;
    const VectorXd carried = variances_of(paths, run, sample);
    double sum = 0.0;
    for (std::size_t p = 0; p < active.size(); ++p) {
      if (!candidate.by_divergence[p]) continue;
      const auto row = static_cast<Index>(p);
      candidate.by_divergence[p] = carried[row] < told[row];
      if (candidate.by_divergence[p]) sum += std::log(carried[row] / told[row]);
    }
    if (!(sum < least)) continue;
    least = sum;
    best = candidate;
  }
  return best;
}

}  // namespace divker::fit
