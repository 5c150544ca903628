// What a declaration says in numbers: the shape of a param or const, its values and bounds.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "language/expand.hpp"

namespace divker {

[[nodiscard]] std::size_t size_of(const Shape& shape);
// The length of a vector, or of a side of a matrix.
[[nodiscard]] std::size_t declared_length(const Source& source, Expander& expander,
                                          const std::string& name, const Syntax& size);
// As it is declared, else as its list is.
[[nodiscard]] Shape declared_shape(const Source& source, Expander& expander, const Statement& s);
// One number for all components, or a list with one for each.
[[nodiscard]] std::vector<double> declared_numbers(const Source& source, Expander& expander,
                                                   const Statement& s, const Shape& shape);
[[nodiscard]] Range declared_range(Expander& expander, const std::optional<Syntax>& lower,
                                   const std::optional<Syntax>& upper);
// Of n components: one pair for all, or a pair for each where an end is a list.
[[nodiscard]] std::vector<Range> declared_bounds(const Source& source, Expander& expander,
                                                 const Statement& s, std::size_t n);

}  // namespace divker
