// The data coordinate by coordinate.
#pragma once

#include <cstddef>
#include <vector>

#include "divker/fit_data.hpp"

namespace divker::fit {

// One observed coordinate at one time, in all rows that have it: their blocks differ in what else
// they have. The model's sample of it is the same in all of these blocks.
struct Marginal {
  std::size_t block = 0;   // the first of them
  std::size_t column = 0;  // in that block
  std::vector<double> values;
};

// In the order of the blocks.
[[nodiscard]] std::vector<Marginal> marginals_of(const FitData& data);

}  // namespace divker::fit
