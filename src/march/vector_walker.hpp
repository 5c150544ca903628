// One thread's block of paths in vectors: it marches them through time.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "march/step_numbers.hpp"
#include "march/vector_run.hpp"
#include "numbers/aligned_array.hpp"
#include "numbers/inverse.hpp"

namespace divker::march {

class VectorWalker : public Walker {
 public:
  VectorWalker(const VectorRun& run, std::size_t vectors);

  [[nodiscard]] bool walk(std::uint64_t first_path, std::size_t first_row, std::size_t rows,
                          PathGroup& group, const std::atomic<bool>* stop) override;
  [[nodiscard]] std::optional<FailedPath> locate_failure(std::uint64_t path, Trail* trail) override;
  // The sign of det J at each step of the path without noise from the middle of the initial law.
  [[nodiscard]] std::vector<std::int64_t> orientations_without_noise();

 private:
  using AlignedArray = numbers::AlignedArray;

  // The buffers of a shared array: a program reads one and writes the other where it is doubled.
  using Buffers = std::array<AlignedArray, 2>;
  // What a kernel is called with while the current buffers are those of `current`.
  struct Pointers {
    std::optional<std::uint64_t> current;
    std::vector<const double*> arguments;
    std::vector<double*> results;
  };
  // A stage with its pointers. Steps take the buffers in turn: two sets of pointers serve all of
  // them, and only the noise moves.
  struct Call {
    const VectorRun::BoundStage* bound = nullptr;
    std::uint64_t turns = 0;  // bits of the arrays whose other buffer is current afterwards
    std::optional<std::size_t> noise;   // which argument is the noise
    std::optional<std::size_t> inside;  // and which is that inside the step
    std::array<Pointers, 2> pointers;
  };

  // The random numbers of a step.
  struct Noise {
    const double* step = nullptr;
    const double* inside = nullptr;
  };

  [[nodiscard]] std::size_t paths() const { return vectors_ * lanes_; }
  void begin(std::uint64_t first_path);
  // x_0 and its covector, from z and, where the model starts from samples, from `sample_row`.
  void start(const std::function<std::size_t(std::size_t)>& sample_row);
  void advance(std::size_t n);
  void set_time(std::size_t n);
  // Step n from the noise given: the first one, or the others with their damping. Returns the sign
  // of the determinant of an inversion in the first lane, 0 if there is none.
  std::int64_t step(std::size_t n, const Noise& noise);
  [[nodiscard]] Call prepare(const VectorRun::BoundStage& bound) const;
  void call(Call& call, const Noise& noise);
  void point(const CompiledStage& stage, Pointers& pointers);
  [[nodiscard]] const double* pointer_for(const CompiledStage& stage, std::size_t argument);
  [[nodiscard]] double* now(std::size_t array) {
    return buffers_[array][(current_ >> array) & 1U].data();
  }
  [[nodiscard]] const double* now(std::size_t array) const {
    return buffers_[array][(current_ >> array) & 1U].data();
  }
  // Inverses for all paths; not a number where the matrix is singular or turned over.
  std::int64_t invert(const CompiledStage& stage, std::size_t n);
  void record(std::size_t snapshot, std::size_t first_row, std::size_t rows, PathGroup& group);
  [[nodiscard]] std::optional<std::string> first_non_finite() const;
  [[nodiscard]] const double* states() const { return now(run_.compiled.recorded[0]); }

  const VectorRun& run_;
  std::size_t vectors_;
  std::size_t lanes_;
  std::size_t dimension_;
  std::uint64_t first_path_ = 0;
  std::vector<Buffers> buffers_;  // as CompiledPlan::arrays
  std::uint64_t current_ = 0;     // a bit for each array: which of its buffers holds its values
  StepNumbers noise_, inside_;
  AlignedArray z_, sample_, scratch_;
  std::optional<numbers::LaneInverse> inverse_;
  std::vector<double> time_;  // t, the inputs at t, the inputs at t + dt
  std::vector<double> damping_;
  Call start_;
  std::optional<Call> first_;
  std::vector<Call> step_;
};

}  // namespace divker::march
