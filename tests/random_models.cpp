// Random models on which the methods contradict each other without a warning.
// Usage: random_models [MODELS] [FIRST_SEED] [PATHS]; prints each such model, and counts at the
// end. Two hundred models of 4000 paths take some minutes.
#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <map>

#include "support/cross_check.hpp"

namespace {

std::uint64_t argument(int count, char** arguments, int place, std::uint64_t otherwise) {
  return count > place ? std::strtoull(arguments[place], nullptr, 10) : otherwise;
}

}  // namespace

int main(int count, char** arguments) {
  const std::uint64_t models = argument(count, arguments, 1, 200);
  const std::uint64_t first = argument(count, arguments, 2, 1);
  const std::uint64_t paths = argument(count, arguments, 3, 4000);
  std::map<std::string, std::size_t> answered, excused;
  std::size_t pairs = 0, suspicions = 0, failures = 0;
  for (std::uint64_t seed = first; seed < first + models; ++seed) {
    const auto check =
        divker::test::cross_check(divker::test::random_model(seed), paths, 1000 * seed);
    pairs += check.pairs;
    for (const auto& opinion : check.opinions) answered[opinion.method] += opinion.answer ? 1 : 0;
    for (const auto& d : check.disagreements) {
      if (!d.excuse.empty()) ++excused[d.excuse];
    }
    if (!check.is_suspicious()) continue;
    ++suspicions;
    failures += check.has_failed() ? 1 : 0;
    fmt::print("# {}\n{}\n", check.has_failed() ? "FAILED" : "by chance", check.text());
    std::fflush(stdout);
  }
  fmt::print("{} models, {} pairs of numbers, contradictions in {}, by chance in {}\n", models,
             pairs, failures, suspicions - failures);
  for (const auto& [method, times] : answered) fmt::print("answered by {}: {}\n", method, times);
  for (const auto& [what, times] : excused) fmt::print("explained by {}: {}\n", what, times);
  return failures == 0 ? 0 : 1;
}
