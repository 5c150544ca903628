// The law of the future from the last row of each individual, and how such laws have fared.
#include "divker/forecast.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <functional>
#include <optional>
#include <utility>

#include "divker/error.hpp"
#include "estimate/parallel.hpp"
#include "fit/series/predictive_paths.hpp"
#include "fit/series/predictive_scores.hpp"

namespace divker {
namespace fit {
namespace {

using Eigen::Index;

constexpr std::size_t fewest_forecast_paths = 100;

void check(const ForecastOptions& options) {
  const auto refuse = [](const std::string& why) { throw Error(ErrorKind::usage, why); };
  if (options.ahead.empty()) refuse("A forecast needs the times ahead, such as --ahead 1,2,5.");
  const auto is_rising = [](const std::vector<double>& values) {
    return std::ranges::adjacent_find(values, std::greater_equal<>()) == values.end();
  };
  if (!(options.ahead.front() > 0.0) || !is_rising(options.ahead)) {
    refuse("Times ahead are above zero and ascending, each once.");
  }
  if (!is_rising(options.levels)) refuse("Levels of quantiles are ascending, each once.");
  for (const double level : options.levels) {
    if (level > 0.0 && level < 1.0) continue;
    refuse(fmt::format("A quantile has a level between 0 and 1, but {} is not.", level));
  }
  if (options.paths < fewest_forecast_paths) {
    refuse(fmt::format("{} paths are too few for a forecast; at least {} are needed.",
                       options.paths, fewest_forecast_paths));
  }
  if (!(options.held_out >= 0.0 && options.held_out < 1.0)) {
    refuse(fmt::format("The share of rows that are held out is at least 0 and below 1, not {}.",
                       options.held_out));
  }
}

[[noreturn]] void refuse_failed(std::size_t failed, std::size_t made) {
  throw Error(ErrorKind::numerical,
              fmt::format("{} of {} paths fail: take a smaller dt.", failed, made));
}

// The rows of an individual in the order of time.
struct Chain {
  std::size_t individual = 0;
  std::vector<double> time;
  std::vector<std::vector<double>> states;
};

std::vector<Chain> chains_of(const SeriesData& data) {
  std::vector<Chain> chains;
  const auto copy = [](const Matrix& rows, std::size_t k) {
    const auto row = rows.row(k);
    return std::vector<double>(row.begin(), row.end());
  };
  for (std::size_t k = 0; k < data.size(); ++k) {
    if (k == 0 || data.individual[k] != data.individual[k - 1]) {
      chains.push_back({data.individual[k], {data.time[k]}, {copy(data.from, k)}});
    }
    chains.back().time.push_back(data.time[k] + data.interval[k]);
    chains.back().states.push_back(copy(data.to, k));
  }
  return chains;
}

// --- the future ---------------------------------------------------------------------------------

class Forecaster {
 public:
  Forecaster(const Model& model, const SeriesData& data, const ForecastOptions& options)
      : data_(data), options_(options), paths_(model, options.session) {}

  void future(ForecastAnswer& answer) {
    Departures all = legs_ahead();
    answer.laws.resize(data_.names.size() * options_.ahead.size());
    const std::size_t each = paths_.together(options_.paths);
    std::vector<std::size_t> failed(data_.names.size(), 0);
    for_each_block(data_.names.size(), each, options_.session.threads,
                   [&](std::size_t begin, std::size_t end) {
                     if (options_.session.stopped()) return;
                     const Departures some = from_rows(all, begin, end);
                     const auto arrivals = paths_.walk(some, options_.paths, options_.seed, begin);
                     for (std::size_t who = begin; who < end; ++who) {
                       for (std::size_t k = 0; k < arrivals.size(); ++k) {
                         ForecastLaw& law = answer.laws[who * options_.ahead.size() + k];
                         law = law_of(arrivals[k], who - begin, failed[who]);
                         law.individual = who;
                         law.ahead = options_.ahead[k];
                         law.time = data_.last_time[who] + law.ahead;
                       }
                     }
                   });
    if (options_.session.stopped()) throw Error(ErrorKind::numerical, "Interrupted.");
    RunSummary& summary = answer.record.summary;
    summary.requested = data_.names.size() * options_.paths;
    for (const std::size_t count : failed) summary.failed += count;
    summary.paths = summary.requested - summary.failed;
    for (const std::size_t steps : all.steps) summary.steps += steps;
    if (5 * summary.failed > summary.requested) refuse_failed(summary.failed, summary.requested);
  }

  // Forecasts from all rows but the last, of which `held_out` of the rows are forecast.
  void scores(ForecastAnswer& answer) const {
    const std::vector<Chain> chains = chains_of(data_);
    std::vector<std::vector<double>> known(answer.states.size());
    for (const Chain& chain : chains) {
      const std::size_t first = first_held_out(chain);
      for (std::size_t r = 0; r < first; ++r) {
        for (std::size_t i = 0; i < known.size(); ++i) known[i].push_back(chain.states[r][i]);
      }
    }
    std::vector<PredictedValue> climate;
    climate.reserve(known.size());
    for (auto& values : known) climate.emplace_back(std::move(values));
    for (const double ahead : options_.ahead) score(answer, chains, climate, ahead);
  }

 private:
  [[nodiscard]] Departures legs_ahead() const {
    Departures legs;
    double before = 0.0;
    for (const double ahead : options_.ahead) {
      legs.steps.push_back(paths_.steps_in(ahead - before));
      before = ahead;
    }
    return legs;
  }

  [[nodiscard]] Departures from_rows(const Departures& legs, std::size_t begin,
                                     std::size_t end) const {
    Departures some = legs;
    const auto count = static_cast<Index>(end - begin);
    some.from.resize(static_cast<Index>(data_.last.cols), count);
    some.duration.resize(static_cast<Index>(options_.ahead.size()), count);
    for (std::size_t who = begin; who < end; ++who) {
      const auto column = static_cast<Index>(who - begin);
      for (std::size_t i = 0; i < data_.last.cols; ++i) {
        some.from(static_cast<Index>(i), column) = data_.last(who, i);
      }
      some.time.push_back(data_.last_time[who]);
      for (std::size_t k = 0; k < options_.ahead.size(); ++k) {
        some.duration(static_cast<Index>(k), column) =
            options_.ahead[k] - (k == 0 ? 0.0 : options_.ahead[k - 1]);
      }
    }
    return some;
  }

  [[nodiscard]] ForecastLaw law_of(const Arrivals& arrivals, std::size_t point,
                                   std::size_t& failed) const {
    const auto states = static_cast<std::size_t>(arrivals.fine.rows());
    const std::size_t columns = 1 + options_.levels.size();
    ForecastLaw law;
    law.value = law.standard_error = law.time_step = Matrix(states, columns);
    for (std::size_t i = 0; i < states; ++i) {
      const PredictedValue fine(sample_of_point(arrivals.fine, i, point, options_.paths));
      const PredictedValue coarse(sample_of_point(arrivals.coarse, i, point, options_.paths));
      failed = std::max(failed, options_.paths - fine.size());
      if (std::min(fine.size(), coarse.size()) < 2) refuse_failed(failed, options_.paths);
      for (std::size_t c = 0; c < columns; ++c) {
        const auto of = [&](const PredictedValue& values) {
          return c == 0 ? values.mean_estimate() : values.quantile(options_.levels[c - 1]);
        };
        const Estimate at_dt = of(fine);
        const double bias = std::fabs(of(coarse).value - at_dt.value);
        law.value(i, c) = at_dt.value;
        law.time_step(i, c) = bias;
        law.standard_error(i, c) = std::hypot(at_dt.standard_error, bias);
      }
    }
    return law;
  }

  // --- scores -----------------------------------------------------------------------------------

  [[nodiscard]] std::size_t first_held_out(const Chain& chain) const {
    const auto rows = static_cast<double>(chain.time.size());
    const auto held = static_cast<std::size_t>(std::ceil(options_.held_out * rows - 1e-9));
    return std::max<std::size_t>(1, chain.time.size() - held);
  }

  // The row nearest to a time, if it is near enough.
  [[nodiscard]] std::optional<std::size_t> row_at(const Chain& chain, double time,
                                                  double ahead) const {
    constexpr double share = 0.01;
    const auto after = std::ranges::lower_bound(chain.time, time) - chain.time.begin();
    auto best = static_cast<std::size_t>(after);
    if (best == chain.time.size() ||
        (best > 0 && time - chain.time[best - 1] < chain.time[best] - time)) {
      --best;
    }
    const double away = std::fabs(chain.time[best] - time);
    const double most = std::max(share * ahead, 0.5 * paths_.model().time().step) + 1e-9 * time;
    return away <= most ? std::optional(best) : std::nullopt;
  }

  struct Pair {
    const Chain* chain = nullptr;
    std::size_t from = 0, to = 0;
  };

  [[nodiscard]] std::vector<Pair> pairs_of(const std::vector<Chain>& chains, double ahead) const {
    constexpr std::size_t fewest = 10;
    std::vector<Pair> pairs;
    for (const Chain& chain : chains) {
      for (std::size_t r = first_held_out(chain) - 1; r + 1 < chain.time.size(); ++r) {
        const auto to = row_at(chain, chain.time[r] + ahead, ahead);
        if (to && *to > r) pairs.push_back({&chain, r, *to});
      }
    }
    if (pairs.size() >= fewest) return pairs;
    throw Error(ErrorKind::usage,
                fmt::format("The held-out rows have {} pairs that are {} apart, and a score needs "
                            "{}: hold out a larger share, or ask for times ahead that rows have.",
                            pairs.size(), ahead, fewest));
  }

  void score(ForecastAnswer& answer, const std::vector<Chain>& chains,
             const std::vector<PredictedValue>& climate, double ahead) const {
    constexpr std::size_t most_paths = 500;
    const std::size_t paths = std::min(options_.paths, most_paths);
    const std::vector<Pair> pairs = pairs_of(chains, ahead);
    const std::size_t states = answer.states.size();
    std::vector<double> score(pairs.size() * states), expected(score), inside(score), past(score);
    const std::size_t steps = paths_.steps_in(ahead);
    for_each_block(
        pairs.size(), paths_.together(paths), options_.session.threads,
        [&](std::size_t begin, std::size_t end) {
          if (options_.session.stopped()) return;
          const Arrivals arrivals =
              paths_.walk(departures_of(pairs, begin, end, steps), paths, options_.seed, begin)
                  .front();
          for (std::size_t k = begin; k < end; ++k) {
            for (std::size_t i = 0; i < states; ++i) {
              const PredictedValue law(sample_of_point(arrivals.fine, i, k - begin, paths));
              if (law.size() < 2) refuse_failed(paths - law.size(), paths);
              const double y = pairs[k].chain->states[pairs[k].to][i];
              const std::size_t at = k * states + i;
              score[at] = law.score(y);
              expected[at] = law.expected_score();
              past[at] = climate[i].score(y);
              inside[at] = is_inside(law, y) ? 1.0 : 0.0;
            }
          }
        });
    if (options_.session.stopped()) throw Error(ErrorKind::numerical, "Interrupted.");
    for (std::size_t i = 0; i < states; ++i) {
      const auto of = [&](const std::vector<double>& all) {
        return mean_in(pairs, all, states, i);
      };
      answer.scores.push_back({answer.states[i], ahead, pairs.size(), of(score), of(expected).value,
                               of(past).value, of(inside)});
    }
  }

  [[nodiscard]] bool is_inside(const PredictedValue& law, double y) const {
    if (options_.levels.empty()) return false;
    constexpr double middle = 0.5;
    const double u = law.distribution(y, middle);
    return u >= options_.levels.front() && u <= options_.levels.back();
  }

  static Departures departures_of(const std::vector<Pair>& pairs, std::size_t begin,
                                  std::size_t end, std::size_t steps) {
    Departures some;
    const auto count = static_cast<Index>(end - begin);
    const auto states = static_cast<Index>(pairs.front().chain->states.front().size());
    some.from.resize(states, count);
    some.duration.resize(1, count);
    some.steps = {steps};
    for (std::size_t k = begin; k < end; ++k) {
      const Chain& chain = *pairs[k].chain;
      const auto column = static_cast<Index>(k - begin);
      some.from.col(column) =
          Eigen::Map<const Eigen::VectorXd>(chain.states[pairs[k].from].data(), states);
      some.time.push_back(chain.time[pairs[k].from]);
      some.duration(0, column) = chain.time[pairs[k].to] - chain.time[pairs[k].from];
    }
    return some;
  }

  // Forecasts that overlap are dependent: as many as the rows that one of them leaps over.
  static Estimate mean_in(const std::vector<Pair>& pairs, const std::vector<double>& values,
                          std::size_t states, std::size_t i) {
    Sequences all;
    std::size_t lag = 0;
    for (std::size_t k = 0; k < pairs.size(); ++k) {
      if (k == 0 || pairs[k].chain != pairs[k - 1].chain) all.emplace_back();
      all.back().push_back(values[k * states + i]);
      lag = std::max(lag, pairs[k].to - pairs[k].from - 1);
    }
    return sequence_mean(all, lag);
  }

  const SeriesData& data_;
  const ForecastOptions& options_;
  PredictivePaths paths_;
};

// Scores and coverage that the model does not expect.
void warn(ForecastAnswer& answer) {
  constexpr double most = 4.0;  // standard errors
  if (answer.levels.size() < 2) return;
  const double nominal = answer.levels.back() - answer.levels.front();
  for (const ForecastScore& one : answer.scores) {
    const double least = std::sqrt(nominal * (1.0 - nominal) / static_cast<double>(one.forecasts));
    const double bar = std::max(one.coverage.standard_error, least);
    if (std::fabs(one.coverage.value - nominal) < most * bar) continue;
    answer.record.warnings.push_back(
        {"coverage",
         fmt::format("{}, {:g} ahead: {:.0f}% of what came lies between the outer quantiles, which "
                     "promise {:.0f}%.",
                     one.state, one.ahead, 100.0 * one.coverage.value, 100.0 * nominal)});
  }
}

}  // namespace
}  // namespace fit

ForecastAnswer forecast(const Model& model, const SeriesData& data,
                        const ForecastOptions& options) {
  fit::check(options);
  ForecastAnswer answer;
  for (const State& state : model.states()) answer.states.push_back(state.name);
  answer.names = data.names;
  answer.levels = options.levels;
  answer.record.sampling.paths = options.paths;
  answer.record.sampling.seed = options.seed;
  answer.record.steps = "predictions, states alone";
  const auto began = std::chrono::steady_clock::now();
  fit::Forecaster forecaster(model, data, options);
  forecaster.future(answer);
  if (options.held_out > 0.0) forecaster.scores(answer);
  answer.record.summary.seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  fit::warn(answer);
  return answer;
}

}  // namespace divker
