// Long work of the library, and its answers as Python has them.
#pragma once

#include <atomic>
#include <chrono>
#include <optional>
#include <type_traits>
#include <utility>

#include "arguments.hpp"
#include "background.hpp"
#include "dictionary.hpp"
#include "divker/sampling.hpp"
#include "divker/table.hpp"

namespace divker::python {

// Wall time of this thread's last answer in the library alone: the rest of a call is the package's.
inline thread_local double seconds_in_library = 0.0;

// Work in the background that Ctrl-C and the function `progress` can end.
class Work {
 public:
  // Takes `progress` out of the arguments.
  explicit Work(Arguments& arguments) : reporter_(arguments.pop("progress"), stop_) {}
  ~Work() = default;
  Work(const Work&) = delete;
  Work& operator=(const Work&) = delete;

  // To be used while this object lives.
  [[nodiscard]] Session session() {
    Session session;
    session.stop = &stop_;
    session.progress = reporter_.callback();
    return session;
  }

  // work(): what it throws, an interrupt, and what `progress` threw.
  template <class Compute>
  std::invoke_result_t<Compute> operator()(Compute compute) {
    auto result = in_background(stop_, [&compute] {
      const auto begin = std::chrono::steady_clock::now();
      auto answer = compute();
      const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - begin;
      return std::pair(std::move(answer), taken.count());
    });
    seconds_in_library = result.second;
    reporter_.rethrow();
    return std::move(result.first);
  }

 private:
  std::atomic<bool> stop_{false};
  Reporter reporter_;
};

// What a file holds of an answer: columns and rows where the package has them not itself, the
// attributes, and how the answer was made.
[[nodiscard]] py::dict file_of(const Model& model, const RunRecord& record,
                               const present::Fields& how_made,
                               std::optional<Table> table = std::nullopt);

}  // namespace divker::python
