// How well laws that are given by samples predicted what came.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "divker/moments.hpp"

namespace divker::fit {

// A sample in ascending order as a prediction.
class PredictedValue {
 public:
  explicit PredictedValue(std::vector<double> sample);  // what is not a number is left out

  [[nodiscard]] std::size_t size() const { return sample_.size(); }
  // (rank + tie)/(n + 1), tie in (0, 1); equal values share their ranks by the tie.
  [[nodiscard]] double distribution(double y, double tie) const;
  // mean |X - y| - expected(): unbiased for any size of the sample.
  [[nodiscard]] double score(double y) const;
  // Half the mean of |X - X'| over different members: the score of its own members.
  [[nodiscard]] double expected_score() const { return expected_; }
  [[nodiscard]] double mean() const { return mean_; }
  // Between the members beside level * n, and half the distance of those one standard error of
  // their number above and below.
  [[nodiscard]] Estimate quantile(double level) const;
  [[nodiscard]] Estimate mean_estimate() const;

 private:
  [[nodiscard]] double member(double place) const;

  std::vector<double> sample_;
  std::vector<double> sums_;  // of the first members
  double mean_ = 0.0;
  double expected_ = 0.0;
};

// Sequences that belong together, such as those of individuals: neighbours within one are
// neighbours in time.
using Sequences = std::vector<std::vector<double>>;

// The mean of all, with the error of sequences whose members are dependent up to a lag:
// W. K. Newey, K. D. West, Econometrica 55 (1987) 703.
[[nodiscard]] Estimate sequence_mean(const Sequences& all, std::size_t lag);

struct PortmanteauTest {
  double statistic = 0.0;
  double p = 1.0;
};
// n (n + 2) sum_k r_k^2 / n_k over the lags 1 ... `lags`, r_k the autocorrelation and n_k the
// number of pairs; p by the chi-square law. Ljung and Box (1978), for several sequences at once.
[[nodiscard]] PortmanteauTest ljung_box(const Sequences& all, std::size_t lags);

}  // namespace divker::fit
