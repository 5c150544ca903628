// Answers as tables of numbers, for files, and what files say of them.
#pragma once

#include <string>
#include <vector>

#include "divker/fit.hpp"
#include "divker/table.hpp"

namespace divker::present {

[[nodiscard]] std::vector<std::string> names_of_states(const Model& model);
// And of the functionals of the path.
[[nodiscard]] std::vector<std::string> names_along_paths(const Model& model);
// Rows are appended, all as long as the first.
void append_row(Matrix& rows, const std::vector<double>& row);

// One row an iteration: iteration, paths, gain, psi_over_noise, step, halvings, the parameters.
[[nodiscard]] Table history_table(const FitResult& result);

// What a file says of the run.
[[nodiscard]] Attributes attributes_of(const Model& model, const RunRecord& record);

}  // namespace divker::present
