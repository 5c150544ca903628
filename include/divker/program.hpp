// A straight-line program: named arrays in, named arrays out, everything in between an expression
// graph. This is all that the derivation tells the compiler, and all that the compiler knows.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "divker/expression.hpp"

namespace divker {

// How often the values of an argument change: this decides where an expression is computed.
enum class Rate {
  run,   // the same for every path and every step (parameters, dt): once per run
  step,  // the same for every path of a step (time, damping): once per call of the kernel
  path,  // its own for every path (state, covector, noise): in vector lanes
};

struct Argument {
  std::string name;
  Rate rate = Rate::path;
  std::vector<NodeId> inputs;  // input nodes, in the order of the array's components
};

struct Result {
  std::string name;
  std::vector<NodeId> values;
  bool accumulate = false;  // add to what the array holds instead of replacing it
};

struct Program {
  std::shared_ptr<const Graph> graph;
  std::vector<Argument> arguments;
  std::vector<Result> results;  // each value is per path

  [[nodiscard]] std::vector<NodeId> roots() const {
    std::vector<NodeId> all;
    for (const Result& result : results) {
      all.insert(all.end(), result.values.begin(), result.values.end());
    }
    return all;
  }
};

}  // namespace divker
