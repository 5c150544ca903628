// A fit with everything around it: the data matched, and the state saved in between.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "divker/fit.hpp"
#include "divker/fit_data.hpp"
#include "present/request.hpp"

namespace divker::present {

// What was done to the data before the fit.
struct DataRemarks {
  double largest_shift = 0.0;          // of a time to its step
  std::vector<std::string> ignored;    // columns
  std::vector<std::string> sentences;  // on rows and columns that are left out
};

struct Fitting {
  DataRemarks remarks;
  FitState state;
  std::optional<FitResult> result;  // none if the fit was stopped
};

// Iterates, saving the state after each iteration and going on from a saved one, and calls `told`
// with it. Error(usage) if the checkpoint cannot be written; errors of match_data() and Fit.
[[nodiscard]] Fitting fit(const FitRequest& request, const Model& model,
                          const std::vector<DataTable>& tables, const Session& session,
                          const std::function<void(const FitState&)>& told = {});

}  // namespace divker::present
