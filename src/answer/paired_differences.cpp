#include "answer/paired_differences.hpp"

namespace divker {
namespace {

std::vector<StepBias> twice_the_gap(const Differences& at_dt, const Differences& at_half) {
  std::vector<StepBias> biases;
  for (std::size_t q = 0; q < at_dt.value.size(); ++q) {
    const Gap gap = gap_between(at_dt, at_half, q);
    biases.push_back({2.0 * gap.value, 2.0 * gap.error});
  }
  return biases;
}

}  // namespace

PairedDifferences::PairedDifferences(const Model& model, const Sampling& run,
                                     const Session& session, const PathFunction& function,
                                     const std::vector<std::size_t>& functionals)
    : half_(at_half_the_step(model)),
      sampling_(sampling_of_pairs(run)),
      coarse_(model, at_both_increments(sampling_), session.aside(), function, functionals),
      fine_(half_, sampling_, session.aside(), function, functionals) {}

StepBias PairedDifferences::of_mean() {
  const std::vector<double> nothing(sampling_.paths, 0.0);
  // (Phi - 0) / (2h) with h = 1/2 is Phi itself.
  const auto mean = [&](ShiftedRuns& runs) {
    return mean_difference(runs.at(0, 0.0, sampling_.paths), nothing, 0.5);
  };
  return twice_the_gap(mean(coarse_), mean(fine_)).front();
}

std::vector<StepBias> PairedDifferences::of(const Differencing& differencing, std::size_t parameter,
                                            double h) {
  const auto difference = [&](ShiftedRuns& runs) {
    return differencing(runs.at(parameter, h, sampling_.paths),
                        runs.at(parameter, -h, sampling_.paths), h);
  };
  return twice_the_gap(difference(coarse_), difference(fine_));
}

}  // namespace divker
