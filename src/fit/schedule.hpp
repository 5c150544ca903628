// What a fit does next: a step of its optimiser, a larger sample, more detail, or the end.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "fit/procedure.hpp"

namespace divker::fit {

class Schedule : public Procedure {
 public:
  Schedule(const Model& model, const FitData& data, const FitOptions& options,
           std::string fingerprint);

  bool advance() override;
  // Parameters that no path ever notices are dropped first. Error(numerical) if the run was
  // interrupted.
  [[nodiscard]] FitResult result() override;
  [[nodiscard]] std::string current_run() const override { return evaluator_.run_name(state_); }

 private:
  void forget_law() override { evaluation_.reset(); }
  [[nodiscard]] std::string advice() const override;
  // False if the run was interrupted.
  bool ensure_evaluation();
  bool evaluate_anew(const FitState& before);
  void forget(const FitState& before);
  void choose_again();
  bool begin_nearest();
  void record(double gain, double step, std::size_t halvings);

  [[nodiscard]] std::size_t steps_with_these_paths() const;
  [[nodiscard]] bool is_noisy() const;
  [[nodiscard]] bool is_windowed() const;
  [[nodiscard]] bool is_near() const;
  bool enlarge();
  bool refine();

  bool drop_silent();
  bool drop_ineffective();
  bool deactivate(const std::vector<bool>& drop);

  [[nodiscard]] Matching free_matching() const;
  // By steps: directions, in the columns, along which there is nothing to follow.
  [[nodiscard]] Eigen::MatrixXd left_out(const Matching& here) const;
  [[nodiscard]] double psi() const;
  [[nodiscard]] std::optional<Trial> attempt(const Matching& here, const Eigen::VectorXd& change);
  bool step();

  [[nodiscard]] std::vector<const FitIteration*> floor() const;
  [[nodiscard]] bool at_noise_floor() const;
  [[nodiscard]] std::vector<double> mean_of(const std::vector<const FitIteration*>& some) const;
  bool average();
  [[nodiscard]] std::optional<JointGoodness> rejected(const Evaluation& there) const;
  void confirm(const std::string& reason);

  Evaluator evaluator_;
  std::optional<Evaluation> evaluation_;  // at the state's parameters with its paths
};

}  // namespace divker::fit
