// One run of paths: groups dealt to threads and ranks, absorbed in their order, saved now and then.
#pragma once

#include "divker/marcher.hpp"
#include "divker/paths.hpp"
#include "divker/sampling.hpp"

namespace divker::march {

// Error(numerical) when more paths failed than the sampling allows.
RunSummary run_paths(const Prepared& prepared, const March& march, const Session& session,
                     Collector& collector);

}  // namespace divker::march
