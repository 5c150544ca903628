// Functionals of the path (divker/path_functional.hpp), carried along by the programs of a path.
#pragma once

#include "divker/method.hpp"
#include "divker/model.hpp"
#include "divker/program.hpp"

namespace divker::derive {

// When a program runs: it makes the start, the first step from it, or any step.
enum class Moment { start, first_step, step };

// The program, and with it the functionals that are asked for, in their order.
//   arguments  path[functionals], inside b[numbers of all of them], beside the program's own
//   results    path[functionals], path_v[functionals x responses], functional after functional,
//              where responses are asked for
//
// What derivatives of the functionals are, path_v, depends on what is asked for. With derivatives v
// of the path they are those along it, D_p along v at both ends of the step and along gamma_p. With
// likelihood ratios the states are held fixed, but for points where paths start, and only what a
// parameter moves of a functional beside the states is in path_v; what it moves of the variance
// between the ends of a step is told by the likelihood ratio of what was drawn there,
//   I_p' = I_p + sum over functionals (d log p/d log v) D_p v / v .
[[nodiscard]] Program with_functionals(const Model& model, const Asked& asked, Program program,
                                       Moment moment);

}  // namespace divker::derive
