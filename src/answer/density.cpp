#include "divker/density.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <utility>

#include "answer/law.hpp"
#include "answer/questions.hpp"
#include "answer/stationary_run.hpp"
#include "answer/time_step.hpp"
#include "answer/vital_signs.hpp"
#include "divker/error.hpp"
#include "divker/step.hpp"
#include "divker/tail_index.hpp"

namespace divker {
namespace {

// --- what may be asked ---------------------------------------------------------------------------

std::vector<std::size_t> marginal_of(const Model& model, const DensityOptions& options) {
  std::vector<std::size_t> states = options.marginal;
  if (states.size() > 2) {
    throw Error(ErrorKind::usage,
                fmt::format("Densities are of one state or of two; {} were named.", states.size()));
  }
  if (states.size() == 2 && states[0] == states[1]) {
    throw Error(ErrorKind::usage,
                fmt::format("The state {} is named twice.", model.states()[states[0]].name));
  }
  if (!states.empty()) return states;
  if (model.dimension() > 2) {
    throw Error(ErrorKind::usage,
                fmt::format("Model {0} has {1} states, and densities are of one state or of two: "
                            "name them, such as --marginal {2} or --marginal {2},{3}.",
                            model.name(), model.dimension(), model.states()[0].name,
                            model.states()[1].name));
  }
  states.resize(model.dimension());
  std::iota(states.begin(), states.end(), std::size_t{0});
  return states;
}

void check_levels(const std::vector<double>& levels) {
  for (const double level : levels) {
    if (level > 0.0 && level < 1.0) continue;
    throw Error(ErrorKind::usage,
                fmt::format("The level of a quantile is {}; it must be between 0 and 1.", level));
  }
}

void check_question(const std::vector<std::size_t>& marginal, const DensityOptions& options) {
  require_divergence_kernel(options.answer.method, "Densities");
  check_levels(options.levels);
  const bool is_of_one = options.distribution || !options.levels.empty();
  if (is_of_one && marginal.size() != 1) {
    throw Error(ErrorKind::usage,
                "Distribution functions and quantiles are of one state: name it with --marginal.");
  }
  if (options.wrt.empty()) return;
  if (!is_of_one) {
    throw Error(ErrorKind::usage,
                "Parameters are for the responses of distribution functions and quantiles: ask for "
                "one of them (--cdf, --quantile). That of the density is what response tells.");
  }
  if (options.stationary) {
    throw Error(ErrorKind::usage,
                "Distribution functions and quantiles of stationary laws come without responses; "
                "those of means are told by response --stationary --observable.");
  }
}

void check_marginal_points(const Model& model, const std::vector<std::size_t>& marginal,
                           const Matrix& points) {
  if (points.cols != marginal.size()) {
    throw Error(ErrorKind::usage,
                fmt::format("The points have {} columns, but the density is of {} state{}.",
                            points.cols, marginal.size(), marginal.size() == 1 ? "" : "s"));
  }
  check_points(model, marginal, points);
}

// --- paths ---------------------------------------------------------------------------------------

Matrix columns_of(const Matrix& table, const std::vector<std::size_t>& columns) {
  Matrix kept(table.rows, columns.size());
  for (std::size_t r = 0; r < table.rows; ++r) {
    for (std::size_t c = 0; c < columns.size(); ++c) kept(r, c) = table(r, columns[c]);
  }
  return kept;
}

Snapshot marginal_of(const Snapshot& snapshot, const std::vector<std::size_t>& states) {
  Snapshot kept(snapshot.time);
  kept.table(state_array) = columns_of(snapshot.x(), states);
  kept.table(covector_array) = columns_of(snapshot.nu(), states);
  kept.table(response_array) = snapshot.responses();
  return kept;
}

// x and nu of the marginal's states alone, and I.
class MarginalCollector : public Collector {
 public:
  MarginalCollector(std::vector<std::size_t> states, const std::vector<double>& times)
      : states_(std::move(states)) {
    for (const double time : times) all_.emplace_back(time);
  }

  [[nodiscard]] std::unique_ptr<Part> reduce(PathGroup group) const override {
    auto part = std::make_unique<Rows>();
    for (const Snapshot& snapshot : group.snapshots) {
      part->snapshots.push_back(marginal_of(snapshot, states_));
    }
    return part;
  }
  void absorb(std::unique_ptr<Part> part) override {
    const std::vector<Snapshot>& more = static_cast<const Rows&>(*part).snapshots;
    for (std::size_t k = 0; k < more.size(); ++k) {
      for (const auto& [name, rows] : more[k].tables()) {
        Matrix& table = all_[k].table(name);
        table.cols = rows.cols;
        table.rows += rows.rows;
        table.data.insert(table.data.end(), rows.data.begin(), rows.data.end());
      }
    }
  }
  [[nodiscard]] std::unique_ptr<Part> empty_part() const override {
    return std::make_unique<Rows>();
  }
  void transfer(Archive& archive) override { archive(all_); }
  [[nodiscard]] const std::vector<Snapshot>& snapshots() const { return all_; }

 private:
  struct Rows : Part {
    void transfer(Archive& archive) override { archive(snapshots); }
    std::vector<Snapshot> snapshots;
  };
  std::vector<std::size_t> states_;
  std::vector<Snapshot> all_;
};

// The covectors of the marginal are to vary little, and I where it is asked for.
Tuning tuning_of_density(const std::vector<std::size_t>& states) {
  Tuning tuning;
  tuning.measure = [states](const Snapshot& snapshot) {
    const Snapshot kept = marginal_of(snapshot, states);
    std::vector<double> variances = column_variances(kept.nu());
    if (kept.responses().cols > 0) {
      const std::vector<double> more = column_variances(kept.responses());
      variances.insert(variances.end(), more.begin(), more.end());
    }
    return variances;
  };
  tuning.tails = [states](const Snapshot& snapshot) {
    return tail_indices(columns_of(snapshot.nu(), states));
  };
  return tuning;
}

void require_spread(const Model& model, const std::vector<std::size_t>& marginal,
                    const Snapshot& snapshot, bool stationary) {
  const std::vector<double> variances = column_variances(snapshot.x());
  for (std::size_t c = 0; c < marginal.size(); ++c) {
    if (variances[c] > 0.0) continue;
    throw Error(ErrorKind::numerical,
                fmt::format("The state {} has no density{}: it is the same on all paths.",
                            model.states()[marginal[c]].name,
                            stationary ? "" : fmt::format(" at t = {:.6g}", snapshot.time)));
  }
}

DensityAnswer transient(const Model& model, const std::vector<std::size_t>& marginal,
                        const Matrix& points, const DensityOptions& options) {
  const AnswerOptions& how = options.answer;
  Study study(model, how.method, Asked::responses_to(options.wrt), how.sampling, how.session,
              tuning_of_density(marginal));
  const std::vector<double> times = model.time().snapshot_times(how.sampling.snapshots);
  MarginalCollector collector(marginal, times);
  require_paths(study.run(collector, fmt::format("states {}", fmt::join(marginal, " "))));
  DensityAnswer answer;
  answer.parameters = parameter_names(model, options.wrt);
  std::vector<StepPairs> pairs;
  if (how.time_step != TimeStep::ignored) pairs = step_pairs_at_all_times(study);
  RunRecord& record = study.record();
  for (std::size_t k = 0; k < times.size(); ++k) {
    const Snapshot& snapshot = collector.snapshots()[k];
    require_spread(model, marginal, snapshot, false);
    warn_of_identities(answer.parameters, snapshot, record);
    LawSample sample{{snapshot}, {}};
    if (!pairs.empty()) {
      sample.pairs = {{marginal_of(pairs[k].coarse, marginal)},
                      {marginal_of(pairs[k].fine, marginal)}};
    }
    const Law law(model, marginal, std::move(sample), options, answer.parameters);
    answer.laws.push_back(law.tell(points, record));
  }
  answer.record = std::move(record);
  return answer;
}

StationaryOptions stationary_options(const DensityOptions& options) {
  StationaryOptions result;
  result.answer = options.answer;
  result.spinup = options.spinup;
  result.length = options.length;
  return result;
}

LawRows rows_of(const PooledSamples& samples) {
  LawRows rows{Snapshot(), samples.samples_of_each()};
  rows.snapshot.table(state_array) = samples.x();
  rows.snapshot.table(covector_array) = samples.y();
  return rows;
}

DensityAnswer stationary(const Model& model, const std::vector<std::size_t>& marginal,
                         const Matrix& points, const DensityOptions& options) {
  constexpr std::size_t every = 1;
  const StationaryOptions how = stationary_options(options);
  check_stationary(model, how);
  StationaryRun run(model, how, plan_stationary(model, how, false));
  PooledSamples samples(run.plan, run.functions, every, marginal);
  run.go(Asked{}, how, tuning_of_density(marginal), samples, "samples along paths");
  LawSample sample{rows_of(samples), {}};
  require_spread(model, marginal, sample.rows.snapshot, true);
  const auto pairs = run.go_in_pairs<PooledSamples>(how.answer, every, marginal);
  if (pairs != nullptr) sample.pairs = {rows_of(pairs->coarse), rows_of(pairs->fine)};
  DensityAnswer answer;
  answer.stationary = run.plan.describe(model.time());
  const Law law(run.model, marginal, std::move(sample), options, {});
  answer.laws.push_back(law.tell(points, run.record));
  answer.record = std::move(run.record);
  return answer;
}

}  // namespace

DensityAnswer density_at(const Model& model, const Matrix& points, const DensityOptions& options) {
  const std::vector<std::size_t> marginal = marginal_of(model, options);
  check_question(marginal, options);
  if (points.rows > 0) check_marginal_points(model, marginal, points);
  DensityAnswer answer = options.stationary ? stationary(model, marginal, points, options)
                                            : transient(model, marginal, points, options);
  for (const std::size_t state : marginal) answer.states.push_back(model.states()[state].name);
  return answer;
}

}  // namespace divker
