#include "operations.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "divker/exact_step.hpp"
#include "divker/step.hpp"

namespace divker::app {
namespace {

std::size_t operations(const Program& program) {
  return operation_count(*program.graph, program.roots());
}

}  // namespace

std::string counted(std::size_t count, const std::string& what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

std::vector<OperationCount> count_operations(const Model& model) {
  StepOptions states;
  states.score = false;
  StepOptions score;
  StepOptions response;
  response.responses = model.free_parameters();
  const bool is_map = model.dynamics() == Dynamics::map;
  const bool has_silent = std::ranges::count(model.noisy(), false) != 0;
  // A map's usual step is the kernel's, where every state has noise.
  const auto step = [&](const StepOptions& options) {
    if (!is_map) return derive_divergence_step(model, options);
    return options.score && has_silent ? derive_exact_step(model, options)
                                       : derive_kernel_step(model, options, false);
  };
  std::vector<OperationCount> counts{{"states", operations(step(states))},
                                     {"states and score", operations(step(score))}};
  if (!response.responses.empty()) {
    counts.push_back({"states, score and " + counted(response.responses.size(), "response"),
                      operations(step(response))});
  }
  if (!is_map) {
    response.damping = DampingForm::jacobian;
    counts.push_back({"the same with Jacobian damping", operations(step(response))});
  }
  if (is_map && !kink_of(model) && model.dimension() <= largest_exact_dimension) {
    const std::size_t entries = operations(derive_step_jacobian(model, response).program);
    counts.push_back({fmt::format("the same by the exact divergence step, beside the inverse of "
                                  "its {0} x {0} Jacobian",
                                  model.dimension()),
                      entries + operations(derive_exact_step(model, response))});
  }
  return counts;
}

}  // namespace divker::app
