// The states of paths on their way to a file, in the memory of a few groups.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "divker/ensemble.hpp"
#include "divker/spool.hpp"
#include "divker/table.hpp"

namespace divker::app {

// Groups go to a spool as they are absorbed. Afterwards the table is read from there: all paths at
// the first snapshot, then all at the second, with the time as the first column if there are
// several. In the spool a group is the number of its sound paths, and their states at each snapshot
// in turn.
class SpooledStates : public Collector {
 public:
  // The columns of a group at a snapshot.
  using Rows = std::function<Matrix(const PathGroup& group, std::size_t snapshot)>;
  // `times` are those of the snapshots. Without a spool rows are counted only: of several ranks
  // one keeps them.
  SpooledStates(std::vector<std::string> states, Rows rows, std::vector<double> times,
                std::optional<Spool> spool);

  [[nodiscard]] std::unique_ptr<Part> reduce(PathGroup group) const override;
  void absorb(std::unique_ptr<Part> part) override;
  [[nodiscard]] std::unique_ptr<Part> empty_part() const override;
  // Where the spool stood; going on from there, what came after it is forgotten.
  void transfer(Archive& archive) override;

  // Reads from this object, which must outlive the stream and have a spool.
  [[nodiscard]] TableStream table() const;

 private:
  struct Group;
  std::vector<std::string> states_;
  Rows rows_;
  std::vector<double> times_;
  std::optional<Spool> spool_;
  std::uint64_t size_ = 0;  // of what was absorbed, in numbers
  std::uint64_t paths_ = 0;
};

}  // namespace divker::app
