// The progress line on standard error, and the clean end on Ctrl-C.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <optional>

#include "command.hpp"
#include "divker/ranks.hpp"

namespace divker::app {
namespace {

std::atomic<bool> stop_flag{false};
static_assert(std::atomic<bool>::is_always_lock_free, "a signal handler must be able to set it");

extern "C" void request_stop(int signal_number) {
  // A second signal, of either kind, ends the process at once.
  if (!stop_flag.exchange(true)) return;
  std::signal(signal_number, SIG_DFL);
  std::raise(signal_number);
}

// Of ranks, standard error is a pipe to their launcher: whether it ends at a terminal there.
bool launcher_has_terminal() {
  const std::string file = fmt::format("/proc/{}/fd/{}", getppid(), STDERR_FILENO);
  const int there = open(file.c_str(), O_WRONLY | O_NOCTTY | O_CLOEXEC);
  if (there < 0) return false;
  const bool result = isatty(there) != 0;
  close(there);
  return result;
}

}  // namespace

void install_signal_handlers() {
  std::signal(SIGINT, request_stop);
  std::signal(SIGTERM, request_stop);
  // What launchers of MPI pass on to all ranks, and batch systems send before the time is up.
  if (ranks().size() > 1) std::signal(SIGUSR1, request_stop);
}

bool progress_is_seen() {
  if (ranks().size() == 1) return isatty(STDERR_FILENO) != 0;
  return ranks().rank() == 0 && launcher_has_terminal();
}

const std::atomic<bool>& stop_requested() { return stop_flag; }

std::function<void(std::size_t, std::size_t)> terminal_progress() {
  if (!progress_is_seen()) return nullptr;
  using Clock = std::chrono::steady_clock;
  struct State {
    Clock::time_point start = Clock::now();
    Clock::time_point shown = start;
    std::optional<std::size_t> resumed_at;  // paths that were finished before this process
  };
  return [state = std::make_shared<State>()](std::size_t finished, std::size_t total) {
    const auto now = Clock::now();
    const bool is_last = finished == total;
    // The first call comes after one group, or where a checkpoint stood.
    if (!state->resumed_at) state->resumed_at = finished;
    if (!is_last && now - state->shown < std::chrono::milliseconds(200)) return;
    const double elapsed = std::chrono::duration<double>(now - state->start).count();
    if (is_last) {
      fmt::print(stderr, "\r\x1b[K");
    } else if (finished > *state->resumed_at) {
      const double share = static_cast<double>(finished) / static_cast<double>(total);
      const double pace = static_cast<double>(finished - *state->resumed_at) / elapsed;
      fmt::print(stderr, "\r\x1b[K{:3.0f}%  {} of {} paths, {:.0f} s left", 100.0 * share, finished,
                 total, static_cast<double>(total - finished) / pace);
    }
    std::fflush(stderr);
    state->shown = now;
  };
}

}  // namespace divker::app
