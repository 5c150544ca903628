// Conditional expectations E[Y | X = x] from samples (x, y), with error bars that know their bias.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "divker/matrix.hpp"

namespace divker {

// Zero always means: choose by the rule given in docs/regressor.md.
struct RegressorOptions {
  std::size_t neighbours = 0;  // k of `neighbours` and `local-linear`
  double bandwidth = 0.0;      // of `kernel`, in standard deviations of each coordinate
  std::size_t bins = 0;        // of `bins`
  int degree = 0;              // of `polynomial`: 1 or 2 (the default)
  std::size_t threads = 1;     // 0: one for each core; the results are the same to the bit
};

// At m points for q columns of Y; every Matrix is m x q.
struct Prediction {
  Matrix value;
  Matrix standard_error;  // sqrt(deviation^2 + bias^2): the error bar to report
  Matrix deviation;       // one standard deviation of `value`, from the sampling noise alone
  Matrix bias;            // estimated magnitude of the systematic error
  std::vector<double> effective_samples;  // 1 / sum of squared weights; 1 / leverage (polynomial)
  std::vector<bool> outside;  // the sample says little here: `bias` then includes the spread of Y
  // Pareto k (tail_index.hpp) of the summands of the value: for weighted means of the samples near
  // the point that of their Y about the median, for polynomials that of the residuals of all
  // samples (of Y, where that has no mean: k >= 1). What x explains has hardly a part in it, as it
  // varies little near a point. NaN below 400 samples near a point, and for local sums, which keep
  // none.
  Matrix tail_index;
};

// One interface for all regressors. Coordinates are standardised inside, columns of Y share the
// work. fit() first; everything afterwards is const and safe to call from several threads.
class Regressor {
 public:
  explicit Regressor(const RegressorOptions& options) : options_(options) {}
  virtual ~Regressor() = default;
  Regressor(const Regressor&) = delete;
  Regressor& operator=(const Regressor&) = delete;

  // x is n x d, y is n x q. Throws Error(usage) if the rows differ in number, are too few for the
  // method and its options, or hold a value that is not finite (named by row and column).
  void fit(const Matrix& x, const Matrix& y);
  // Values with error bars. Throws Error(usage) before fit() and for points of another dimension.
  [[nodiscard]] Prediction predict(const Matrix& points) const;
  // Values alone: several times cheaper.
  [[nodiscard]] Matrix evaluate(const Matrix& points) const;
  // At each sample x_i the value fitted without (x_i, y_i): n x q.
  [[nodiscard]] Matrix leave_one_out() const;

 protected:
  [[nodiscard]] const RegressorOptions& options() const { return options_; }

 private:
  virtual void do_fit(const Matrix& x, const Matrix& y) = 0;
  [[nodiscard]] virtual Prediction do_predict(const Matrix& points) const = 0;
  [[nodiscard]] virtual Matrix do_evaluate(const Matrix& points) const = 0;
  [[nodiscard]] virtual Matrix do_leave_one_out() const = 0;
  void check_points(const Matrix& points) const;

  RegressorOptions options_;
  std::size_t dimension_ = 0;
};

// `bins` (1-D), `neighbours`, `kernel`, `local-linear`, `polynomial`. Throws Error(usage) for
// another name, and for options out of range.
[[nodiscard]] std::unique_ptr<Regressor> make_regressor(const std::string& name,
                                                        const RegressorOptions& options = {});
[[nodiscard]] std::vector<std::string> regressor_names();

// `local-linear` up to 8 dimensions, `polynomial` above or where the samples are too few for it.
[[nodiscard]] std::string default_regressor(std::size_t dimension, std::size_t samples);

// The number of neighbours that balances bias and variance for n samples in d dimensions:
// n^{4/(4+d)} / 2, at least 10 (Stone 1982: the optimal rate for functions with two derivatives).
[[nodiscard]] std::size_t default_neighbours(std::size_t dimension, std::size_t samples);

// Predictions at the samples themselves, each from a fit to the other folds; row i belongs to fold
// i mod folds. Throws Error(usage) for fewer than two folds or more folds than samples.
[[nodiscard]] Matrix cross_fit(const std::string& name, const RegressorOptions& options,
                               const Matrix& x, const Matrix& y, std::size_t folds = 2);

}  // namespace divker
