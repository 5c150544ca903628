// The conditional expectation that a fit matches, made for speed and for wild samples.
//
// Any functions make consistent matching equations; good ones are close to E[I | y]. Each observed
// coordinate is mapped to a standard normal one by its ranks in the sample (normal scores), the
// coordinates are decorrelated, and I is regressed on products of Hermite polynomials, which are
// then nearly orthonormal. Normal scores take logarithms of lognormal coordinates, so to speak, and
// keep outliers from having leverage.
#pragma once

#include <Eigen/Dense>
#include <cstddef>
#include <vector>

#include "divker/matrix.hpp"

namespace divker::fit {

using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

// Maps numbers to standard normal ones by their rank in a sample; flat beyond the sample.
class NormalScores {
 public:
  explicit NormalScores(std::vector<double> sample);
  [[nodiscard]] double operator()(double value) const;

 private:
  std::vector<double> knots_;   // quantiles of the sample
  std::vector<double> scores_;  // of the knots
  // Where to look: the first knot beyond the beginning of each of equal cells between the
  // outermost.
  std::vector<std::size_t> first_beyond_;
  double cells_per_unit_ = 0.0;
};

// Far from the root products of high degree, learned where the data are not, hinder more than help.
enum class Detail { coarse, fine };

class Instrument {
 public:
  // y: n x d, responses: n x P. The degree is the one that predicts best, common to all responses.
  // Cost: n (p^2 + p P), p features. Memory: n d for the scores, and 16 p (p + P).
  Instrument(const Matrix& y, const Matrix& responses, Detail detail, std::size_t threads);
  [[nodiscard]] Matrix evaluate(const Matrix& points) const;
  [[nodiscard]] std::size_t features() const { return products_.size(); }
  // The most of a fine or coarse one.
  [[nodiscard]] static std::size_t features_for(std::size_t dimension, std::size_t samples);
  // Is there more to learn from n samples in d dimensions than a coarse instrument does?
  [[nodiscard]] static bool can_be_finer(std::size_t dimension, std::size_t samples);

 private:
  // A product of Hermite polynomials: coordinate and degree of each factor.
  struct Factor {
    std::size_t coordinate = 0;  // from d on: normal scores that are not decorrelated
    std::size_t degree = 0;
  };
  using Product = std::vector<Factor>;
  static std::size_t degree_of(const Product& product);
  using Products = std::vector<Product>;  // in the order of their degree
  static Products choose_products(std::size_t dimension, std::size_t samples, Detail detail);
  static void multiply(Product& product, std::size_t coordinate);
  static void add_products(std::size_t dimension, std::size_t degree, Products& products);
  static void add_local_products(std::size_t dimension, std::size_t degree, std::size_t most,
                                 Products& products);
  void learn_scores(const Matrix& y);
  [[nodiscard]] RowMajor scores_of(const Matrix& points, std::size_t begin, std::size_t end) const;
  void decorrelate(const RowMajor& scores);
  void solve(RowMajor gram, const RowMajor& moments, const RowMajor& squares, double n);
  // p x rows, of normal scores rows x d.
  [[nodiscard]] RowMajor features_of(const RowMajor& scores) const;

  std::size_t threads_;
  std::vector<NormalScores> scores_;
  RowMajor whitening_;  // lower triangular
  Products products_;
  Eigen::RowVectorXd mean_;          // of the responses
  Eigen::RowVectorXd feature_mean_;  // 1 x p
  RowMajor coefficients_;            // p x P
};

}  // namespace divker::fit
