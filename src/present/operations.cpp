#include "present/operations.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "divker/plan.hpp"

namespace divker::present {

std::string counted(std::size_t count, const std::string& what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

std::vector<OperationCount> count_operations(const Model& model) {
  const Asked response = Asked::responses_to(model.free_parameters());
  const bool has_dt = has_time_step(model);
  std::vector<OperationCount> counts;
  const auto count = [&](std::string what, const Damping& damping, const Asked& asked) {
    Method method;
    method.damping = damping;
    if (refusal(model, method, asked)) return;
    counts.push_back({std::move(what), plan(model, method, asked).operations()});
  };
  const bool is_noisy = std::ranges::count(model.noisy(), false) == 0;
  const Damping usual = has_dt || !is_noisy ? Damping() : kernel_damping();
  count("states", usual, Asked::states());
  count("states and score", usual, Asked{});
  const std::string all = "states, score and " + counted(response.wrt.size(), "response");
  if (!response.wrt.empty()) count(all, usual, response);
  if (has_dt) count("the same with Jacobian damping", jacobian_damping(1.0, 1.0), response);
  if (!has_dt && is_noisy) {
    count(fmt::format("the same by the exact divergence step, beside the inverse of its {0} x {0} "
                      "Jacobian",
                      model.dimension()),
          Damping(), response);
  }
  return counts;
}

}  // namespace divker::present
