// The seam between what is to be computed and the machine that does it: a plan becomes paths.
//
// Above it nobody knows how; behind it stand random numbers, the arguments of dampings, inverses,
// vectors and native code. vector_marcher() is the form for this processor. Another one answers for
// the same numbers, to the rounding of its arithmetic: a path is fixed by the plan, the values of
// the parameters, the seed and its own number (divker/random.hpp says which random number it gets).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "divker/model.hpp"
#include "divker/paths.hpp"
#include "divker/plan.hpp"
#include "divker/sampling.hpp"

namespace divker {

// What the paths of one run share.
struct March {
  const Plan& plan;
  const Model& model;  // values of the parameters, time grid, initial samples
  const Sampling& sampling;
  std::vector<std::size_t> steps;  // numbers of the steps that end at a snapshot, ascending
};

// One thread's worker.
class Walker {
 public:
  Walker() = default;
  virtual ~Walker() = default;
  Walker(const Walker&) = delete;
  Walker& operator=(const Walker&) = delete;

  // Paths first_path ... first_path + rows - 1 to the last snapshot, into rows first_row ... of
  // every recorded array of the group. A path that breaks down leaves numbers that are not finite.
  // False if `stop` was set half way.
  [[nodiscard]] virtual bool walk(std::uint64_t first_path, std::size_t first_row, std::size_t rows,
                                  PathGroup& group, const std::atomic<bool>* stop) = 0;
  // When and where a single path ceased to be finite; none if it did not. `trail`, if given, takes
  // its last states before that.
  [[nodiscard]] virtual std::optional<FailedPath> locate_failure(std::uint64_t path,
                                                                 Trail* trail) = 0;
};

// The programs of a plan, ready to run with any values.
class Prepared {
 public:
  Prepared() = default;
  virtual ~Prepared() = default;
  Prepared(const Prepared&) = delete;
  Prepared& operator=(const Prepared&) = delete;

  // Begins a run: what it returns makes walkers, from several threads. All arguments outlive it.
  class Run {
   public:
    Run() = default;
    virtual ~Run() = default;
    Run(const Run&) = delete;
    Run& operator=(const Run&) = delete;
    // Of how many rows walk() likes its calls to be; 0 block: chosen.
    [[nodiscard]] virtual std::unique_ptr<Walker> walker() const = 0;
    [[nodiscard]] virtual std::size_t paths_at_once() const = 0;
  };
  [[nodiscard]] virtual std::unique_ptr<Run> begin(const March& march, std::size_t block) const = 0;

  [[nodiscard]] virtual double compile_seconds() const = 0;
  // What the last bits depend on, in words: part of the identity of a saved run.
  [[nodiscard]] virtual std::string arithmetic() const = 0;
};

class Marcher {
 public:
  Marcher() = default;
  virtual ~Marcher() = default;
  Marcher(const Marcher&) = delete;
  Marcher& operator=(const Marcher&) = delete;

  [[nodiscard]] virtual std::string_view name() const = 0;
  // Error(usage) for a plan with a role that it does not serve, or an array that nothing makes.
  [[nodiscard]] virtual std::unique_ptr<Prepared> prepare(const Plan& plan) const = 0;
};

[[nodiscard]] const Marcher& vector_marcher();

// Error(usage) if an argument of the plan is carried from no program before it, or has another
// width there. For every marcher to call first.
void check_arrays(const Plan& plan);

}  // namespace divker
