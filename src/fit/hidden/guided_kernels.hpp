// The compiled programs of guided paths.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <memory>
#include <vector>

#include "derive/guided_step.hpp"
#include "divker/input.hpp"
#include "divker/kernel.hpp"
#include "divker/model.hpp"
#include "fit/hidden/records.hpp"
#include "numbers/aligned_array.hpp"

namespace divker::fit {

// A kernel with the values of the parameters in it. Arguments and results in the program's order;
// the parameters themselves are none of them.
class BoundKernel {
 public:
  BoundKernel(const Kernel& kernel, const std::vector<double>& parameters);
  void operator()(std::initializer_list<const double*> arguments,
                  std::initializer_list<double*> results, std::size_t vectors,
                  numbers::AlignedArray& scratch) const;

 private:
  const Kernel* kernel_;
  std::vector<double> constants_;
};

class GuidedKernels {
 public:
  // `exact`: the states that are seen without noise, of which the first rows of a guide are; the
  // others are the states' own directions. `noisy`: the observations that are seen.
  GuidedKernels(const Model& model, const std::vector<std::size_t>& exact,
                const std::vector<std::size_t>& noisy);

  struct Bound {
    BoundKernel companion, step, arrival, lookahead, slopes, density, start, moments;
  };
  [[nodiscard]] Bound bind(const std::vector<double>& parameters) const;

  [[nodiscard]] std::size_t states() const { return shape_.states; }
  [[nodiscard]] std::size_t noises() const { return noises_; }
  [[nodiscard]] std::size_t lanes() const { return step_->lanes(); }
  [[nodiscard]] const derive::GuideShape& shape() const { return shape_; }
  [[nodiscard]] const std::vector<std::size_t>& exact() const { return exact_; }
  [[nodiscard]] std::size_t observations() const { return noisy_.size(); }
  [[nodiscard]] const GuidedCoordinates& coordinates() const { return coordinates_; }
  // Weak order of the steps.
  [[nodiscard]] int order() const { return is_additive_ ? 2 : 1; }
  [[nodiscard]] std::size_t scratch_size() const;
  // t, the inputs at t and at t + dt, as programs read them.
  [[nodiscard]] std::vector<double> clock(double t, double dt) const;

 private:
  std::vector<std::size_t> exact_, noisy_;
  GuidedCoordinates coordinates_;
  derive::GuideShape shape_;
  std::size_t noises_;
  bool is_additive_ = false;
  std::vector<Input> inputs_;
  std::shared_ptr<const Kernel> companion_, step_, arrival_, lookahead_, slopes_, density_, start_,
      moments_;
};

}  // namespace divker::fit
