// Learned damping, from the covectors that another damping leaves.
#include <algorithm>
#include <cmath>

#include "tune/covariance_regression.hpp"
#include "tune/tuners.hpp"

namespace divker::tune {
namespace {

constexpr std::size_t learning_rounds = 2;

// Where sites do not share their law, every path is one sample of it.
std::size_t learning_paths(const Model& model) {
  constexpr std::size_t few_states = 6;
  return model.dimension() <= few_states ? 8192 : 2048;
}

// Times in the second half of the run, where the start is forgotten: eight, or as many as keep the
// samples below 32 MB.
std::vector<double> learning_times(const Trial& trial) {
  constexpr std::size_t most_numbers = std::size_t{1} << 22U;
  const Model& model = trial.model();
  const std::size_t last = model.time().snapshot_steps(trial.sampling().snapshots).back();
  const std::size_t numbers = 2 * model.dimension() + trial.asked().wrt.size();
  const std::size_t count = std::clamp<std::size_t>(
      std::min(most_numbers / (learning_paths(model) * numbers), last / 2), 1, 8);
  std::vector<double> times;
  for (std::size_t k = count; k-- > 0;) {
    times.push_back(model.time().time(last - k * (last / 2) / count));
  }
  return times;
}

// The best of those that have a rate to vary.
const Damping& start_of_learning(const std::vector<DampingCandidate>& finalists, double dt) {
  for (const DampingCandidate& candidate : finalists) {
    const Damping& damping = candidate.damping;
    if (!damping.form->neighbours(damping, dt).empty()) return damping;
  }
  return finalists.front().damping;
}

}  // namespace

// C(x) of the paths under the best damping so far, then of those under that C: the covariance falls
// until it is the one that its own damping leaves. None where a path fails, or the run is to stop.
std::vector<DampingCandidate> learn(Trial& trial, const std::vector<DampingCandidate>& finalists,
                                    std::size_t paths) {
  const Model& model = trial.model();
  const std::vector<double> times = learning_times(trial);
  const Damping& start = start_of_learning(finalists, model.time().step);
  Damping learned = start;
  for (std::size_t round = 0; round < learning_rounds; ++round) {
    const Paths samples = trial.run(learned, learning_paths(model), times);
    if (samples.summary.interrupted || samples.summary.failed != 0) return {};
    learned = regress_covariance(model, samples.snapshots);
    learned.alpha = start.alpha;
    learned.early = start.early;
  }
  std::vector<DampingCandidate> measured = trial.compare({learned}, paths, Tails::measured);
  std::erase_if(measured, [](const DampingCandidate& c) { return !std::isfinite(c.cost); });
  return measured;
}

}  // namespace divker::tune
