// Paths of the states. It is no line of questions(): its command and its function in Python keep
// rows of paths too.
#pragma once

#include <vector>

#include "divker/study.hpp"
#include "present/reply.hpp"
#include "present/request.hpp"

namespace divker::present {

struct SimulateRequest : RunRequest, SavedRequest {
  std::vector<double> times;
};

void describe(SimulateRequest& r, OptionVisitor& visit);

// The paths, compiled.
[[nodiscard]] Study study_of(const SimulateRequest& request, const Model& model,
                             const Session& session);
// Means and deviations of the states at the snapshot times. Its table: t, then mean.x, stderr.x,
// deviation.x of each state.
[[nodiscard]] Reply reply_to(const SimulateRequest& request, const Model& model,
                             const Session& session);

}  // namespace divker::present
