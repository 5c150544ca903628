// A straight-line program: named arrays in, named arrays out, everything in between an expression
// graph. This is all that the derivation tells the compiler and the marcher, and all they know.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "divker/expression.hpp"

namespace divker {

// How often the values of an argument change: this decides where an expression is computed.
enum class Rate {
  run,   // the same for every path and every step (parameters, dt): once per run
  step,  // the same for every path of a step (time, damping): once per call of the kernel
  path,  // its own for every path (state, covector, noise): in vector lanes
};

// Who fills an argument. The marcher serves these roles, and knows nothing else of an array.
enum class Role {
  carried,      // what a program before has left under this name
  noise,        // standard normal numbers of the step
  inside,       // standard normal numbers of the step for what happens between its ends
  start_noise,  // standard normal numbers of the start
  sample,       // a row of the table of initial samples
  time,         // when the step begins, the model's inputs then, and those when it ends
  schedule,     // numbers that change from step to step, the same for all paths: the damping
  parameters,   // values of the model's parameters
  step_size,    // dt
};
[[nodiscard]] std::string_view name_of(Role role);
[[nodiscard]] Rate rate_of(Role role);

struct Argument {
  std::string name;
  Role role = Role::carried;
  std::vector<NodeId> inputs;  // input nodes, in the order of the array's components

  [[nodiscard]] Rate rate() const { return rate_of(role); }
};

// What becomes of a result. All of them are there for the programs that follow, under their names.
enum class Fate {
  replaced,     // it takes the place of what the array held
  accumulated,  // it is added to what the array holds, which is 0 at first
};

struct Result {
  std::string name;
  std::vector<NodeId> values;
  Fate fate = Fate::replaced;
  bool recorded = false;  // a snapshot keeps it
};

struct Program {
  std::shared_ptr<const Graph> graph;
  std::vector<Argument> arguments;
  std::vector<Result> results;  // each value is per path

  [[nodiscard]] std::vector<NodeId> roots() const;
  // Null where there is none of that name.
  [[nodiscard]] const Result* result(std::string_view name) const;
  [[nodiscard]] std::size_t operations() const;
};

}  // namespace divker
