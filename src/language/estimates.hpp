// What a text says beside the equations: labels, and the errors of estimates.
#pragma once

#include <vector>

#include "language/expand.hpp"
#include "language/expression_parser.hpp"

namespace divker {

// "temperature" [K]; a unit of unusual characters is in quotes too.
[[nodiscard]] Label parse_label(const Source& source, ExpressionParser& in);

// What stands behind the word estimated: a +- 0.1 correlations [0.5, -0.2]
void parse_estimate(const Source& source, ExpressionParser& in, Statement& s);

// The model with the errors that these statements tell.
[[nodiscard]] Model with_estimates(const Source& source, Expander& expander,
                                   const std::vector<Statement>& statements, const Model& model);

}  // namespace divker
