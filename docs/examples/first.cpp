// How the density of a particle in a double well responds to its parameters, at three places.
#include <cstddef>
#include <iostream>

#include "divker/answer.hpp"
#include "divker/language.hpp"

int main() {
  const divker::Model model = divker::load_model("double_well");
  divker::Matrix points(3, 1);
  points.data = {-1.0, 0.0, 1.0};
  const auto answer = divker::response_at(model, model.free_parameters(), points, {});
  for (std::size_t r = 0; r < points.rows; ++r) {
    std::cout << "d log h(" << points(r, 0) << ") / d" << answer.names.front() << " = "
              << answer.prediction.value(r, 0) << " +- " << answer.prediction.standard_error(r, 0)
              << '\n';
  }
}
