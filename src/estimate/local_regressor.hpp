// Regressors whose value at a point is a weighted mean of the samples near it.
#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

#include "divker/neighbours.hpp"
#include "divker/regressor.hpp"
#include "estimate/standardise.hpp"

namespace divker {

// The value at y is sum_i l_i(y) Y_i with sum_i l_i = 1. What a method adds is which samples it
// looks at and what they weigh. The error bar is shared: a local quadratic g, fitted to a wider
// neighbourhood, tells the bias sum_i l_i g(x_i) - g(y), and its residuals tell the variance.
class LocalRegressor : public Regressor {
 protected:
  using Regressor::Regressor;

  // Called once by fit(), with the standardised points.
  virtual void prepare(const Matrix& x) = 0;
  // The samples to look at: so many nearest, or, where that is zero, all within the radius.
  [[nodiscard]] virtual std::size_t count() const { return 0; }
  // Counts to choose from at each point and column, largest first: count() and its halves down to
  // this. Zero: count() alone.
  [[nodiscard]] virtual std::size_t fewest() const { return 0; }
  [[nodiscard]] virtual double radius(std::span<const double> /*point*/) const { return 0.0; }
  // How many times the samples that count in the value the surface behind the error bar takes in:
  // wide enough to tell curvature from noise, narrow enough to see the curvature here.
  [[nodiscard]] virtual double breadth() const { return 3.0; }
  // Weights of the neighbours (nearest first), up to a common factor. `x` are all points.
  virtual void weigh(std::span<const double> point, std::span<const Neighbour> neighbours,
                     const Matrix& x, std::vector<double>& weights) const = 0;

 private:
  void do_fit(const Matrix& x, const Matrix& y) override;
  [[nodiscard]] Prediction do_predict(const Matrix& points) const override;
  [[nodiscard]] Matrix do_evaluate(const Matrix& points) const override;
  [[nodiscard]] Matrix do_leave_one_out() const override;

  [[nodiscard]] std::vector<Neighbour> near(std::span<const double> point) const;
  // The estimates of all columns at one point.
  struct Estimate {
    std::vector<double> value;
    std::vector<double> deviation;
    std::vector<double> bias;
    double effective = 0.0;
  };

  [[nodiscard]] Matrix values(const Matrix& scaled, bool leave_out) const;
  // How many neighbours the widest estimate and its error bar take in; zero where count() is.
  [[nodiscard]] std::size_t reach() const;
  // From `use` nearest of a list of reach(), or of those within the radius; that one is lengthened
  // where the error bar needs more.
  Estimate estimate(std::span<const double> point, std::size_t use,
                    std::vector<Neighbour>& list) const;
  // The same with the count chosen for each column by Lepski's rule; `uses` becomes these counts.
  Estimate choose(std::span<const double> point, std::vector<Neighbour>& list,
                  std::vector<std::size_t>& uses) const;
  // Fills one row of the prediction; true if the point is outside.
  bool predict_row(std::span<const double> point, std::vector<Neighbour> list, std::size_t row,
                   Prediction& prediction) const;

  Standardisation scaling_;
  std::optional<NeighbourIndex> index_;
  Matrix y_;
  std::vector<double> spread_;  // standard deviation of each column of Y
  mutable std::unique_ptr<std::once_flag> threshold_found_;
  mutable double threshold_ = 0.0;  // squared distance to the rank-th neighbour
};

// Distances of a point to the sample that are unusual for the sample's own points.
struct Isolation {
  // How far into the list of neighbours the distance is taken.
  static std::size_t rank(std::size_t samples) { return samples < 11 ? samples - 1 : 10; }
  // The squared distance that 99.9% of the sample's own points stay below (a sample of 1000 of
  // them, or 200 where each query is brute force).
  static double threshold(const NeighbourIndex& index, std::size_t threads);
};

[[nodiscard]] std::unique_ptr<Regressor> make_bins(const RegressorOptions& options);
[[nodiscard]] std::unique_ptr<Regressor> make_neighbours(const RegressorOptions& options);
[[nodiscard]] std::unique_ptr<Regressor> make_kernel(const RegressorOptions& options);
[[nodiscard]] std::unique_ptr<Regressor> make_local_linear(const RegressorOptions& options);

}  // namespace divker
