#include "divker/ensemble.hpp"

#include <fmt/format.h>
#include <immintrin.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <exception>
#include <map>
#include <mutex>
#include <thread>

#include "divker/error.hpp"
#include "march/checkpoint.hpp"
#include "march/engine.hpp"
#include "march/rounds.hpp"

namespace divker {
namespace {

using march::Block;
using march::Checkpointer;
using march::Engine;
using march::Rounds;
using march::RunPlan;
using Clock = std::chrono::steady_clock;

// Paths to a group: the unit of work, and of summation.
constexpr std::size_t group_paths = 256;

// Numbers too small for full precision would slow the arithmetic a hundredfold; a path has no use
// for them. The thread's mode is put back at the end.
class FlushTinyNumbers {
 public:
  FlushTinyNumbers() : before_(_mm_getcsr()) { _mm_setcsr(before_ | flush_to_zero_and_zeros_are); }
  ~FlushTinyNumbers() { _mm_setcsr(before_); }
  FlushTinyNumbers(const FlushTinyNumbers&) = delete;
  FlushTinyNumbers& operator=(const FlushTinyNumbers&) = delete;

 private:
  static constexpr unsigned flush_to_zero_and_zeros_are = 0x8040;
  unsigned before_;
};

void check_samples(const Engine& engine, const RunOptions& options) {
  if (!engine.model.starts_from_samples()) return;
  const std::size_t dimension = engine.model.dimension();
  if (!options.samples || options.samples->rows == 0) {
    throw Error(ErrorKind::usage, fmt::format("Model {} starts from samples, but none were given.",
                                              engine.model.name()));
  }
  if (options.samples->cols != dimension) {
    throw Error(ErrorKind::model,
                fmt::format("The initial samples have {} columns, but model {} has {} states.",
                            options.samples->cols, engine.model.name(), dimension));
  }
  for (std::size_t r = 0; r < options.samples->rows; ++r) {
    for (std::size_t c = 0; c < dimension; ++c) {
      const double value = (*options.samples)(r, c);
      const State& state = engine.model.states()[c];
      if (state.positive && value <= 0.0) {
        throw Error(ErrorKind::model,
                    fmt::format("The initial samples hold {} = {} in row {}, but the state {} is "
                                "declared positive.",
                                state.name, value, r, state.name));
      }
      if (std::isfinite(value)) continue;
      throw Error(ErrorKind::model,
                  fmt::format("The initial samples hold {} in row {}, column {}.", value, r, c));
    }
  }
}

void check_learned(const Damping& damping) {
  const CovectorCovariance& covariance = *damping.covariance;
  if (damping.weights.size() == covariance.weights && damping.centres.size() == covariance.scales &&
      damping.widths.size() == covariance.scales) {
    return;
  }
  throw Error(ErrorKind::usage,
              fmt::format("The learned damping has {} weights, {} centres and {} widths; its "
                          "polynomials need {}, {} and {}.",
                          damping.weights.size(), damping.centres.size(), damping.widths.size(),
                          covariance.weights, covariance.scales, covariance.scales));
}

void check_damping(const Engine& engine, const Damping& damping) {
  if (!engine.options.score) return;
  if (damping.form != engine.options.damping || damping.covariance != engine.options.covariance) {
    throw Error(ErrorKind::usage,
                fmt::format("The ensemble was compiled for another form of damping than '{}'.",
                            damping.text()));
  }
  if (damping.form == DampingForm::learned) check_learned(damping);
  if (damping.form != DampingForm::matrix) return;
  const auto noisy = static_cast<std::size_t>(
      std::count(engine.model.noisy().begin(), engine.model.noisy().end(), true));
  for (const Matrix& matrix : damping.matrices) {
    if (matrix.rows != noisy || matrix.cols != engine.model.dimension()) {
      throw Error(ErrorKind::usage,
                  fmt::format("A damping matrix is {} x {}; this model needs {} x {}: its noisy "
                              "states by its states.",
                              matrix.rows, matrix.cols, noisy, engine.model.dimension()));
    }
  }
  if (damping.matrices.empty() || damping.matrices.size() != damping.times.size()) {
    throw Error(ErrorKind::usage, fmt::format("The matrix damping has {} matrices for {} times.",
                                              damping.matrices.size(), damping.times.size()));
  }
}

void check_options(const Engine& engine, const RunOptions& options) {
  if (options.paths == 0) {
    throw Error(ErrorKind::usage, "The number of paths is 0: it must be at least 1.");
  }
  if (options.increments_per_step == 0) {
    throw Error(ErrorKind::usage, "The number of increments per step is 0: it must be at least 1.");
  }
  check_samples(engine, options);
  check_damping(engine, options.damping);
}

// Vectors that a thread advances together: as many as keep the block in the first-level cache.
std::size_t choose_vectors(const Engine& engine, const RunOptions& options) {
  const std::size_t lanes = engine.lanes();
  std::size_t wanted = options.block / lanes;
  if (options.block == 0) {
    constexpr std::size_t cache_bytes = 32 * 1024;
    const std::size_t noise = engine.model.noise_count();
    const std::size_t doubles =
        4 * engine.model.dimension() + noise * batch_steps(noise) + engine.options.responses.size();
    const std::size_t matrix = engine.model.dimension() * engine.model.dimension();
    const std::size_t jacobian = engine.jacobian ? engine.jacobian->places.size() + matrix : 0;
    wanted = cache_bytes / ((doubles + jacobian) * lanes * sizeof(double));
  }
  std::size_t vectors = 1;
  while (2 * vectors <= std::min(wanted, group_paths / lanes)) vectors *= 2;
  return vectors;
}

// Removes the rows of paths that are not finite at some snapshot; returns their numbers.
std::vector<std::size_t> drop_failed(PathGroup& group) {
  const std::size_t rows = group.x.front().rows;
  std::vector<bool> sound(rows, true);
  const std::array<std::vector<Matrix>*, 3> kinds{&group.x, &group.nu, &group.responses};
  for (const std::vector<Matrix>* kind : kinds) {
    for (const Matrix& matrix : *kind) {
      for (std::size_t r = 0; r < rows; ++r) {
        const auto row = matrix.row(r);
        if (!std::all_of(row.begin(), row.end(), [](double v) { return std::isfinite(v); })) {
          sound[r] = false;
        }
      }
    }
  }
  std::vector<std::size_t> failed;
  for (std::size_t r = 0; r < rows; ++r) {
    if (!sound[r]) failed.push_back(r);
  }
  if (failed.empty()) return failed;
  for (std::vector<Matrix>* kind : kinds) {
    for (Matrix& matrix : *kind) {
      std::size_t kept = 0;
      for (std::size_t r = 0; r < rows; ++r) {
        if (!sound[r]) continue;
        std::copy(matrix.row(r).begin(), matrix.row(r).end(), matrix.row(kept++).begin());
      }
      matrix.rows = kept;
      matrix.data.resize(kept * matrix.cols);
    }
  }
  return failed;
}

// One run: threads take groups in order, and give their parts back in order. With several ranks
// each marches some of the groups, and all absorb the parts of all.
class Run {
 public:
  Run(const Engine& engine, const RunOptions& options, Collector& collector,
      const Checkpoint& checkpoint)
      : engine_(engine),
        options_(options),
        collector_(collector),
        plan_(engine, options),
        checkpointer_(checkpoint, engine, options, absorbed_,
                      [this](Archive& archive) { transfer(archive); }) {
    if (engine.score_free() && plan_.snapshots.front() == 0) {
      throw Error(ErrorKind::usage,
                  "A snapshot at the start was asked for, where the initial law has no density and "
                  "hence no score.");
    }
  }

  RunSummary go() {
    if (checkpointer_.resume() && options_.progress) options_.progress(finished_, options_.paths);
    const std::size_t groups = (options_.paths + group_paths - 1) / group_paths;
    if (ranks().size() == 1) {
      march(absorbed_, groups);
      if (failure_) std::rethrow_exception(failure_);
      // Before the groups that were finished out of order: they are in the answer, but a gap is not
      // saved.
      checkpointer_.save();
      for (auto& [index, finished] : pending_) take(std::move(finished));
    } else {
      march_in_rounds(groups);
    }
    summary_.requested = options_.paths;
    summary_.steps = plan_.snapshots.back();
    summary_.interrupted = finished_ < options_.paths;
    summary_.seconds = seconds();
    locate_failures();
    check_failed_share();
    return summary_;
  }

 private:
  struct Finished {
    std::unique_ptr<Collector::Part> part;
    std::size_t sound = 0;
    std::vector<std::uint64_t> failed;
    std::size_t paths = 0;
    // `empty` makes a part to read into.
    void transfer(Archive& archive, const Collector& empty) {
      bool has_part = part != nullptr;
      archive(sound, failed, paths, has_part);
      if (archive.reading() && has_part) part = empty.empty_part();
      if (has_part) part->transfer(archive);
    }
  };

  // Groups first ... last - 1 by the threads of this rank.
  void march(std::size_t first, std::size_t last) {
    next_ = first;
    std::vector<std::jthread> workers;
    const std::size_t threads = threads_or_cores(options_.threads);
    for (std::size_t w = 1; w < std::min(threads, last - first); ++w) {
      workers.emplace_back([this, last] { work(last); });
    }
    work(last);
  }

  void march_in_rounds(std::size_t groups) {
    const FlushTinyNumbers guard;  // parts are absorbed as on one rank: in a worker's mode
    const bool is_saving = ranks().rank() == 0;
    Rounds rounds(absorbed_, groups, options_.threads);
    while (!rounds.over()) {
      if (rounds.first() < rounds.last()) march(rounds.first(), rounds.last());
      Archive letter = rounds.letter(options_.stop != nullptr && *options_.stop, failure_);
      for (auto& [index, finished] : pending_) finished.transfer(letter, collector_);
      pending_.clear();
      std::vector<Archive> letters = rounds.exchange(letter);
      if (is_saving && rounds.stopped()) checkpointer_.save();  // the last round may have gaps
      for (Archive& from : letters) {
        while (!from.at_end()) {
          Finished finished;
          finished.transfer(from, collector_);
          take(std::move(finished));
          ++absorbed_;
        }
      }
      if (rounds.stopped()) break;
      if (is_saving && rounds.over()) checkpointer_.save();
      if (is_saving) checkpointer_.save_if_due();
      if (options_.progress) options_.progress(finished_, options_.paths);
    }
  }

  void work(std::size_t groups) noexcept {
    try {
      const FlushTinyNumbers guard;
      Block block(plan_, choose_vectors(engine_, options_));
      for (std::size_t g = next_.fetch_add(1); g < groups && !abandon_; g = next_.fetch_add(1)) {
        std::optional<Finished> finished = march_group(block, g);
        if (!finished) return;
        deliver(g, std::move(*finished));
      }
    } catch (...) {
      const std::scoped_lock lock(mutex_);
      if (!failure_) failure_ = std::current_exception();
      abandon_ = true;
    }
  }

  [[nodiscard]] PathGroup empty_group(std::size_t index, std::size_t paths) const {
    PathGroup group;
    group.index = index;
    const std::size_t snapshots = plan_.snapshots.size();
    group.x.assign(snapshots, Matrix(paths, engine_.model.dimension()));
    if (engine_.options.score) group.nu = group.x;
    if (!engine_.options.responses.empty()) {
      group.responses.assign(snapshots, Matrix(paths, engine_.options.responses.size()));
    }
    return group;
  }

  std::optional<Finished> march_group(Block& block, std::size_t index) {
    const std::size_t first = index * group_paths;
    const std::size_t paths = std::min(group_paths, options_.paths - first);
    PathGroup group = empty_group(index, paths);
    for (std::size_t row = 0; row < paths; row += block.paths()) {
      const std::size_t rows = std::min(block.paths(), paths - row);
      if (!block.march(options_.first_path + first + row, row, rows, group)) return std::nullopt;
    }
    Finished finished;
    finished.paths = paths;
    for (const std::size_t row : drop_failed(group)) {
      finished.failed.push_back(options_.first_path + first + row);
    }
    finished.sound = paths - finished.failed.size();
    finished.part = collector_.reduce(std::move(group));
    return finished;
  }

  void deliver(std::size_t index, Finished finished) {
    const std::scoped_lock lock(mutex_);
    pending_.emplace(index, std::move(finished));
    if (ranks().size() > 1) return;  // for the end of the round
    while (!pending_.empty() && pending_.begin()->first == absorbed_) {
      // Out of the map first: where absorbing fails, no other thread may try it again.
      auto group = pending_.extract(pending_.begin());
      take(std::move(group.mapped()));
      ++absorbed_;
    }
    checkpointer_.save_if_due();
    if (options_.progress) options_.progress(finished_, options_.paths);
  }

  void take(Finished finished) {
    finished_ += finished.paths;
    summary_.paths += finished.sound;
    summary_.failed += finished.failed.size();
    for (const std::uint64_t path : finished.failed) {
      if (failed_paths_.size() < 3) failed_paths_.push_back(path);
    }
    collector_.absorb(std::move(finished.part));
  }

  // What was absorbed so far.
  void transfer(Archive& archive) {
    double all_seconds = seconds();
    archive(absorbed_, finished_, summary_.paths, summary_.failed, failed_paths_, all_seconds);
    collector_.transfer(archive);
    if (archive.reading()) earlier_seconds_ = all_seconds;
  }

  [[nodiscard]] double seconds() const {
    return earlier_seconds_ + std::chrono::duration<double>(Clock::now() - began_).count();
  }

  void locate_failures() {
    if (failed_paths_.empty()) return;
    const FlushTinyNumbers guard;
    Block single(plan_, 1);
    for (const std::uint64_t path : failed_paths_) {
      const bool is_first = summary_.first_failures.empty();
      march::Trail trail;
      const auto failure = single.locate_failure(path, is_first ? &trail : nullptr);
      if (!failure) continue;
      summary_.first_failures.push_back(*failure);
      const bool turned = failure->what == march::inverse_jacobian;
      if (is_first) {
        summary_.cause = fault_of_step(
            engine_.model, trail, turned ? march::turning_limit : march::stability_limit);
      }
    }
  }

  void check_failed_share() const {
    const double share = static_cast<double>(summary_.failed) / static_cast<double>(finished_);
    if (summary_.failed == 0 || share <= options_.failed_share) return;
    std::string example;
    std::string advice = "A smaller dt, or stronger damping if the covector failed, may help.";
    if (!summary_.first_failures.empty()) {
      const FailedPath& first = summary_.first_failures.front();
      example = fmt::format(" Path {} was the first: its {} was not finite at t = {:.6g}.",
                            first.path, first.what, first.time);
      if (first.what == march::inverse_jacobian) {
        advice =
            "The Jacobian of a step is singular or turns over, and then the exact divergence step "
            "does not hold; the damping 'kernel' needs no Jacobian.";
      }
    }
    if (!summary_.cause.empty()) advice = summary_.cause;
    throw Error(ErrorKind::numerical,
                fmt::format("{} of {} paths failed, more than the allowed share {}.{} {}",
                            summary_.failed, finished_, options_.failed_share, example, advice));
  }

  const Engine& engine_;
  const RunOptions& options_;
  Collector& collector_;
  RunPlan plan_;
  Checkpointer checkpointer_;
  Clock::time_point began_ = Clock::now();
  double earlier_seconds_ = 0.0;  // of the processes before this one
  std::atomic<std::size_t> next_ = 0;
  std::atomic<bool> abandon_ = false;
  std::mutex mutex_;  // guards all below
  std::map<std::size_t, Finished> pending_;
  std::size_t absorbed_ = 0;
  std::size_t finished_ = 0;
  std::vector<std::uint64_t> failed_paths_;
  RunSummary summary_;
  std::exception_ptr failure_;
};

// Keeps all rows.
class ArrayCollector : public Collector {
 public:
  ArrayCollector(const Engine& engine, const RunOptions& options, Paths& paths) : paths_(paths) {
    const TimeGrid& grid = engine.model.time();
    for (const std::size_t step : snapshot_steps(grid, options.snapshots)) {
      Snapshot snapshot;
      snapshot.time = grid.time(step);
      snapshot.x.cols = engine.model.dimension();
      snapshot.x.data.reserve(options.paths * snapshot.x.cols);
      if (engine.options.score) {
        snapshot.nu.cols = snapshot.x.cols;
        snapshot.nu.data.reserve(options.paths * snapshot.nu.cols);
      }
      snapshot.responses.cols = engine.options.responses.size();
      snapshot.responses.data.reserve(options.paths * snapshot.responses.cols);
      paths_.snapshots.push_back(std::move(snapshot));
    }
  }

  [[nodiscard]] std::unique_ptr<Part> reduce(PathGroup group) const override {
    auto part = std::make_unique<Rows>();
    part->group = std::move(group);
    return part;
  }

  void absorb(std::unique_ptr<Part> part) override {
    const PathGroup& group = static_cast<const Rows&>(*part).group;
    for (std::size_t k = 0; k < paths_.snapshots.size(); ++k) {
      append(group.x[k], paths_.snapshots[k].x);
      if (!group.nu.empty()) append(group.nu[k], paths_.snapshots[k].nu);
      if (!group.responses.empty()) append(group.responses[k], paths_.snapshots[k].responses);
    }
  }

  [[nodiscard]] std::unique_ptr<Part> empty_part() const override {
    return std::make_unique<Rows>();
  }
  void transfer(Archive& archive) override {
    for (Snapshot& snapshot : paths_.snapshots)
      archive(snapshot.x, snapshot.nu, snapshot.responses);
  }

 private:
  struct Rows : Part {
    void transfer(Archive& archive) override { group.transfer(archive); }
    PathGroup group;
  };
  static void append(const Matrix& rows, Matrix& target) {
    target.data.insert(target.data.end(), rows.data.begin(), rows.data.end());
    target.rows += rows.rows;
  }

  Paths& paths_;
};

}  // namespace

std::vector<std::size_t> snapshot_steps(const TimeGrid& grid, const std::vector<double>& times) {
  if (times.empty()) return {grid.steps()};
  std::vector<std::size_t> steps;
  for (const double time : times) {
    if (!std::isfinite(time)) {
      throw Error(ErrorKind::usage,
                  fmt::format("A snapshot time is {}, but must be a time of the grid {} : {} : {}.",
                              time, grid.start, grid.step, grid.end));
    }
    const double position = (time - grid.start) / grid.step;
    const double nearest = std::clamp(std::round(position), 0.0, static_cast<double>(grid.steps()));
    const auto step = static_cast<std::size_t>(nearest);
    if (!(std::fabs(position - nearest) < 1e-6 * std::max(1.0, nearest))) {
      throw Error(ErrorKind::usage,
                  fmt::format("The snapshot time {} is not on the time grid {} : {} : {}; the "
                              "nearest time on it is {}.",
                              time, grid.start, grid.step, grid.end, grid.time(step)));
    }
    if (!steps.empty() && step <= steps.back()) {
      throw Error(ErrorKind::usage, fmt::format("Snapshot times must ascend, but {} follows {}.",
                                                time, grid.time(steps.back())));
    }
    steps.push_back(step);
  }
  return steps;
}

struct Ensemble::Implementation {
  Engine engine;
};

Ensemble::Ensemble(const Model& model, const StepOptions& options)
    : implementation_(std::make_unique<Implementation>(Implementation{Engine(model, options)})) {}
Ensemble::~Ensemble() = default;
Ensemble::Ensemble(Ensemble&&) noexcept = default;
Ensemble& Ensemble::operator=(Ensemble&&) noexcept = default;

const Model& Ensemble::model() const { return implementation_->engine.model; }
const StepOptions& Ensemble::options() const { return implementation_->engine.options; }
double Ensemble::compile_seconds() const { return implementation_->engine.compile_seconds; }
std::size_t Ensemble::operations() const { return implementation_->engine.operations; }

void Ensemble::set_model(const Model& model) {
  if (model.hash() != implementation_->engine.model.hash()) {
    throw Error(ErrorKind::usage, "The model " + model.name() +
                                      " has other equations than the one this ensemble was "
                                      "compiled for.");
  }
  implementation_->engine.model = model;
}

bool RunOptions::stopped() const { return on_any_rank(stop != nullptr && *stop); }

RunSummary Ensemble::run(const RunOptions& options, Collector& collector,
                         const Checkpoint& checkpoint) const {
  check_options(implementation_->engine, options);
  return Run(implementation_->engine, options, collector, checkpoint).go();
}

Paths Ensemble::run(const RunOptions& options, const Checkpoint& checkpoint) const {
  check_options(implementation_->engine, options);
  Paths paths;
  ArrayCollector collector(implementation_->engine, options, paths);
  const Checkpoint rows = checkpoint.of("all paths");
  paths.summary = Run(implementation_->engine, options, collector, rows).go();
  return paths;
}

}  // namespace divker
