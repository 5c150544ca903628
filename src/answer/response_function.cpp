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
#include "divker/pilot.hpp"
#include "divker/plan.hpp"

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

// The model until one step after the last lag.
Model until_last_lag(const Model& model, std::size_t steps) {
  TimeGrid grid = model.time();
  grid.end = grid.time(steps + 1);
  return model.with_time(grid);
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
    throw Error(
        ErrorKind::usage,
        fmt::format("{} jumps: all of a derivative is then handed to the noise at once, and "
                    "there is no damping to choose.",
                    observable));
  }
  method.damping = constant_damping(2.0 / model.time().step);  // of a step and of half of it
  return method;
}

// Paths from one point all say the same at first: what is as good as certain counts for no more.
// Snapshots before `from` do not count.
Tuning tuning_of_lags(const Observable& phi, double from) {
  Tuning tuning = tuning_of_tangents(phi);
  tuning.measure = [&phi, from, inner = tuning.measure](const Snapshot& snapshot) {
    if (snapshot.time < from) return std::vector<double>();
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

struct Outcome {
  JointEstimate joint;
  std::optional<JointEstimate> bias;
  RunRecord record;
};

// Runs of paths that are kicked in their first step.
class KickRuns {
 public:
  // `starts`: null where paths start as the model says.
  KickRuns(const Model& whole, const std::string& observable, const Kick& kick,
           const AnswerOptions& options, KickStarts starts)
      : observable_(observable),
        options_(options),
        starts_(std::move(starts)),
        steps_(steps_of_lags(kick.lags, whole.time())),
        kicked_(starting(until_last_lag(whole, steps_.back())), kick.parameter),
        model_(started(kicked_.model(), options.sampling)),
        phi_(model_, kicked_.both(), observable, Observable::Gradient::in_states),
        asked_(Asked::tangents_by(kicked_.both()).with(phi_.functionals())),
        sampling_(options.sampling) {
    sampling_.snapshots = LagSnapshots(steps_, 1).times(model_.time());
    if (starts_) sampling_.start_rows = StartRows::by_path;
  }

  // Without damping the tangents of chaotic paths serve the early lags best, and are nothing but
  // noise later: each lag gets the better one of two runs of the same paths.
  [[nodiscard]] Outcome best() const {
    Method method = method_for(model_, observable_, options_.method);
    const Damping& asked = method.damping;
    if (asked.form != nullptr && !asked.open) return run(method, {});
    const DampingChoice all = choose(method, model_.time().start);
    const DampingChoice late = choose(method, model_.time().time(3 * steps_.back() / 4));
    method.damping = all.damping;
    Outcome first = run(method, all);
    if (late.damping.text() == all.damping.text() || rate(late.damping) <= rate(all.damping)) {
      return first;
    }
    method.damping = late.damping;
    return merged(std::move(first), run(method, late));
  }

 private:
  [[nodiscard]] Model starting(const Model& model) const {
    return starts_ ? model.starting_from_samples("states of the stationary law") : model;
  }
  [[nodiscard]] Model started(const Model& model, const Sampling& sampling) const {
    return starts_ ? model.with_samples(starts_(model.time().step, sampling)) : model;
  }
  [[nodiscard]] DampingChoice choose(const Method& method, double from) const {
    return choose_damping(model_, resolved(model_, method, asked_), asked_, sampling_,
                          options_.session.aside(), tuning_of_lags(phi_, from));
  }
  [[nodiscard]] double rate(const Damping& damping) const {
    double sum = 0.0, one = 0.0;
    for (std::size_t n = 0; damping.argument_count() > 0 && n < model_.time().steps(); ++n) {
      damping.arguments(n, model_.time(), {&one, 1});
      sum += one;
    }
    return sum;
  }

  [[nodiscard]] Outcome run(const Method& method, const DampingChoice& choice) const {
    Study study(model_, method, asked_, sampling_, options_.session);
    if (!choice.candidates.empty()) {
      study.record().choice = choice;
      study.record().compile_seconds += choice.compile_seconds;
    }
    LagCollector collector(phi_, {steps_, 1}, paths_per_batch(sampling_.paths));
    require_paths(study.run(collector, "response function of " + observable_));
    Outcome outcome{collector.sums().result(), bias_of_step(study), {}};
    outcome.record = study.record();
    return outcome;
  }

  // 2 (A(dt) - A(dt/2)) of each number, from the same Brownian paths.
  [[nodiscard]] std::optional<JointEstimate> bias_of_step(Study& study) const {
    if (options_.time_step == TimeStep::ignored || !study.plan().has_time_step) return std::nullopt;
    if (study.record().summary.interrupted) return std::nullopt;
    const RunRecord before = study.record();
    Sampling fine = sampling_of_pairs(study.sampling());
    fine.failed_share = options_.sampling.failed_share;
    const std::size_t batch = paths_per_batch(fine.paths);
    LagCollector at_dt(phi_, {steps_, 1}, batch), at_half(phi_, {steps_, 2}, batch);
    study.use(options_.session.aside());
    const Sampling coarse = at_both_increments(fine);
    study.set_model(started(kicked_.model(), coarse));
    study.use(coarse);
    const bool is_cut = study.run(at_dt, "pairs").interrupted;
    const Model half = kicked_.at_half_the_step();
    fine.snapshots = LagSnapshots(steps_, 2).times(half.time());
    study.set_model(started(half, fine));
    study.use(fine);
    const bool is_half_cut = study.run(at_half, "pairs").interrupted;
    study.record() = before;
    study.record().effort.pair_runs += 2 * fine.paths;
    if (is_cut || is_half_cut) return std::nullopt;
    if (at_dt.sums().batches() != at_half.sums().batches() || at_dt.sums().batches() < 2) {
      return std::nullopt;
    }
    return at_dt.sums().difference(at_half.sums(), 2.0);
  }

  // From the first lag on at which the damped ones err hardly more than the others, they count:
  // there the others soon have tails that hide their errors.
  [[nodiscard]] Outcome merged(Outcome early, const Outcome& damped) const {
    if (early.joint.influence.rows != damped.joint.influence.rows) return damped;
    const std::size_t lags = steps_.size();
    const auto better_from = [&](std::size_t first) {
      constexpr double hardly = 1.4;
      std::size_t l = 0;
      while (l < lags && damped.joint[first + l].standard_error >=
                             hardly * early.joint[first + l].standard_error) {
        ++l;
      }
      return l;
    };
    const std::size_t of_response = better_from(0), of_integral = better_from(lags);
    for (std::size_t q = 0; q < 2 * lags; ++q) {
      if (q % lags < (q < lags ? of_response : of_integral)) continue;
      take_column(early.joint, damped.joint, q);
      if (early.bias && damped.bias && early.bias->influence.rows == damped.bias->influence.rows) {
        take_column(*early.bias, *damped.bias, q);
      }
    }
    const double from = static_cast<double>(steps_[std::min(of_response, lags - 1)]);
    if (of_response < lags) {
      early.record.alpha = fmt::format("{}, from lag {:.6g} on {}", early.record.alpha,
                                       from * model_.time().step, damped.record.alpha);
    }
    early.record.effort.path_runs += damped.record.effort.path_runs;
    early.record.effort.pair_runs += damped.record.effort.pair_runs;
    early.record.summary.seconds += damped.record.summary.seconds;
    early.record.compile_seconds += damped.record.compile_seconds;
    return early;
  }
  static void take_column(JointEstimate& to, const JointEstimate& from, std::size_t q) {
    to.value[q] = from.value[q];
    for (std::size_t b = 0; b < to.influence.rows; ++b) to.influence(b, q) = from.influence(b, q);
  }

  const std::string& observable_;
  const AnswerOptions& options_;
  KickStarts starts_;
  std::vector<std::size_t> steps_;
  KickedModel kicked_;
  Model model_;
  Observable phi_;
  Asked asked_;
  Sampling sampling_;
};

}  // namespace

ResponseFunction response_function_by_tangents(const Model& model, const std::string& observable,
                                               const Kick& kick, const AnswerOptions& options,
                                               KickStarts starts) {
  Outcome outcome = KickRuns(model, observable, kick, options, std::move(starts)).best();
  ResponseFunction function = function_of_lags(model, kick, std::move(outcome.joint),
                                               std::move(outcome.bias), options.time_step);
  function.record = std::move(outcome.record);
  return function;
}

ResponseFunction response_function(const Model& model, const std::string& observable,
                                   const Kick& kick, const AnswerOptions& options) {
  require_in_equations(model, kick.parameter);
  const std::size_t longest = steps_of_lags(kick.lags, model.time()).back();
  if (longest > model.time().steps()) {
    throw Error(
        ErrorKind::usage,
        fmt::format("The lag {} ends at t = {:.9g}, beyond the end T = {} of the time grid: "
                    "a larger T makes room for it.",
                    kick.lags.back(), model.time().time(longest), model.time().end));
  }
  return response_function_by_tangents(model, observable, kick, options, nullptr);
}

}  // namespace divker
