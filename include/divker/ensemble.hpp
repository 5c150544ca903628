// Many paths at once: x, nu and I at the snapshot times, on all cores, to the bit reproducible.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "divker/archive.hpp"
#include "divker/checkpoint.hpp"
#include "divker/damping.hpp"
#include "divker/kernel.hpp"
#include "divker/matrix.hpp"
#include "divker/model.hpp"
#include "divker/random.hpp"
#include "divker/step.hpp"

namespace divker {

struct RunOptions {
  std::size_t paths = 10'000;
  std::uint64_t first_path =
      0;  // paths first_path ... first_path + paths - 1: any can be run alone
  std::uint64_t seed = 1;
  unsigned threads = 0;   // of each rank; 0: all cores. Results do not depend on it
  std::size_t block = 0;  // paths advanced together by a thread; 0 chooses. Nor on this
  Damping damping;
  std::vector<double> snapshots;  // times on the grid, ascending; empty: the end of the grid
  std::shared_ptr<const Matrix> samples;  // for initial laws from samples: rows x M
  Resolution resolution = Resolution::fast;
  // The Brownian increment of a step is the sum of that many consecutive ones: with 2, a run at dt
  // follows the same Brownian path as a run with 1 at dt/2. Their difference is the effect of dt.
  std::size_t increments_per_step = 1;
  double failed_share = 1e-3;               // more failed paths than this share is Error(numerical)
  const std::atomic<bool>* stop = nullptr;  // set it, from a signal handler say, to end early
  // Called now and then, never from two threads at once, with paths finished and paths in all.
  std::function<void(std::size_t, std::size_t)> progress;

  // Whether the flag is set; with several ranks whether it is on one of them, by an exchange.
  [[nodiscard]] bool stopped() const;
};

struct FailedPath {
  std::uint64_t path = 0;
  double time = 0.0;  // first time at which something was not finite
  std::string what;   // "state x[3]", "covector of x[3]", "inverse Jacobian", "response"
};

// How a run went.
struct RunSummary {
  std::size_t paths = 0;  // finished and sound: rows of the result
  std::size_t requested = 0;
  std::size_t failed = 0;
  std::vector<FailedPath> first_failures;  // at most three, located exactly
  std::string cause;  // why the first of them failed, a sentence, where it is known: dt too large
  bool interrupted = false;
  std::size_t steps = 0;  // of each path
  double seconds = 0.0;   // wall time of the paths, of all processes that took part
};

// Some consecutive paths at the snapshot times, failed ones left out.
struct PathGroup {
  std::size_t index = 0;          // group number within the run
  std::vector<Matrix> x;          // per snapshot: paths x M
  std::vector<Matrix> nu;         // per snapshot: paths x M, or empty
  std::vector<Matrix> responses;  // per snapshot: paths x responses, or empty
  void transfer(Archive& archive) { archive(index, x, nu, responses); }
};

// What is kept of the paths. Groups are of fixed size and absorbed in order, so that sums come out
// the same to the bit whatever the threads and blocks.
class Collector {
 public:
  virtual ~Collector() = default;
  // Part of the result, made from one group; called from several threads at once.
  class Part {
   public:
    virtual ~Part() = default;
    // To bytes or from them: parts travel between processes.
    virtual void transfer(Archive& archive) = 0;
  };
  [[nodiscard]] virtual std::unique_ptr<Part> reduce(PathGroup group) const = 0;
  // Called in the order of the groups, from one thread at a time.
  virtual void absorb(std::unique_ptr<Part> part) = 0;
  // A part to read bytes into.
  [[nodiscard]] virtual std::unique_ptr<Part> empty_part() const = 0;
  // What was absorbed so far, to bytes or from them: it survives the process.
  virtual void transfer(Archive& archive) = 0;
};

struct Snapshot {
  double time = 0.0;
  Matrix x;          // paths x M
  Matrix nu;         // paths x M, or empty
  Matrix responses;  // paths x responses, or empty
};

struct Paths {
  std::vector<Snapshot> snapshots;
  RunSummary summary;
};

// A model with its compiled step. Compiles once; runs with any parameters, time grid, damping
// values of its form, seed and number of paths.
class Ensemble {
 public:
  // Derives and compiles. Errors as derive_*_step and Kernel::compile. For a map the form of
  // damping decides: kernel is the pure kernel step, all others are exact divergence steps.
  Ensemble(const Model& model, const StepOptions& options);
  ~Ensemble();
  Ensemble(const Ensemble&) = delete;
  Ensemble& operator=(const Ensemble&) = delete;
  Ensemble(Ensemble&&) noexcept;
  Ensemble& operator=(Ensemble&&) noexcept;

  [[nodiscard]] const Model& model() const;
  [[nodiscard]] const StepOptions& options() const;
  [[nodiscard]] double compile_seconds() const;
  [[nodiscard]] std::size_t operations() const;  // of one step of one path

  // Other parameter values or time grid for the runs to come. The model must have equal equations.
  void set_model(const Model& model);

  // Memory: what the collector keeps, and about 256 (2M + responses) snapshots doubles a thread.
  // Cost: paths * steps * operations. Throws Error(usage) for bad options, Error(numerical) when
  // too many paths failed. With a checkpoint it goes on from what was saved, and saves; a saved run
  // of other options is Error(usage), a damaged one Error(model). Saving takes the memory of what
  // the collector keeps a second time.
  [[nodiscard]] RunSummary run(const RunOptions& options, Collector& collector,
                               const Checkpoint& checkpoint = {}) const;
  // Everything in arrays: paths * snapshots * (2M + responses) doubles.
  [[nodiscard]] Paths run(const RunOptions& options, const Checkpoint& checkpoint = {}) const;

 private:
  struct Implementation;
  std::unique_ptr<Implementation> implementation_;
};

// Step numbers of snapshot times. Error(usage) for a time off the grid, naming the nearest.
[[nodiscard]] std::vector<std::size_t> snapshot_steps(const TimeGrid& grid,
                                                      const std::vector<double>& times);

}  // namespace divker
