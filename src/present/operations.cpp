#include "present/operations.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "divker/exact_step.hpp"
#include "divker/plan.hpp"
#include "divker/step.hpp"

namespace divker::present {

std::string counted(std::size_t count, const std::string& what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

std::vector<OperationCount> count_operations(const Model& model) {
  const Asked response = Asked::responses_to(model.free_parameters());
  const bool is_map = model.dynamics() == Dynamics::map;
  const bool has_silent = std::ranges::count(model.noisy(), false) != 0;
  Method method = resolved(model, {}, response);
  method.damping = Damping();
  // A map's usual step is the kernel's, where every state has noise.
  const auto step = [&](const Asked& asked) {
    if (!is_map) return derive_divergence_step(model, method, asked).operations();
    return asked.score && has_silent ? derive_exact_step(model, method, asked).operations()
                                     : derive_noise_step(model, asked, false).operations();
  };
  std::vector<OperationCount> counts{{"states", step(Asked::states())}};
  if (refusal_for_noise(model, {}, response)) return counts;
  counts.push_back({"states and score", step(Asked{})});
  if (!response.wrt.empty()) {
    counts.push_back(
        {"states, score and " + counted(response.wrt.size(), "response"), step(response)});
  }
  if (!is_map) {
    method.damping = jacobian_damping(1.0, 1.0);
    counts.push_back({"the same with Jacobian damping", step(response)});
  }
  if (is_map && !kink_of(model) && model.dimension() <= largest_exact_dimension) {
    counts.push_back({fmt::format("the same by the exact divergence step, beside the inverse of "
                                  "its {0} x {0} Jacobian",
                                  model.dimension()),
                      derive_step_jacobian(model).program.operations() +
                          derive_exact_step(model, method, response).operations()});
  }
  return counts;
}

}  // namespace divker::present
