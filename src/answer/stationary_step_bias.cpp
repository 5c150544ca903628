#include "answer/stationary_step_bias.hpp"

#include "divker/moments.hpp"

namespace divker {
namespace {

// What each path has to say of a response with the windows up to `taken`, without the control
// variate, and the control variate I itself. The mean of the former is the response.
struct PathTerms {
  std::vector<double> response, control;
};

PathTerms terms_of(const PathAverages& paths, std::size_t p, std::size_t taken) {
  const Matrix& rows = paths.averages();
  Moments moments(rows.cols);
  moments.add(rows);
  const std::vector<double>& mean = moments.mean();
  PathTerms terms{rows.column(paths.explicit_column(p)), std::vector<double>(rows.rows, 0.0)};
  for (std::size_t w = 0; w <= taken; ++w) {
    const std::size_t piece = paths.piece_column(p, w);
    for (std::size_t r = 0; r < rows.rows; ++r) {
      terms.response[r] +=
          rows(r, piece + 1) - mean[0] * rows(r, piece) - mean[piece] * (rows(r, 0) - mean[0]);
      terms.control[r] += rows(r, piece);
    }
  }
  return terms;
}

double control_coefficient(const PathTerms& terms) {
  CovarianceMoments joint(2);
  for (std::size_t r = 0; r < terms.response.size(); ++r) {
    joint.add(std::vector<double>{terms.response[r], terms.control[r]});
  }
  const Matrix covariance = joint.covariance();
  return covariance(1, 1) > 0.0 ? covariance(0, 1) / covariance(1, 1) : 0.0;
}

// 2 (A(dt) - A(dt/2)) from what each pair has to say of A.
StepBias bias_of(const std::vector<double>& coarse, const std::vector<double>& fine) {
  Moments moments(1);
  for (std::size_t r = 0; r < coarse.size(); ++r) {
    const double twice = 2.0 * (coarse[r] - fine[r]);
    moments.add({&twice, 1});
  }
  const Estimate found = moments.estimate(0);
  return {found.value, found.standard_error};
}

// Responses with the windows taken from their pieces; scores as they are.
Matrix regressands(const PooledSamples& samples, const std::vector<std::size_t>& taken) {
  if (taken.empty()) return samples.y();
  const std::size_t windows = samples.y().cols / taken.size();
  Matrix result(samples.y().rows, taken.size());
  for (std::size_t r = 0; r < result.rows; ++r) {
    for (std::size_t p = 0; p < taken.size(); ++p) {
      for (std::size_t w = 0; w <= taken[p]; ++w) result(r, p) += samples.y()(r, p * windows + w);
    }
  }
  return result;
}

}  // namespace

std::vector<StepBias> stationary_step_biases(const AtBothSteps<PathAverages>& pairs,
                                             const std::vector<std::size_t>& taken) {
  std::vector<StepBias> biases{
      bias_of(pairs.coarse.averages().column(0), pairs.fine.averages().column(0))};
  for (std::size_t p = 0; p < taken.size(); ++p) {
    PathTerms coarse = terms_of(pairs.coarse, p, taken[p]);
    PathTerms fine = terms_of(pairs.fine, p, taken[p]);
    const double c = control_coefficient(coarse);
    for (PathTerms* side : {&coarse, &fine}) {
      for (std::size_t r = 0; r < side->response.size(); ++r) {
        side->response[r] -= c * side->control[r];
      }
    }
    biases.push_back(bias_of(coarse.response, fine.response));
  }
  return biases;
}

StepBiases stationary_step_biases(const AtBothSteps<PooledSamples>& pairs,
                                  const std::vector<std::size_t>& taken, const Matrix& points,
                                  std::size_t threads) {
  const Matrix coarse = regressands(pairs.coarse, taken), fine = regressands(pairs.fine, taken);
  return step_bias_at_points({pairs.coarse.x(), coarse, pairs.coarse.samples_of_each()},
                             {pairs.fine.x(), fine, pairs.fine.samples_of_each()}, points, threads);
}

}  // namespace divker
