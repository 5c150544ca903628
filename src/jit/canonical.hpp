// A Program with everything removed that does not change its code: only the nodes its results need,
// numbered from zero, inputs known by their place in the arguments instead of by name.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "divker/program.hpp"

namespace divker::jit {

struct ArgumentShape {
  Rate rate = Rate::path;
  std::uint32_t components = 0;
};

struct ResultShape {
  std::vector<NodeId> values;
  bool accumulate = false;
};

struct CanonicalProgram {
  // Operands come before the nodes that use them. Of an input, `a` is the argument and `b` the
  // component within it.
  std::vector<Node> nodes;
  std::vector<ArgumentShape> arguments;
  std::vector<ResultShape> results;

  // Equal programs have equal keys: all of the above, byte by byte.
  [[nodiscard]] std::string key() const;
};

// Throws Error(usage) where an argument lists a node that is no input, or lists one twice, and
// where the results need an input that is in no argument.
[[nodiscard]] CanonicalProgram canonical(const Program& program);

}  // namespace divker::jit
