// Warnings about means whose summands have tails too heavy for an error bar.
#pragma once

#include <string>
#include <vector>

#include "divker/answer.hpp"

namespace divker {

// One if the index is above 0.7 (tail_index.hpp), with what else may be tried. `mean` is its name
// in words, "the response to a".
void warn_of_tail(const std::string& mean, double index, RunRecord& record);

// One for all points, by the heaviest of the indices at those inside the sample.
void warn_of_tails(const std::string& mean, const std::vector<double>& indices,
                   const std::vector<bool>& outside, RunRecord& record);

// One for each response of a mean.
void warn_of_tails(ObservableAnswer& answer);

// One for each column of a prediction, whose names come after `what`, "the response to".
void warn_of_tails(const std::string& what, const std::vector<std::string>& names,
                   const Prediction& prediction, RunRecord& record);

}  // namespace divker
