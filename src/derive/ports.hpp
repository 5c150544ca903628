// The arrays of the programs of a path, each declared once.
#pragma once

#include "derive/symbols.hpp"
#include "divker/program.hpp"

namespace divker::derive {

[[nodiscard]] Argument state_argument(const Symbols& s);
[[nodiscard]] Argument covector_argument(const Symbols& s);
[[nodiscard]] Argument tangent_argument(const Vector& values);
[[nodiscard]] Argument noise_argument(const Symbols& s);
// t, the model's inputs at t, and those at t + dt.
[[nodiscard]] Argument time_argument(const Symbols& s);
[[nodiscard]] Argument damping_argument(const Vector& values);
[[nodiscard]] Argument parameters_argument(const Symbols& s);
[[nodiscard]] Argument step_size_argument(const Symbols& s);

[[nodiscard]] Result state_result(const Vector& values);
[[nodiscard]] Result covector_result(const Vector& values);
[[nodiscard]] Result tangent_result(const Vector& values);
// Of the initial law, which begins the sum.
[[nodiscard]] Result first_response_result(const Vector& values);
[[nodiscard]] Result response_result(const Vector& increments);

}  // namespace divker::derive
