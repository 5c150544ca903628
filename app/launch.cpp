#include "launch.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <utility>
#include <vector>

#include "command.hpp"
#include "divker/archive.hpp"
#include "divker/error.hpp"
#include "divker/kernel.hpp"
#include "divker/ranks.hpp"

namespace divker::app {
namespace {

// So long a rank with an error waits for others that may be about to meet the same.
constexpr std::chrono::seconds patience{3};

int own_standard_error = STDERR_FILENO;  // where a rank that has been silenced can still speak

void be_silent() {
  own_standard_error = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);
  const int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
  dup2(nowhere, STDOUT_FILENO);
  dup2(nowhere, STDERR_FILENO);
  close(nowhere);
}

// Vectors of one width on all ranks: results depend on it in their last digits.
void agree_on_lanes() {
  std::size_t lanes = host_lanes();
  Archive mine;
  std::string version = DIVKER_VERSION;
  mine(lanes, version);
  std::size_t least = lanes;
  for (std::string& bytes : ranks().gather(mine.bytes())) {
    Archive other(std::move(bytes));
    other(lanes, version);
    least = std::min(least, lanes);
    if (version == DIVKER_VERSION) continue;
    throw Error(ErrorKind::usage,
                fmt::format("The ranks are of different versions of divker: {} and {}.",
                            DIVKER_VERSION, version));
  }
  setenv("DIVKER_LANES", std::to_string(least).c_str(), 1);
}

[[noreturn]] void end_all(const Ending& mine) {
  dup2(own_standard_error, STDERR_FILENO);
  fmt::print(stderr, "{}divker: this was rank {} of {} alone; it ends the others.\n", mine.sentence,
             ranks().rank(), ranks().size());
  std::fflush(stderr);
  ranks().abort(mine.code);
  std::_Exit(mine.code);
}

}  // namespace

void join_ranks() {
  use_ranks(launched_ranks());
  if (ranks().size() == 1) return;
  if (ranks().rank() != 0) be_silent();
  agree_on_lanes();
}

int leave_ranks(Ending mine) {
  std::fflush(stdout);
  Archive letter;
  letter(mine.code, mine.sentence);
  const auto letters = ranks().part(
      letter.bytes(),
      mine.sentence.empty() ? std::nullopt : std::optional<std::chrono::milliseconds>(patience));
  if (!letters) end_all(mine);
  Ending ending;
  for (const std::string& bytes : *letters) {
    Archive from(bytes);
    Ending other;
    from(other.code, other.sentence);
    if (ending.sentence.empty()) ending.sentence = other.sentence;
    if (ending.code == exit_done || other.code == exit_interrupted) ending.code = other.code;
  }
  fmt::print(stderr, "{}", ending.sentence);
  std::fflush(stderr);
  use_ranks(nullptr);
  return ending.code;
}

}  // namespace divker::app
