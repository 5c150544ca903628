// Collectors of a stationary run: many samples of every path.
#pragma once

#include <memory>
#include <vector>

#include "answer/observable.hpp"
#include "answer/relaxation.hpp"
#include "answer/stationary_plan.hpp"
#include "divker/ensemble.hpp"

namespace divker {

// What both kinds of samples share: whether the law still moves while it is sampled, from the
// bounded functions averaged over the first and over the second half of the recorded times of each
// path.
class StationaryCollector : public Collector {
 public:
  StationaryCollector(const StationaryPlan& plan, const BoundedFunctions& functions)
      : plan_(plan), functions_(functions) {}
  // Error(numerical) if it moves by more than movement_limit standard errors.
  void require_still(const Model& model) const;

 protected:
  [[nodiscard]] const StationaryPlan& plan() const { return plan_; }
  [[nodiscard]] Matrix movement(const PathGroup& group) const;
  void append_movement(const Matrix& rows);
  void transfer_movement(Archive& archive) { archive(movement_); }
  // I_{t-w'} - I_{t-w} at one recorded time for every parameter and every pair of successive
  // windows w' < w, from w' = 0 on: parameters x windows numbers. Their sums are I_t - I_{t-w}.
  void fill_pieces(const PathGroup& group, std::size_t recorded, std::size_t row,
                   std::span<double> out) const;

 private:
  const StationaryPlan& plan_;
  const BoundedFunctions& functions_;
  Matrix movement_;  // paths x functions
};

// Rows of x and of nu, or of the pieces of I: the samples of one path one after the other, every
// `stride`-th. Of some states only, where they are named; there are pieces of I for all of them.
class PooledSamples : public StationaryCollector {
 public:
  PooledSamples(const StationaryPlan& plan, const BoundedFunctions& functions, std::size_t stride,
                std::vector<std::size_t> states = {});
  [[nodiscard]] std::unique_ptr<Part> reduce(PathGroup group) const override;
  void absorb(std::unique_ptr<Part> part) override;
  [[nodiscard]] std::unique_ptr<Part> empty_part() const override {
    return std::make_unique<Rows>();
  }
  void transfer(Archive& archive) override;

  [[nodiscard]] std::size_t samples_of_each() const;
  [[nodiscard]] const Matrix& x() const { return x_; }
  [[nodiscard]] const Matrix& y() const { return y_; }

 private:
  struct Rows : Part {
    void transfer(Archive& archive) override { archive(x, y, movement); }
    Matrix x, y, movement;
  };
  std::size_t stride_;
  std::vector<std::size_t> states_;
  Matrix x_, y_;
};

// For every path the means over its samples of Phi - offset and, for each parameter, of dPhi and of
// the pieces J of I and of (Phi - offset) J: a row (Phi, then for each parameter dPhi, J_0,
// Phi J_0, J_1, Phi J_1, ...).
class PathAverages : public StationaryCollector {
 public:
  PathAverages(const StationaryPlan& plan, const BoundedFunctions& functions,
               const Observable& observable, std::size_t parameters, double offset);
  [[nodiscard]] std::unique_ptr<Part> reduce(PathGroup group) const override;
  void absorb(std::unique_ptr<Part> part) override;
  [[nodiscard]] std::unique_ptr<Part> empty_part() const override {
    return std::make_unique<Rows>();
  }
  void transfer(Archive& archive) override;

  [[nodiscard]] const Matrix& averages() const { return averages_; }
  // Columns of the row above.
  [[nodiscard]] std::size_t explicit_column(std::size_t p) const {
    return 1 + p * (1 + 2 * plan().windows.size());
  }
  [[nodiscard]] std::size_t piece_column(std::size_t p, std::size_t piece) const {
    return explicit_column(p) + 1 + 2 * piece;
  }

 private:
  struct Rows : Part {
    void transfer(Archive& archive) override { archive(averages, movement); }
    Matrix averages, movement;
  };
  const Observable& observable_;
  std::size_t parameters_;
  double offset_;
  Matrix averages_;
};

}  // namespace divker
