// The keyword arguments of a run, named as the command's options.
#pragma once

#include <pybind11/pybind11.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "background.hpp"
#include "dictionary.hpp"
#include "divker/answer.hpp"
#include "loading.hpp"

namespace divker::python {

using app::LoadedModel;

// What is expected of an argument.
inline constexpr const char* whole = "a whole number, 0 or more";

// Wall time of this thread's last answer in the library alone: the rest of a call is the package's.
inline thread_local double seconds_in_library = 0.0;

// Values by name, each asked for once. Error(usage) for a value of another type, and for names that
// nobody has asked for.
class Arguments {
 public:
  explicit Arguments(const py::dict& values) : values_(values) {}

  // Whether the name is there; leaves `value` as it is where it is missing or None.
  template <class T>
  bool take(const char* name, T& value, const char* expected) {
    const py::object given = pop(name);
    if (!given || given.is_none()) return false;
    try {
      value = py::cast<T>(given);
    } catch (const py::cast_error&) {
      refuse(name, given, expected);
    }
    return true;
  }
  [[nodiscard]] py::object pop(const char* name);
  void require_empty() const;

 private:
  [[noreturn]] static void refuse(const char* name, const py::object& given, const char* expected);
  py::dict values_;
};

// What every function that runs paths takes.
class Settings {
 public:
  // Takes its names out of the arguments. Defaults as those of the command, but for `paths`.
  explicit Settings(Arguments& arguments, std::size_t paths = 100'000, int order = 1);
  ~Settings() = default;
  Settings(const Settings&) = delete;
  Settings& operator=(const Settings&) = delete;

  // Must be called, and the options used, while this object lives.
  [[nodiscard]] RunOptions run(const LoadedModel& loaded);
  [[nodiscard]] AnswerOptions answer(const LoadedModel& loaded);
  // `checkpoint` and `checkpoint_every`: for answers of one run. None where no file is named.
  [[nodiscard]] static Checkpoint take_checkpoint(Arguments& arguments);
  [[nodiscard]] std::atomic<bool>& stop() { return stop_; }
  [[nodiscard]] int order() const { return order_; }
  [[nodiscard]] const std::optional<double>& time() const { return time_; }

  // work() in the background: what it throws, an interrupt, and what `progress` threw.
  template <class Work>
  std::invoke_result_t<Work> compute(Work work) {
    auto result = in_background(stop_, [&work] {
      const auto begin = std::chrono::steady_clock::now();
      auto answer = work();
      const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - begin;
      return std::pair(std::move(answer), taken.count());
    });
    seconds_in_library = result.second;
    reporter_.rethrow();
    return std::move(result.first);
  }

  // The answer with what every result carries (fields::run).
  [[nodiscard]] py::dict with_run(Dictionary answer, const Model& model,
                                  const Effective& effective) const;

 private:
  std::size_t paths_ = 0;
  std::uint64_t seed_ = 1;
  unsigned threads_ = 0;
  std::size_t block_ = 0;
  std::string alpha_ = "auto";
  int order_ = 1;
  std::string scheme_;
  std::string resolution_ = "fast";
  double failed_share_ = 1e-3;
  std::string regressor_;
  RegressorOptions regressor_options_;
  std::optional<double> time_;
  std::atomic<bool> stop_{false};
  Reporter reporter_;
};

}  // namespace divker::python
