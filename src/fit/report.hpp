// What a fit has found: estimates with their errors, and how the law compares with the data.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "fit/evaluation.hpp"

namespace divker::fit {

// At the state's parameters, of which `evaluation` is the law. A few paths may be run beside it.
[[nodiscard]] FitResult report(const Model& model, const FitData& data, const FitState& state,
                               const Evaluation& evaluation, Evaluator& evaluator);

// Without errors and correlations: what the law alone tells, of parameters that are more than what
// is known of it. Of `law` the samples are used.
struct Circumstances {
  std::uint64_t seed = 1;
  unsigned threads = 0;
};
[[nodiscard]] FitResult report_law(const Model& model, const FitData& data, const FitState& state,
                                   const Evaluation& law, const Circumstances& circumstances,
                                   const RunRecord& record);
// Takes the errors away from estimates of a law that is not that of the data.
void withdraw_errors(FitResult& result);

[[nodiscard]] std::vector<JointGoodness> joint_goodness(const FitData& data,
                                                        const Evaluation& evaluation);

// Does a p value, one of so many tests, tell the law from that of the data?
[[nodiscard]] bool is_rejected(double p, std::size_t tests);

}  // namespace divker::fit
