#include "tune/trial.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

#include "divker/plan.hpp"

namespace divker::tune {
namespace {

constexpr std::uint64_t pilot_seed = 0x9E3779B97F4A7C15ULL;
constexpr std::size_t most_final_paths = 1024;
// Of a variance that can be believed. The pole 1/x of a singular Jacobian gives 0.7.
constexpr double highest_error = 0.5;
// The tail index from which on there is no variance.
constexpr double no_variance = 0.5;
// The pilot knows the index to a tenth or two: bars a tenth wider are paid, not more.
constexpr double price_of_light_tails = 1.25;
constexpr double infinity = std::numeric_limits<double>::infinity();

std::vector<double> column_means(const Matrix& values) {
  std::vector<double> mean(values.cols, 0.0);
  const auto count = static_cast<double>(values.rows);
  for (std::size_t r = 0; r < values.rows; ++r) {
    for (std::size_t c = 0; c < values.cols; ++c) mean[c] += values(r, c) / count;
  }
  return mean;
}

std::vector<double> columns_variance(const Matrix& values) {
  const std::vector<double> mean = column_means(values);
  std::vector<double> variance(values.cols, 0.0);
  const auto count = static_cast<double>(values.rows);
  for (std::size_t r = 0; r < values.rows; ++r) {
    for (std::size_t c = 0; c < values.cols; ++c) {
      variance[c] += std::pow(values(r, c) - mean[c], 2) / (count - 1.0);
    }
  }
  return variance;
}

std::vector<double> default_measure(const Snapshot& snapshot) {
  std::vector<double> variances = columns_variance(snapshot.nu());
  const std::vector<double> responses = columns_variance(snapshot.responses());
  variances.insert(variances.end(), responses.begin(), responses.end());
  return variances;
}

void sort_by_cost(std::vector<DampingCandidate>& candidates) {
  std::stable_sort(candidates.begin(), candidates.end(), is_before);
}

std::vector<Damping> candidates_of(const DampingSurvey& survey, bool noise_only) {
  std::vector<Damping> all;
  for (const DampingForm* form : damping_forms()) {
    if (form->is_noise_only() != noise_only) continue;
    if (survey.tangents && !form->is_one_rate()) continue;
    const std::vector<Damping> own = form->candidates(survey);
    all.insert(all.end(), own.begin(), own.end());
  }
  return all;
}

}  // namespace

bool is_before(const DampingCandidate& a, const DampingCandidate& b) {
  const auto weighed = [](const DampingCandidate& one) {
    return one.tail_index >= no_variance ? price_of_light_tails * one.cost : one.cost;
  };
  return weighed(a) < weighed(b);
}

double variance_error(const Matrix& values) {
  const std::vector<double> mean = column_means(values);
  double worst = 0.0;
  for (std::size_t c = 0; c < values.cols; ++c) {
    double squares = 0.0;
    double fourth_powers = 0.0;
    for (std::size_t r = 0; r < values.rows; ++r) {
      const double square = std::pow(values(r, c) - mean[c], 2);
      squares += square;
      fourth_powers += square * square;
    }
    if (squares > 0.0) worst = std::max(worst, std::sqrt(fourth_powers) / squares);
  }
  return worst;
}

Trial::Trial(const Model& model, const Method& method, const Asked& asked, const Sampling& sampling,
             const Session& session, const Tuning& tuning)
    : model_(model),
      method_(method),
      asked_(asked),
      sampling_(sampling),
      session_(session.aside()),
      tuning_(tuning) {
  sampling_.seed ^= pilot_seed;
  sampling_.failed_share = 1.0;
}

double Trial::compile_seconds() const {
  double sum = compile_seconds_;
  for (const Ensemble& ensemble : ensembles_) sum += ensemble.compile_seconds();
  return sum;
}

std::size_t Trial::final_paths() const {
  return std::clamp(sampling_.paths / 16, screening_paths, most_final_paths);
}

DampingSurvey Trial::survey() const {
  DampingSurvey survey;
  survey.dt = model_.time().step;
  survey.is_map = !has_time_step(model_);
  survey.is_exact = resolved(model_, method_, asked_).scheme == Scheme::exact;
  survey.score_free = !model_.has_initial_density();
  survey.noise_everywhere =
      std::all_of(model_.noisy().begin(), model_.noisy().end(), std::identity{});
  survey.has_responses = !asked_.wrt.empty();
  survey.horizon = model_.time().end - model_.time().start;
  survey.tangents = asked_.tangents;
  survey.hands_over = tuning_.hands_over;
  return survey;
}

Ensemble& Trial::ensemble_for(const Damping& damping) {
  const auto found =
      std::find_if(ensembles_.begin(), ensembles_.end(), [&damping](const Ensemble& ensemble) {
        return ensemble.plan().method.damping.same_step(damping);
      });
  if (found != ensembles_.end()) return *found;
  Method method = method_;
  method.damping = damping;
  return ensembles_.emplace_back(model_, method, asked_, session_.marcher);
}

Paths Trial::run(const Damping& damping, std::size_t paths, const std::vector<double>& snapshots) {
  Sampling sampling = sampling_;
  sampling.paths = paths;
  sampling.snapshots = snapshots;
  Ensemble& ensemble = ensemble_for(damping);
  ensemble.set_damping(damping);
  return ensemble.run(sampling, session_);
}

Measured Trial::measure(const Damping& damping, std::size_t paths, Tails tails) {
  const Paths result = run(damping, paths, sampling_.snapshots);
  if (result.summary.interrupted || result.summary.failed != 0) return {infinity, 1.0};
  Measured measured;
  double log_sum = 0.0;
  double count = 0.0;
  for (const Snapshot& snapshot : result.snapshots) {
    for (const double variance :
         tuning_.measure ? tuning_.measure(snapshot) : default_measure(snapshot)) {
      log_sum += std::log(std::max(variance, 1e-300));
      count += 1.0;
    }
    const Matrix& values = snapshot.responses().cols != 0 ? snapshot.responses() : snapshot.nu();
    measured.error = std::max(measured.error, variance_error(values));
    if (tails == Tails::unknown || !tuning_.tails) continue;
    for (const double k : tuning_.tails(snapshot)) {
      measured.tail_index = std::fmax(measured.tail_index, k);
    }
  }
  measured.cost = std::exp(log_sum / std::max(count, 1.0));
  if (std::isnan(measured.cost)) measured.cost = infinity;  // sums that overflowed
  return measured;
}

std::vector<DampingCandidate> Trial::compare(const std::vector<Damping>& grid, std::size_t paths,
                                             Tails tails) {
  std::vector<DampingCandidate> candidates;
  for (const Damping& damping : grid) {
    if (session_.stopped()) break;
    const Measured measured = measure(damping, paths, tails);
    candidates.push_back({damping, measured.cost, measured.tail_index});
  }
  sort_by_cost(candidates);
  return candidates;
}

std::vector<DampingCandidate> Trial::compare_carefully(const std::vector<Damping>& grid,
                                                       std::size_t paths) {
  std::vector<DampingCandidate> candidates;
  for (const Damping& damping : grid) {
    if (session_.stopped()) break;
    const Measured measured = measure(damping, paths);
    const double upper = measured.cost * (1.0 + 2.0 * measured.error);
    candidates.push_back({damping, measured.error > highest_error ? infinity : upper});
  }
  sort_by_cost(candidates);
  return candidates;
}

std::vector<Damping> carrying_candidates(const DampingSurvey& survey) {
  return candidates_of(survey, false);
}
std::vector<Damping> noise_only_candidates(const DampingSurvey& survey) {
  return candidates_of(survey, true);
}

void insert(std::vector<DampingCandidate>& all, const std::vector<DampingCandidate>& more) {
  all.insert(all.end(), more.begin(), more.end());
  sort_by_cost(all);
}

std::vector<Damping> best_of(const std::vector<DampingCandidate>& candidates) {
  std::vector<Damping> best;
  for (const DampingCandidate& candidate : candidates) {
    if (best.size() < most_finalists) best.push_back(candidate.damping);
  }
  return best;
}

}  // namespace divker::tune
