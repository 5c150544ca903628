#include "march/run.hpp"

#include <fmt/format.h>
#include <immintrin.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <exception>
#include <map>
#include <mutex>
#include <thread>
#include <utility>

#include "divker/error.hpp"
#include "divker/ranks.hpp"
#include "march/checkpoint.hpp"
#include "march/group.hpp"
#include "march/rounds.hpp"
#include "march/stability.hpp"

namespace divker::march {
namespace {

using Clock = std::chrono::steady_clock;

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

void keep_rows(Matrix& table, const std::vector<bool>& sound) {
  std::size_t kept = 0;
  for (std::size_t r = 0; r < table.rows; ++r) {
    if (!sound[r]) continue;
    std::copy(table.row(r).begin(), table.row(r).end(), table.row(kept++).begin());
  }
  table.rows = kept;
  table.data.resize(kept * table.cols);
}

// Removes the rows of paths that are not finite at some snapshot; returns their numbers.
std::vector<std::uint64_t> drop_failed(PathGroup& group) {
  std::vector<bool> sound(group.numbers.size(), true);
  for (const Snapshot& snapshot : group.snapshots) {
    for (const auto& [name, table] : snapshot.tables()) {
      for (std::size_t r = 0; r < table.rows; ++r) {
        const auto row = table.row(r);
        if (!std::ranges::all_of(row, [](double v) { return std::isfinite(v); })) sound[r] = false;
      }
    }
  }
  std::vector<std::uint64_t> failed;
  std::vector<std::uint64_t> kept;
  for (std::size_t r = 0; r < sound.size(); ++r) {
    (sound[r] ? kept : failed).push_back(group.numbers[r]);
  }
  if (failed.empty()) return failed;
  group.numbers = std::move(kept);
  for (Snapshot& snapshot : group.snapshots) {
    for (auto& [name, table] : snapshot.tables()) keep_rows(table, sound);
  }
  return failed;
}

// One run: threads take groups in order, and give their parts back in order. With several ranks
// each marches some of the groups, and all absorb the parts of all.
class Run {
 public:
  Run(const Prepared& prepared, const March& march, const Session& session, Collector& collector)
      : march_(march),
        sampling_(march.sampling),
        session_(session),
        collector_(collector),
        begun_(prepared.begin(march, session.block)),
        checkpointer_(session, identity_of(march, prepared.arithmetic(), session.checkpoint.kept),
                      absorbed_, [this](Archive& archive) { transfer(archive); }) {
    if (march.plan.score_free() && march.steps.front() == 0) {
      throw Error(ErrorKind::usage,
                  "A snapshot at the start was asked for, where the initial law has no density and "
                  "hence no score.");
    }
  }

  RunSummary go() {
    if (checkpointer_.resume() && session_.progress) session_.progress(finished_, sampling_.paths);
    const std::size_t groups = (sampling_.paths + group_paths - 1) / group_paths;
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
    summary_.requested = sampling_.paths;
    summary_.steps = march_.steps.back();
    summary_.interrupted = finished_ < sampling_.paths;
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
    const std::size_t threads = threads_or_cores(session_.threads);
    for (std::size_t w = 1; w < std::min(threads, last - first); ++w) {
      workers.emplace_back([this, last] { work(last); });
    }
    work(last);
  }

  void march_in_rounds(std::size_t groups) {
    const FlushTinyNumbers guard;  // parts are absorbed as on one rank: in a worker's mode
    const bool is_saving = ranks().rank() == 0;
    Rounds rounds(absorbed_, groups, session_.threads);
    while (!rounds.over()) {
      if (rounds.first() < rounds.last()) march(rounds.first(), rounds.last());
      Archive letter = rounds.letter(session_.stop != nullptr && *session_.stop, failure_);
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
      if (session_.progress) session_.progress(finished_, sampling_.paths);
    }
  }

  void work(std::size_t groups) noexcept {
    try {
      const FlushTinyNumbers guard;
      const std::unique_ptr<Walker> walker = begun_->walker();
      for (std::size_t g = next_.fetch_add(1); g < groups && !abandon_; g = next_.fetch_add(1)) {
        std::optional<Finished> finished = march_group(*walker, g);
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
    for (std::size_t row = 0; row < paths; ++row) {
      group.numbers.push_back(sampling_.first_path + index * group_paths + row);
    }
    for (const std::size_t step : march_.steps) {
      Snapshot& snapshot = group.snapshots.emplace_back(march_.model.time().time(step));
      for (const Result* array : march_.plan.recorded()) {
        snapshot.table(array->name) = Matrix(paths, array->values.size());
      }
    }
    return group;
  }

  std::optional<Finished> march_group(Walker& walker, std::size_t index) {
    const std::size_t first = index * group_paths;
    const std::size_t paths = std::min(group_paths, sampling_.paths - first);
    const std::size_t at_once = begun_->paths_at_once();
    PathGroup group = empty_group(index, paths);
    for (std::size_t row = 0; row < paths; row += at_once) {
      const std::size_t rows = std::min(at_once, paths - row);
      const std::uint64_t first_path = sampling_.first_path + first + row;
      if (!walker.walk(first_path, row, rows, group, session_.stop)) return std::nullopt;
    }
    Finished finished;
    finished.paths = paths;
    finished.failed = drop_failed(group);
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
    if (session_.progress) session_.progress(finished_, sampling_.paths);
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
    const std::unique_ptr<Walker> walker = begun_->walker();
    for (const std::uint64_t path : failed_paths_) {
      const bool is_first = summary_.first_failures.empty();
      Trail trail;
      const auto failure = walker->locate_failure(path, is_first ? &trail : nullptr);
      if (!failure) continue;
      summary_.first_failures.push_back(*failure);
      const bool turned = failure->what == inverse_jacobian;
      if (is_first) {
        summary_.cause =
            fault_of_step(march_.model, trail, turned ? turning_limit : stability_limit);
      }
    }
  }

  void check_failed_share() const {
    const double share = static_cast<double>(summary_.failed) / static_cast<double>(finished_);
    if (summary_.failed == 0 || share <= sampling_.failed_share) return;
    std::string example;
    std::string advice = "A smaller dt, or stronger damping if the covector failed, may help.";
    if (!summary_.first_failures.empty()) {
      const FailedPath& first = summary_.first_failures.front();
      example = fmt::format(" Path {} was the first: its {} was not finite at t = {:.6g}.",
                            first.path, first.what, first.time);
      if (first.what == inverse_jacobian) {
        advice =
            "The Jacobian of a step is singular or turns over, and then the exact divergence step "
            "does not hold; the damping 'kernel' needs no Jacobian.";
      }
    }
    if (!summary_.cause.empty()) advice = summary_.cause;
    throw Error(ErrorKind::numerical,
                fmt::format("{} of {} paths failed, more than the allowed share {}.{} {}",
                            summary_.failed, finished_, sampling_.failed_share, example, advice));
  }

  March march_;
  const Sampling& sampling_;
  const Session& session_;
  Collector& collector_;
  std::unique_ptr<Prepared::Run> begun_;
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

}  // namespace

RunSummary run_paths(const Prepared& prepared, const March& march, const Session& session,
                     Collector& collector) {
  return Run(prepared, march, session, collector).go();
}

}  // namespace divker::march
