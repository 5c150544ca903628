// Long runs that are saved to a file.
#pragma once

#include <string>
#include <utility>

#include "divker/checkpoint.hpp"

namespace divker::present {

// Saves a run to the file, `seconds` apart, and goes on from it if it is there. With several ranks
// the first one reads and writes. Error(usage) if the file cannot be written.
[[nodiscard]] Checkpoint checkpoint_in(const std::string& file, double seconds);

// The runs of a fit, each in a file of its own beside that of the fit: FILE.run-NAME. Runs that
// take less than `seconds` leave none.
class SavedRuns {
 public:
  SavedRuns(std::string file, double seconds) : file_(std::move(file)), seconds_(seconds) {}

  [[nodiscard]] Checkpoint of(const std::string& run) const;
  // Removes the files of all runs but this one; without a name of all. Called by all ranks.
  void keep_only(const std::string& run = {}) const;

 private:
  [[nodiscard]] std::string name_of(const std::string& run) const { return file_ + ".run-" + run; }
  std::string file_;
  double seconds_;
};

}  // namespace divker::present
