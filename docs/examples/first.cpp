// How the mean square of the Ornstein-Uhlenbeck process responds to its first parameter.
#include <iostream>

#include "divker/answer.hpp"
#include "divker/language.hpp"

int main() {
  const divker::Model model = divker::load_model("ou");
  const auto answer = divker::observable_response(model, model.free_parameters(), "x^2", {});
  std::cout << "d E[x^2] / d" << answer.names[0] << " = " << answer.response[0].value << " +- "
            << answer.response[0].standard_error << '\n';
}
