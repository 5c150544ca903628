// The compiled step of one model, and the march of a block of paths through time.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "divker/ensemble.hpp"
#include "numbers/aligned_array.hpp"
#include "numbers/inverse.hpp"
#include "march/stability.hpp"

namespace divker::march {

using numbers::AlignedArray;
using numbers::LaneInverse;

// The arrays that programs are called with.
enum class Slot { x, nu, b, t, damping, responses, z, sample, jacobian, inverse, run };

// A compiled program with its arguments matched to slots.
struct Stage {
  std::shared_ptr<const Kernel> kernel;
  std::vector<Slot> arguments;
  std::vector<Slot> results;
  std::vector<std::string> run_arguments;  // names of those of rate run, in order
};

// The Jacobian that an exact step inverts: its entries, and where they are in the matrix.
struct JacobianStage {
  Stage stage;
  std::vector<std::size_t> places;  // row * M + column
};

// The stages of a path: initial law, first step where it differs from the others, step; before an
// exact step its Jacobian.
struct Engine {
  Engine(const Model& model, const StepOptions& options);

  [[nodiscard]] std::size_t lanes() const { return step.kernel->lanes(); }
  // Does the first step forget the start, because the initial law has no density?
  [[nodiscard]] bool score_free() const { return options.score && first.has_value(); }

  Model model;
  StepOptions options;
  Stage start;
  std::optional<Stage> first;
  std::optional<JacobianStage> jacobian;
  Stage step;
  std::size_t operations = 0;
  double compile_seconds = 0.0;
};

// What failed where J was singular or turned over: FailedPath::what.
inline constexpr std::string_view inverse_jacobian = "inverse Jacobian";

// What all blocks of one run share: values of parameters bound, snapshot steps, random numbers.
struct RunPlan {
  RunPlan(const Engine& engine, const RunOptions& options);

  const Engine& engine;
  const RunOptions& options;
  Damping damping;
  std::vector<std::size_t> snapshots;  // step numbers, ascending
  std::vector<double> start_constants;
  std::vector<double> first_constants;
  std::vector<double> jacobian_constants;
  std::vector<double> step_constants;
  NormalSource step_noise;
  NormalSource start_noise;
  NormalSource pick;
  // Exact steps: the sign of det J at each step of the path without noise. It is that of all
  // paths, unless J is singular somewhere between them.
  std::vector<std::int64_t> orientations;
};

// One thread's block of paths: vectors * lanes of them.
class Block {
 public:
  Block(const RunPlan& plan, std::size_t vectors);

  [[nodiscard]] std::size_t paths() const { return vectors_ * lanes_; }
  // Marches paths first_path ... to the last snapshot and writes them into rows first_row ... of
  // the group's matrices (as many as `rows`). False when stopped half way.
  [[nodiscard]] bool march(std::uint64_t first_path, std::size_t first_row, std::size_t rows,
                           PathGroup& group);
  // When and where a single path ceased to be finite; empty if it did not. `trail`, if given, takes
  // its last states before that.
  [[nodiscard]] std::optional<FailedPath> locate_failure(std::uint64_t path,
                                                         Trail* trail = nullptr);
  // The sign of det J at each step of the path without noise from the middle of the initial law.
  [[nodiscard]] std::vector<std::int64_t> orientations_without_noise();

 private:
  void begin(std::uint64_t first_path);
  // x_0 and its covector, from z and, where the model starts from samples, from `sample_row`.
  void start(const std::function<std::size_t(std::size_t)>& sample_row);
  void advance(std::size_t n);
  // Random numbers of the steps n ... n + batch_ - 1.
  void draw(std::size_t n);
  // State and covector have two arrays each: a step reads one and writes the other. The pointers
  // that a stage is called with are made once for either parity; only the noise moves.
  struct Pointers {
    std::vector<const double*> arguments;
    std::vector<double*> results;
  };
  struct Call {
    const Kernel* kernel = nullptr;
    const double* constants = nullptr;
    std::array<Pointers, 2> pointers;
    std::optional<std::size_t> noise;  // which argument is the noise
  };
  [[nodiscard]] double* array(Slot slot, std::size_t parity, bool as_result);
  [[nodiscard]] Call prepare(const Stage& stage, const std::vector<double>& constants);
  void call(Call& stage, const double* noise);
  // Calls a stage that moves the state on.
  void make(Call& stage, const double* noise);
  // Step n from the noise given: the first one, or the others with their damping.
  void step(std::size_t n, const double* noise);
  // J^{-1} of all paths; not a number where J is singular or turned over. Returns the sign of
  // det J in the first lane.
  std::int64_t invert_jacobians(std::size_t n, const double* noise);
  [[nodiscard]] const double* x() const { return (parity_ == 0 ? x_ : x_next_).data(); }
  [[nodiscard]] const double* nu() const { return (parity_ == 0 ? nu_ : nu_next_).data(); }
  void record(std::size_t snapshot, std::size_t first_row, std::size_t rows, PathGroup& group);
  void copy_rows(const double* source, std::size_t columns, std::size_t first_row, std::size_t rows,
                 Matrix& target) const;
  [[nodiscard]] std::optional<std::string> first_non_finite() const;
  [[nodiscard]] bool stopped() const;

  const RunPlan& plan_;
  std::size_t vectors_;
  std::size_t lanes_;
  std::size_t dimension_;
  std::size_t noise_count_;
  std::size_t response_count_;
  std::size_t batch_;
  std::uint64_t first_path_ = 0;
  AlignedArray x_, x_next_, nu_, nu_next_, responses_, noise_, fine_noise_, z_, sample_, scratch_;
  AlignedArray jacobian_, inverse_;  // of an exact step
  std::optional<LaneInverse> invert_;
  double t_ = 0.0;
  std::vector<double> damping_;
  Call start_, first_, jacobian_call_, step_;
  std::size_t parity_ = 0;
};

}  // namespace divker::march
