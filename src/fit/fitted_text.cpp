// The model file of a fit: estimates in place of the starting values, standard errors in comments.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "divker/fit.hpp"
#include "model/names.hpp"

namespace divker {

std::string in_words(const DeterminedCombination& combination) {
  return fmt::format("{} = {:.6g} +- {:.2g}", combination.expression, combination.value,
                     combination.standard_error);
}

std::string error_in_words(const FitResult& result, std::size_t parameter) {
  if (!std::isnan(result.standard_error[parameter])) {
    return fmt::format("+- {:.2g}", result.standard_error[parameter]);
  }
  std::vector<std::string> instead;
  for (const DeterminedCombination& one : result.determined) {
    const auto found = std::ranges::find(one.parameters, result.names[parameter]);
    if (found != one.parameters.end()) instead.push_back(in_words(one));
  }
  if (instead.empty()) return "undetermined";
  return fmt::format("undetermined (only {} {})", list_of(instead),
                     instead.size() == 1 ? "is" : "are");
}

Model with_errors_of(const FitResult& result) {
  std::map<std::size_t, std::size_t> place_of;  // in the result, by the parameter
  for (std::size_t i = 0; i < result.names.size(); ++i) {
    if (!(result.standard_error[i] > 0.0) || std::isinf(result.standard_error[i])) continue;
    place_of[result.model.parameter_index(result.names[i])] = i;
  }
  std::vector<EstimateError> errors;
  for (auto at = place_of.begin(); at != place_of.end(); ++at) {
    EstimateError& one =
        errors.emplace_back(EstimateError{at->first, result.standard_error[at->second], {}});
    for (auto before = place_of.begin(); before != at; ++before) {
      const double r = result.correlation(at->second, before->second);
      one.correlations.push_back(std::isnan(r) ? 0.0 : std::clamp(r, -1.0, 1.0));
    }
  }
  if (errors.size() > most_errors) errors.clear();
  return result.model.with_errors(std::move(errors));
}

std::string fitted_text(const FitResult& result) {
  std::string text = fmt::format("# Fitted to {} rows of data in {} iterations: {}, {}.\n",
                                 result.data_rows, result.state.history.size() - 1,
                                 result.state.converged ? "converged" : "NOT converged",
                                 result.state.reason.empty() ? "interrupted" : result.state.reason);
  if (result.structure && !result.structure->zero.empty()) {
    text += fmt::format(
        "# Set to zero at a false discovery rate of {:g}, since the data do not tell them from it: "
        "{}.\n",
        result.structure->false_discovery_rate, fmt::join(result.structure->zero, ", "));
  }
  const std::string model = result.model.text();
  const bool has_errors =
      !result.determined.empty() ||
      std::ranges::any_of(result.standard_error, [](double error) { return !std::isnan(error); });
  if (!has_errors) return text + model;
  for (std::size_t begin = 0; begin < model.size();) {
    const std::size_t end = std::min(model.find('\n', begin), model.size());
    std::string line = model.substr(begin, end - begin);
    for (const Family& family : result.model.parameter_families()) {
      if (!line.starts_with("param " + family.name + " ") &&
          !line.starts_with("param " + family.name + "[")) {
        continue;
      }
      std::vector<std::string> errors;
      for (std::size_t i = 0; i < family.size; ++i) {
        const std::string& name = result.model.parameters()[family.first + i].name;
        const auto found = std::find(result.names.begin(), result.names.end(), name);
        if (found == result.names.end()) continue;
        const auto place = static_cast<std::size_t>(found - result.names.begin());
        errors.push_back(
            fmt::format("{:.6g} {}", result.estimate[place], error_in_words(result, place)));
      }
      if (!errors.empty()) line += fmt::format("  # {}", fmt::join(errors, ", "));
    }
    text += line + "\n";
    begin = end + 1;
  }
  return text;
}

}  // namespace divker
