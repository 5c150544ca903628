// Numbers of paths: what a run records, by name, and how it went.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "divker/archive.hpp"
#include "divker/matrix.hpp"

namespace divker {

// What is recorded of some paths at one time: a table for each recorded array of the plan, rows are
// paths.
class Snapshot {
 public:
  Snapshot() = default;
  explicit Snapshot(double when) : time(when) {}

  double time = 0.0;

  // A table of no rows and columns where no such array is recorded.
  [[nodiscard]] const Matrix& operator[](std::string_view name) const;
  [[nodiscard]] Matrix& table(std::string_view name);  // made where it is not there yet
  [[nodiscard]] std::vector<std::pair<std::string, Matrix>>& tables() { return tables_; }
  [[nodiscard]] const std::vector<std::pair<std::string, Matrix>>& tables() const {
    return tables_;
  }
  // The arrays of divker/step.hpp.
  [[nodiscard]] const Matrix& x() const { return (*this)["x"]; }
  [[nodiscard]] const Matrix& nu() const { return (*this)["nu"]; }
  [[nodiscard]] const Matrix& responses() const { return (*this)["I"]; }
  [[nodiscard]] const Matrix& tangents() const { return (*this)["v"]; }

  // Functionals of the path, infinite where a passage has not happened; and the states with them,
  // side by side.
  [[nodiscard]] Matrix functionals() const;
  [[nodiscard]] Matrix x_and_functionals() const;

  void transfer(Archive& archive);

 private:
  std::vector<std::pair<std::string, Matrix>> tables_;
};

// Some consecutive paths at the snapshot times, failed ones left out.
struct PathGroup {
  std::size_t index = 0;               // group number within the run
  std::vector<std::uint64_t> numbers;  // of the paths, row after row
  std::vector<Snapshot> snapshots;

  void transfer(Archive& archive) { archive(index, numbers, snapshots); }
};

struct FailedPath {
  std::uint64_t path = 0;
  double time = 0.0;  // first time at which something was not finite
  std::string what;   // "state x[3]", "covector of x[3]", "inverse Jacobian", "response"
};

// FailedPath::what where a Jacobian was singular or turned over.
inline constexpr std::string_view inverse_jacobian = "inverse Jacobian";

// The states of a path at consecutive times before it failed.
struct Trail {
  Matrix x;
  std::vector<double> times;
};

// How a run went.
struct RunSummary {
  std::size_t paths = 0;  // finished and sound: rows of the result
  std::size_t requested = 0;
  std::size_t failed = 0;
  std::vector<FailedPath> first_failures;  // at most three, located exactly
  std::string cause;  // why the first of them failed, a sentence, where it is known: dt too large
  bool interrupted = false;
  std::size_t steps = 0;  // of each path
  double seconds = 0.0;   // wall time of the paths, of all processes that took part
};

// What is kept of the paths. Groups are of fixed size and absorbed in order, so that sums come out
// the same to the bit whatever the threads and blocks.
class Collector {
 public:
  virtual ~Collector() = default;

  // Part of the result, made from one group; called from several threads at once.
  class Part {
   public:
    virtual ~Part() = default;
    // To bytes or from them: parts travel between processes.
    virtual void transfer(Archive& archive) = 0;
  };
  [[nodiscard]] virtual std::unique_ptr<Part> reduce(PathGroup group) const = 0;
  // Called in the order of the groups, from one thread at a time.
  virtual void absorb(std::unique_ptr<Part> part) = 0;
  // A part to read bytes into.
  [[nodiscard]] virtual std::unique_ptr<Part> empty_part() const = 0;
  // What was absorbed so far, to bytes or from them: it survives the process.
  virtual void transfer(Archive& archive) = 0;
};

// All of them.
struct Paths {
  std::vector<std::uint64_t> numbers;
  std::vector<Snapshot> snapshots;
  RunSummary summary;
};

}  // namespace divker
