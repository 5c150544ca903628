// Which paths, and under what circumstances they are run.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "divker/checkpoint.hpp"
#include "divker/random.hpp"

namespace divker {

class Marcher;

// From which row of the initial samples a path starts.
enum class StartRows {
  drawn,    // one drawn at random
  by_path,  // row j for path j, counted from the first row again where there are more paths
};

// Which paths: all that decides their numbers beside the model and the method.
struct Sampling {
  std::size_t paths = 10'000;
  // Paths first_path ... first_path + paths - 1: any can be run alone.
  std::uint64_t first_path = 0;
  std::uint64_t seed = 1;
  Resolution resolution = Resolution::fast;
  std::vector<double> snapshots;  // times on the grid, ascending; empty: the end of the grid
  StartRows start_rows = StartRows::drawn;
  // The Brownian increment of a step is the sum of that many consecutive ones: with 2, a run at dt
  // follows the same Brownian path as a run with 1 at dt/2. Their difference is the effect of dt.
  std::size_t increments_per_step = 1;
  double failed_share = 1e-3;  // more failed paths than this share is Error(numerical)
};

// How a run is carried out. Results do not depend on any of it.
struct Session {
  unsigned threads = 0;                     // of each rank; 0: all cores
  std::size_t block = 0;                    // paths advanced together by a thread; 0 chooses
  const std::atomic<bool>* stop = nullptr;  // set it, from a signal handler say, to end early
  // Called now and then, never from two threads at once, with paths finished and paths in all.
  std::function<void(std::size_t, std::size_t)> progress;
  // Of the run that an answer rests on; the pilot and other small runs before it are made again,
  // with equal results.
  Checkpoint checkpoint;
  const Marcher* marcher = nullptr;  // what makes the paths; null: vectors of this processor

  // Whether the flag is set; with several ranks whether it is on one of them, by an exchange.
  [[nodiscard]] bool stopped() const;
  // For small runs beside the main one: neither saved nor shown.
  [[nodiscard]] Session aside() const;
  // What a collector keeps, in words: part of the identity of a saved run.
  [[nodiscard]] Session keeping(const std::string& what) const;
};

}  // namespace divker
