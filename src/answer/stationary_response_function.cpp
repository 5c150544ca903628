// The response function of a stationary law: every step of long paths is a kick.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <numeric>
#include <utility>

#include "answer/lags.hpp"
#include "answer/questions.hpp"
#include "answer/relaxation.hpp"
#include "answer/stationary_run.hpp"
#include "answer/stationary_samples.hpp"
#include "divker/error.hpp"
#include "divker/model_function.hpp"
#include "divker/response_function.hpp"

namespace divker {
namespace {

// Of the times that are recorded along a path: how many lie in a lag.
struct RecordedLags {
  std::vector<std::size_t> lags;  // in recorded times
  std::size_t longest() const { return lags.back(); }
};

// For every path, averaged over its kicks: of the kicks between two recorded times, the increment J
// of I there over their distance, times Phi at every later recorded time: the growth of G from this
// time to the next. G is their sum, R the slope of a cubic through G around the lag. A last column
// for each lag is what the slope of a parabola differs by.
class KickAverages : public StationaryCollector {
 public:
  KickAverages(const StationaryPlan& plan, const BoundedFunctions& functions,
               const Observable& observable, const RecordedLags& lags, double offset,
               double spacing, std::size_t batch)
      : StationaryCollector(plan, functions),
        observable_(observable),
        lags_(lags),
        offset_(offset),
        spacing_(spacing),
        batch_(batch),
        sums_(4 * lags.lags.size()) {}

  [[nodiscard]] std::unique_ptr<Part> reduce(PathGroup group) const override {
    auto part = std::make_unique<Rows>(sums_.columns());
    part->movement = movement(group);
    const std::size_t recorded = plan().recorded();
    const std::size_t paths = group.numbers.size();
    Matrix phi(paths, recorded), kicks(paths, recorded - 1);
    for (std::size_t k = 0; paths > 0 && k < recorded; ++k) {
      const Observable::Values values = observable_(group.snapshots[k].x(), 0.0);
      for (std::size_t r = 0; r < paths; ++r) {
        phi(r, k) = values.phi[r] - offset_;
        if (k == 0) continue;
        kicks(r, k - 1) =
            group.snapshots[k].responses()(r, 0) - group.snapshots[k - 1].responses()(r, 0);
      }
    }
    for (std::size_t r = 0; r < paths;) {
      const std::size_t batch = group.numbers[r] / batch_;
      std::size_t end = r;
      while (end < paths && group.numbers[end] / batch_ == batch) ++end;
      part->sums.begin(end - r);
      for (; r < end; ++r) add_path(phi.row(r), kicks.row(r), part->sums);
    }
    return part;
  }
  void absorb(std::unique_ptr<Part> part) override {
    const auto& rows = static_cast<const Rows&>(*part);
    sums_.append(rows.sums);
    append_movement(rows.movement);
  }
  [[nodiscard]] std::unique_ptr<Part> empty_part() const override {
    return std::make_unique<Rows>(sums_.columns());
  }
  void transfer(Archive& archive) override {
    sums_.transfer(archive);
    transfer_movement(archive);
  }
  [[nodiscard]] const BatchSums& sums() const { return sums_; }

 private:
  struct Rows : BatchPart {
    using BatchPart::BatchPart;
    void transfer(Archive& archive) override {
      BatchPart::transfer(archive);
      archive(movement);
    }
    Matrix movement;
  };

  // Kick j lies between the times j and j + 1; of all kicks that leave room for the longest lag and
  // two times more.
  void add_path(std::span<const double> phi, std::span<const double> kicks, BatchSums& sums) const {
    const std::size_t last = std::max<std::size_t>(lags_.longest() + 2, 3);
    const std::size_t used = kicks.size() - last;
    double mean_kick = 0.0, mean_phi = 0.0;
    for (std::size_t j = 0; j < used; ++j) mean_kick += kicks[j];
    for (const double one : phi) mean_phi += one;
    mean_kick /= static_cast<double>(used) * spacing_;
    mean_phi /= static_cast<double>(phi.size());
    std::vector<double> products(last + 1, 0.0);  // of Phi so many times after the kick's interval
    for (std::size_t k = 1; k <= last; ++k) {
      const double sum =
          std::inner_product(kicks.begin(), kicks.begin() + used, phi.begin() + k, 0.0);
      products[k] = sum / (static_cast<double>(used) * spacing_);
    }
    const std::size_t lags = lags_.lags.size();
    double total = 0.0;
    std::size_t done = 0;
    for (std::size_t l = 0; l < lags; ++l) {
      const std::size_t k = lags_.lags[l];
      for (; done < k; ++done) total += spacing_ * products[done + 1];
      const auto c = [&](std::size_t at) { return products[at]; };
      const double by_parabola = k == 0 ? 1.5 * c(1) - 0.5 * c(2) : 0.5 * (c(k) + c(k + 1));
      const double by_cubic = k == 0   ? (11.0 * c(1) - 7.0 * c(2) + 2.0 * c(3)) / 6.0
                              : k == 1 ? (2.0 * c(1) + 5.0 * c(2) - c(3)) / 6.0
                                       : (7.0 * (c(k) + c(k + 1)) - c(k - 1) - c(k + 2)) / 12.0;
      sums.add(l, by_cubic, mean_kick);
      sums.add(3 * lags + l, by_cubic - by_parabola);
      sums.add(lags + l, total, mean_kick);
      sums.add(2 * lags + l, mean_phi);
    }
  }

  const Observable& observable_;
  const RecordedLags& lags_;
  double offset_;
  double spacing_;
  std::size_t batch_;
  BatchSums sums_;
};

// Recorded times: all lags lie on them, the shortest distance of two lags has some of them, and
// they fit into memory.
void plan_lags(StationaryPlan& plan, const std::vector<std::size_t>& lags,
               const StationaryOptions& options, const Model& model) {
  std::size_t common = 0;
  for (const std::size_t lag : lags) common = std::gcd(common, lag);
  if (common == 0) common = 1;
  constexpr double most_numbers = 120'000;  // of one path
  const double followed = options.length ? *options.length / model.time().step
                                         : std::max(static_cast<double>(plan.length),
                                                    3.0 * static_cast<double>(lags.back()));
  const auto width = static_cast<double>(2 * model.dimension() + 1);
  const double fewest = followed * width / most_numbers;
  const double resolved = plan.correlation / model.time().step / 64.0;
  std::size_t parts = 1;  // of the common distance
  for (std::size_t d = 1; d <= common && common / d >= 1; ++d) {
    if (common % d != 0) continue;
    const std::size_t apart = common / d;
    const auto spacing = static_cast<double>(apart);
    if (spacing < fewest) break;
    parts = d;
    if (spacing <= resolved) break;
  }
  plan.spacing = common / parts;
  plan.length = static_cast<std::size_t>(followed) / plan.spacing * plan.spacing;
  const std::size_t needed = lags.back() + 4 * plan.spacing;
  if (plan.length < needed + 8 * plan.spacing) {
    if (options.length) {
      throw Error(
          ErrorKind::usage,
          fmt::format("The length {} for which paths are followed is hardly longer than the "
                      "longest lag {:.9g}: three times as long is a good length.",
                      *options.length, static_cast<double>(lags.back()) * model.time().step));
    }
    plan.length = needed + 16 * plan.spacing;
  }
  // The pilot's horizon is half of a window.
  plan.windows = {std::max<std::size_t>(2 * std::max(lags.back(), plan.length / 4), 2)};
  plan.asked = 1;
}

// The times recorded are too far apart where a parabola and a cubic through them differ: a quarter
// of that counts where it stands out.
void add_resolution(ResponseFunction& function) {
  constexpr double beyond_chance = 3.0, share = 0.25;
  const std::size_t lags = function.lags.size();
  for (std::size_t l = 0; l < lags; ++l) {
    const Estimate differs = function.joint[3 * lags + l];
    if (std::fabs(differs.value) < beyond_chance * differs.standard_error) continue;
    double& error = function.response[l].standard_error;
    error = std::hypot(error, share * differs.value);
  }
}

// Every step of long paths is a kick.
ResponseFunction by_integrals(const Model& model, const std::string& observable, const Kick& kick,
                              const StationaryOptions& options) {
  const std::vector<std::size_t> steps = steps_of_lags(kick.lags, model.time());
  check_stationary(model, options);
  const Observable phi(model, {}, observable);
  StationaryPlan plan = plan_stationary(model, options, false);
  plan_lags(plan, steps, options, model);
  StationaryRun run(model, options, plan);
  Moments reference(1);
  for (const double value : phi(run.reference, 0.0).phi) reference.add(std::span(&value, 1));
  const double offset = reference.mean().front();
  RecordedLags lags;
  for (const std::size_t step : steps) lags.lags.push_back(step / plan.spacing);
  const double spacing = static_cast<double>(plan.spacing) * model.time().step;
  const std::size_t batch = paths_per_batch(options.answer.sampling.paths);
  KickAverages averages(run.plan, run.functions, phi, lags, offset, spacing, batch);
  run.go(Asked::responses_to({kick.parameter}), options, tuning_of_mean(phi), averages,
         "averages over kicks of " + observable);
  const auto pairs = run.go_in_pairs<KickAverages>(
      options.answer, phi, lags, offset, spacing,
      paths_per_batch(sampling_of_pairs(options.answer.sampling).paths));
  std::optional<JointEstimate> bias;
  if (pairs != nullptr) bias = pairs->coarse.sums().difference(pairs->fine.sums(), 2.0);
  JointEstimate joint = averages.sums().result();
  for (std::size_t l = 0; l < steps.size(); ++l) joint.value[2 * steps.size() + l] += offset;
  ResponseFunction function =
      function_of_lags(model, kick, std::move(joint), std::move(bias), options.answer.time_step);
  add_resolution(function);
  function.stationary = run.plan.describe(model.time());
  function.stationary->windows.clear();
  function.record = std::move(run.record);
  return function;
}

// Error(usage) where drift or noise at a typical place are others a period later.
void require_period(const Model& model, double period, const Matrix& places) {
  std::vector<NodeId> roots = model.drift();
  for (const NoiseEntry& entry : model.noise()) roots.push_back(entry.amplitude);
  const ModelFunction equations(model, roots);
  constexpr std::size_t times = 7;
  for (std::size_t k = 0; k < times; ++k) {
    const double t = model.time().start + period * static_cast<double>(k) / 7.3;
    const double later = t + period;
    const auto now = equations.at_rows({&t, 1}, places),
               then = equations.at_rows({&later, 1}, places);
    for (std::size_t q = 0; q < now.size(); ++q) {
      for (std::size_t r = 0; r < places.rows; ++r) {
        const double size = std::fabs(now[q][r]) + std::fabs(then[q][r]);
        if (std::fabs(now[q][r] - then[q][r]) <= 1e-6 * size + 1e-12) continue;
        throw Error(
            ErrorKind::usage,
            fmt::format("The equations of model {} are not those of {} earlier at t = {:.6g}: "
                        "they have another period, or none.",
                        model.name(), period, later));
      }
    }
  }
}

// The states of a periodic law at its phase, `after` the start of the grid. Error(numerical) where
// those of a period before are others.
Matrix states_of_phase(const Model& model, const Sampling& sampling, const Session& session,
                       double period, double after) {
  TimeGrid grid = model.time();
  grid.end = grid.start + after;
  Sampling run = sampling;
  run.seed ^= 0x9E3779B97F4A7C15ULL;
  run.snapshots = {grid.end - period, grid.end};
  const Paths paths = states_alone(model.with_time(grid), session).run(run, session.aside());
  const Matrix& before = paths.snapshots.front().x();
  const Matrix& now = paths.snapshots.back().x();
  if (now.rows == 0) {
    throw Error(ErrorKind::numerical,
                fmt::format("No path of model {} finished its spin-up.", model.name()));
  }
  const BoundedFunctions functions(now);
  Matrix moved = functions(now);
  const Matrix earlier = functions(before);
  for (std::size_t i = 0; i < moved.data.size(); ++i) moved.data[i] -= earlier.data[i];
  const Movement largest = largest_movement(moved);
  if (largest.z > movement_limit) {
    throw Error(
        ErrorKind::numerical,
        fmt::format("Model {} has not settled: {} still moves from one period to the next "
                    "({:.1f} standard errors). The spin-up {:.6g} is too short.",
                    model.name(), BoundedFunctions::name(model, largest.column), largest.z, after));
  }
  return now;
}

// When the kicks of a periodic law are: whole periods and the phase after the start, in steps.
std::size_t steps_to_phase(const Model& model, const Kick& kick, const StationaryOptions& options) {
  const TimeGrid& grid = model.time();
  const double period = *kick.period;
  const auto on_grid = [&](double time) {
    const double position = time / grid.step;
    return std::fabs(position - std::round(position)) < 1e-6 * std::max(1.0, position);
  };
  if (!(period > 0.0) || !on_grid(period)) {
    throw Error(ErrorKind::usage,
                fmt::format("The period is {}; it must be a whole number of steps "
                            "of {}.",
                            period, grid.step));
  }
  if (!(kick.phase >= 0.0) || kick.phase >= period || !on_grid(kick.phase)) {
    throw Error(ErrorKind::usage,
                fmt::format("The phase is {}; it must be a whole number of steps of {}, from 0 to "
                            "less than the period {}.",
                            kick.phase, grid.step, period));
  }
  if (!options.spinup || *options.spinup < period) {
    throw Error(ErrorKind::usage,
                fmt::format("A periodic law takes a spin-up of at least one period {}, after which "
                            "the model has forgotten its start.",
                            period));
  }
  const double whole = std::ceil(*options.spinup / period - 1e-9) * period;
  return grid.steps_in(whole + kick.phase);
}

// Paths are kicked once, after a spin-up of their own.
ResponseFunction by_tangents(const Model& model, const std::string& observable, const Kick& kick,
                             const StationaryOptions& options) {
  StationaryPlan plan;
  if (kick.period) {
    plan.spinup = steps_to_phase(model, kick, options);
    require_period(
        model, *kick.period,
        states_after(model, options.answer.sampling, options.answer.session, *kick.period, 16));
  } else {
    plan = plan_stationary(model, options, false);
  }
  plan.length = std::max<std::size_t>(steps_of_lags(kick.lags, model.time()).back(), 1);
  plan.spacing = plan.length;
  const double spinup = static_cast<double>(plan.spinup) * model.time().step;
  const KickStarts starts = [&](double step, const Sampling& sampling) {
    TimeGrid grid = model.time();
    grid.step = step;
    grid.end = grid.start + spinup;
    const Model on_grid = model.with_time(grid);
    const Session& session = options.answer.session;
    return std::make_shared<const Matrix>(
        kick.period ? states_of_phase(on_grid, sampling, session, *kick.period, spinup)
                    : states_after(on_grid, sampling, session, spinup, sampling.paths));
  };
  TimeGrid kicked = model.time();
  if (kick.period) kicked.start += spinup;
  kicked.end = kicked.time(plan.length + 1);
  ResponseFunction function = response_function_by_tangents(model.with_time(kicked), observable,
                                                            kick, options.answer, starts);
  function.stationary = plan.describe(model.time());
  function.stationary->samples = 1;
  return function;
}

// A kick of the noise moves a path by 1/sqrt(dt); and derivatives of paths miss jumps.
bool suits_tangents(const Model& model, const std::string& observable, const Kick& kick) {
  std::vector<NodeId> amplitudes;
  for (const NoiseEntry& entry : model.noise()) amplitudes.push_back(entry.amplitude);
  const std::vector<NodeId> needed = reachable(*model.graph(), amplitudes);
  const NodeId kicked = model.parameters()[kick.parameter].node;
  return !std::ranges::binary_search(needed, kicked) && !jumps_with_states(model, observable);
}

// Are all sampling errors of R below a fiftieth of its largest value?
bool is_sharp(const ResponseFunction& function) {
  double largest = 0.0, error = 0.0;
  for (std::size_t l = 0; l < function.lags.size(); ++l) {
    const Estimate one = function.joint[l];
    largest = std::max(largest, std::fabs(one.value));
    error = std::max(error, one.standard_error);
  }
  return error < 0.02 * largest;
}

// error^2 x steps of R, the geometric mean over the lags.
double work_of(const ResponseFunction& function, double largest, double steps) {
  double log_sum = 0.0;
  for (std::size_t l = 0; l < function.lags.size(); ++l) {
    constexpr double exact = 1e-3;  // of the largest: smaller errors are as good
    log_sum += std::log(std::pow(function.joint[l].standard_error, 2) +
                        std::pow(exact * largest, 2) + 1e-300);
  }
  return std::exp(log_sum / static_cast<double>(function.lags.size())) *
         static_cast<double>(function.record.sampling.paths) * steps;
}

// By tangents, and where these leave large errors by what a small run of the integrals says of
// both.
ResponseFunction by_measurement(const Model& model, const std::string& observable, const Kick& kick,
                                const StationaryOptions& options) {
  ResponseFunction tangents = by_tangents(model, observable, kick, options);
  if (is_sharp(tangents) || tangents.record.summary.interrupted) return tangents;
  constexpr std::size_t fewest = 128, share = 16;
  StationaryOptions small = options;
  small.answer.sampling.paths = std::max(fewest, options.answer.sampling.paths / share);
  small.answer.time_step = TimeStep::ignored;
  ComparedMethod of_tangents{"path-kernel", 1.0, {}}, of_integrals{"divergence-kernel", 1.0, {}};
  try {
    const ResponseFunction trial = by_integrals(model, observable, kick, small);
    double largest = 0.0;
    for (std::size_t l = 0; l < kick.lags.size(); ++l) {
      largest = std::max(largest, std::fabs(tangents.joint.value[l]));
    }
    const auto steps = [&](const ResponseFunction& one) {
      return (one.stationary->spinup + one.stationary->length) / model.time().step;
    };
    of_tangents.work = work_of(tangents, largest, steps(tangents));
    of_integrals.work = work_of(trial, largest, steps(trial));
    if (of_integrals.work < of_tangents.work) {
      StationaryOptions whole = options;
      whole.answer.method = trial.record.method;
      whole.answer.method.estimator.clear();
      ResponseFunction found = by_integrals(model, observable, kick, whole);
      of_tangents.work /= of_integrals.work;
      of_integrals.work = 1.0;
      found.record.compared = {of_integrals, of_tangents};
      return found;
    }
    of_integrals.work /= of_tangents.work;
    of_tangents.work = 1.0;
  } catch (const Error& error) {
    of_integrals.problem = error.what();
  }
  tangents.record.compared = {of_tangents, of_integrals};
  return tangents;
}

}  // namespace

ResponseFunction stationary_response_function(const Model& model, const std::string& observable,
                                              const Kick& kick, const StationaryOptions& options) {
  require_in_equations(model, kick.parameter);
  (void)steps_of_lags(kick.lags, model.time());
  const std::string& asked = options.answer.method.estimator;
  if (kick.period) {
    if (asked == "divergence-kernel" || options.length) {
      throw Error(ErrorKind::usage,
                  "The response function of a periodic law is made by path-kernel, whose paths are "
                  "kicked once and need no length.");
    }
    return by_tangents(model, observable, kick, options);
  }
  require_stationary(Observable(model, {}, observable), model, observable);
  if (asked == "divergence-kernel") return by_integrals(model, observable, kick, options);
  if (asked == "path-kernel") return by_tangents(model, observable, kick, options);
  return suits_tangents(model, observable, kick) && !options.length
             ? by_measurement(model, observable, kick, options)
             : by_integrals(model, observable, kick, options);
}

}  // namespace divker
