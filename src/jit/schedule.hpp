// What is computed when, in which order, in which native function, and where it is kept. No LLVM.
//
// Each node is computed at the rate of its fastest argument: run-rate nodes by Kernel::bind() into
// a table, step-rate nodes once per call, path-rate nodes for every vector of paths. Path-rate
// nodes are ordered depth first from the results, heavier operand first (Sethi and Ullman 1970),
// with the results of one component next to each other, so that values die soon after they are
// made. The order is cut into chunks, one native function each; a value that a later chunk needs
// passes through memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "jit/canonical.hpp"

namespace divker::jit {

inline constexpr std::uint32_t nowhere = ~std::uint32_t{0};

// Component `component` of result `result` is node `value`.
struct Store {
  NodeId value;
  std::uint32_t result;
  std::uint32_t component;
};

struct Chunk {
  Rate rate = Rate::path;     // step or path
  std::vector<NodeId> nodes;  // operations, operands first
  std::vector<Store> stores;  // results that this chunk writes, ascending by value
};

struct Schedule {
  CanonicalProgram program;
  std::vector<Rate> rates;            // of each node; literal constants have rate run
  std::vector<NodeId> constants;      // run-rate nodes kept in the table, in its order
  std::vector<std::uint32_t> places;  // of each node: its entry in the table of its rate
  std::vector<bool> repeated;         // products to be made anew in each of the sums that use them
  std::vector<Chunk> step_chunks;     // at least one path chunk; step chunks only where needed
  std::vector<Chunk> path_chunks;
  std::size_t step_entries = 0;  // step-rate values kept in memory
  std::size_t slots = 0;         // path-rate values kept in memory between chunks

  // The table of constants: everything that depends on arguments of rate run only.
  [[nodiscard]] std::vector<double> constant_values(
      std::span<const std::span<const double>> run_values) const;
};

// chunk: the greatest number of operations in one native function, at least 1.
[[nodiscard]] Schedule make_schedule(CanonicalProgram program, std::size_t chunk);

}  // namespace divker::jit
