// The law of the future, given the last row of a time series.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "divker/matrix.hpp"
#include "divker/model.hpp"
#include "divker/moments.hpp"
#include "divker/record.hpp"
#include "divker/sampling.hpp"
#include "divker/series.hpp"

namespace divker {

struct ForecastOptions {
  std::vector<double> ahead;  // durations from the last row, ascending, above zero
  std::vector<double> levels = {0.05, 0.25, 0.5, 0.75, 0.95};  // of the quantiles, ascending
  std::size_t paths = 10'000;                                  // of each individual
  double held_out = 0.0;  // share of the rows, the last of each individual, that scores are of
  std::uint64_t seed = 1;
  Session session;
};

// Of one individual at one time. Columns: the mean, then the quantiles.
struct ForecastLaw {
  std::size_t individual = 0;  // a place in ForecastAnswer::names
  double time = 0.0;
  double ahead = 0.0;
  Matrix value;           // states x (1 + levels)
  Matrix standard_error;  // of sampling and of dt together
  Matrix time_step;       // the bias of dt, from paths at twice the dt, with its own error
};

// Forecasts from each row of the held-out end, and from the row before it, against what came.
struct ForecastScore {
  std::string state;
  double ahead = 0.0;
  std::size_t forecasts = 0;
  Estimate score;               // continuous ranked probability score (divker/residuals.hpp)
  double expected_score = 0.0;  // what the model expects it to be
  double climate_score = 0.0;   // that of the rows that are not held out, as a forecast
  Estimate coverage;            // share between the lowest and the highest quantile
};

struct ForecastAnswer {
  std::vector<std::string> states;
  std::vector<std::string> names;  // of the individuals
  std::vector<double> levels;
  std::vector<ForecastLaw> laws;      // individual after individual, ascending times
  std::vector<ForecastScore> scores;  // time ahead after time ahead, state after state
  RunRecord record;
};

// Errors of scores allow for forecasts that overlap. For scores each forecast has 500 paths at
// most, and the row nearest to its time is what came, at its own time: one percent of `ahead` or
// half a dt away at most.
//
// Error(usage) for a map, for no or unordered times ahead, levels outside (0, 1), less than 100
// paths, a share that is not in [0, 1), and for a time ahead to which the held-out end has less
// than ten pairs of rows; Error(numerical) where more than a fifth of the paths fails.
// Cost: individuals * paths * steps, one and a half times; scores: rows * 500 * steps.
[[nodiscard]] ForecastAnswer forecast(const Model& model, const SeriesData& data,
                                      const ForecastOptions& options);

}  // namespace divker
