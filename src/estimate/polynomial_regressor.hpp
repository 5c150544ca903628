// Least squares on polynomials of degree 1 or 2.
#pragma once

#include <memory>

#include "divker/regressor.hpp"

namespace divker {

[[nodiscard]] std::unique_ptr<Regressor> make_polynomial(const RegressorOptions& options);

}  // namespace divker
