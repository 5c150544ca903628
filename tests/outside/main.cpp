// Builds, differentiates and evaluates an expression with the installed library alone.
#include <array>
#include <cmath>
#include <iostream>

#include "divker/expression.hpp"

int main() {
  divker::Graph graph;
  const divker::Expression x = graph.input("x");
  const divker::Expression f = sin(x) * x;
  const divker::Expression slope = derivative(f, x);

  const std::array<double, 1> point = {0.7};
  const double value = divker::evaluate(slope, point);
  const double truth = std::cos(0.7) * 0.7 + std::sin(0.7);
  std::cout << "d/dx " << to_string(f) << " at 0.7 is " << value << '\n';
  return std::abs(value - truth) < 1e-14 ? 0 : 1;
}
