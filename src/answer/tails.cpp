#include "answer/tails.hpp"

#include <fmt/format.h>

#include <cmath>

#include "divker/tail_index.hpp"

namespace divker {

std::string TailAdvice::of_mean(const RunRecord& record) {
  constexpr const char* differences = "finite-difference";
  if (record.method.estimator == differences) {
    return "An observable that grows more slowly may have lighter tails.";
  }
  return fmt::format(
      "{} method {}, which carries no weights along the paths, or an observable that "
      "grows more slowly may have lighter tails.",
      record.alpha.empty() ? "The" : "A stronger damping, the", differences);
}

std::string TailAdvice::of_damping(const RunRecord& record) {
  return record.alpha.empty() ? "" : "A stronger damping may have lighter tails.";
}

void warn_of_tail(const std::string& mean, double index, const std::string& advice,
                  RunRecord& record) {
  // Fewer do not reach the tail: products of light ones then read as heavy every third time.
  constexpr std::size_t fewest_paths = 2000;
  const auto sentence = tail_warning(mean, index);
  if (!sentence || record.summary.paths < fewest_paths) return;
  record.warnings.push_back({"tail", advice.empty() ? *sentence : *sentence + " " + advice});
}

void warn_of_tails(ObservableAnswer& answer, const std::string& advice) {
  for (std::size_t p = 0; p < answer.names.size(); ++p) {
    warn_of_tail("the response to " + answer.names[p], answer.tail_index[p], advice, answer.record);
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
  warn_of_tail(fmt::format("{} at {} of {} points", mean, heavy, indices.size()), heaviest,
               TailAdvice::of_damping(record), record);
}

void warn_of_tails(const std::string& what, const PointValues& answer, RunRecord& record) {
  for (std::size_t c = 0; c < answer.names.size(); ++c) {
    warn_of_tails(fmt::format("{} {}", what, answer.names[c]),
                  answer.prediction.tail_index.column(c), answer.prediction.outside, record);
  }
}

void warn_of_tails(const std::string& what, PointAnswer& answer) {
  warn_of_tails(what, answer, answer.record);
}

}  // namespace divker
