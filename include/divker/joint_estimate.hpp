// Means that are estimated together, so that sums of them have error bars too.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "divker/archive.hpp"
#include "divker/matrix.hpp"
#include "divker/moments.hpp"

namespace divker {

// Some numbers, and what each batch of independent paths has moved them by: of any combination
// sum_q w_q value_q the standard error is sqrt(sum_b (sum_q w_q influence_bq)^2), whatever the
// correlations between the numbers are.
struct JointEstimate {
  std::vector<double> value;
  Matrix influence;  // batches x numbers

  [[nodiscard]] Estimate operator[](std::size_t q) const;
  // One weight for each number. Cost: O(batches * numbers).
  [[nodiscard]] Estimate of(std::span<const double> weights) const;
};

// Sums over batches of paths of z_q and of a control variate c_q whose mean is zero, column by
// column. The answer is
//   value_q = mean(z_q) - k_q mean(c_q) ,    k_q = Cov(z_q, c_q) / Var(c_q)
// over all paths, as in divker/observable_response.hpp; errors are those between the batches, with
// k_q taken as known, which leaves out O(1/paths).
class BatchSums {
 public:
  BatchSums() = default;
  explicit BatchSums(std::size_t columns) : zc_(columns), cc_(columns) {}

  [[nodiscard]] std::size_t columns() const { return zc_.size(); }
  [[nodiscard]] std::size_t batches() const { return counts_.size(); }
  // A new batch, of so many paths, to which columns are added.
  void begin(std::size_t paths);
  void add(std::size_t column, double z, double control = 0.0);  // of one path
  void append(const BatchSums& other);
  void transfer(Archive& archive) { archive(counts_, z_, c_, zc_, cc_); }

  // k of each column.
  [[nodiscard]] std::vector<double> controls() const;
  // Error(usage) for fewer than two batches.
  [[nodiscard]] JointEstimate result(std::span<const double> controls) const;
  [[nodiscard]] JointEstimate result() const { return result(controls()); }
  // scale (this - other), both with the coefficients of this: batches are of the same paths, one by
  // one, and those of which a path is missing at either are left out.
  [[nodiscard]] JointEstimate difference(const BatchSums& other, double scale) const;

 private:
  [[nodiscard]] double paths() const;

  std::vector<double> counts_;
  std::vector<double> z_, c_;    // batch after batch, a number for each column
  std::vector<double> zc_, cc_;  // over all paths
};

}  // namespace divker
