#include "fit/series/transition_paths.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <utility>

#include "divker/damping.hpp"
#include "divker/exact_step.hpp"
#include "divker/random.hpp"
#include "divker/step.hpp"
#include "numbers/inverse.hpp"

namespace divker::fit {
namespace {

using Eigen::Index;
using RowMajorMatrixMap =
    Eigen::Map<const Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>>;

Program without_state(Program program) {
  std::erase_if(program.results, [](const Result& result) { return result.name == state_array; });
  return program;
}

Asked likelihoods(const LegRules& rules, const std::vector<std::size_t>& wrt) {
  Asked asked = Asked::likelihood_ratios_of(wrt);
  asked.beyond_boundaries = rules.beyond_boundaries;
  return asked;
}

Asked states_of(const LegRules& rules) {
  Asked asked = Asked::states();
  asked.beyond_boundaries = rules.beyond_boundaries;
  return asked;
}

// A = S S^T P^{-1} and the like: given path by path.
Method method_with_matrix(std::size_t dimension) {
  Method method;
  method.scheme = Scheme::exact;
  method.damping = matrix_damping({0.0}, {Matrix(dimension, dimension)});
  return method;
}

std::vector<std::size_t> parameters_of_noise(const Model& model,
                                             const std::vector<std::size_t>& active) {
  std::vector<NodeId> roots;
  for (const NoiseEntry& entry : model.noise()) roots.push_back(entry.amplitude);
  const std::vector<NodeId> known = reachable(*model.graph(), roots);
  std::vector<std::size_t> found;
  for (const std::size_t p : active) {
    if (std::ranges::binary_search(known, model.parameters()[p].node)) found.push_back(p);
  }
  return found;
}

bool divergence_is_possible(const Model& model, const LegRules& rules) {
  constexpr std::size_t most_inverted = 8;  // beyond, inverses cost more than they save in variance
  return !rules.beyond_boundaries && model.dimension() <= most_inverted && !kink_of(model);
}

}  // namespace

TransitionPaths::TransitionPaths(const Model& model, const LegRules& rules,
                                 const std::vector<std::size_t>& active)
    : rules_(rules),
      active_(active),
      dimension_(model.dimension()),
      noise_count_(model.noise_count()),
      clock_(model),
      coarse_clock_(model, "coarse "),
      companion_(model, rules),
      likelihood_(derive_noise_step(model, likelihoods(rules, active), false),
                  {{response_array, "L"}}),
      coarse_(derive_noise_step(model, states_of(rules), false),
              {{state_array, "coarse x"}, {"t", "coarse t"}, {"dt", "coarse dt"}}) {
  if (divergence_is_possible(model, rules)) of_noise_ = parameters_of_noise(model, active);
  if (!of_noise_.empty()) divergence_ = divergence_of(model, rules, of_noise_);
}

std::optional<TransitionPaths::Divergence> TransitionPaths::divergence_of(
    const Model& model, const LegRules& rules, const std::vector<std::size_t>& wrt) {
  constexpr std::size_t chunk_of_jacobian = 100;
  Asked asked = Asked::responses_to(wrt);
  asked.beyond_boundaries = rules.beyond_boundaries;
  JacobianProgram jacobian = derive_step_jacobian(model);
  return Divergence{
      PathProgram(std::move(jacobian.program), {}, chunk_of_jacobian), jacobian.places,
      PathProgram(
          without_state(derive_exact_step(model, method_with_matrix(model.dimension()), asked))),
      PathProgram(without_state(derive_noise_step(model, asked, false)))};
}

// The march of some transitions.
struct TransitionPaths::Walk {
  Walk(const TransitionPaths& owner_, const Run& run_, const Legs& legs_, std::size_t begin_,
       std::size_t end_)
      : owner(owner_),
        run(run_),
        legs(legs_),
        begin(begin_),
        count(end_ - begin_),
        steps(legs_.substeps[begin_]),
        columns(count * run_.paths),
        block(columns, owner_.likelihood_.kernel().lanes()),
        companion(owner_.companion_.follow(run_.parameters, legs_, begin_, end_)),
        deviation(Eigen::MatrixXd::Zero(dimension(), static_cast<Index>(columns))),
        covariance(count, Eigen::MatrixXd::Zero(dimension(), dimension())) {
    const std::size_t wide = owner.noise_count_;
    const std::size_t batch = batch_steps(wide);
    const std::size_t filled = (steps + batch - 1) / batch * batch;
    noise.resize(block.paths() * wide * filled);
    coarse_noise.resize(block.paths() * wide);
    NormalSource(run.seed).fill(begin * run.paths, 0, filled, block.vectors(), wide, block.lanes(),
                                noise.data());
  }

  [[nodiscard]] Index dimension() const { return static_cast<Index>(owner.dimension_); }
  [[nodiscard]] const double* noise_of(std::size_t n) const {
    return noise.data() + n * block.paths() * owner.noise_count_;
  }
  [[nodiscard]] std::size_t transition_of(std::size_t path) const {
    return std::min(path / run.paths, count - 1);
  }

  void begin_paths() {
    const std::size_t width = owner.dimension_;
    double* x = block.array(state_array, width);
    double* coarse = block.array("coarse x", width);
    for (std::size_t p = 0; p < block.paths(); ++p) {
      const auto leg = static_cast<Index>(begin + transition_of(p));
      for (std::size_t i = 0; i < width; ++i) {
        x[block.place(p, i, width)] = legs.from(static_cast<Index>(i), leg);
      }
      const double dt = legs.interval[leg] / static_cast<double>(steps);
      owner.clock_.set(block, p, legs.time[leg], dt);
      owner.coarse_clock_.set(block, p, legs.time[leg], 2.0 * dt);
    }
    std::copy_n(x, block.paths() * width, coarse);
  }

  // e and P after step n, from J and S of the companion.
  void follow_companion(std::size_t n) {
    const std::size_t m = owner.dimension_;
    const std::size_t k = owner.noise_count_;
    const double* b = noise_of(n);
    Eigen::VectorXd normals(static_cast<Index>(k));
    for (std::size_t t = 0; t < count; ++t) {
      const std::size_t at = n * count + t;
      const RowMajorMatrixMap j(companion.jacobian.data() + at * m * m, dimension(), dimension());
      const RowMajorMatrixMap s(companion.amplitude.data() + at * m * k, dimension(),
                                static_cast<Index>(k));
      if (m == 1 && k == 1) {
        covariance[t](0, 0) = j(0, 0) * j(0, 0) * covariance[t](0, 0) + s(0, 0) * s(0, 0);
        double* e = deviation.data() + t * run.paths;
        for (std::size_t path = 0; path < run.paths; ++path) {
          e[path] = j(0, 0) * e[path] + s(0, 0) * b[t * run.paths + path];
        }
        continue;
      }
      covariance[t] = (j * covariance[t] * j.transpose() + s * s.transpose()).eval();
      for (std::size_t path = t * run.paths; path < (t + 1) * run.paths; ++path) {
        for (std::size_t c = 0; c < k; ++c) {
          normals[static_cast<Index>(c)] = b[block.place(path, c, k)];
        }
        auto e = deviation.col(static_cast<Index>(path));
        e = (j * e + s * normals).eval();
      }
    }
  }

  // A of the step n, for every path.
  void set_damping(std::size_t n) {
    const std::size_t m = owner.dimension_;
    double* damping = block.array("damping", m * m);
    const double* dt = owner.clock_.step_sizes(block);
    Eigen::MatrixXd a(dimension(), dimension());
    for (std::size_t t = 0; t < count; ++t) {
      const double step = dt[t * run.paths];
      if (run.carrying.gaussian) {
        const RowMajorMatrixMap s(
            companion.amplitude.data() + (n * count + t) * m * owner.noise_count_, dimension(),
            static_cast<Index>(owner.noise_count_));
        a = s * s.transpose() * covariance[t].inverse() / step;
      } else {
        const double elapsed = static_cast<double>(n + 1) * step;
        const double rate = run.carrying.rate / (static_cast<double>(steps) * step);
        a = Eigen::MatrixXd::Identity(dimension(), dimension()) *
            std::min(1.0 / step, std::max(rate, 1.0 / elapsed));
      }
      const std::size_t last = t + 1 == count ? block.paths() : (t + 1) * run.paths;
      for (std::size_t p = t * run.paths; p < last; ++p) {
        for (std::size_t c = 0; c < m * m; ++c) {
          damping[block.place(p, c, m * m)] =
              a(static_cast<Index>(c / m), static_cast<Index>(c % m));
        }
      }
    }
  }

  // J^{-1} for every path; not a number where a step has turned over.
  void invert() {
    const std::size_t m = owner.dimension_;
    const std::vector<std::size_t>& places = owner.divergence_->places;
    const double* entries = block.array("jacobian", places.size());
    double* inverses = block.array("inverse", m * m);
    const std::size_t lanes = block.lanes();
    for (std::size_t v = 0; v < block.vectors(); ++v) {
      double* matrix = inverses + v * m * m * lanes;
      std::fill_n(matrix, m * m * lanes, 0.0);
      for (std::size_t e = 0; e < places.size(); ++e) {
        std::copy_n(entries + (v * places.size() + e) * lanes, lanes, matrix + places[e] * lanes);
      }
      inverse(matrix);
      for (std::size_t lane = 0; lane < lanes; ++lane) {
        if (inverse.signs()[lane] > 0) continue;
        for (std::size_t c = 0; c < m * m; ++c) {
          matrix[c * lanes + lane] = std::numeric_limits<double>::quiet_NaN();
        }
      }
    }
  }

  void add_coarse_noise(std::size_t n) {
    const std::size_t size = block.paths() * owner.noise_count_;
    const double* b = noise_of(n);
    const double half = std::sqrt(0.5);
    double* sum = coarse_noise.data();
    for (std::size_t i = 0; i < size; ++i) sum[i] = (n % 2 == 0 ? 0.0 : sum[i]) + half * b[i];
  }

  void go() {
    const auto bound = [&](const PathProgram& program) {
      return block.prepare(program, program.bind(run.parameters));
    };
    begin_paths();
    const PathBlock::Call likelihood = bound(owner.likelihood_);
    const PathBlock::Call coarse = bound(owner.coarse_);
    const bool diverges = run.carrying.divergence && owner.divergence_;
    std::optional<PathBlock::Call> first, jacobian, step;
    if (diverges) {
      first = bound(owner.divergence_->first);
      jacobian = bound(owner.divergence_->jacobian);
      step = bound(owner.divergence_->step);
    }
    for (std::size_t n = 0; n < steps; ++n) {
      follow_companion(n);
      if (diverges && n == 0) block(*first, noise_of(n));
      if (diverges && n > 0) {
        set_damping(n);
        block(*jacobian, noise_of(n));
        invert();
        block(*step, noise_of(n));
      }
      block(likelihood, noise_of(n));
      add_coarse_noise(n);
      if (n % 2 == 1) block(coarse, coarse_noise.data());
      if (n + 1 == steps) break;
      owner.clock_.advance(block);
      if (n % 2 == 1) owner.coarse_clock_.advance(block);
    }
  }

  [[nodiscard]] Eigen::MatrixXd columns_of(const std::string& name, std::size_t width) {
    const double* array = block.array(name, width);
    Eigen::MatrixXd result(static_cast<Index>(width), static_cast<Index>(columns));
    for (std::size_t p = 0; p < columns; ++p) {
      for (std::size_t c = 0; c < width; ++c) {
        result(static_cast<Index>(c), static_cast<Index>(p)) = array[block.place(p, c, width)];
      }
    }
    return result;
  }

  [[nodiscard]] PathEnds ends() {
    PathEnds result;
    result.fine = owner.rules_.coordinates(columns_of(state_array, owner.dimension_));
    result.coarse = owner.rules_.coordinates(columns_of("coarse x", owner.dimension_));
    result.likelihood = columns_of("L", owner.active_.size());
    result.integral = result.likelihood;
    if (run.carrying.divergence && owner.divergence_) {
      const Eigen::MatrixXd carried = columns_of(response_array, owner.of_noise_.size());
      for (std::size_t q = 0; q < owner.of_noise_.size(); ++q) {
        const auto p = std::ranges::find(owner.active_, owner.of_noise_[q]) - owner.active_.begin();
        if (!run.carrying.by_divergence[static_cast<std::size_t>(p)]) continue;
        result.integral.row(p) = carried.row(static_cast<Index>(q));
      }
    }
    result.companion.resize(dimension(), static_cast<Index>(columns));
    for (std::size_t t = 0; t < count; ++t) {
      const auto at = static_cast<Index>(t * run.paths);
      const auto many = static_cast<Index>(run.paths);
      const Eigen::LLT<Eigen::MatrixXd> root(covariance[t]);
      result.companion.middleCols(at, many) = root.matrixL().solve(deviation.middleCols(at, many));
    }
    return result;
  }

  const TransitionPaths& owner;
  const Run& run;
  const Legs& legs;
  std::size_t begin;
  std::size_t count;
  std::size_t steps;
  std::size_t columns;
  PathBlock block;
  CompanionSteps companion;
  Eigen::MatrixXd deviation;                // e
  std::vector<Eigen::MatrixXd> covariance;  // P
  numbers::AlignedArray noise, coarse_noise;
  numbers::LaneInverse inverse{owner.dimension_, block.lanes()};
};

PathEnds TransitionPaths::walk(const Run& run, const Legs& legs, std::size_t begin,
                               std::size_t end) const {
  Walk walk(*this, run, legs, begin, end);
  walk.go();
  return walk.ends();
}

}  // namespace divker::fit
