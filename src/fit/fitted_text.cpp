// The model file of a fit: estimates in place of the starting values, standard errors in comments.
#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

#include "divker/fit.hpp"

namespace divker {

std::string fitted_text(const FitResult& result) {
  std::string text = fmt::format("# Fitted to {} rows of data in {} iterations: {}, {}.\n",
                                 result.data_rows, result.state.history.size() - 1,
                                 result.state.converged ? "converged" : "NOT converged",
                                 result.state.reason.empty() ? "interrupted" : result.state.reason);
  const std::string model = result.model.text();
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
            fmt::format("{:.6g} +- {:.2g}", result.estimate[place], result.standard_error[place]));
      }
      if (!errors.empty()) line += fmt::format("  # {}", fmt::join(errors, ", "));
    }
    text += line + "\n";
    begin = end + 1;
  }
  return text;
}

}  // namespace divker
