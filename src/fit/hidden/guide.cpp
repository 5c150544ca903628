#include "fit/hidden/guide.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace divker::fit {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

namespace {

const double log_two_pi = std::log(2.0 * std::numbers::pi);

std::size_t lane_place(std::size_t point, std::size_t component, std::size_t width,
                       std::size_t lanes) {
  return (point / lanes * width + component) * lanes + point % lanes;
}

// sum_ij of A_ai Sigma_ij A_bj, for the pairs a <= b of rows, is T Sigma with one number of T for
// each pair i <= j of states: the sums of T over the gains A of all steps after each, and of all.
void sum_spreads(const std::vector<MatrixXd>& gains, std::vector<std::vector<double>>& rests,
                 std::vector<double>& whole) {
  const Index rows = gains.front().rows();
  const Index states = gains.front().cols();
  whole.assign(static_cast<std::size_t>(rows * (rows + 1) / 2 * states * (states + 1) / 2), 0.0);
  rests.resize(gains.size());
  for (std::size_t k = gains.size(); k-- > 0;) {
    rests[k] = whole;
    const MatrixXd& gain = gains[k];
    std::size_t place = 0;
    for (Index b = 0; b < rows; ++b) {
      for (Index a = 0; a <= b; ++a) {
        for (Index j = 0; j < states; ++j) {
          for (Index i = 0; i <= j; ++i) {
            whole[place++] += gain(a, i) * gain(b, j) + (i != j ? gain(a, j) * gain(b, i) : 0.0);
          }
        }
      }
    }
  }
}

// U with U^T U = A for a symmetric matrix that may be singular, row by row; rows of zeros where
// nothing is left.
MatrixXd upper_root(const MatrixXd& a) {
  constexpr double negligible = 1e-10;
  const Index n = a.rows();
  MatrixXd u = MatrixXd::Zero(n, n);
  for (Index k = 0; k < n; ++k) {
    double pivot = a(k, k);
    for (Index l = 0; l < k; ++l) pivot -= u(l, k) * u(l, k);
    if (!(pivot > negligible * std::max(a(k, k), 1e-300))) continue;
    u(k, k) = std::sqrt(pivot);
    for (Index j = k + 1; j < n; ++j) {
      double entry = a(k, j);
      for (Index l = 0; l < k; ++l) entry -= u(l, k) * u(l, j);
      u(k, j) = entry / u(k, k);
    }
  }
  return u;
}

}  // namespace

// -1/2 x^T Omega x + nu^T x.
struct Guides::Quadratic {
  MatrixXd omega;
  VectorXd nu;
};

// States that change the size of the noise of a leg do so by their mean over it, half of which is
// where they are at its end.
constexpr double share_of_end = 0.5;

// What is aimed at at the end of a leg: C x = value + noise.
struct Guides::Target {
  MatrixXd gain;  // C
  VectorXd value;
  VectorXd noise;  // its variances
};

// The path without noise from one point to the next row, and small deviations from it.
struct Guides::Companion {
  std::vector<MatrixXd> after;  // Phi from the end of step k on
  std::vector<VectorXd> after_offset;
  LinearLeg leg;
  MatrixXd first;                // the Jacobian of the first step
  MatrixXd covariance;           // dt S S^T at the beginning
  std::vector<MatrixXd> slopes;  // of that, by each state
  double dt = 0.0;
};

namespace {

// What an array holds of one path, row after row.
MatrixXd matrix_of(const numbers::AlignedArray& array, std::size_t path, std::size_t rows,
                   std::size_t columns, std::size_t lanes) {
  MatrixXd result(static_cast<Index>(rows), static_cast<Index>(columns));
  for (std::size_t i = 0; i < rows; ++i) {
    for (std::size_t k = 0; k < columns; ++k) {
      result(static_cast<Index>(i), static_cast<Index>(k)) =
          array.data()[lane_place(path, i * columns + k, rows * columns, lanes)];
    }
  }
  return result;
}

}  // namespace

Guides::Companion Guides::companion(const GuidedKernels::Bound& bound, const VectorXd& from,
                                    std::size_t leg, bool with_slopes) const {
  const std::size_t m = kernels_.states();
  const std::size_t lanes = kernels_.lanes();
  const std::size_t noises = kernels_.noises() - kernels_.shape().rows;
  const auto dimension = static_cast<Index>(m);
  const std::size_t steps = record_.substeps[leg];
  const auto row = static_cast<Index>(leg);
  Companion result;
  result.dt = (record_.time[row + 1] - record_.time[row]) / static_cast<double>(steps);
  const std::size_t points = with_slopes ? m + 1 : 1;
  const std::size_t vectors = (points + lanes - 1) / lanes;
  numbers::AlignedArray x, next, jacobian, amplitude, scratch;
  x.resize(vectors * lanes * m);
  next.resize(vectors * lanes * m);
  jacobian.resize(vectors * lanes * m * m);
  amplitude.resize(vectors * lanes * m * noises);
  scratch.resize(kernels_.scratch_size());
  std::vector<double> shifts(points, 0.0);
  for (std::size_t p = 0; p < vectors * lanes; ++p) {
    for (std::size_t i = 0; i < m; ++i) {
      double value = from[static_cast<Index>(i)];
      if (p == i + 1 && p < points) {
        shifts[p] = 1e-5 * std::max(1.0, std::fabs(value));
        value += shifts[p];
      }
      x.data()[lane_place(p, i, m, lanes)] = value;
    }
  }
  const auto covariance_of = [&](std::size_t p) {
    const MatrixXd s = matrix_of(amplitude, p, m, noises, lanes);
    return MatrixXd(s * s.transpose());
  };
  std::vector<MatrixXd> jacobians, covariances;
  std::vector<VectorXd> offsets;
  for (std::size_t k = 0; k < steps; ++k) {
    const std::vector<double> clock =
        kernels_.clock(record_.time[row] + static_cast<double>(k) * result.dt, result.dt);
    bound.companion({x.data(), clock.data(), nullptr, &result.dt},
                    {next.data(), jacobian.data(), amplitude.data()}, k == 0 ? vectors : 1,
                    scratch);
    const MatrixXd j = matrix_of(jacobian, 0, m, m, lanes);
    const VectorXd here = matrix_of(x, 0, m, 1, lanes);
    const VectorXd there = matrix_of(next, 0, m, 1, lanes);
    covariances.push_back(covariance_of(0));
    for (std::size_t p = 1; k == 0 && p < points; ++p) {
      result.slopes.emplace_back((covariance_of(p) - covariances.front()) / shifts[p]);
    }
    jacobians.push_back(j);
    offsets.emplace_back(there - j * here);
    std::swap(x, next);
  }
  result.first = jacobians.front();
  result.covariance = covariances.front();
  result.after.resize(steps);
  result.after_offset.resize(steps);
  MatrixXd flow = MatrixXd::Identity(dimension, dimension);
  VectorXd offset = VectorXd::Zero(dimension);
  result.leg.covariance = MatrixXd::Zero(dimension, dimension);
  for (std::size_t k = steps; k-- > 0;) {
    result.after[k] = flow;
    result.after_offset[k] = offset;
    result.leg.covariance += flow * covariances[k] * flow.transpose();
    offset += flow * offsets[k];
    flow = flow * jacobians[k];
  }
  result.leg.flow = flow;
  result.leg.offset = offset;
  return result;
}

void Guides::prior(const GuidedKernels::Bound& bound, VectorXd& mean, VectorXd& deviation) const {
  const std::size_t m = kernels_.states();
  const std::size_t lanes = kernels_.lanes();
  numbers::AlignedArray x, moments, scratch;
  x.resize(lanes * m);
  moments.resize(lanes * 2 * m);
  scratch.resize(kernels_.scratch_size());
  bound.moments({x.data(), nullptr}, {moments.data()}, 1, scratch);
  mean.resize(static_cast<Index>(m));
  deviation.resize(static_cast<Index>(m));
  for (std::size_t i = 0; i < m; ++i) {
    const double at = moments.data()[lane_place(0, i, 2 * m, lanes)];
    const double spread = moments.data()[lane_place(0, m + i, 2 * m, lanes)];
    const auto place = static_cast<Index>(i);
    const double seen = record_.exact(place, 0);
    const bool is_seen = !std::isnan(seen);
    mean[place] = is_seen ? seen : kernels_.coordinates().at_state(i, at);
    deviation[place] = is_seen ? 0.0 : spread * std::exp(kernels_.coordinates().log_stretch(i, at));
  }
}

void Guides::add_noisy(const GuidedKernels::Bound& bound, std::size_t row, const VectorXd& at,
                       Quadratic& quadratic) const {
  const std::size_t count = kernels_.observations();
  const std::size_t m = kernels_.states();
  const std::size_t lanes = kernels_.lanes();
  if (count == 0) return;
  numbers::AlignedArray x, value, deviation, slope, log_slope, scratch;
  x.resize(lanes * m);
  value.resize(lanes * count);
  deviation.resize(lanes * count);
  slope.resize(lanes * count * m);
  log_slope.resize(lanes * count * m);
  scratch.resize(kernels_.scratch_size());
  for (std::size_t p = 0; p < lanes; ++p) {
    for (std::size_t i = 0; i < m; ++i) {
      x.data()[lane_place(p, i, m, lanes)] = at[static_cast<Index>(i)];
    }
  }
  const std::vector<double> clock = kernels_.clock(record_.time[static_cast<Index>(row)], 0.0);
  bound.slopes({x.data(), clock.data(), nullptr},
               {value.data(), deviation.data(), slope.data(), log_slope.data()}, 1, scratch);
  for (std::size_t j = 0; j < count; ++j) {
    const double seen = record_.noisy(static_cast<Index>(j), static_cast<Index>(row));
    if (std::isnan(seen)) continue;
    VectorXd c(at.size()), d(at.size());
    for (std::size_t i = 0; i < m; ++i) {
      c[static_cast<Index>(i)] = slope.data()[lane_place(0, j * m + i, count * m, lanes)];
      d[static_cast<Index>(i)] = log_slope.data()[lane_place(0, j * m + i, count * m, lanes)];
    }
    const double sd = deviation.data()[lane_place(0, j, count, lanes)];
    const double r = (seen - value.data()[lane_place(0, j, count, lanes)]) / sd;
    const MatrixXd curvature = c * c.transpose() / (sd * sd) + 2.0 * d * d.transpose();
    quadratic.omega += curvature;
    quadratic.nu += curvature * at + c * (r / sd) + d * (r * r - 1.0);
  }
}

Guides::Filtered Guides::filter(const GuidedKernels::Bound& bound) const {
  const auto m = static_cast<Index>(kernels_.states());
  const auto rows = static_cast<Index>(record_.rows());
  Filtered result{MatrixXd(m, rows), VectorXd::Zero(rows)};
  VectorXd mean, deviation;
  prior(bound, mean, deviation);
  MatrixXd covariance = deviation.array().square().matrix().asDiagonal();
  for (Index r = 0; r < rows; ++r) {
    if (r > 0) {
      const Companion to = companion(bound, mean, static_cast<std::size_t>(r - 1), false);
      mean = to.leg.flow * mean + to.leg.offset;
      covariance = to.leg.flow * covariance * to.leg.flow.transpose() + to.leg.covariance;
      for (Index i = 0; i < m; ++i) {
        if (std::isnan(record_.exact(i, r))) continue;
        const double variance = covariance(i, i);
        const double error = record_.exact(i, r) - mean[i];
        result.log_likelihood[r] -=
            0.5 * (error * error / variance + std::log(variance) + log_two_pi);
        const VectorXd gain = covariance.col(i) / variance;
        mean += gain * error;
        covariance -= gain * covariance.row(i).eval();
      }
    }
    Quadratic seen{MatrixXd::Zero(m, m), VectorXd::Zero(m)};
    add_noisy(bound, static_cast<std::size_t>(r), mean, seen);
    // log of the mean of the quadratic under N(mean, covariance), by its own value at the mean
    // where the normal law of the measurement is linear in the state.
    const MatrixXd mixed = MatrixXd::Identity(m, m) + covariance * seen.omega;
    const VectorXd score = seen.nu - seen.omega * mean;
    const Eigen::PartialPivLU<MatrixXd> lu(mixed);
    const MatrixXd after = lu.solve(covariance);
    result.log_likelihood[r] += 0.5 * score.dot(after * score) -
                                0.5 * std::log(std::fabs(lu.determinant())) +
                                density_at(bound, static_cast<std::size_t>(r), mean);
    mean += after * score;
    covariance = 0.5 * (after + after.transpose());
    result.means.col(r) = mean;
  }
  return result;
}

double Guides::density_at(const GuidedKernels::Bound& bound, std::size_t row,
                          const VectorXd& at) const {
  const std::size_t m = kernels_.states();
  const std::size_t lanes = kernels_.lanes();
  if (kernels_.observations() == 0) return 0.0;
  numbers::AlignedArray x, weight, scratch;
  x.resize(lanes * m);
  weight.resize(lanes);
  scratch.resize(kernels_.scratch_size());
  for (std::size_t p = 0; p < lanes; ++p) {
    for (std::size_t i = 0; i < m; ++i) {
      x.data()[lane_place(p, i, m, lanes)] = at[static_cast<Index>(i)];
    }
  }
  const std::vector<double> clock = kernels_.clock(record_.time[static_cast<Index>(row)], 0.0);
  const std::vector<double> seen = record_.seen_at(row);
  bound.density({x.data(), clock.data(), seen.data(), nullptr}, {weight.data()}, 1, scratch);
  return weight.data()[0];
}

// The normal law of the start given all rows, from that of the initial law and what lies ahead.
void Guides::begin(const GuidedKernels::Bound& bound, const MatrixXd& omega, const VectorXd& nu,
                   Guide& guide) const {
  const auto m = static_cast<Index>(kernels_.states());
  VectorXd mean, deviation;
  prior(bound, mean, deviation);
  std::vector<Index> open;
  for (Index i = 0; i < m; ++i) {
    guide.start_is_open.push_back(deviation[i] > 0.0);
    if (deviation[i] > 0.0) open.push_back(i);
  }
  guide.start = mean;
  guide.start_root = MatrixXd::Zero(m, m);
  guide.start_log_density = 0.0;
  if (open.empty()) return;
  const auto count = static_cast<Index>(open.size());
  MatrixXd precision = omega(open, open);
  VectorXd score = nu(open);
  for (Index k = 0; k < count; ++k) {
    const double of_prior = 1.0 / (deviation[open[static_cast<std::size_t>(k)]] *
                                   deviation[open[static_cast<std::size_t>(k)]]);
    precision(k, k) += of_prior;
    score[k] += of_prior * mean[open[static_cast<std::size_t>(k)]];
    for (Index i = 0; i < m; ++i) {
      if (!guide.start_is_open[static_cast<std::size_t>(i)]) {
        score[k] -= omega(open[static_cast<std::size_t>(k)], i) * mean[i];
      }
    }
  }
  const Eigen::LLT<MatrixXd> root(precision);
  const VectorXd found = root.solve(score);
  const MatrixXd upper = root.matrixU();
  const MatrixXd spread = upper.inverse();
  for (Index k = 0; k < count; ++k) {
    guide.start[open[static_cast<std::size_t>(k)]] = found[k];
    for (Index l = 0; l < count; ++l) {
      guide.start_root(open[static_cast<std::size_t>(k)], open[static_cast<std::size_t>(l)]) =
          spread(k, l);
    }
    guide.start_log_density += std::log(upper(k, k)) - 0.5 * log_two_pi;
  }
}

double Guides::relaxation_rate(const GuidedKernels::Bound& bound, const MatrixXd& reference) const {
  std::vector<double> rates;
  for (std::size_t leg = 0; leg < record_.substeps.size(); ++leg) {
    const auto r = static_cast<Index>(leg);
    const Companion to = companion(bound, reference.col(r), leg, false);
    const MatrixXd change = to.first - MatrixXd::Identity(to.first.rows(), to.first.cols());
    const double rate = change.operatorNorm() / to.dt;
    if (std::isfinite(rate)) rates.push_back(rate);
  }
  if (rates.empty()) return 0.0;
  const auto middle = rates.begin() + static_cast<std::ptrdiff_t>(rates.size() / 2);
  std::ranges::nth_element(rates, middle);
  return *middle;
}

// What the size of the errors of states that are seen at the end of a leg tells of the states
// there.
void Guides::add_size_of_noise(const Companion& to, const MatrixXd& gain, const VectorXd& value,
                               const VectorXd& from, const VectorXd& at, Quadratic& ahead) {
  std::vector<Index> seen;
  for (Index a = 0; a < gain.rows(); ++a) {
    if (!gain.row(a).isZero(0.0)) seen.push_back(a);
  }
  const bool changes =
      std::ranges::any_of(to.slopes, [](const MatrixXd& slope) { return !slope.isZero(0.0); });
  if (seen.empty() || !changes) return;
  const MatrixXd rows = gain(seen, Eigen::all);
  const auto spread_of = [&](const MatrixXd& covariance) {
    MatrixXd v = MatrixXd::Zero(rows.rows(), rows.rows());
    for (const MatrixXd& after : to.after) {
      v += rows * after * covariance * after.transpose() * rows.transpose();
    }
    return v;
  };
  const Eigen::LDLT<MatrixXd> inverse(spread_of(to.covariance));
  const VectorXd residual = value(seen) - rows * (to.leg.flow * from + to.leg.offset);
  const VectorXd pull = inverse.solve(residual);
  std::vector<MatrixXd> relative;
  VectorXd score(from.size());
  for (Index i = 0; i < from.size(); ++i) {
    relative.emplace_back(inverse.solve(spread_of(to.slopes[static_cast<std::size_t>(i)])));
    score[i] =
        0.5 * share_of_end * (residual.dot(relative.back() * pull) - relative.back().trace());
  }
  MatrixXd omega(from.size(), from.size());
  for (Index i = 0; i < from.size(); ++i) {
    for (Index j = 0; j < from.size(); ++j) {
      omega(i, j) =
          0.5 * share_of_end * share_of_end *
          (relative[static_cast<std::size_t>(i)] * relative[static_cast<std::size_t>(j)]).trace();
    }
  }
  ahead.omega += omega;
  ahead.nu += omega * at + score;
}

// What is seen at the end of a leg, and what the rows behind it say of the state there.
Guides::Target Guides::target_of(std::size_t row, const MatrixXd& reference, const Companion& to,
                                 Quadratic& ahead, GuidedLeg& leg) const {
  const auto m = static_cast<Index>(kernels_.states());
  const std::vector<std::size_t>& exact = kernels_.exact();
  const auto held = static_cast<Index>(exact.size());
  const auto q = static_cast<Index>(kernels_.shape().rows);
  const auto r = static_cast<Index>(row);
  Target target{MatrixXd::Zero(q, m), VectorXd::Zero(q), VectorXd::Ones(q)};
  for (Index e = 0; e < held; ++e) {
    const auto state = static_cast<Index>(exact[static_cast<std::size_t>(e)]);
    const double seen = record_.exact(state, r);
    if (std::isnan(seen)) continue;
    target.gain(e, state) = 1.0;
    target.value[e] = seen;
    target.noise[e] = 0.0;
    ++leg.seen;
  }
  add_size_of_noise(to, target.gain.topRows(held), target.value.head(held), reference.col(r - 1),
                    reference.col(r), ahead);
  const MatrixXd root = upper_root(ahead.omega);
  target.gain.bottomRows(m) = root;
  // root^T value = nu, where the root has rows.
  VectorXd left = ahead.nu;
  for (Index k = 0; k < m; ++k) {
    if (root(k, k) == 0.0) continue;
    target.value[held + k] = left[k] / root(k, k);
    left -= root.row(k).transpose() * target.value[held + k];
  }
  return target;
}

// The numbers of each step of a leg. Returns the sums of spreads over all of it.
std::vector<double> Guides::write(const Companion& to, const Target& target, GuidedLeg& leg) const {
  const Index q = target.gain.rows();
  leg.dt = to.dt;
  leg.steps = to.after.size();
  leg.numbers.reserve(leg.steps * kernels_.shape().size());
  std::vector<std::vector<double>> rests;
  std::vector<double> whole;
  std::vector<MatrixXd> gains;
  gains.reserve(leg.steps);
  for (std::size_t k = 0; k < leg.steps; ++k) gains.emplace_back(target.gain * to.after[k]);
  sum_spreads(gains, rests, whole);
  for (std::size_t k = 0; k < leg.steps; ++k) {
    leg.numbers.push_back(to.dt);
    for (Index a = 0; a < q; ++a) {
      for (Index i = 0; i < gains[k].cols(); ++i) leg.numbers.push_back(gains[k](a, i));
    }
    const VectorXd aim = target.value - target.gain * to.after_offset[k];
    leg.numbers.insert(leg.numbers.end(), aim.data(), aim.data() + q);
    leg.numbers.insert(leg.numbers.end(), target.noise.data(), target.noise.data() + q);
    leg.numbers.insert(leg.numbers.end(), rests[k].begin(), rests[k].end());
  }
  return whole;
}

// The logarithm of N(target; C (Phi x + offset), V(x)), expanded at the reference.
void Guides::expand(const Companion& to, const Target& target, const std::vector<double>& whole,
                    const VectorXd& from, Quadratic& ahead) {
  const Index q = target.gain.rows();
  const Index m = target.gain.cols();
  const auto spread_of = [&](const MatrixXd& covariance) {
    MatrixXd v = MatrixXd::Zero(q, q);
    std::size_t place = 0;
    for (Index b = 0; b < q; ++b) {
      for (Index a = 0; a <= b; ++a) {
        for (Index j = 0; j < m; ++j) {
          for (Index i = 0; i <= j; ++i) v(a, b) += whole[place++] * covariance(i, j);
        }
        v(b, a) = v(a, b);
      }
    }
    return v;
  };
  MatrixXd v = spread_of(to.covariance);
  v.diagonal() += target.noise;
  const Eigen::LDLT<MatrixXd> inverse(v);
  const MatrixXd gain = target.gain * to.leg.flow;
  const VectorXd residual = target.value - target.gain * (to.leg.flow * from + to.leg.offset);
  const VectorXd pull = inverse.solve(residual);
  ahead.omega = gain.transpose() * inverse.solve(gain);
  VectorXd score = gain.transpose() * pull;
  std::vector<MatrixXd> relative;
  for (Index i = 0; i < m; ++i) {
    const MatrixXd slope = (1.0 - share_of_end) * to.slopes[static_cast<std::size_t>(i)];
    relative.emplace_back(inverse.solve(spread_of(slope)));
    score[i] += 0.5 * (residual.dot(relative.back() * pull) - relative.back().trace());
  }
  for (Index i = 0; i < m; ++i) {
    for (Index j = 0; j < m; ++j) {
      ahead.omega(i, j) +=
          0.5 *
          (relative[static_cast<std::size_t>(i)] * relative[static_cast<std::size_t>(j)]).trace();
    }
  }
  ahead.omega = (0.5 * (ahead.omega + ahead.omega.transpose())).eval();
  ahead.nu = ahead.omega * from + score;
}

// Where paths lead in the mean, from the first row on.
MatrixXd Guides::means_of(const std::vector<LinearLeg>& legs, const std::vector<Target>& targets,
                          const VectorXd& start) {
  MatrixXd means(start.size(), static_cast<Index>(legs.size()) + 1);
  means.col(0) = start;
  for (std::size_t row = 0; row < legs.size(); ++row) {
    const auto r = static_cast<Index>(row);
    const Target& target = targets[row];
    const VectorXd mean = legs[row].flow * means.col(r) + legs[row].offset;
    const MatrixXd spread = legs[row].covariance * target.gain.transpose();
    MatrixXd v = target.gain * spread;
    v.diagonal() += target.noise;
    means.col(r + 1) = mean + spread * v.ldlt().solve(target.value - target.gain * mean);
  }
  return means;
}

Guide Guides::at(const GuidedKernels::Bound& bound, const MatrixXd& reference,
                 MatrixXd* smoothed) const {
  const auto m = static_cast<Index>(kernels_.states());
  const std::size_t legs = record_.substeps.size();
  Guide guide;
  guide.legs.resize(legs);
  std::vector<LinearLeg> linear(legs);
  std::vector<Target> targets(legs);
  Quadratic ahead{MatrixXd::Zero(m, m), VectorXd::Zero(m)};
  for (std::size_t row = legs; row > 0; --row) {
    const auto r = static_cast<Index>(row);
    add_noisy(bound, row, reference.col(r), ahead);
    const VectorXd from = reference.col(r - 1);
    const Companion to = companion(bound, from, row - 1, true);
    GuidedLeg& leg = guide.legs[row - 1];
    leg.time = record_.time[r - 1];
    targets[row - 1] = target_of(row, reference, to, ahead, leg);
    expand(to, targets[row - 1], write(to, targets[row - 1], leg), from, ahead);
    linear[row - 1] = to.leg;
  }
  add_noisy(bound, 0, reference.col(0), ahead);
  begin(bound, ahead.omega, ahead.nu, guide);
  if (smoothed != nullptr) *smoothed = means_of(linear, targets, guide.start);
  return guide;
}

}  // namespace divker::fit
