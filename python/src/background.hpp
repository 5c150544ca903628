// Long work without the interpreter's lock, which Ctrl-C ends.
#pragma once

#include <pybind11/pybind11.h>

#include <atomic>
#include <chrono>
#include <exception>
#include <future>
#include <optional>
#include <thread>
#include <type_traits>
#include <utility>

namespace divker::python {

// A function of Python that is told of progress. The last copy goes in the thread that made it,
// which holds the lock: the paths' threads have none.
class Reporter {
 public:
  Reporter(const pybind11::object& function, std::atomic<bool>& stop);
  // For RunOptions::progress; empty if there is no function.
  [[nodiscard]] std::function<void(std::size_t, std::size_t)> callback();
  // Throws what the function threw.
  void rethrow();

 private:
  pybind11::object function_;
  std::atomic<bool>& stop_;
  std::optional<pybind11::error_already_set> error_;
};

// work() on a thread of its own, while this one looks for signals ten times a second: only the main
// thread of Python may handle them. A signal that raises sets `stop`, and is thrown once the work
// has ended.
template <class Work>
std::invoke_result_t<Work> in_background(std::atomic<bool>& stop, Work work) {
  namespace py = pybind11;
  std::packaged_task<std::invoke_result_t<Work>()> task(std::move(work));
  auto result = task.get_future();
  std::optional<py::error_already_set> interrupt;
  {
    const py::gil_scoped_release unlocked;
    const std::jthread thread(std::move(task));
    while (result.wait_for(std::chrono::milliseconds(100)) != std::future_status::ready) {
      if (interrupt) continue;
      const py::gil_scoped_acquire locked;
      if (PyErr_CheckSignals() == 0) continue;
      interrupt.emplace();
      stop.store(true);
    }
  }
  if (interrupt) throw py::error_already_set(*interrupt);
  return result.get();
}

}  // namespace divker::python
