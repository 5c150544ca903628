// The groups of a run dealt to ranks.
#pragma once

#include <chrono>
#include <cstddef>
#include <exception>
#include <vector>

#include "divker/archive.hpp"
#include "divker/ranks.hpp"

namespace divker::march {

// Groups are marched in rounds. In each the ranks get consecutive groups, in the order of the
// ranks, so that the letters of a round, read in this order, hold the groups in theirs. How many a
// rank gets follows its speed: about a quarter of a second's work, less where results are large,
// and the last groups in proportion. Which rank has marched a group makes no difference to it.
//
//   Rounds rounds(groups, threads);
//   while (!rounds.over()) {
//     march rounds.first() ... rounds.last() - 1;
//     Archive letter = rounds.letter(stopped, failure);
//     write the results to it;
//     for (Archive& from : rounds.exchange(letter)) read and absorb the results;
//   }
class Rounds {
 public:
  Rounds(std::size_t begin, std::size_t end, unsigned threads);  // groups begin ... end - 1

  [[nodiscard]] bool over() const { return over_; }
  // Some rank wanted the end before the last group: groups of the last round may be missing.
  [[nodiscard]] bool stopped() const { return stopped_; }
  [[nodiscard]] std::size_t first() const { return first_; }  // of this rank in this round
  [[nodiscard]] std::size_t last() const { return last_; }
  // Its beginning. `stopped`: this rank wants the run to end with this round; `failure`: what was
  // thrown while marching, or null.
  [[nodiscard]] Archive letter(bool stopped, const std::exception_ptr& failure);
  // The letters of all ranks, read up to the results. Throws on every rank the Error of the first
  // one with a failure.
  [[nodiscard]] std::vector<Archive> exchange(const Archive& letter);

 private:
  using Clock = std::chrono::steady_clock;

  void deal();

  std::size_t next_;  // group that no rank has got
  std::size_t end_;
  std::size_t threads_;
  std::vector<std::size_t> wanted_;  // groups, by ranks
  std::size_t first_ = 0;
  std::size_t last_ = 0;
  bool over_ = false;
  bool stopped_ = false;
  Clock::time_point began_;  // the round
  double seconds_ = 0.0;     // of marching
  std::size_t marched_ = 0;  // groups
  std::size_t bytes_ = 0;    // of the largest group's result on any rank
};

}  // namespace divker::march
