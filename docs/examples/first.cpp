// How the density of a particle in a tilted, rippled potential at t = 5 responds to the tilt.
#include <cstddef>
#include <iostream>

#include "divker/answer.hpp"
#include "divker/language.hpp"

int main() {
  const divker::Model model = divker::parse_model(R"(
    model tilted
    param f = 0.5                 # tilt
    param k = 1                   # height of the ripples
    param s = 0.8 in (0, inf)     # noise amplitude
    state x
    dx = (f - k*sin(x)) dt + s dW
    init x ~ normal(0, 0.5)
    time 0 : 0.01 : 5)");
  divker::AnswerOptions options;
  options.sampling.paths = 20'000;
  divker::Matrix points(3, 1);
  points.data = {-0.5, 1.0, 2.5};
  const auto answer = divker::response_at(model, model.parameter_indices("f"), points, options);
  for (std::size_t r = 0; r < points.rows; ++r) {
    std::cout << "d log h(" << points(r, 0) << ") / df = " << answer.prediction.value(r, 0)
              << " +- " << answer.prediction.standard_error(r, 0) << '\n';
  }
}
