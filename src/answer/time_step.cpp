#include "answer/time_step.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

namespace divker {
namespace {

// The rows of some paths, in the order of their numbers.
Snapshot rows_of(const Snapshot& snapshot, const std::vector<std::size_t>& rows) {
  Snapshot kept(snapshot.time);
  for (const auto& [name, table] : snapshot.tables()) {
    Matrix& target = kept.table(name);
    target = Matrix(rows.size(), table.cols);
    for (std::size_t r = 0; r < rows.size(); ++r) {
      std::ranges::copy(table.row(rows[r]), target.row(r).begin());
    }
  }
  return kept;
}

// Both lists ascend: the places of the numbers that are in both.
std::pair<std::vector<std::size_t>, std::vector<std::size_t>> places_of_common(
    const std::vector<std::uint64_t>& a, const std::vector<std::uint64_t>& b) {
  std::pair<std::vector<std::size_t>, std::vector<std::size_t>> places;
  for (std::size_t i = 0, j = 0; i < a.size() && j < b.size();) {
    if (a[i] == b[j]) {
      places.first.push_back(i++);
      places.second.push_back(j++);
    } else {
      (a[i] < b[j] ? i : j) += 1;
    }
  }
  return places;
}

constexpr std::uint64_t seed_of_pairs = 0xD1B54A32D192ED03ULL;

// The answer whose bar is most of all made up by dt.
class StepWarning {
 public:
  explicit StepWarning(double dt) : dt_(dt) {}

  // `largest`: of the answers of its kind. Among many answers some bias is beyond three of its
  // errors by chance.
  void look(const std::string& name, const StepBias& bias, const Stepped& answer, double largest) {
    constexpr double noticeable = 0.05, sure = 4.0;
    const double share = answer.counted / answer.standard_error;
    if (!(share > worst_) || !(answer.counted > noticeable * largest)) return;
    if (!(std::fabs(bias.value) > sure * bias.error)) return;
    worst_ = share;
    name_ = name;
  }
  void tell(RunRecord& record) const {
    if (name_.empty()) return;
    record.warnings.push_back(
        {"time_step", fmt::format("the time step makes up most of the error bar of {}: a dt below "
                                  "{:.4g} would make it smaller, more paths would not.",
                                  name_, dt_)});
  }

 private:
  double dt_;
  double worst_ = 0.95;  // of the bar: three times as large as all the rest of it
  std::string name_;
};

}  // namespace

Sampling sampling_of_pairs(const Sampling& run) {
  Sampling pairs = run;
  pairs.seed ^= seed_of_pairs;
  pairs.paths = pairs_for(run.paths);
  pairs.failed_share = 1.0;
  return pairs;
}

Sampling at_both_increments(const Sampling& pairs) {
  Sampling coarse = pairs;
  coarse.increments_per_step *= 2;
  return coarse;
}

Model at_half_the_step(const Model& model) {
  TimeGrid grid = model.time();
  grid.step /= 2.0;
  return model.with_time(grid);
}

std::size_t pairs_for(std::size_t paths) {
  constexpr double quarter_up_to = 10'000.0;
  constexpr std::size_t fewest = 128, most = 500'000;
  const auto n = static_cast<double>(paths);
  // A pair takes the steps of three paths.
  const double less = n <= quarter_up_to ? 1.0 : std::pow(quarter_up_to / n, 0.25);
  return std::min(paths, std::clamp(static_cast<std::size_t>(less * n / 12.0), fewest, most));
}

std::optional<std::pair<Paths, Paths>> common_paths(Paths coarse, Paths fine) {
  constexpr std::size_t fewest_finished = 16;
  if (coarse.summary.interrupted || fine.summary.interrupted) return std::nullopt;
  const auto [in_coarse, in_fine] = places_of_common(coarse.numbers, fine.numbers);
  if (in_coarse.size() < fewest_finished) return std::nullopt;
  const auto keep = [](Paths& paths, const std::vector<std::size_t>& rows) {
    std::vector<std::uint64_t> numbers;
    numbers.reserve(rows.size());
    for (const std::size_t r : rows) numbers.push_back(paths.numbers[r]);
    paths.numbers = std::move(numbers);
    for (Snapshot& snapshot : paths.snapshots) snapshot = rows_of(snapshot, rows);
  };
  keep(coarse, in_coarse);
  keep(fine, in_fine);
  return std::pair{std::move(coarse), std::move(fine)};
}

std::vector<StepPairs> step_pairs_at_all_times(Study& study) {
  if (!study.plan().has_time_step || study.record().summary.interrupted) return {};
  const Sampling sampling = sampling_of_pairs(study.sampling());
  Paths coarse = study.run_aside(at_both_increments(sampling));
  Paths fine = study.run_aside(at_half_the_step(study.model()), sampling);
  study.record().effort.pair_runs += 2 * sampling.paths;
  auto common = common_paths(std::move(coarse), std::move(fine));
  if (!common) return {};
  std::vector<StepPairs> pairs;
  for (std::size_t k = 0; k < common->first.snapshots.size(); ++k) {
    pairs.push_back(
        {std::move(common->first.snapshots[k]), std::move(common->second.snapshots[k])});
  }
  return pairs;
}

std::optional<StepPairs> step_pairs(Study& study) {
  std::vector<StepPairs> pairs = step_pairs_at_all_times(study);
  if (pairs.empty()) return std::nullopt;
  return std::move(pairs.back());
}

Stepped with_step_bias(double value, double standard_error, const StepBias& bias, TimeStep policy) {
  constexpr double beyond_chance = 3.0;  // errors of the measurement
  constexpr double expected = 3.0;       // bias, in sampling errors
  Stepped result{value, standard_error, 0.0};
  if (policy == TimeStep::ignored || !std::isfinite(bias.value + bias.error)) return result;
  const bool stands_out = std::fabs(bias.value) > beyond_chance * bias.error;
  const double prior = std::pow(expected * standard_error, 2);
  const bool is_certain = stands_out || bias.error == 0.0;
  const double share = is_certain ? 1.0 : prior / (prior + bias.error * bias.error);
  const double uncertain = std::sqrt(share) * bias.error;
  if (policy == TimeStep::extrapolated) {
    result.value -= share * bias.value;
    result.counted = uncertain;
  } else {
    result.counted = share * std::fabs(bias.value);
    if (!stands_out)
      result.counted = std::hypot(result.counted, std::min(uncertain, standard_error));
  }
  result.standard_error = std::hypot(standard_error, result.counted);
  return result;
}

void add_step_biases(ObservableAnswer& answer, const std::vector<StepBias>& biases, TimeStep policy,
                     double dt) {
  std::vector<Estimate*> all{&answer.value};
  for (Estimate& response : answer.response) all.push_back(&response);
  StepWarning warning(dt);
  for (std::size_t q = 0; q < all.size(); ++q) {
    answer.deviation.push_back(all[q]->standard_error);
    const Stepped with = with_step_bias(all[q]->value, all[q]->standard_error, biases[q], policy);
    *all[q] = {with.value, with.standard_error};
    answer.time_step.push_back(with.counted);
    warning.look(q == 0 ? "the mean" : "the response to " + answer.names[q - 1], biases[q], with,
                 std::fabs(with.value));
  }
  warning.tell(answer.record);
}

void add_step_biases(PointAnswer& answer, const StepBiases& biases, TimeStep policy, double dt) {
  add_step_biases(answer, biases, policy, dt, answer.record);
}

void add_step_biases(PointValues& answer, const StepBiases& biases, TimeStep policy, double dt,
                     RunRecord& record) {
  Prediction& prediction = answer.prediction;
  answer.time_step = Matrix(prediction.value.rows, prediction.value.cols);
  StepWarning warning(dt);
  for (std::size_t c = 0; c < prediction.value.cols; ++c) {
    double largest = 0.0;
    for (const double value : prediction.value.column(c)) {
      largest = std::max(largest, std::fabs(value));
    }
    for (std::size_t r = 0; r < prediction.value.rows; ++r) {
      const StepBias bias{biases.value(r, c), biases.error(r, c)};
      const Stepped with =
          with_step_bias(prediction.value(r, c), prediction.standard_error(r, c), bias, policy);
      prediction.value(r, c) = with.value;
      prediction.standard_error(r, c) = with.standard_error;
      answer.time_step(r, c) = with.counted;
      warning.look(answer.names[c], bias, with, largest);
    }
  }
  warning.tell(record);
}

}  // namespace divker
