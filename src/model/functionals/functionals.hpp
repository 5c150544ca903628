// The kinds of functionals, and what several of them are made of.
#pragma once

#include "divker/path_functional.hpp"

namespace divker {

[[nodiscard]] const PathFunctionalKind& maximum_of_path();
[[nodiscard]] const PathFunctionalKind& minimum_of_path();
[[nodiscard]] const PathFunctionalKind& integral_of_path();
[[nodiscard]] const PathFunctionalKind& first_passage_of_path();

[[nodiscard]] inline Expression zero_of(const PathStep& step) {
  return step.before.graph().constant(0.0);
}

}  // namespace divker
