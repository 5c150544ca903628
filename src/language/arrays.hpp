// Vectors and matrices in expressions: arithmetic that knows shapes.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "divker/expression.hpp"
#include "model/functions.hpp"

namespace divker {

// {}: a number, {n}: a vector of n, {m, n}: a matrix of m rows and n columns.
using Shape = std::vector<std::size_t>;
[[nodiscard]] std::string in_words(const Shape& shape);

struct Array {
  Shape shape;
  std::vector<Expression> values;  // of a matrix row by row

  [[nodiscard]] bool is_number() const { return shape.empty(); }
};

// All throw Error(model) with both shapes where these do not fit.
//
// Of equal shapes, component by component.
[[nodiscard]] Array sum(const Array& a, const Array& b);
[[nodiscard]] Array difference(const Array& a, const Array& b);
[[nodiscard]] Array negative(const Array& a);
// With a number: of every component. A matrix with a vector or a matrix: sums over its columns.
[[nodiscard]] Array product(const Array& a, const Array& b);
[[nodiscard]] Array quotient(const Array& a, const Array& b);  // by a number
[[nodiscard]] Array dot(const Array& a, const Array& b);       // of two vectors: a number
// A function of one argument, of every component.
[[nodiscard]] Array mapped(const FunctionInfo& function, const Array& a);
// Component i of a vector, or row i of a matrix.
[[nodiscard]] Array row(const Array& a, std::size_t i);

}  // namespace divker
