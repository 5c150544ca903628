// Checks that need the paths of one run alone.
#pragma once

#include <string>
#include <vector>

#include "divker/diagnose.hpp"
#include "divker/paths.hpp"

namespace divker {

[[nodiscard]] Check check_failures(const RunSummary& summary);
// `parameters`: names, of the columns of I.
[[nodiscard]] Check check_tails(const Model& model, const std::vector<std::string>& parameters,
                                const Snapshot& snapshot);
[[nodiscard]] Check check_score_identity(const Snapshot& snapshot);
// E[I] of each parameter.
[[nodiscard]] std::vector<Estimate> masses_of(const Snapshot& snapshot);
// `masses`: E[I] of each, over so many paths.
[[nodiscard]] Check check_mass(const std::vector<std::string>& parameters,
                               const std::vector<Estimate>& masses, std::size_t paths);

[[nodiscard]] Estimate estimate_of(const std::vector<double>& values);
// The verdict on a number that is caution beyond the first limit, bad beyond the second.
[[nodiscard]] Verdict verdict_on(double value, double caution, double bad);
// No advice where all is well.
[[nodiscard]] Check judged(std::string name, Verdict verdict, std::string finding,
                           const std::string& advice);

}  // namespace divker
