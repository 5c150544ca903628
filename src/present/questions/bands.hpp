// What paths predict at some times: means, deviations and quantiles, held against data.
#pragma once

#include "present/questions/simulate.hpp"

namespace divker::present {

// Keeps the columns of all paths: paths * times * columns doubles. Errors as reply_to, and as
// match_data() for the data.
[[nodiscard]] Reply bands_of(const SimulateRequest& asked, const Model& model,
                             const Session& session);

}  // namespace divker::present
