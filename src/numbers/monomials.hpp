// Monomials: products of variables 0 ... variables-1, each as often as it is a factor.
#pragma once

#include <cstddef>
#include <vector>

namespace divker::numbers {

// The factors, ascending: {0, 0, 2} is x_0^2 x_2, {} is 1.
using Monomial = std::vector<std::size_t>;

// How many there are of up to `degree` factors: (variables + degree) over degree, but at most 1e15.
[[nodiscard]] std::size_t count_monomials(std::size_t variables, std::size_t degree);

// All of `degree` factors, in lexicographic order.
[[nodiscard]] std::vector<Monomial> monomials_of_degree(std::size_t variables, std::size_t degree);

// All of up to `degree` factors, those of fewer factors first.
[[nodiscard]] std::vector<Monomial> monomials_up_to(std::size_t variables, std::size_t degree);

}  // namespace divker::numbers
