// Several processes, on one machine or many, that work on the same question: the ranks of MPI.
//
// All of them go through the same program with the same input. Where the work is worth it, it is
// dealt to them and what they make of it exchanged, so that afterwards every rank knows all and
// goes on as if it had done everything itself. So every rank must reach the same exchanges in the
// same order: nothing before an exchange may depend on the rank, the host or the clock.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace divker {

class Ranks {
 public:
  Ranks() = default;
  virtual ~Ranks() = default;
  Ranks(const Ranks&) = delete;
  Ranks& operator=(const Ranks&) = delete;

  [[nodiscard]] virtual std::size_t rank() const = 0;  // of this process
  [[nodiscard]] virtual std::size_t size() const = 0;
  // Cores for the threads of each rank. Those that several ranks may use are shared among them.
  [[nodiscard]] virtual const std::vector<unsigned>& cores() const = 0;
  // An exchange: what every rank gave, in the order of the ranks. Called by one thread at a time.
  // Cost: every rank receives all bytes.
  [[nodiscard]] virtual std::vector<std::string> gather(const std::string& bytes) = 0;
  // The last exchange before the end of the process, on a channel of its own: a rank may come here
  // while others are at an exchange that it will not reach. Nothing if they are not here in time.
  [[nodiscard]] virtual std::optional<std::vector<std::string>> part(
      const std::string& bytes, std::optional<std::chrono::milliseconds> patience) = 0;
  // Ends the processes of all ranks with this exit code.
  [[noreturn]] virtual void abort(int code) = 0;
};

// The ranks that this process is one of: a single one, unless use_ranks() was called.
[[nodiscard]] Ranks& ranks();
// To be called before all else; null: this process alone.
void use_ranks(std::unique_ptr<Ranks> those);
// Does the work as if this process were the only rank; the others do not take part.
void alone(const std::function<void()>& work);
// The ranks that mpirun or another launcher of MPI has started, null if this process was started
// alone; DIVKER_MPI=off in the environment says so. MPI is loaded for this only. Error(usage) if
// it cannot be.
[[nodiscard]] std::unique_ptr<Ranks> launched_ranks();

// So many threads as asked for; 0: the cores of this rank.
[[nodiscard]] unsigned threads_or_cores(unsigned threads);
// An exchange: whether it is true on any rank.
[[nodiscard]] bool on_any_rank(bool here);
// An exchange: done by the first rank alone, as writing a file must be. The others wait, and get
// its result or throw its Error.
void on_first_rank(const std::function<void()>& work);
[[nodiscard]] std::string from_first_rank(const std::function<std::string()>& make);

}  // namespace divker
