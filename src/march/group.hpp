// Groups of paths: the unit of work, and of summation.
#pragma once

#include <cstddef>

namespace divker::march {

inline constexpr std::size_t group_paths = 256;

}  // namespace divker::march
