// The estimators that the table of estimator.cpp begins with, a file each.
#pragma once

#include "divker/estimator.hpp"

namespace divker {

[[nodiscard]] const Estimator& divergence_kernel_estimator();
[[nodiscard]] const Estimator& likelihood_ratio_estimator();
[[nodiscard]] const Estimator& finite_difference_estimator();
[[nodiscard]] const Estimator& path_kernel_estimator();

}  // namespace divker
