// Which rows of the data the estimate hangs on, and which the model cannot have made.
#pragma once

#include <vector>

#include "fit/evaluation.hpp"

namespace divker::fit {

// See RowInfluence. Of `result` the names, the standard errors and the remarks are used and added
// to; rows beyond all paths are named there, with how often that would be chance.
void add_influence(const Model& model, const FitData& data, const Evaluation& evaluation,
                   FitResult& result);

}  // namespace divker::fit
