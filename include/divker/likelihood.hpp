// The log-likelihood of snapshots of a population under a model as it stands.
//
// Of a row y at time t of a model whose observations have noise it is the log of a mean over paths,
//   p(y) = E[ prod_c N(y_c; value_c(x_t), deviation_c(x_t)) ] ,
// which is unbiased in any dimension, and tells something where enough paths come within the noise
// of y. Of one or two states without noise it is the density h_t(y) of divker/density.hpp.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "divker/fit_data.hpp"
#include "divker/method.hpp"
#include "divker/model.hpp"
#include "divker/record.hpp"
#include "divker/sampling.hpp"

namespace divker {

struct LikelihoodOptions {
  Method method;
  Sampling sampling;
  Session session;
  bool time_step = true;  // is what dt does to it measured, and in its error?
};

struct Likelihood {
  double value = 0.0;           // sum over the rows of log p
  double standard_error = 0.0;  // of the paths, and of dt where it was measured
  double time_step = 0.0;       // the part of dt, NaN where it was not measured
  std::size_t rows = 0;
  std::size_t individuals = 0;
  std::size_t parameters = 0;  // that are not fixed
  double aic = 0.0;            // 2 parameters - 2 value
  double bic = 0.0;            // parameters log(individuals) - 2 value
  // log p of each row, block after block as match_data() has them.
  std::vector<double> each;
  // The fewest paths that a row rests on, (sum w)^2 / sum w^2; NaN for densities of states.
  double fewest_paths = 0.0;
  // Pareto k (tail_index.hpp) of what each path adds to the sum, of which the error is made: above
  // 0.7 it means little, and there is a remark. NaN for densities of states.
  double tail_index = 0.0;
  std::vector<std::string> remarks;  // where the number cannot be trusted, in sentences
  RunRecord record;
};

// Error(usage) for data of more than two states without noise, for states and noisy observations in
// one row, for observations without noise that are no states, and for stationary data;
// Error(numerical) for a row whose density of states is not above its bar, which is named. A row
// that few paths come near is a remark. Cost: paths * steps, half as much again for the bias of dt,
// and paths * values of the data.
[[nodiscard]] Likelihood log_likelihood(const Model& model, const FitData& data,
                                        const LikelihoodOptions& options);

// Two models on the same data.
struct LikelihoodComparison {
  double difference = 0.0;      // of log-likelihoods, the first less the second
  double standard_error = 0.0;  // of the paths of both
  // By which the data tell them apart: difference less that of the parameters' numbers (as BIC has
  // it), over the standard deviation of the rows' differences. Q. H. Vuong, Econometrica 57 (1989)
  // 307. Standard normal if both are equally near to the truth; NaN where all rows agree.
  double vuong = 0.0;
  double p = 1.0;  // two-sided
};
[[nodiscard]] LikelihoodComparison compare_likelihoods(const Likelihood& first,
                                                       const Likelihood& second);

// Twice the gain of the larger of two nested models, both at their maxima, and its p by the
// chi-square law of the parameters between them: S. S. Wilks, Ann. Math. Stat. 9 (1938) 60.
struct LikelihoodRatioTest {
  double statistic = 0.0;
  double standard_error = 0.0;  // of the paths
  std::size_t freedom = 0;
  double p = 1.0;
};
// Error(usage) unless the larger has more parameters.
[[nodiscard]] LikelihoodRatioTest likelihood_ratio_test(const Likelihood& smaller,
                                                        const Likelihood& larger);

}  // namespace divker
