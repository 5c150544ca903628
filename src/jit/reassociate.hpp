// Products in the order that costs least in a kernel.
#pragma once

#include "divker/program.hpp"

namespace divker::jit {

// The same program with the factors of every product reordered: what is constant over the run
// first (so that it leaves the kernel), then what is constant over the step, then what is heavy
// and likely shared by many products, then the rest. Values change by rounding only.
[[nodiscard]] Program reassociated(const Program& program);

}  // namespace divker::jit
