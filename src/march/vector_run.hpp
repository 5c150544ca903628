// A plan compiled for vectors of this processor, and what the blocks of one run share.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "divker/kernel.hpp"
#include "divker/marcher.hpp"
#include "divker/random.hpp"

namespace divker::march {

// An array of paths that programs share by its name.
struct SharedArray {
  std::string name;
  std::size_t width = 0;
  // Some program reads it and puts another value in its place: it needs two buffers.
  bool is_doubled = false;
  // Something is added to it that the initial law does not begin.
  bool begins_at_zero = false;
};

// A compiled program, with the numbers of the arrays that it is called with.
struct CompiledStage {
  static constexpr std::size_t none = static_cast<std::size_t>(-1);
  std::shared_ptr<const Kernel> kernel;
  std::vector<Role> roles;                     // of the arguments
  std::vector<std::size_t> arguments;          // number of the array, none where it is not carried
  std::vector<std::size_t> results;            // numbers of the arrays
  std::optional<Inversion> inversion;          // to be made afterwards
  std::size_t entries = none, inverse = none;  // numbers of its arrays
};

// The programs of a plan: initial law, first step where it differs from the others, step.
struct CompiledPlan {
  explicit CompiledPlan(const Plan& plan);
  [[nodiscard]] std::size_t lanes() const { return start.kernel->lanes(); }
  [[nodiscard]] std::size_t number_of(const std::string& array) const;

  std::vector<SharedArray> arrays;
  CompiledStage start;
  std::optional<CompiledStage> first;
  std::vector<CompiledStage> step;
  std::size_t inside = 0;             // numbers of a step for what happens between its ends
  std::vector<std::size_t> recorded;  // numbers of the arrays, as Plan::recorded()
  double compile_seconds = 0.0;

 private:
  [[nodiscard]] CompiledStage compile(const Stage& stage);
  [[nodiscard]] std::size_t share(const std::string& name, std::size_t width);
};

// The inputs of a model at the steps of a run, the same for all paths: they are interpolated once,
// so that knots cost a walker nothing. Beyond 2^24 numbers they are interpolated when asked for.
class InputsAtSteps {
 public:
  InputsAtSteps(const Model& model, std::size_t steps);
  [[nodiscard]] std::size_t count() const { return inputs_.size(); }
  // At the beginning of step n = 0 ... steps, which is the end of the step before.
  void copy(std::size_t n, std::span<double> out) const;

 private:
  void interpolate(std::size_t n, std::span<double> out) const;

  std::vector<Input> inputs_;
  TimeGrid grid_;
  std::vector<double> values_;  // empty: too many
};

// One run: values of parameters bound, random numbers.
class VectorRun : public Prepared::Run {
 public:
  VectorRun(const CompiledPlan& compiled, const March& march, std::size_t block);
  [[nodiscard]] std::unique_ptr<Walker> walker() const override;
  [[nodiscard]] std::size_t paths_at_once() const override { return vectors * compiled.lanes(); }

  // A stage with the values of the run bound to it.
  struct BoundStage {
    const CompiledStage* stage = nullptr;
    std::vector<double> constants;
  };

  const CompiledPlan& compiled;
  March march;
  std::size_t vectors;  // that a walker advances together
  BoundStage start;
  std::optional<BoundStage> first;
  std::vector<BoundStage> step;
  InputsAtSteps inputs;
  NormalSource step_noise;
  NormalSource inside_noise;
  NormalSource start_noise;
  NormalSource pick;
  // Inversions: the sign of the determinant at each step of the path without noise. It is that of
  // all paths, unless the matrix is singular somewhere between them.
  std::vector<std::int64_t> orientations;
};

}  // namespace divker::march
