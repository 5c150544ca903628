// A model written once and read twice: by divker as expressions, by the test as plain functions.
//
// A test model has members `states`, `motions`, values `gamma`, and templates
//   drift(t, x, gamma), noise(t, x, gamma)
// over the type of a number: rates per state, and the noise matrix row by row.
#pragma once

#include <cmath>
#include <cstddef>
#include <string>
#include <vector>

#include "divker/model.hpp"

namespace divker::test {

template <class Equations>
Model build_model(const Equations& equations, double dt = 0.01, double end = 1.0) {
  ModelBuilder b("test");
  std::vector<Expression> gamma;
  std::vector<Expression> x;
  for (std::size_t p = 0; p < equations.gamma.size(); ++p) {
    gamma.push_back(b.parameter("g" + std::to_string(p), equations.gamma[p]));
  }
  for (std::size_t i = 0; i < equations.states; ++i) {
    x.push_back(b.state("x" + std::to_string(i)));
  }
  const std::vector<Expression> drift = equations.drift(b.time(), x, gamma);
  const std::vector<Expression> noise = equations.noise(b.time(), x, gamma);
  for (std::size_t i = 0; i < equations.states; ++i) {
    b.drift(x[i], drift[i]);
    for (std::size_t k = 0; k < equations.motions; ++k) {
      const Expression& amplitude = noise[i * equations.motions + k];
      if (!amplitude.is_zero()) b.noise(x[i], "W" + std::to_string(k), amplitude);
    }
    b.initial_normal(x[i], 0.7, 0.5);
  }
  b.time(0.0, dt, end);
  return b.build();
}

}  // namespace divker::test
