// Warnings about means whose summands have tails too heavy for an error bar.
#pragma once

#include <string>
#include <vector>

#include "divker/answer.hpp"

namespace divker {

// What else may be tried, in a sentence.
struct TailAdvice {
  // Of a response of a mean, by what its method carries along the paths.
  static std::string of_mean(const RunRecord& record);
  // Where no other method answers; empty if nothing was damped.
  static std::string of_damping(const RunRecord& record);
};

// Each adds warnings to the record where an index is above 0.7 (tail_index.hpp) and rests on 2000
// paths at least. `mean` is the name of a mean in words, "the response to a".
void warn_of_tail(const std::string& mean, double index, const std::string& advice,
                  RunRecord& record);
// One for each response of a mean.
void warn_of_tails(ObservableAnswer& answer, const std::string& advice);
// One for all points, by the heaviest of those inside the sample.
void warn_of_tails(const std::string& mean, const std::vector<double>& indices,
                   const std::vector<bool>& outside, RunRecord& record);
// One for each column at the points: the responses to parameters, or the components of the score.
void warn_of_tails(const std::string& what, PointAnswer& answer);
void warn_of_tails(const std::string& what, const PointValues& answer, RunRecord& record);

}  // namespace divker
