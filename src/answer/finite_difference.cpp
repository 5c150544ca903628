#include "answer/finite_difference.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "divker/error.hpp"
#include "divker/model_kinks.hpp"

namespace divker {
namespace {

constexpr double failed = std::numeric_limits<double>::quiet_NaN();
constexpr std::size_t levels = 6;
// The largest step tried, relative to the parameter (or to 1 where that is 0).
constexpr double largest_step = 0.25;
// Of the distance to the nearest bound, so that the parameter stays inside.
constexpr double share_of_bound = 0.45;

// A pilot has an eighth of the paths of the run that its step is for.
std::size_t pilot_paths(std::size_t paths) {
  return std::clamp<std::size_t>(paths / 8, std::min<std::size_t>(paths, 256), 8192);
}

// Keeps one number for each path, at the place of the path.
class ValueCollector : public Collector {
 public:
  ValueCollector(const Model& model, const PathFunction& function, const Sampling& sampling)
      : model_(model),
        function_(function),
        first_(sampling.first_path),
        values_(sampling.paths, failed) {}

  [[nodiscard]] std::unique_ptr<Part> reduce(PathGroup group) const override {
    auto part = std::make_unique<Values>();
    const Snapshot& last = group.snapshots.back();
    if (last.x().rows > 0) part->values = function_(model_, last);
    part->numbers = std::move(group.numbers);
    return part;
  }
  void absorb(std::unique_ptr<Part> part) override {
    const auto& [numbers, values] = static_cast<const Values&>(*part);
    for (std::size_t r = 0; r < numbers.size(); ++r) values_[numbers[r] - first_] = values[r];
  }
  [[nodiscard]] std::unique_ptr<Part> empty_part() const override {
    return std::make_unique<Values>();
  }
  void transfer(Archive& archive) override { archive(values_); }
  [[nodiscard]] const std::vector<double>& values() const { return values_; }

 private:
  struct Values : Part {
    void transfer(Archive& archive) override { archive(numbers, values); }
    std::vector<std::uint64_t> numbers;
    std::vector<double> values;
  };
  const Model& model_;
  const PathFunction& function_;
  std::uint64_t first_;
  std::vector<double> values_;
};

double distance_to_bounds(const Parameter& p) {
  return std::min(p.value - p.lower, p.upper - p.value);
}

// Whole numbers of time steps: a jump in time then moves over as many of them, wherever it stands.
std::vector<double> steps_in_time(const Parameter& p, double dt) {
  constexpr std::size_t most = 4;
  const double room = share_of_bound * distance_to_bounds(p);
  if (2.0 * dt > room) {
    throw Error(ErrorKind::model,
                fmt::format("The time of a jump moves with {} = {}, which is too close to its "
                            "bounds ({}, {}) to be moved by two time steps of {}.",
                            p.name, p.value, p.lower, p.upper, dt));
  }
  std::vector<double> steps{dt};
  while (steps.size() < most && 2.0 * steps.front() <= room) {
    steps.insert(steps.begin(), 2.0 * steps.front());
  }
  return steps;
}

// Steps to try, largest first, each half of the one before.
std::vector<double> steps_to_try(const Parameter& p, double fixed, double moved_in_time) {
  const double room = distance_to_bounds(p);
  if (fixed == 0.0 && moved_in_time > 0.0) return steps_in_time(p, moved_in_time);
  if (fixed > 0.0) {
    if (fixed >= room) {
      throw Error(ErrorKind::usage,
                  fmt::format("The step {} of the finite difference takes {} = {} outside its "
                              "bounds ({}, {}).",
                              fixed, p.name, p.value, p.lower, p.upper));
    }
    const double first = 2.0 * fixed < room ? 2.0 * fixed : fixed;
    return {first, first / 2.0};
  }
  const double scale = p.value != 0.0 ? std::fabs(p.value) : 1.0;
  double h = std::min(largest_step * scale, share_of_bound * room);
  std::vector<double> steps;
  for (std::size_t k = 0; k < levels; ++k, h /= 2.0) steps.push_back(h);
  return steps;
}

// The errors of a quantity at every step. Paths that come to lie on the other side of a jump are as
// many as h, and each weighs 1/h: a variance b/h beside that of the smooth paths, which is told by
// the steps that meet such paths and holds for those that meet none in the pilot, too.
std::vector<double> noise_of_steps(std::span<const Differences> tried,
                                   std::span<const double> steps, bool has_jumps,
                                   std::size_t quantity) {
  std::vector<double> noise;
  for (const Differences& d : tried) noise.push_back(d.error(quantity));
  if (!has_jumps) return noise;
  const double smooth = std::pow(*std::ranges::min_element(noise), 2);
  double of_jumps = 0.0;
  for (std::size_t k = 0; k < noise.size(); ++k) {
    of_jumps = std::max(of_jumps, (noise[k] * noise[k] - smooth) * steps[k]);
  }
  for (std::size_t k = 0; k < noise.size(); ++k) {
    noise[k] = std::sqrt(smooth + of_jumps / steps[k]);
  }
  return noise;
}

// The bias c h^2 of step k. Against 2h it is a third of the gap, known well, but only as long as
// the law h^2 reaches up to 2h; against h/2^i it is 1/(1 - 4^-i) of the gap, with much more noise,
// which therefore counts only as far as it is certain. All smaller steps have a say: where h is
// far beyond the law, h/2 is so too.
double truncation_bias(std::span<const Differences> tried, std::span<const double> noise,
                       std::size_t k, std::size_t quantity) {
  double bias = 0.0;
  const bool has_larger = k > 0;
  if (has_larger) {
    const Gap gap = gap_between(tried[k - 1], tried[k], quantity);
    bias = (std::fabs(gap.value) + gap.error) / 3.0;
  }
  for (std::size_t j = k + 1; j < tried.size(); ++j) {
    const Gap gap = gap_between(tried[k], tried[j], quantity);
    const bool is_unseen = noise[j] > tried[j].error(quantity);
    const double error = is_unseen ? std::max(gap.error, noise[j]) : gap.error;
    const bool is_next = j == k + 1;
    const double errors = is_next ? (has_larger ? -1.0 : 1.0) : -2.0;
    const double law = 1.0 - std::pow(0.25, static_cast<double>(j - k));
    bias = std::max(bias, (std::fabs(gap.value) + errors * error) / law);
  }
  return bias;
}

Session unsaved(Session session) {
  session.checkpoint = {};
  return session;
}

// Are all differences zero, as of a parameter that does nothing, or of steps that are too large?
bool are_zero(std::span<const Differences> tried) {
  return std::ranges::all_of(tried, [](const Differences& d) {
    return std::ranges::all_of(d.value, [](double value) { return value == 0.0; });
  });
}

// Do the two smallest steps agree, as far as can be seen? Their errors tell how far that is, unless
// they grow faster than jumps let them: then fewer and fewer paths were met by larger steps.
bool have_settled(std::span<const Differences> tried) {
  constexpr double close = 0.02;
  constexpr double beyond_chance = 4.0;
  constexpr double growth = 2.0;
  const Differences& last = tried.back();
  const Differences& before = tried[tried.size() - 2];
  for (std::size_t q = 0; q < last.value.size(); ++q) {
    const Gap gap = gap_between(before, last, q);
    const double negligible = close * std::fabs(last.value[q]);
    if (std::fabs(gap.value) > std::max(negligible, beyond_chance * gap.error)) return false;
    const double error = last.error(q);
    if (error > std::max(negligible, growth * before.error(q))) return false;
  }
  return true;
}

// Do the two largest steps differ for sure, and by more than what is not known anyway?
bool have_bias(std::span<const Differences> tried) {
  constexpr double beyond_chance = 4.0;
  for (std::size_t q = 0; q < tried.front().value.size(); ++q) {
    const Gap gap = gap_between(tried[0], tried[1], q);
    if (std::fabs(gap.value) > std::max(beyond_chance * gap.error, tried[0].error(q))) return true;
  }
  return false;
}

// Steps that move the mean of a state by more than its spread are too large for any law, even where
// an answer is too noisy to tell.
bool is_far(ShiftedRuns& runs, const StepRequest& request, double h) {
  constexpr double far = 2.0;  // standard deviations between both ends
  constexpr std::size_t enough_paths = 256;
  const std::size_t paths = std::min(pilot_paths(request.paths), enough_paths);
  return runs.displacement(request.parameter, h, paths) > far;
}

void begin_near(ShiftedRuns& runs, const StepRequest& request, std::vector<double>& steps) {
  constexpr std::size_t most_halves = 40;
  if (request.fixed > 0.0 || request.moved_in_time > 0.0) return;
  for (std::size_t k = 0; k < most_halves && is_far(runs, request, steps.front()); ++k) {
    for (double& h : steps) h /= 2.0;
  }
}

// The differences at every step, each from two runs of the pilot. Steps that are left open go on
// below the smallest of `steps` as long as the answer still changes: the size of a parameter may
// say nothing about what it acts on, as that of a temperature in kelvin. Where something jumps they
// go on above the largest, up to where their bias is seen: the few paths that a small step takes to
// the other side of a jump may all be missed.
std::vector<Differences> try_steps(ShiftedRuns& runs, const Differencing& differencing,
                                   const StepRequest& request, double room,
                                   std::vector<double>& steps) {
  constexpr std::size_t most_levels = 28;
  constexpr double far_below = 0x1p-20;
  constexpr double most_above = 64.0;
  const std::size_t before = runs.paths_run();
  const std::size_t paths = pilot_paths(request.paths);
  const auto at = [&](double h) {
    return differencing(runs.at(request.parameter, h, paths), runs.at(request.parameter, -h, paths),
                        h);
  };
  begin_near(runs, request, steps);
  std::vector<Differences> tried;
  tried.reserve(steps.size());
  for (const double h : steps) tried.push_back(at(h));
  bool goes_on = request.fixed == 0.0 && request.moved_in_time == 0.0;
  const double largest = std::min(steps.front() * most_above, share_of_bound * room);
  while (goes_on && request.has_jumps && 2.0 * steps.front() <= largest && !have_bias(tried) &&
         !is_far(runs, request, 2.0 * steps.front())) {
    steps.insert(steps.begin(), 2.0 * steps.front());
    tried.insert(tried.begin(), at(steps.front()));
  }
  if (goes_on && are_zero(tried)) {
    const Differences small = at(steps.back() * far_below);
    goes_on = !are_zero({&small, 1});
  }
  while (goes_on && tried.size() < most_levels && (are_zero(tried) || !have_settled(tried))) {
    steps.push_back(steps.back() / 2.0);
    tried.push_back(at(steps.back()));
  }
  runs.count_as_pilot(before);
  return tried;
}

// What is known of the steps that were tried, steps x quantities.
struct ErrorsOfSteps {
  Matrix bias;
  Matrix noise;  // of the pilot
};

ErrorsOfSteps errors_of_steps(std::span<const Differences> tried, std::span<const double> steps,
                              bool has_jumps) {
  const std::size_t quantities = tried.front().value.size();
  ErrorsOfSteps errors{Matrix(tried.size(), quantities), Matrix(tried.size(), quantities)};
  for (std::size_t q = 0; q < quantities; ++q) {
    const std::vector<double> noise = noise_of_steps(tried, steps, has_jumps, q);
    for (std::size_t k = 0; k < tried.size(); ++k) {
      errors.noise(k, q) = noise[k];
      errors.bias(k, q) = truncation_bias(tried, noise, k, q);
    }
  }
  return errors;
}

// Mean square errors to be expected of the whole run, steps x quantities.
Matrix expected_errors(std::span<const Differences> tried, const ErrorsOfSteps& errors,
                       const StepRequest& request) {
  const Matrix& bias = errors.bias;
  const double more =
      static_cast<double>(pilot_paths(request.paths)) / static_cast<double>(request.paths);
  Matrix expected(bias.rows, bias.cols);
  for (std::size_t k = 0; k < bias.rows; ++k) {
    for (std::size_t q = 0; q < bias.cols; ++q) {
      const double other = request.extra_bias ? request.extra_bias(tried[k], q) : 0.0;
      const double error =
          bias(k, q) * bias(k, q) + other * other + more * std::pow(errors.noise(k, q), 2);
      expected(k, q) = std::isfinite(error) ? error : 1e300;
    }
  }
  return expected;
}

// The least that some step and variant promise for each group of quantities.
std::vector<double> least_errors(const Matrix& expected, std::size_t variants) {
  std::vector<double> least(expected.cols / variants, 1e300);
  for (std::size_t k = 0; k < expected.rows; ++k) {
    for (std::size_t q = 0; q < expected.cols; ++q) {
      double& best = least[q / variants];
      best = std::min(best, expected(k, q));
    }
  }
  return least;
}

}  // namespace

ShiftedRuns::ShiftedRuns(const Model& model, const Sampling& sampling, const Session& session,
                         PathFunction function, std::vector<std::size_t> functionals)
    : model_(model),
      sampling_(sampling),
      function_(std::move(function)),
      study_(model, {}, Asked::states().with(std::move(functionals)), sampling, unsaved(session)) {}

std::vector<double> ShiftedRuns::at(std::size_t parameter, double shift, std::size_t paths) {
  const Model moved = shifted(parameter, shift);
  Sampling sampling = sampling_;
  sampling.paths = paths;
  sampling.failed_share = 1.0;
  study_.set_model(moved);
  study_.use(sampling);
  ValueCollector collector(moved, function_, sampling);
  const RunSummary& run = study_.run(collector, "a number of each path");
  if (run.interrupted) {
    throw Error(ErrorKind::numerical, "The finite difference was interrupted before its end.");
  }
  std::vector<double> values = collector.values();
  add(run, static_cast<std::size_t>(
               std::ranges::count_if(values, [](double v) { return std::isnan(v); })));
  return values;
}

double ShiftedRuns::displacement(std::size_t parameter, double h, std::size_t paths) {
  Sampling sampling = sampling_;
  sampling.paths = paths;
  sampling.failed_share = 1.0;
  paths_aside_ += 3 * paths;
  const auto moments_at = [&](double shift) {
    const Paths run = study_.run_aside(shifted(parameter, shift), sampling);
    Moments moments(model_.dimension());
    moments.add(run.snapshots.back().x());
    return moments;
  };
  const Moments here = moments_at(0.0);
  const Moments above = moments_at(h);
  const Moments below = moments_at(-h);
  double largest = 0.0;
  for (std::size_t i = 0; i < here.size(); ++i) {
    const double shift = std::fabs(above.mean()[i] - below.mean()[i]);
    if (here.variance(i) > 0.0) largest = std::max(largest, shift / std::sqrt(here.variance(i)));
  }
  return largest;
}

Model ShiftedRuns::shifted(std::size_t parameter, double shift) const {
  std::vector<double> parameters = model_.parameter_values();
  parameters.at(parameter) += shift;
  return model_.with_parameters(parameters);
}

void ShiftedRuns::add(const RunSummary& run, std::size_t lost) {
  total_.requested += run.requested;
  total_.paths += run.requested - lost;
  total_.failed += lost;
  total_.seconds += run.seconds;
  total_.steps = run.steps;
  for (const FailedPath& failure : run.first_failures) {
    if (total_.first_failures.size() < 3) total_.first_failures.push_back(failure);
  }
  const double share = static_cast<double>(lost) / static_cast<double>(run.requested);
  if (lost > 0 && share > sampling_.failed_share) {
    throw Error(ErrorKind::numerical,
                fmt::format("{} of {} paths failed, more than the allowed share {}. A smaller dt "
                            "may help.",
                            lost, run.requested, sampling_.failed_share));
  }
}

void ShiftedRuns::count_as_pilot(std::size_t before) { pilot_runs_ += paths_run() - before; }

RunRecord ShiftedRuns::record() const {
  RunRecord record = study_.record();
  record.sampling = sampling_;
  record.summary = total_;
  record.effort.path_runs -= pilot_runs_;
  record.effort.pilot_runs = pilot_runs_ + paths_aside_;
  return record;
}

Gap gap_between(const Differences& a, const Differences& b, std::size_t quantity) {
  double squares = 0.0;
  for (std::size_t r = 0; r < a.influence.rows; ++r) {
    squares += std::pow(a.influence(r, quantity) - b.influence(r, quantity), 2);
  }
  const auto n = static_cast<double>(std::max<std::size_t>(1, a.paths));
  return {a.value[quantity] - b.value[quantity], std::sqrt(squares) / n};
}

double Differences::error(std::size_t quantity) const {
  double squares = 0.0;
  for (std::size_t r = 0; r < influence.rows; ++r) squares += std::pow(influence(r, quantity), 2);
  const auto n = static_cast<double>(paths);
  return n < 2.0 ? std::numeric_limits<double>::infinity() : std::sqrt(squares / (n * (n - 1.0)));
}

double truncation_seen(const Differences& at_h, const Differences& at_half, std::size_t quantity) {
  const Gap gap = gap_between(at_h, at_half, quantity);
  return std::max(0.0, std::fabs(gap.value) - gap.error) * 4.0 / 3.0;
}

Differences mean_difference(std::span<const double> above, std::span<const double> below,
                            double h) {
  Differences result{{0.0}, Matrix(above.size(), 1), 0};
  double sum = 0.0;
  for (std::size_t j = 0; j < above.size(); ++j) {
    result.influence(j, 0) = (above[j] - below[j]) / (2.0 * h);
    if (std::isnan(result.influence(j, 0))) continue;
    sum += result.influence(j, 0);
    ++result.paths;
  }
  result.value[0] = sum / static_cast<double>(result.paths);
  for (double& value : result.influence.data) {
    value = std::isnan(value) ? 0.0 : value - result.value[0];
  }
  return result;
}

LogDensity kernel_log_density(std::span<const double> samples, double point, double bandwidth) {
  LogDensity result{0.0, std::vector<double>(samples.size(), 0.0), 0.0};
  double sum = 0.0;
  double squares = 0.0;
  std::size_t count = 0;
  for (std::size_t j = 0; j < samples.size(); ++j) {
    if (std::isnan(samples[j])) continue;
    const double u = (samples[j] - point) / bandwidth;
    const double weight = std::exp(-0.5 * u * u);
    result.influence[j] = weight;
    sum += weight;
    squares += weight * weight;
    ++count;
  }
  const double mean = sum / static_cast<double>(count);
  result.value = std::log(mean / (bandwidth * std::sqrt(2.0 * std::numbers::pi)));
  result.effective_samples = squares > 0.0 ? sum * sum / squares : 0.0;
  for (std::size_t j = 0; j < samples.size(); ++j) {
    if (!std::isnan(samples[j])) result.influence[j] = result.influence[j] / mean - 1.0;
  }
  return result;
}

Differences log_density_difference(std::span<const double> above, std::span<const double> below,
                                   double h, std::span<const double> points,
                                   std::span<const double> bandwidths) {
  std::vector<double> a(above.begin(), above.end());
  std::vector<double> b(below.begin(), below.end());
  Differences result{{}, Matrix(a.size(), points.size() * bandwidths.size()), 0};
  for (std::size_t j = 0; j < a.size(); ++j) {
    if (std::isnan(a[j]) || std::isnan(b[j])) {
      a[j] = b[j] = failed;
    } else {
      ++result.paths;
    }
  }
  for (const double point : points) {
    for (const double bandwidth : bandwidths) {
      const LogDensity up = kernel_log_density(a, point, bandwidth);
      const LogDensity down = kernel_log_density(b, point, bandwidth);
      const std::size_t column = result.value.size();
      result.value.push_back((up.value - down.value) / (2.0 * h));
      for (std::size_t j = 0; j < a.size(); ++j) {
        result.influence(j, column) = (up.influence[j] - down.influence[j]) / (2.0 * h);
      }
    }
  }
  return result;
}

double step_of_moved_jump(const Model& model, std::size_t parameter) {
  const std::vector<ModelKink> kinks = model_kinks(model);
  const bool is_moved = std::ranges::any_of(kinks, [&](const ModelKink& kink) {
    return kink.is_of_step() && kink.kind == KinkKind::jump && kink.by_time && !kink.by_states &&
           kink.is_moved_by(parameter);
  });
  return is_moved ? model.time().step : 0.0;
}

StepChoice choose_step(const Model& model, ShiftedRuns& runs, const Differencing& differencing,
                       const StepRequest& request) {
  const Parameter& parameter = model.parameters().at(request.parameter);
  std::vector<double> steps = steps_to_try(parameter, request.fixed, request.moved_in_time);
  const std::vector<Differences> tried =
      try_steps(runs, differencing, request, distance_to_bounds(parameter), steps);
  const ErrorsOfSteps errors = errors_of_steps(tried, steps, request.has_jumps);
  const Matrix expected = expected_errors(tried, errors, request);
  const std::vector<double> least = least_errors(expected, request.variants);
  StepChoice choice;
  double best = std::numeric_limits<double>::infinity();
  for (std::size_t k = 0; k < steps.size(); ++k) {
    if (request.fixed > 0.0 && steps[k] != request.fixed) continue;
    for (std::size_t v = 0; v < request.variants; ++v) {
      double sum = 0.0;
      for (std::size_t q = v; q < expected.cols; q += request.variants) {
        sum += std::log(std::max(expected(k, q), 1e-300) /
                        std::max(least[q / request.variants], 1e-300));
      }
      if (sum < best) {
        best = sum;
        choice.h = steps[k];
        choice.variant = v;
        const auto of_step = errors.bias.row(k);
        choice.truncation.assign(of_step.begin(), of_step.end());
      }
    }
  }
  return choice;
}

}  // namespace divker
