#include "divker/pilot.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <map>

#include "divker/error.hpp"

namespace divker {
namespace {

// The pilot's paths are others than the run's: the choice must not know the answer.
constexpr std::uint64_t pilot_seed = 0x9E3779B97F4A7C15ULL;
constexpr std::size_t screening_paths = 256;
constexpr std::size_t most_final_paths = 1024;
constexpr std::size_t finalists = 4;
constexpr std::size_t largest_gaussian_dimension = 64;

// Three digits are more than the choice is worth, and read well in a report.
double rounded(double value) {
  const double unit = std::pow(10.0, std::floor(std::log10(value)) - 2.0);
  return std::round(value / unit) * unit;
}

Damping constant(double alpha, bool early) {
  Damping damping;
  damping.alpha = rounded(alpha);
  damping.early = early;
  return damping;
}

Damping jacobian(double alpha, double beta) {
  Damping damping = constant(alpha, false);
  damping.form = DampingForm::jacobian;
  damping.beta = beta;
  return damping;
}

// alpha over four decades below 1/dt, half a decade apart.
std::vector<Damping> constant_grid(double dt, bool early) {
  std::vector<Damping> grid;
  for (int k = 0; k <= 8; ++k) grid.push_back(constant(std::pow(10.0, -0.5 * k) / dt, early));
  return grid;
}

// The Jacobian correction does part of the work of alpha, so that the best alpha with it is at or
// below the best one without.
std::vector<Damping> jacobian_grid(double best_constant) {
  std::vector<Damping> grid;
  for (const double factor : {1.0, 0.32, 0.1}) {
    for (const double beta : {0.5, 1.0}) grid.push_back(jacobian(best_constant * factor, beta));
  }
  return grid;
}

// Neighbours of the best candidate.
std::vector<Damping> refinement(const Damping& best, double dt) {
  if (best.form == DampingForm::matrix) return {};
  std::vector<Damping> grid;
  for (const double factor : {0.56, 1.78}) {
    Damping neighbour = best;
    neighbour.alpha = std::min(rounded(best.alpha * factor), 1.0 / dt);
    grid.push_back(neighbour);
  }
  if (best.form == DampingForm::scalar) return grid;
  for (const double change : {-0.25, 0.25}) {
    Damping neighbour = best;
    neighbour.beta += change;
    grid.push_back(neighbour);
  }
  return grid;
}

std::vector<double> columns_variance(const Matrix& values) {
  std::vector<double> mean(values.cols, 0.0);
  std::vector<double> variance(values.cols, 0.0);
  const auto count = static_cast<double>(values.rows);
  for (std::size_t r = 0; r < values.rows; ++r) {
    for (std::size_t c = 0; c < values.cols; ++c) mean[c] += values(r, c) / count;
  }
  for (std::size_t r = 0; r < values.rows; ++r) {
    for (std::size_t c = 0; c < values.cols; ++c) {
      variance[c] += std::pow(values(r, c) - mean[c], 2) / (count - 1.0);
    }
  }
  return variance;
}

std::vector<double> default_measure(const Snapshot& snapshot) {
  std::vector<double> variances = columns_variance(snapshot.nu);
  const std::vector<double> responses = columns_variance(snapshot.responses);
  variances.insert(variances.end(), responses.begin(), responses.end());
  return variances;
}

// Runs candidates on common paths, compiling each form once.
class Trial {
 public:
  Trial(const Model& model, const StepOptions& step, const RunOptions& run,
        const VarianceMeasure& measure)
      : model_(model), step_(step), run_(run), measure_(measure) {}

  [[nodiscard]] double cost(const Damping& damping, std::size_t paths) {
    auto found = ensembles_.find(damping.form);
    if (found == ensembles_.end()) {
      StepOptions options = step_;
      options.damping = damping.form;
      found = ensembles_.emplace(damping.form, Ensemble(model_, options)).first;
    }
    RunOptions run = run_;
    run.paths = paths;
    run.seed ^= pilot_seed;
    run.damping = damping;
    run.failed_share = 1.0;
    run.progress = nullptr;
    const Paths result = found->second.run(run);
    if (result.summary.interrupted || result.summary.failed != 0) {
      return std::numeric_limits<double>::infinity();
    }
    double log_sum = 0.0;
    double count = 0.0;
    for (const Snapshot& snapshot : result.snapshots) {
      for (const double variance : measure_ ? measure_(snapshot) : default_measure(snapshot)) {
        log_sum += std::log(std::max(variance, 1e-300));
        count += 1.0;
      }
    }
    const double cost = std::exp(log_sum / std::max(count, 1.0));
    return std::isnan(cost) ? std::numeric_limits<double>::infinity() : cost;
  }

  // Ordered by cost, cheapest first.
  [[nodiscard]] std::vector<DampingCandidate> compare(const std::vector<Damping>& grid,
                                                      std::size_t paths) {
    std::vector<DampingCandidate> candidates;
    for (const Damping& damping : grid) {
      if (run_.stop != nullptr && *run_.stop) break;
      candidates.push_back({damping, cost(damping, paths)});
    }
    std::stable_sort(candidates.begin(), candidates.end(),
                     [](const auto& a, const auto& b) { return a.cost < b.cost; });
    return candidates;
  }

 private:
  const Model& model_;
  const StepOptions& step_;
  const RunOptions& run_;
  const VarianceMeasure& measure_;
  std::map<DampingForm, Ensemble> ensembles_;
};

std::vector<Damping> gaussian_if_possible(const Model& model, const RunOptions& run) {
  if (model.dimension() > largest_gaussian_dimension) return {};
  try {
    RunOptions other_paths = run;
    other_paths.seed ^= pilot_seed;
    return {gaussian_damping(model, other_paths)};
  } catch (const Error& error) {
    // A singular covariance rules this one candidate out, not the others.
    if (error.kind() != ErrorKind::numerical) throw;
    return {};
  }
}

void insert(std::vector<DampingCandidate>& all, const std::vector<DampingCandidate>& more) {
  all.insert(all.end(), more.begin(), more.end());
  std::stable_sort(all.begin(), all.end(),
                   [](const auto& a, const auto& b) { return a.cost < b.cost; });
}

// First the constants; then, around the best of them, the other forms.
std::vector<DampingCandidate> screen(Trial& trial, const Model& model,
                                     const DampingRequest& request, const RunOptions& run) {
  const double dt = model.time().step;
  const bool early = !model.has_initial_density();
  std::vector<DampingCandidate> tried = trial.compare(constant_grid(dt, early), screening_paths);
  if (tried.empty()) return tried;
  const double best_constant = tried.front().damping.alpha;
  const auto jacobians = trial.compare(jacobian_grid(best_constant), screening_paths);
  if (request.kind == DampingRequest::Kind::jacobian_grid) return jacobians;
  insert(tried, jacobians);
  if (!early) insert(tried, trial.compare({constant(best_constant, true)}, screening_paths));
  insert(tried, trial.compare(gaussian_if_possible(model, run), screening_paths));
  return tried;
}

}  // namespace

DampingChoice choose_damping(const Model& model, const DampingRequest& request,
                             const StepOptions& step, const RunOptions& run,
                             const VarianceMeasure& measure) {
  using Kind = DampingRequest::Kind;
  const auto began = std::chrono::steady_clock::now();
  DampingChoice choice;
  if (model.dynamics() == Dynamics::map) {
    choice.damping = constant(1.0, false);
    return choice;
  }
  if (request.kind == Kind::given) {
    choice.damping = request.damping;
    return choice;
  }
  if (request.kind == Kind::gaussian) {
    choice.damping = gaussian_damping(model, run);
    return choice;
  }
  Trial trial(model, step, run, measure);
  choice.paths = std::clamp(run.paths / 16, screening_paths, most_final_paths);
  choice.candidates = screen(trial, model, request, run);
  std::vector<Damping> best;
  for (const DampingCandidate& candidate : choice.candidates) {
    if (best.size() < finalists) best.push_back(candidate.damping);
  }
  std::vector<DampingCandidate> final_round = trial.compare(best, choice.paths);
  if (final_round.empty()) {  // stopped before anything was measured
    choice.damping = constant(1.0 / (model.time().end - model.time().start), true);
    return choice;
  }
  insert(final_round,
         trial.compare(refinement(final_round.front().damping, model.time().step), choice.paths));
  choice.damping = final_round.front().damping;
  choice.cost = final_round.front().cost;
  choice.candidates.insert(choice.candidates.begin(), final_round.begin(), final_round.end());
  choice.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  return choice;
}

}  // namespace divker
