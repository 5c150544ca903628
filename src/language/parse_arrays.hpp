// The parts of param and const statements that speak of vectors and matrices.
#pragma once

#include <optional>
#include <vector>

#include "language/expression_parser.hpp"

namespace divker {

// [3] or [3, 3] behind a name, if it is there.
void parse_sizes(ExpressionParser& in, Declarator& declarator);
// A number or a list [1, 2].
void parse_value_or_list(ExpressionParser& in, Statement& s);
// The same, or the rows of a matrix [[1, 2], [3, 4]].
void parse_values(ExpressionParser& in, Statement& s);
// One bound of a parameter for all components, or a list with one for each, of a matrix by rows.
void parse_bounds(ExpressionParser& in, std::optional<Syntax>& one,
                  std::vector<std::optional<Syntax>>& all);
// A bound; none where it is infinite.
[[nodiscard]] std::optional<Syntax> parse_bound(ExpressionParser& in);

}  // namespace divker
