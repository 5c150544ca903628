// The command as one process among several that MPI has started.
#pragma once

#include <string>

namespace divker::app {

// How this process ends.
struct Ending {
  int code = 0;
  std::string sentence;  // for standard error; empty: none
};

// Finds the other ranks, if there are any. After it only the first has a standard output and
// standard error. Throws Error(usage) where the ranks cannot work together.
void join_ranks();

// Waits for the other ranks and ends as they do: an error that all have met is said once, one of
// some ranks too. If the others go on without this one, which has met an error, it ends them all.
// Returns the exit code.
[[nodiscard]] int leave_ranks(Ending mine);

}  // namespace divker::app
