// Long runs that are saved to a file.
#pragma once

#include <string>

#include "divker/checkpoint.hpp"

namespace divker::app {

// Saves a run to the file, `seconds` apart, and goes on from it if it is there. With several ranks
// the first one reads and writes. Error(usage) if the file cannot be written.
[[nodiscard]] Checkpoint checkpoint_in(const std::string& file, double seconds);

}  // namespace divker::app
