// The saving side of divker/checkpoint.hpp.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "divker/archive.hpp"
#include "divker/checkpoint.hpp"
#include "divker/marcher.hpp"
#include "divker/sampling.hpp"

namespace divker::march {

// One of the things that decide a run's numbers.
struct IdentityEntry {
  std::string name;
  std::string value;
  void transfer(Archive& archive) { archive(name, value); }
};

// All of them, the ones that users change most by mistake first.
[[nodiscard]] std::vector<IdentityEntry> identity_of(const March& march,
                                                     const std::string& arithmetic,
                                                     const std::string& kept);

// When to save, by the seconds of a clock. The interval 0 means always.
class SavingPace {
 public:
  SavingPace(double interval, double now) : interval_(interval), next_(now + interval) {}
  [[nodiscard]] bool due(double now) const { return interval_ == 0.0 || now >= next_; }
  // A save takes at most a tenth of the time.
  void saved(double began, double ended) {
    next_ = std::max(began + interval_, ended + 9.0 * (ended - began));
  }

 private:
  double interval_;
  double next_;
};

// Saves a run and brings it back. `transfer` writes or reads all that the run has absorbed.
class Checkpointer {
 public:
  using Transfer = std::function<void(Archive&)>;

  // `absorbed` is the run's count of groups: nothing new, nothing to save. A run that is told to
  // stop before it begins saves nothing: what chose its damping was told too.
  Checkpointer(const Session& session, std::vector<IdentityEntry> identity,
               const std::size_t& absorbed, Transfer transfer);

  // Reads what was saved. False if there is nothing. Error(usage) for another run's checkpoint,
  // with the first thing that differs; Error(model) for bytes that are none or are damaged.
  bool resume();
  void save_if_due();
  void save();

 private:
  const Checkpoint& settings_;
  bool on_;
  const std::size_t& absorbed_;
  std::size_t saved_ = 0;  // of the groups
  std::vector<IdentityEntry> identity_;
  Transfer transfer_;
  SavingPace pace_;
};

}  // namespace divker::march
