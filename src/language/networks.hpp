// The statement net h(x, t) = tanh 32, linear 2.
#pragma once

#include <string>
#include <vector>

#include "language/declared.hpp"
#include "language/expand.hpp"
#include "language/expression_parser.hpp"

namespace divker {

// What stands behind the word net.
void parse_network(ExpressionParser& in, Statement& s);
// The names of weights that it declares: h.W1, h.b1, h.W2, ... `name` is the token of h.
[[nodiscard]] std::vector<std::string> names_of_weights(const std::vector<Token>& tokens,
                                                        std::size_t name);
// With the lengths of its arguments and the widths of its layers.
[[nodiscard]] Network declared_network(const Source& source, Expander& expander,
                                       const Symbols& symbols, const Declarations& declarations,
                                       const Statement& s);
// Of the list behind `weights`; empty where there is none.
[[nodiscard]] std::vector<double> declared_weights(const Source& source, Expander& expander,
                                                   const Statement& s, const Network& network);
// The network and its weights by their names, "h" and "h.W1", ...
void add_network(Symbols& symbols, const Network& network, const std::vector<Expression>& weights);

}  // namespace divker
