// Sums and products in the order that costs least in a kernel.
#pragma once

#include "divker/program.hpp"

namespace divker::jit {

// The same program with its sums and products rebuilt (docs/kernel.md, "Order of operations"):
// factors in the order of their rates, what is constant over the run first; like terms together;
// sums as chains of fused multiply-adds; long sums grouped by coefficient, so that equal
// reductions are one. Values change by rounding only. Cost: O(n log n).
[[nodiscard]] Program reassociated(const Program& program);

}  // namespace divker::jit
