#include "fit/hidden/particles.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "divker/random.hpp"

namespace divker::fit {
namespace {

using Eigen::Index;

constexpr double minus_infinity = -std::numeric_limits<double>::infinity();

double log_mean_exp(const std::vector<double>& x) {
  const double largest = *std::ranges::max_element(x);
  if (!(largest > minus_infinity)) return minus_infinity;
  double total = 0.0;
  for (const double value : x) total += std::exp(value - largest);
  return largest + std::log(total / static_cast<double>(x.size()));
}

// (sum w)^2 / sum w^2.
double effective_number(const std::vector<double>& log_weights) {
  const double largest = *std::ranges::max_element(log_weights);
  if (!(largest > minus_infinity)) return 0.0;
  double total = 0.0, squares = 0.0;
  for (const double value : log_weights) {
    const double w = std::exp(value - largest);
    total += w;
    squares += w * w;
  }
  return total * total / squares;
}

// Systematic resampling: G. Kitagawa, J. Comp. Graph. Stat. 5 (1996) 1.
std::vector<std::uint32_t> chosen(const std::vector<double>& log_weights, double uniform) {
  const std::size_t count = log_weights.size();
  const double whole = log_mean_exp(log_weights);
  std::vector<std::uint32_t> result(count);
  double reached = 0.0;
  std::size_t at = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const double level = static_cast<double>(i) + uniform;
    while (at + 1 < count && reached + std::exp(log_weights[at] - whole) <= level) {
      reached += std::exp(log_weights[at] - whole);
      ++at;
    }
    result[i] = static_cast<std::uint32_t>(at);
  }
  return result;
}

class Walk {
 public:
  Walk(const GuidedKernels& kernels, const GuidedKernels::Bound& bound, const SeenRecord& record,
       const Guide& guide, const ParticleRun& run, Choices& choices)
      : kernels_(kernels),
        bound_(bound),
        record_(record),
        guide_(guide),
        run_(run),
        choices_(choices),
        states_(kernels.states()),
        lanes_(kernels.lanes()),
        vectors_(run.paths / kernels.lanes()),
        weights_(run.paths, 0.0) {
    x_.resize(run.paths * states_);
    next_.resize(run.paths * states_);
    weight_.resize(run.paths);
    ahead_.resize(run.paths);
    noise_.resize(run.paths * kernels.noises() * together);
    scratch_.resize(kernels.scratch_size());
  }

  ParticleLikelihood go() {
    ParticleLikelihood result{Eigen::VectorXd(record_.time.size()), 0.0};
    const bool notes = choices_.rows.empty();
    if (notes) choices_.rows.resize(guide_.legs.size());
    start();
    measure(0);
    result.up_to[0] = log_mean_exp(weights_);
    for (std::size_t leg = 0; leg < guide_.legs.size(); ++leg) {
      if (notes) choose(leg);
      take_on(choices_.rows[leg]);
      walk(leg);
      measure(leg + 1);
      result.up_to[static_cast<Index>(leg + 1)] = log_mean_exp(weights_);
    }
    result.smallest_sample = std::min(smallest_sample_, effective_number(weights_));
    return result;
  }

 private:
  static constexpr std::size_t together = 16;  // whole groups of random numbers

  [[nodiscard]] std::size_t place(std::size_t path, std::size_t i) const {
    return (path / lanes_ * states_ + i) * lanes_ + path % lanes_;
  }
  [[nodiscard]] std::uint64_t first_path() const { return run_.record * run_.paths; }

  void start() {
    const NormalSource source(run_.seed, Stream::start);
    const auto m = static_cast<Index>(states_);
    Eigen::VectorXd normals(m);
    for (std::size_t p = 0; p < run_.paths; ++p) {
      for (std::size_t i = 0; i < states_; ++i) {
        normals[static_cast<Index>(i)] = source.normal(first_path() + p, 0, i, states_);
      }
      const Eigen::VectorXd point = guide_.start + guide_.start_root * normals;
      double log_density = guide_.start_log_density;
      for (std::size_t i = 0; i < states_; ++i) {
        x_.data()[place(p, i)] = point[static_cast<Index>(i)];
        if (guide_.start_is_open[i]) {
          log_density -= 0.5 * normals[static_cast<Index>(i)] * normals[static_cast<Index>(i)];
        }
      }
      weights_[p] = -log_density;
    }
    bound_.start({x_.data(), nullptr}, {next_.data()}, vectors_, scratch_);
    for (std::size_t p = 0; p < run_.paths; ++p) {
      for (std::size_t i = 0; i < states_; ++i) {
        if (guide_.start_is_open[i]) weights_[p] += next_.data()[place(p, i)];
      }
    }
    forget_failures();
  }

  // The density of what is measured with noise.
  void measure(std::size_t row) {
    if (kernels_.observations() == 0) return;
    const std::vector<double> seen = record_.seen_at(row);
    const std::vector<double> clock = kernels_.clock(record_.time[static_cast<Index>(row)], 0.0);
    std::fill_n(weight_.data(), run_.paths, 0.0);
    bound_.density({x_.data(), clock.data(), seen.data(), nullptr}, {weight_.data()}, vectors_,
                   scratch_);
    add_weight(0.0);
  }

  // By the weight that paths have with what lies ahead.
  void choose(std::size_t leg) {
    constexpr double enough = 0.5;
    const GuidedLeg& to = guide_.legs[leg];
    const std::vector<double> clock = kernels_.clock(to.time, to.dt);
    bound_.lookahead({x_.data(), clock.data(), to.numbers.data(), nullptr}, {ahead_.data()},
                     vectors_, scratch_);
    std::vector<double> hopes(run_.paths);
    for (std::size_t p = 0; p < run_.paths; ++p) {
      hopes[p] = weights_[p] + ahead_.data()[p];
      if (!std::isfinite(hopes[p])) hopes[p] = minus_infinity;
    }
    const double mean = log_mean_exp(hopes);
    if (!(mean > minus_infinity)) return;
    smallest_sample_ = std::min(smallest_sample_, effective_number(hopes));
    if (effective_number(hopes) >= enough * static_cast<double>(run_.paths)) return;
    const NormalSource source(run_.seed, Stream::pick);
    Choices::AtRow& row = choices_.rows[leg];
    row.ancestors = chosen(hopes, source.uniform(run_.record, leg));
    row.less.resize(run_.paths);
    for (std::size_t p = 0; p < run_.paths; ++p) row.less[p] = hopes[row.ancestors[p]] - mean;
  }

  void take_on(const Choices::AtRow& row) {
    if (row.ancestors.empty()) return;
    std::vector<double> weights(run_.paths);
    for (std::size_t p = 0; p < run_.paths; ++p) {
      const std::size_t from = row.ancestors[p];
      weights[p] = weights_[from] - row.less[p];
      for (std::size_t i = 0; i < states_; ++i)
        next_.data()[place(p, i)] = x_.data()[place(from, i)];
    }
    weights_ = std::move(weights);
    std::swap(x_, next_);
  }

  void walk(std::size_t leg) {
    const GuidedLeg& to = guide_.legs[leg];
    const NormalSource source(run_.seed);
    const std::size_t size = kernels_.shape().size();
    const std::size_t padded = (most_steps(guide_) + together - 1) / together * together;
    std::fill_n(weight_.data(), run_.paths, 0.0);
    for (std::size_t k = 0; k < to.steps; ++k) {
      const std::size_t within = k % together;
      if (within == 0) {
        source.fill(first_path(), leg * padded + k, together, vectors_, kernels_.noises(), lanes_,
                    noise_.data());
      }
      const double* noise = noise_.data() + within * run_.paths * kernels_.noises();
      const std::vector<double> clock =
          kernels_.clock(to.time + static_cast<double>(k) * to.dt, to.dt);
      const BoundKernel& step = k + 1 == to.steps ? bound_.arrival : bound_.step;
      step({x_.data(), noise, clock.data(), to.numbers.data() + k * size, nullptr},
           {next_.data(), weight_.data()}, vectors_, scratch_);
      std::swap(x_, next_);
    }
    add_weight(-0.5 * static_cast<double>(to.seen) * std::log(2.0 * std::numbers::pi));
  }

  static std::size_t most_steps(const Guide& guide) {
    std::size_t most = 0;
    for (const GuidedLeg& leg : guide.legs) most = std::max(most, leg.steps);
    return most;
  }

  void add_weight(double constant) {
    for (std::size_t p = 0; p < run_.paths; ++p) weights_[p] += weight_.data()[p] + constant;
    forget_failures();
  }

  // A path that failed has no weight any more, wherever it goes.
  void forget_failures() {
    for (double& w : weights_) {
      if (!std::isfinite(w)) w = minus_infinity;
    }
  }

  const GuidedKernels& kernels_;
  const GuidedKernels::Bound& bound_;
  const SeenRecord& record_;
  const Guide& guide_;
  ParticleRun run_;
  Choices& choices_;
  std::size_t states_, lanes_, vectors_;
  std::vector<double> weights_;
  double smallest_sample_ = std::numeric_limits<double>::infinity();
  numbers::AlignedArray x_, next_, weight_, ahead_, noise_, scratch_;
};

}  // namespace

ParticleLikelihood follow_guide(const GuidedKernels& kernels, const GuidedKernels::Bound& bound,
                                const SeenRecord& record, const Guide& guide,
                                const ParticleRun& run, Choices& choices) {
  return Walk(kernels, bound, record, guide, run, choices).go();
}

}  // namespace divker::fit
