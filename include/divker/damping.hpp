// Damping: how much of the score the noise itself is asked for, step by step.
//
//   nu' = nu_div - dt A^T ( nu_div + S^{-T} db / dt )
//
// Without damping the covector grows like exp(contraction x T). The kernel formula says that the
// noise knows the score, E[-S^{-T} db / dt | x'] = s(x'), and any mixture of the two is exact. The
// choice changes the variance alone, by orders of magnitude (docs/damping.md).
//
// A form of A is one file of src/derive/dampings and one line in the table damping_forms().
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "divker/covector_covariance.hpp"
#include "divker/matrix.hpp"
#include "divker/model.hpp"
#include "divker/scheme.hpp"

namespace divker {

namespace derive {
struct DampingSite;  // derive/damping.hpp
struct Damped;
}  // namespace derive

class DampingForm;

// What a form keeps beside a few numbers: matrices, weights.
struct DampingTable {
  DampingTable() = default;
  virtual ~DampingTable() = default;
  DampingTable(const DampingTable&) = delete;
  DampingTable& operator=(const DampingTable&) = delete;
};

// Of the matrix form: A where a step arrives at times[k], linear in between; noisy rows x M.
struct DampingMatrices : DampingTable {
  std::vector<double> times;
  std::vector<Matrix> matrices;
};
// Of the learned form: C(x), its shape with its numbers.
struct LearnedCovariance : DampingTable {
  std::shared_ptr<const CovectorCovariance> shape;
  std::vector<double> centres;  // and widths: one for each scale
  std::vector<double> widths;
  std::vector<double> weights;
};

// A damping with its values, or one that is still to be chosen. Units of alpha and A: 1/time.
struct Damping {
  Damping();  // the constant 1
  // `auto`: form and numbers are chosen by measurement (divker/pilot.hpp).
  [[nodiscard]] static Damping automatic();

  const DampingForm* form;  // of damping_forms(); null: to be chosen
  bool open = false;        // the numbers are to be chosen
  double alpha = 1.0;
  // Use max(alpha, 1/(t - t_0 + dt)): forgets the start quickly. Always on where the start is
  // score-free, for its first step leaves a covector of the size of 1/sqrt(dt).
  bool early = false;
  std::vector<double> numbers;  // more of the form's own: beta of jacobian, c of mixed
  std::shared_ptr<const DampingTable> table;

  // The damping argument of step n of the grid, as its form says.
  void arguments(std::size_t n, const TimeGrid& grid, std::span<double> out) const;
  [[nodiscard]] std::size_t argument_count() const;
  // "5", "jacobian:4,0.5", "mixed:0.5,0.2", "kernel", "gaussian", "learned", "auto". Parses back
  // where it has neither matrices nor weights.
  [[nodiscard]] std::string text() const;
  // The text, and for what it does not say a hash: equal for equal dampings alone.
  [[nodiscard]] std::string identity() const;
  // Do both ask for the same program, with other numbers?
  [[nodiscard]] bool same_step(const Damping& other) const;
  // alpha with the early rule; alpha dt never exceeds 1.
  [[nodiscard]] double rate_at(std::size_t n, const TimeGrid& grid) const;
};

// What a pilot knows when it asks the forms for candidates.
struct DampingSurvey {
  double dt = 0.0;
  bool is_map = false;           // alpha is then the share of the kernel in a step, from 0 to 1
  bool is_exact = false;         // the steps are exact: those of a map, or of the exact scheme
  bool score_free = false;       // the first step forgets the start
  bool noise_everywhere = true;  // on every state
  bool has_responses = false;
  double horizon = 0.0;           // how long the paths are
  bool tangents = false;          // what is damped are derivatives of the path, not a covector
  bool hands_over = false;        // of which nothing may be left at the end
  const Damping* best = nullptr;  // of the first round, in which none is known yet
};

// A form of A. A may depend on the time, on the new point or on the future of a path, never on its
// past (docs/theory.md, section 5): then no answer can become wrong, only noisy.
class DampingForm {
 public:
  DampingForm() = default;
  virtual ~DampingForm() = default;
  DampingForm(const DampingForm&) = delete;
  DampingForm& operator=(const DampingForm&) = delete;

  [[nodiscard]] virtual std::string_view name() const = 0;
  // How a user writes it: "jacobian, jacobian:alpha,beta".
  [[nodiscard]] virtual std::string usage() const = 0;
  // The damping that a text means; none if it means none of this form. Error(usage) for a text of
  // this form with numbers out of range.
  [[nodiscard]] virtual std::optional<Damping> parse(std::string_view text) const = 0;
  [[nodiscard]] virtual std::string text(const Damping& damping) const = 0;

  // Why a model has no use for it, a full sentence; empty if it has. `scheme` is not automatic.
  [[nodiscard]] virtual std::string refusal(const Damping& damping, const Model& model,
                                            Scheme scheme) const;
  // Error(usage) if matrices or weights do not fit the model.
  virtual void check(const Damping& damping, const Model& model) const;

  // A step with it: derive::damp() calls this with all that a formula can mention.
  [[nodiscard]] virtual derive::Damped derive(const derive::DampingSite& site,
                                              const Damping& damping) const = 0;
  // Is every step the noise-only step (derive_noise_step), which knows no covector before it?
  [[nodiscard]] virtual bool is_noise_only() const { return false; }
  // Do responses take a share of the likelihood ratio, which needs noise on every state?
  [[nodiscard]] virtual bool takes_likelihood_ratio() const { return is_noise_only(); }
  // Is A = alpha(t) Id, with alpha(t) as the only argument, or 0 without one? Derivatives of paths
  // are damped by no other form.
  [[nodiscard]] virtual bool is_one_rate() const { return false; }
  // The form whose programs serve this one as well, with other arguments.
  [[nodiscard]] virtual const DampingForm& step_form() const { return *this; }
  // What distinguishes the programs of two dampings of this form; null: nothing.
  [[nodiscard]] virtual const void* shape(const Damping& damping) const;

  // The values of the arguments that derive() asks for, in step n.
  [[nodiscard]] virtual std::size_t argument_count(const Damping& damping) const = 0;
  virtual void arguments(const Damping& damping, std::size_t n, const TimeGrid& grid,
                         std::span<double> out) const = 0;
  // Numbers that the text does not show, for Damping::identity().
  [[nodiscard]] virtual std::vector<double> hidden_numbers(const Damping& damping) const;

  // What `auto` tries; what it tries around the winner.
  [[nodiscard]] virtual std::vector<Damping> candidates(const DampingSurvey& survey) const;
  [[nodiscard]] virtual std::vector<Damping> neighbours(const Damping& best, double dt) const;
};

// The table of forms, in the order in which texts are tried and candidates are made. To add one
// from outside, append it before the first question is asked.
[[nodiscard]] std::vector<const DampingForm*>& damping_forms();
// Error(usage) for an unknown name.
[[nodiscard]] const DampingForm& damping_form(std::string_view name);

// auto, or what one of the forms understands. Error(usage) for anything else.
[[nodiscard]] Damping parse_damping(std::string_view text);
// The error of a text that no form understands.
[[noreturn]] void refuse_damping(std::string_view text);

// A = alpha Id.
[[nodiscard]] Damping constant_damping(double alpha, bool early = false);
// A = 0, and the noise is asked for nothing.
[[nodiscard]] Damping no_damping();
// A = alpha Id, but 0 for the last `time` of the paths.
[[nodiscard]] Damping damping_until(double alpha, double time);
// A = max(alpha, 1/(time left + dt)) Id, time left after the step.
[[nodiscard]] Damping late_damping(double alpha);
// A^T w = alpha w - beta (grad F^T + D^{-1} grad F D)(x') w, D = S S^T.
[[nodiscard]] Damping jacobian_damping(double alpha, double beta);
// Any matrix that changes with time.
[[nodiscard]] Damping matrix_damping(std::vector<double> times, std::vector<Matrix> matrices);
// A^T w = alpha w + C(x') D w; alpha is the rate below which the early rule gives way to C.
[[nodiscard]] Damping learned_damping(std::shared_ptr<const LearnedCovariance> learned,
                                      double alpha = 1.0, bool early = false);
// alpha dt = 1 and the likelihood ratio at every step: the noise-only step. Exact steps only.
[[nodiscard]] Damping kernel_damping();
// A = alpha Id, and the response takes the share c of its likelihood ratio. Exact steps only.
[[nodiscard]] Damping mixed_damping(double alpha, double likelihood);

}  // namespace divker
