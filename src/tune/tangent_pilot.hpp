// The pilot of derivatives of paths: how much of them is handed to the noise, and when.
#pragma once

#include "divker/model.hpp"
#include "divker/pilot.hpp"
#include "tune/trial.hpp"

namespace divker::tune {

// Is there noise, and is it regular on the states that carry it?
[[nodiscard]] bool has_damped_tangents(const Model& model);

// Of the candidates with little variance of what was asked the most damped one; `off` for a rate of
// 0.
[[nodiscard]] DampingChoice choose_for_tangents(Trial& trial);

}  // namespace divker::tune
