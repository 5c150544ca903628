// An observable Phi along paths: its values, and the response of its mean.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "answer/time_step.hpp"
#include "divker/answer.hpp"
#include "divker/error.hpp"
#include "divker/matrix.hpp"
#include "divker/model.hpp"
#include "divker/model_function.hpp"
#include "divker/observable_response.hpp"
#include "divker/study.hpp"

namespace divker {

// Phi and its derivatives with respect to the parameters, as functions of the paths.
class Observable {
 public:
  // Which of its derivatives by the states are there.
  enum class Gradient { none, in_states };
  // LanguageError where the text is no expression of the model, and the refusal of jumps that a
  // parameter moves.
  Observable(const Model& model, const std::vector<std::size_t>& parameters,
             const std::string& text, Gradient gradient = Gradient::none);

  struct Values {
    std::vector<double> phi;
    Matrix explicit_part;  // paths x parameters; empty if Phi does not mention the parameters
  };
  // Of states alone: no functional of the path is mentioned.
  [[nodiscard]] Values operator()(const Matrix& x, double time) const;
  // Of paths, which have carried the functionals that are mentioned. Error(usage) where it is not
  // finite because a passage has not happened.
  [[nodiscard]] Values operator()(const Snapshot& paths, double time) const;
  // What each path has to say of the response, (Phi - mean) integral + explicit_part: where the
  // paths carry derivatives v, which takes the gradient, grad Phi . v is of the explicit part, and
  // so are the derivatives of functionals.
  struct Summands {
    std::vector<double> phi;
    Matrix integral;
    Matrix explicit_part;
  };
  [[nodiscard]] Summands summands(const Snapshot& paths, double time) const;
  // The functionals of the path that Phi mentions, by their numbers in the model: what an ensemble
  // has to carry along for it.
  [[nodiscard]] const std::vector<std::size_t>& functionals() const { return functionals_; }
  // Does Phi mention the time t?
  [[nodiscard]] bool depends_on_time() const { return function_.depends_on_time(); }

 private:
  class PathValues;
  [[nodiscard]] Values of(const Matrix& x, double time, const PathValues& path) const;

  std::vector<PathFunctional> known_;  // of the model, those that are mentioned
  std::vector<std::size_t> functionals_;
  std::string text_;
  ModelFunction function_;
  std::size_t parameters_;
  bool by_states_;
  std::optional<ModelFunction> gradient_;  // by the states, if wanted, and by the functionals
};

// Error(model) where Phi jumps at a place that one of the parameters moves: no derivative of Phi
// tells what happens there.
[[nodiscard]] std::optional<Error> refusal_for_jumps(const Model& model,
                                                     const std::vector<std::size_t>& parameters,
                                                     const std::string& text);

// Sums for the response of E[Phi] at the last snapshot. `time` is what Phi is told the time is.
class ObservableCollector : public Collector {
 public:
  ObservableCollector(const Observable& observable, std::size_t parameters, double time)
      : observable_(observable), time_(time), sums_(parameters) {}

  [[nodiscard]] std::unique_ptr<Part> reduce(PathGroup group) const override;
  void absorb(std::unique_ptr<Part> part) override;
  [[nodiscard]] std::unique_ptr<Part> empty_part() const override;
  void transfer(Archive& archive) override { sums_.transfer(archive); }
  [[nodiscard]] ObservableResponse result() const { return sums_.result(); }
  [[nodiscard]] std::vector<double> tail_indices() const { return sums_.tail_indices(); }

 private:
  struct Sums : Part {
    void transfer(Archive& archive) override { sums.transfer(archive); }
    ResponseAccumulator sums;
  };
  const Observable& observable_;
  double time_;
  ResponseAccumulator sums_;
};

// E[(Phi - mean) I] + E[dPhi] at the last snapshot, for the responses of the study, which is run
// once, and some of its paths in pairs. `text` is Phi in words, for a saved run.
[[nodiscard]] ObservableAnswer response_of_mean(Study& study, const Observable& phi,
                                                const std::string& text, TimeStep policy);
// What pairs of paths tell of the bias of dt in the mean of Phi, then in each of its responses.
[[nodiscard]] std::vector<StepBias> step_biases(const Observable::Summands& coarse,
                                                const Observable::Summands& fine);
// What a pilot is told for them: the squared standard errors are to be small, and the tails of the
// summands light. Phi outlives it.
[[nodiscard]] Tuning tuning_of_mean(const Observable& phi);
// The same for derivatives of paths, of which few paths may have huge ones: two standard errors of
// each variance are added to it.
[[nodiscard]] Tuning tuning_of_tangents(const Observable& phi);

}  // namespace divker
