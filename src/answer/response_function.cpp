// The response function from the start of a model: two tangents along one run.
#include "divker/response_function.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <utility>

#include "answer/lags.hpp"
#include "answer/questions.hpp"
#include "answer/rewrite.hpp"
#include "answer/time_step.hpp"
#include "divker/error.hpp"
#include "divker/language.hpp"
#include "divker/model_kinks.hpp"

namespace divker {
namespace {

// The snapshots of a run with a kick in its first step: that of lag k dt is k steps after this step
// for R, and k steps after the start for G, in which the step counts.
class LagSnapshots {
 public:
  // `refined`: steps of the run in one of the lags' time grid.
  LagSnapshots(std::vector<std::size_t> lags, std::size_t refined)
      : lags_(std::move(lags)), refined_(refined) {
    for (const std::size_t lag : lags_) {
      steps_.push_back(after_start(lag));
      steps_.push_back(after_kick(lag));
    }
    std::ranges::sort(steps_);
    steps_.erase(std::unique(steps_.begin(), steps_.end()), steps_.end());
  }
  [[nodiscard]] std::size_t lags() const { return lags_.size(); }
  [[nodiscard]] std::size_t of_response(std::size_t l) const { return find(after_kick(lags_[l])); }
  [[nodiscard]] std::size_t of_integral(std::size_t l) const { return find(after_start(lags_[l])); }
  [[nodiscard]] std::vector<double> times(const TimeGrid& grid) const { return grid.times(steps_); }

 private:
  [[nodiscard]] std::size_t after_start(std::size_t lag) const { return lag * refined_; }
  [[nodiscard]] std::size_t after_kick(std::size_t lag) const { return lag * refined_ + 1; }
  [[nodiscard]] std::size_t find(std::size_t step) const {
    return static_cast<std::size_t>(std::ranges::lower_bound(steps_, step) - steps_.begin());
  }
  std::vector<std::size_t> lags_;
  std::size_t refined_;
  std::vector<std::size_t> steps_;
};

class LagCollector : public Collector {
 public:
  LagCollector(const Observable& observable, LagSnapshots lags, std::size_t batch)
      : observable_(observable), lags_(std::move(lags)), batch_(batch), sums_(3 * lags_.lags()) {}

  [[nodiscard]] std::unique_ptr<Part> reduce(PathGroup group) const override {
    auto part = std::make_unique<BatchPart>(sums_.columns());
    std::vector<Observable::Summands> at;
    at.reserve(group.snapshots.size());
    for (const Snapshot& snapshot : group.snapshots) {
      at.push_back(observable_.summands(snapshot, snapshot.time));
    }
    const std::size_t lags = lags_.lags();
    for (std::size_t r = 0; r < group.numbers.size();) {
      const std::size_t batch = group.numbers[r] / batch_;
      std::size_t end = r;
      while (end < group.numbers.size() && group.numbers[end] / batch_ == batch) ++end;
      part->sums.begin(end - r);
      for (; r < end; ++r) {
        for (std::size_t l = 0; l < lags; ++l) {
          const Observable::Summands& late = at[lags_.of_response(l)];
          const Observable::Summands& whole = at[lags_.of_integral(l)];
          add(part->sums, l, late, r, 0);
          add(part->sums, lags + l, whole, r, 1);
          part->sums.add(2 * lags + l, whole.phi[r]);
        }
      }
    }
    return part;
  }
  void absorb(std::unique_ptr<Part> part) override {
    sums_.append(static_cast<const BatchPart&>(*part).sums);
  }
  [[nodiscard]] std::unique_ptr<Part> empty_part() const override {
    return std::make_unique<BatchPart>(sums_.columns());
  }
  void transfer(Archive& archive) override { sums_.transfer(archive); }
  [[nodiscard]] const BatchSums& sums() const { return sums_; }

 private:
  static void add(BatchSums& sums, std::size_t column, const Observable::Summands& of,
                  std::size_t row, std::size_t p) {
    const double ratio = of.integral.rows == 0 ? 0.0 : of.integral(row, p);
    const double along = of.explicit_part.rows == 0 ? 0.0 : of.explicit_part(row, p);
    sums.add(column, of.phi[row] * ratio + along, ratio);
  }
  const Observable& observable_;
  LagSnapshots lags_;
  std::size_t batch_;
  BatchSums sums_;
};

// The model until one step after the last lag. Error(usage) where that is beyond its end.
Model until_last_lag(const Model& model, const std::vector<double>& lags, std::size_t steps) {
  TimeGrid grid = model.time();
  if (steps > grid.steps()) {
    throw Error(ErrorKind::usage,
                fmt::format("The lag {} ends at t = {:.9g}, beyond the end T = {} of the time grid: "
                            "a larger T makes room for it.",
                            lags.back(), grid.time(steps), grid.end));
  }
  grid.end = grid.time(steps + 1);
  return model.with_time(grid);
}

// Does Phi jump, or have slopes without bound, where the states decide? Then nothing may be left of
// a derivative.
bool jumps_with_states(const Model& model, const std::string& observable) {
  Graph graph(*model.graph());
  const auto kinks = observable_kinks(model, observable, parse_expression(observable, model, graph));
  return std::ranges::any_of(kinks, [](const ModelKink& kink) {
    const bool is_missed =
        kink.kind == KinkKind::jump || (kink.kind == KinkKind::root && !kink.is_edge());
    return is_missed && kink.by_states;
  });
}

Method method_for(const Model& model, const std::string& observable, const Method& asked) {
  Method method = asked;
  method.estimator = "path-kernel";
  if (!jumps_with_states(model, observable)) return method;
  const bool is_noisy = std::ranges::all_of(model.noisy(), [](bool noisy) { return noisy; });
  if (!is_noisy || !model.singular_noise().empty()) {
    throw Error(ErrorKind::model,
                fmt::format("{} jumps, which a derivative misses, and not every state of model {} "
                            "has noise of its own to which it could be handed: ask for a smooth "
                            "observable, such as a tanh in the place of the jump.",
                            observable, model.name()));
  }
  if (method.damping.form != nullptr && !method.damping.open) {
    throw Error(ErrorKind::usage,
                fmt::format("{} jumps: all of a derivative is then handed to the noise at once, and "
                            "there is no damping to choose.",
                            observable));
  }
  method.damping = constant_damping(2.0 / model.time().step);  // of a step and of half of it
  return method;
}

// Paths from one point all say the same at first: what is as good as certain counts for no more.
Tuning tuning_of_lags(const Observable& phi) {
  Tuning tuning = tuning_of_tangents(phi);
  tuning.measure = [&phi, inner = tuning.measure](const Snapshot& snapshot) {
    std::vector<double> variances = inner(snapshot);
    const Observable::Summands of = phi.summands(snapshot, snapshot.time);
    for (std::size_t p = 0; p < variances.size(); ++p) {
      constexpr double certain = 1e-3;
      double mean = 0.0;
      for (std::size_t r = 0; r < of.phi.size(); ++r) mean += of.explicit_part(r, p);
      variances[p] += std::pow(certain * mean / static_cast<double>(of.phi.size()), 2) + 1e-30;
    }
    return variances;
  };
  return tuning;
}

// 2 (A(dt) - A(dt/2)) of each number, from the same Brownian paths.
std::optional<JointEstimate> bias_of_step(Study& study, const KickedModel& kicked,
                                          const Observable& phi,
                                          const std::vector<std::size_t>& steps,
                                          const AnswerOptions& options) {
  if (options.time_step == TimeStep::ignored || !study.plan().has_time_step) return std::nullopt;
  if (study.record().summary.interrupted) return std::nullopt;
  const RunRecord before = study.record();
  const Sampling run = study.sampling();
  Sampling sampling = sampling_of_pairs(run);
  const std::size_t batch = paths_per_batch(sampling.paths);
  LagCollector coarse(phi, {steps, 1}, batch), fine(phi, {steps, 2}, batch);
  study.use(options.session.aside());
  study.use(at_both_increments(sampling));
  const RunSummary at_dt = study.run(coarse, "pairs");
  const Model half = kicked.at_half_the_step();
  study.set_model(half);
  sampling.snapshots = LagSnapshots(steps, 2).times(half.time());
  study.use(sampling);
  const RunSummary at_half = study.run(fine, "pairs");
  study.set_model(kicked.model());
  study.use(run);
  study.record() = before;
  study.record().effort.pair_runs += 2 * sampling.paths;
  if (at_dt.interrupted || at_half.interrupted) return std::nullopt;
  if (coarse.sums().batches() != fine.sums().batches() || coarse.sums().batches() < 2) {
    return std::nullopt;
  }
  return coarse.sums().difference(fine.sums(), 2.0);
}

}  // namespace

ResponseFunction response_function(const Model& whole, const std::string& observable,
                                   const Kick& kick, const AnswerOptions& options) {
  require_in_equations(whole, kick.parameter);
  const std::vector<std::size_t> steps = steps_of_lags(kick.lags, whole.time());
  const KickedModel kicked(until_last_lag(whole, kick.lags, steps.back()), kick.parameter);
  const Model& model = kicked.model();
  const Observable phi(model, kicked.both(), observable, Observable::Gradient::in_states);
  Sampling sampling = options.sampling;
  const LagSnapshots snapshots(steps, 1);
  sampling.snapshots = snapshots.times(model.time());
  Study study(model, method_for(model, observable, options.method),
              Asked::tangents_by(kicked.both()).with(phi.functionals()), sampling, options.session,
              tuning_of_lags(phi));
  LagCollector collector(phi, snapshots, paths_per_batch(sampling.paths));
  require_paths(study.run(collector, "response function of " + observable));
  auto bias = bias_of_step(study, kicked, phi, steps, options);
  ResponseFunction function = function_of_lags(whole, kick, collector.sums().result(),
                                               std::move(bias), options.time_step);
  function.record = study.record();
  return function;
}

}  // namespace divker
