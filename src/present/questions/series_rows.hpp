// What questions about time series have in common: their rows.
#pragma once

#include <string>

#include "divker/series.hpp"
#include "present/request.hpp"

namespace divker::present {

struct SeriesRequest : RunRequest {
  GivenTables data;
  DataOptions columns;
};

void describe(SeriesRequest& r, OptionVisitor& visit);

// The tables matched to the model, those of files read. Errors of match_series().
[[nodiscard]] SeriesData series_of(const SeriesRequest& request, const Model& model,
                                   std::size_t fewest_transitions);
// What was remarked of the rows, at the head of the warnings.
void tell_remarks(std::vector<Warning>& warnings, const SeriesData& data);

}  // namespace divker::present
