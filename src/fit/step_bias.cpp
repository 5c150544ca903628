#include "fit/step_bias.hpp"

#include <cmath>
#include <utility>

#include "answer/questions.hpp"
#include "divker/plan.hpp"
#include "fit/spectrum.hpp"

namespace divker::fit {
namespace {

// What each path adds to the means of the learned responses over the model, paths x parameters.
Eigen::MatrixXd learned_along(const std::vector<Matrix>& observed, const Matching& matching) {
  const Eigen::Index parameters = matching.psi.size();
  Eigen::MatrixXd sum =
      Eigen::MatrixXd::Zero(static_cast<Eigen::Index>(observed.front().rows), parameters);
  for (std::size_t b = 0; b < matching.learned.size(); ++b) {
    for (const Learned& learned : matching.learned[b].halves) {
      const Matrix values = learned(observed[b]);
      sum += 0.5 * matching.learned[b].share *
             Eigen::Map<const RowMajor>(values.data.data(), sum.rows(), parameters);
    }
  }
  return matching.weights.size() > 0 ? sum * matching.weights.transpose() : sum;
}

}  // namespace

std::optional<std::vector<StepBias>> step_biases(const Model& at, const Evaluation& evaluation,
                                                 const Evaluator& evaluator) {
  if (!has_time_step(at) || !evaluator.is_centred()) return std::nullopt;
  const Sampling sampling = sampling_of_pairs(evaluation.sampling);
  const Ensemble coarse = states_alone(at, evaluator.session());
  const Ensemble fine = states_alone(at_half_the_step(at), evaluator.session());
  const auto pairs = common_paths(coarse.run(at_both_increments(sampling), evaluator.session()),
                                  fine.run(sampling, evaluator.session()));
  if (!pairs) return std::nullopt;
  const auto learned = [&](const Paths& paths) {
    return learned_along(evaluator.observer().see(at, paths, sampling.seed), evaluation.matching);
  };
  const Eigen::MatrixXd moved = learned(pairs->second) - learned(pairs->first);
  const Eigen::MatrixXd inverse = spectrum_of(evaluation.matching).inverse(0.5);
  const Eigen::MatrixXd by_path = 2.0 * inverse * moved.transpose();
  const auto n = static_cast<double>(by_path.cols());
  std::vector<StepBias> biases;
  for (Eigen::Index p = 0; p < by_path.rows(); ++p) {
    const double mean = by_path.row(p).mean();
    const double square = (by_path.row(p).array() - mean).square().sum();
    biases.push_back({mean, std::sqrt(square / (n - 1.0) / n)});
  }
  return biases;
}

}  // namespace divker::fit
