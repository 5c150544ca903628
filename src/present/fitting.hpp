// A fit with everything around it: the data matched, and the state saved in between.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "divker/fit.hpp"
#include "divker/fit_data.hpp"
#include "divker/series.hpp"
#include "present/request.hpp"

namespace divker::present {

// The table in a file, with what its reader remarks. The errors of read_table().
[[nodiscard]] DataTable data_in(const std::string& file, std::optional<double> time);

// Without the tables of data, which the command reads from files and Python has in arrays.
struct FitRequest : DampedRequest, RegressorRequest, SavedRequest, TimeStepRequest {
  DataOptions columns;
  FitOptions options;  // what concerns the iterations alone
  bool series = false;
  std::size_t substeps = 0;
  std::vector<std::string> sparse;  // patterns of parameters that may be zero
  double false_discovery_rate = 0.05;
  std::vector<std::string> derived;  // expressions of the parameters

  FitRequest();
};

void describe(FitRequest& r, OptionVisitor& visit);

struct Fitting {
  FitState state;
  std::optional<FitResult> result;  // none if the fit was stopped
};

// Iterates, saving the state after each iteration and going on from a saved one, and calls `told`
// with it. Error(usage) if the checkpoint cannot be written; errors of match_data() and Fit.
[[nodiscard]] Fitting fit(const FitRequest& request, const Model& model,
                          const std::vector<DataTable>& tables, const Session& session,
                          const std::function<void(const FitState&)>& told = {});

}  // namespace divker::present
