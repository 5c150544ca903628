// A number for all that a fit's result depends on.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "divker/fit.hpp"

namespace divker::fit {

// 16 hexadecimal digits; equal for equal model texts, data and options. Threads and blocks, on
// which no result depends, and the limit of the iterations do not count.
[[nodiscard]] std::string fingerprint_of(const Model& model, const FitData& data,
                                         const FitOptions& options);

// The same for one run of paths among those of a fit.
[[nodiscard]] std::string name_of_run(const std::vector<double>& parameters,
                                      const std::vector<std::size_t>& active, std::size_t paths,
                                      std::size_t first_path);

}  // namespace divker::fit
