#include "answer/tails.hpp"

#include <fmt/format.h>

#include <cmath>

#include "divker/tail_index.hpp"

namespace divker {

void warn_of_tail(const std::string& mean, double index, RunRecord& record) {
  if (const auto sentence = tail_warning(mean, index)) {
    record.warnings.push_back({"tail", *sentence});
  }
}

void warn_of_tails(const std::string& mean, const std::vector<double>& indices,
                   const std::vector<bool>& outside, RunRecord& record) {
  double heaviest = 0.0;
  std::size_t heavy = 0;
  for (std::size_t r = 0; r < indices.size(); ++r) {
    if (outside[r]) continue;
    heaviest = std::fmax(heaviest, indices[r]);
    if (tail_warning(mean, indices[r])) ++heavy;
  }
  warn_of_tail(fmt::format("{} at {} of {} points", mean, heavy, indices.size()), heaviest, record);
}

void warn_of_tails(ObservableAnswer& answer) {
  for (std::size_t p = 0; p < answer.names.size(); ++p) {
    warn_of_tail("the response to " + answer.names[p], answer.tail_index[p], answer.record);
  }
}

void warn_of_tails(const std::string& what, const std::vector<std::string>& names,
                   const Prediction& prediction, RunRecord& record) {
  for (std::size_t c = 0; c < names.size(); ++c) {
    warn_of_tails(fmt::format("{} {}", what, names[c]), prediction.tail_index.column(c),
                  prediction.outside, record);
  }
}

}  // namespace divker
