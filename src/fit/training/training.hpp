// A fit by features of the law, for many parameters and for any divergence.
//
// With features f of what is observed, m their mean and S their covariance over the model, and C =
// E[(f - m) I^T], the means move by C when the parameters do, and the gradient of a divergence is
//
//   psi = C^T S^-1 a ,  a = - E_model[w (f - m)] , w the witness of the divergence ,
//
// for all that of the responses is linear in f. Paths add to C alone: memory is features x
// parameters, or one row for optimisers that follow psi. Each iteration has paths of its own, for
// the law, and others for C, so that noise of one is independent of that of the other and of the
// iterations before.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "fit/procedure.hpp"
#include "fit/training/feature_law.hpp"
#include "fit/training/response_sums.hpp"

namespace divker::fit {

// Is the law known by features? For the optimiser dual, other divergences than the first, and more
// parameters than the instruments of the matching equations have features, and than a hundred, but
// for newton and where matching equations or a regressor are asked for. Error(usage) where options
// exclude each other.
[[nodiscard]] bool is_trained(const Model& model, const FitData& data, const FitOptions& options);

class Training : public Procedure {
 public:
  Training(const Model& model, const FitData& data, const FitOptions& options,
           std::string fingerprint);

  bool advance() override;
  [[nodiscard]] FitResult result() override;
  [[nodiscard]] std::string current_run() const override;

 private:
  struct Seen {
    FeatureLaw law;
    std::vector<Matrix> observed;  // for each block
    RunSummary summary;
  };
  void forget_law() override { law_.reset(); }
  // Paths `use` of an iteration: 0 for the law, 1 for the responses.
  [[nodiscard]] Sampling sampling_of(std::size_t iteration, std::size_t use) const;
  // The law at some parameters. Nothing if the run was interrupted; Error(numerical) where too many
  // paths fail.
  [[nodiscard]] std::optional<Seen> look(const std::vector<double>& parameters,
                                         std::size_t iteration);
  void prepare_responses();
  void choose_again_if_due(bool stuck);
  [[nodiscard]] std::optional<ResponseSums> responses_to(const std::vector<Functions>& functions);
  // What the optimiser needs; false if the run was interrupted.
  [[nodiscard]] bool fill(Ground& ground);
  [[nodiscard]] Eigen::VectorXd free_slopes() const;

  void record(double gain, double step, std::size_t halvings);
  void refuse_if_apart() const;
  [[nodiscard]] std::size_t iteration() const { return state_.history.size() - 1; }
  [[nodiscard]] std::size_t best() const;
  [[nodiscard]] bool is_settled() const;
  [[nodiscard]] bool is_within_noise(std::size_t entry) const;
  // False if the run was interrupted.
  bool take_mean_or_best();
  void settle(bool at_limit);
  bool step();
  bool retreat(const FitState& before);
  void add_law(const Seen& fresh, FitResult& result) const;
  [[nodiscard]] FitResult result_with_errors();
  [[nodiscard]] FitResult result_of_law(const Seen& fresh);

  const Divergence& divergence_;
  Target target_;
  Observer observer_;
  std::optional<Study> states_, responses_;
  std::vector<double> chosen_at_;  // the damping of the responses
  double compile_seconds_ = 0.0;   // of the responses
  std::optional<Seen> law_;        // where the fit stands, by the paths of its iteration
};

}  // namespace divker::fit
