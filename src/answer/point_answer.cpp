#include "answer/point_answer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "answer/questions.hpp"
#include "answer/step_bias_at_points.hpp"
#include "answer/tails.hpp"
#include "answer/time_step.hpp"
#include "answer/vital_signs.hpp"
#include "divker/local_sums.hpp"
#include "divker/tail_index.hpp"
#include "numbers/checksum.hpp"

namespace divker {
namespace {

const Matrix& regressand(const Snapshot& snapshot) {
  return snapshot.responses().cols > 0 ? snapshot.responses() : snapshot.nu();
}

std::vector<std::string> names_of_answer(const Study& study) {
  const std::vector<std::size_t>& responses = study.plan().asked.wrt;
  return responses.empty() ? state_names(study.model()) : parameter_names(study.model(), responses);
}

// Sums around the points instead of the paths themselves.
class LocalSumsCollector : public Collector {
 public:
  explicit LocalSumsCollector(const LocalSums& empty) : empty_(empty), sums_(empty) {}

  [[nodiscard]] std::unique_ptr<Part> reduce(PathGroup group) const override {
    auto part = std::make_unique<Sums>(empty_);
    const Snapshot& last = group.snapshots.back();
    part->sums.add(last.x(), regressand(last), group.index);
    return part;
  }
  void absorb(std::unique_ptr<Part> part) override {
    sums_.merge(static_cast<const Sums&>(*part).sums);
  }
  [[nodiscard]] std::unique_ptr<Part> empty_part() const override {
    return std::make_unique<Sums>(empty_);
  }
  void transfer(Archive& archive) override { sums_.transfer(archive); }
  [[nodiscard]] const LocalSums& sums() const { return sums_; }

 private:
  struct Sums : Part {
    explicit Sums(const LocalSums& empty) : sums(empty) {}
    void transfer(Archive& archive) override { sums.transfer(archive); }
    LocalSums sums;
  };
  LocalSums empty_;
  LocalSums sums_;
};

// The regressor asked for; by default sums alone where the paths would fill gigabytes.
std::string chosen_regressor(const Model& model, std::size_t outputs,
                             const AnswerOptions& options) {
  if (!options.regressor.empty()) return options.regressor;
  constexpr double largest = 2.0 * 1024 * 1024 * 1024;
  const std::size_t columns = 2 * model.dimension() + outputs;
  const double bytes =
      static_cast<double>(columns * sizeof(double)) * static_cast<double>(options.sampling.paths);
  if (bytes > largest && model.dimension() <= LocalSums::largest_dimension) {
    return local_sums_regressor;
  }
  return default_regressor(model.dimension(), options.sampling.paths);
}

Prediction predict_from_sums(Study& study, const Matrix& points, std::size_t outputs) {
  std::vector<double> scales =
      column_variances(small_sample(study.model(), study.sampling(), study.session()));
  for (double& scale : scales) scale = std::sqrt(scale);
  LocalSumsCollector collector(LocalSums(points, scales, outputs, study.sampling().paths));
  require_paths(study.run(collector, fmt::format("local sums around {} points with the hash {}",
                                                 points.rows, hash_of(points.data))));
  return collector.sums().result();
}

Prediction predict_from_paths(Study& study, const Matrix& points, const AnswerOptions& options) {
  const Paths paths = study.run();
  require_paths(paths.summary);
  const Snapshot& last = paths.snapshots.back();
  std::string& name = study.record().regressor;
  if (options.regressor.empty()) name = default_regressor(last.x().cols, last.x().rows);
  RegressorOptions regressor_options = options.regressor_options;
  regressor_options.threads = options.session.threads;
  const auto regressor = make_regressor(name, regressor_options);
  regressor->fit(last.x(), regressand(last));
  warn_of_identities(parameter_names(study.model(), study.plan().asked.wrt), last, study.record());
  return regressor->predict(points);
}

// Paths in pairs, and what they tell of dt in the errors of the answer.
void add_step_bias(Study& study, PointAnswer& answer, const AnswerOptions& options) {
  if (options.time_step == TimeStep::ignored) return;
  const auto pairs = step_pairs(study);
  answer.record.effort = study.record().effort;
  if (!pairs) return;
  const auto side = [](const Snapshot& snapshot) {
    return PairedSide{snapshot.x(), regressand(snapshot), 1};
  };
  add_step_biases(answer,
                  step_bias_at_points(side(pairs->coarse), side(pairs->fine), answer.points,
                                      options.session.threads),
                  options.time_step, study.model().time().step);
}

}  // namespace

PointAnswer conditional_means(Study& study, const Matrix& points, const AnswerOptions& options) {
  PointAnswer answer;
  answer.points = points;
  answer.names = names_of_answer(study);
  const std::size_t outputs = answer.names.size();
  study.record().regressor = chosen_regressor(study.model(), outputs, options);
  answer.prediction = study.record().regressor == local_sums_regressor
                          ? predict_from_sums(study, points, outputs)
                          : predict_from_paths(study, points, options);
  answer.record = study.record();
  add_step_bias(study, answer, options);
  warn_of_tails(study.plan().asked.wrt.empty() ? "the score of" : "the response to", answer);
  return answer;
}

std::vector<double> variances_at_points(const Snapshot& snapshot) {
  return unexplained_variances(snapshot.x(), regressand(snapshot));
}

std::vector<double> tails_at_points(const Snapshot& snapshot) {
  return tail_indices(unexplained_part(snapshot.x(), regressand(snapshot)));
}

Tuning tuning_at_points() {
  Tuning tuning;
  tuning.measure = variances_at_points;
  tuning.tails = tails_at_points;
  return tuning;
}

Matrix small_sample(const Model& model, const Sampling& sampling, const Session& session) {
  Sampling small = sampling;
  small.paths = std::min<std::size_t>(sampling.paths, 4096);
  return states_alone(model, session).run(small, session.aside()).snapshots.back().x();
}

}  // namespace divker
