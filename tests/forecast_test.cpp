// Predictions of time series against closed forms, and what they say of wrong models.
#include "divker/forecast.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <memory>
#include <numbers>
#include <random>

#include "divker/error.hpp"
#include "divker/language.hpp"
#include "divker/residuals.hpp"

namespace divker {
namespace {

using ::testing::HasSubstr;

// a = 1, m = 0.3, s = 0.7
const char* const ornstein_uhlenbeck =
    "model ou\nparam a = 1\nparam m = 0.3\nparam s = 0.7\nstate x\n"
    "dx = -a*(x - m) dt + s dW\ninit x = 0\ntime 0 : 0.02 : 1\n";

double mean_after(double x, double interval) { return 0.3 + std::exp(-interval) * (x - 0.3); }
double deviation_after(double interval) {
  return 0.7 * std::sqrt(0.5 * (1.0 - std::exp(-2.0 * interval)));
}
double normal_distribution(double z) { return 0.5 * std::erfc(-z / std::numbers::sqrt2); }

struct Series {
  std::vector<double> individual, time, x;
};

DataTable table_of(const Series& rows) {
  DataTable table{"series.csv", {"id", "t", "x"}, Matrix(rows.x.size(), 3), {}};
  for (std::size_t r = 0; r < rows.x.size(); ++r) {
    table.values(r, 0) = rows.individual[r];
    table.values(r, 1) = rows.time[r];
    table.values(r, 2) = rows.x[r];
  }
  return table;
}

DataOptions columns(bool grouped) {
  DataOptions options;
  options.time_column = "t";
  options.names = {{"x", "x"}};
  if (grouped) options.group_column = "id";
  return options;
}

// Exact transitions of the model above, a row after each interval.
SeriesData exact_series(const Model& model, std::uint64_t seed, int rows, double interval) {
  std::mt19937_64 random(seed);
  std::normal_distribution<double> normal;
  Series series;
  double x = mean_after(0.0, 1e3) + deviation_after(1e3) * normal(random);
  for (int r = 0; r < rows; ++r) {
    series.individual.push_back(7);
    series.time.push_back(interval * r);
    series.x.push_back(x);
    x = mean_after(x, interval) + deviation_after(interval) * normal(random);
  }
  return match_series(model, {table_of(series)}, columns(false));
}

Residuals judged(const Model& model, const SeriesData& data, std::size_t paths = 1000) {
  ResidualOptions options;
  options.paths = paths;
  return residuals(model, data, options);
}

std::string warnings_of(const RunRecord& record) {
  std::string all;
  for (const Warning& warning : record.warnings) all += warning.sentence + "\n";
  return all;
}

TEST(Residuals, AreTheDistributionFunctionOfTheTransition) {
  const Model model = parse_model(ornstein_uhlenbeck);
  const SeriesData data = exact_series(model, 1, 300, 0.5);
  const Residuals found = judged(model, data);
  ASSERT_EQ(found.uniform.rows, 299U);
  // A dt of 0.02 moves the deviation by a hundredth, and F by 0.005 at most.
  for (std::size_t k = 0; k < data.size(); ++k) {
    const double z = (data.to(k, 0) - mean_after(data.from(k, 0), 0.5)) / deviation_after(0.5);
    const double u = normal_distribution(z);
    EXPECT_NEAR(found.uniform(k, 0), u, 4.5 * std::sqrt((u * (1.0 - u) + 1e-3) / 1000.0) + 0.005);
  }
}

TEST(Residuals, ScoreIsThatOfTheNormalLaw) {
  const Model model = parse_model(ornstein_uhlenbeck);
  const SeriesData data = exact_series(model, 2, 400, 0.5);
  const StateResiduals found = judged(model, data).states.front();
  const double width = deviation_after(0.5);
  double exact = 0.0;
  for (std::size_t k = 0; k < data.size(); ++k) {
    const double z = (data.to(k, 0) - mean_after(data.from(k, 0), 0.5)) / width;
    const double density = std::exp(-0.5 * z * z) / std::sqrt(2.0 * std::numbers::pi);
    exact += width *
             (z * (2.0 * normal_distribution(z) - 1.0) + 2.0 * density - std::numbers::inv_sqrtpi) /
             static_cast<double>(data.size());
  }
  EXPECT_NEAR(found.score.value, exact, 0.01 * exact);
  EXPECT_NEAR(found.expected_score, width * std::numbers::inv_sqrtpi, 0.012 * width);
}

// 3 tests of each of 60 right series: the number below 0.1 is binomial, 18 +- 4.
TEST(Residuals, OfARightModelAreRejectedAsOftenAsTheySay) {
  const Model model = parse_model(ornstein_uhlenbeck);
  int rejected = 0, warned = 0;
  double squares = 0.0;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    const Residuals found = judged(model, exact_series(model, 100 + seed, 200, 0.6), 60);
    const StateResiduals& one = found.states.front();
    for (const ResidualTest& test : {one.uniform, one.independent, one.steady}) {
      rejected += test.p < 0.1 ? 1 : 0;
    }
    squares += std::pow(one.mean.value / one.mean.standard_error, 2) / 60.0;
    warned += warnings_of(found.record).empty() ? 0 : 1;
  }
  EXPECT_NEAR(rejected, 18, 4.0 * 4.1);
  EXPECT_NEAR(squares, 1.0, 4.5 * std::sqrt(2.0 / 60.0));
  EXPECT_LE(warned, 5);
}

TEST(Residuals, SayWhatIsWrong) {
  const Model model = parse_model(ornstein_uhlenbeck);
  const SeriesData data = exact_series(model, 3, 600, 0.5);
  const auto said = [&](const std::string& name, double value) {
    return warnings_of(judged(model.with_value(name, value), data, 300).record);
  };
  EXPECT_EQ(said("a", 1.0), "");
  EXPECT_THAT(said("m", 0.9), HasSubstr("the drift is wrong"));
  EXPECT_THAT(said("s", 0.9), HasSubstr("the noise is too large"));
  EXPECT_THAT(said("s", 0.5), HasSubstr("the noise is too small"));
  EXPECT_THAT(said("m", 0.9), ::testing::Not(HasSubstr("the noise is too large")));
}

TEST(Residuals, SeeAVolatilityThatNobodyMeasured) {
  const Model model = parse_model(ornstein_uhlenbeck);
  std::mt19937_64 random(4);
  std::normal_distribution<double> normal;
  Series series;
  double x = 0.3, v = 0.0;
  for (int r = 0; r < 800; ++r) {
    series.individual.push_back(0);
    series.time.push_back(0.5 * r);
    series.x.push_back(x);
    v = 0.95 * v + 0.3 * normal(random);
    x = mean_after(x, 0.5) + deviation_after(0.5) * std::exp(0.7 * v) * normal(random);
  }
  const SeriesData data = match_series(model, {table_of(series)}, columns(false));
  EXPECT_THAT(warnings_of(judged(model, data, 300).record), HasSubstr("sizes of errors follow"));
}

TEST(Residuals, WarnOfACoarseTimeStep) {
  const Model coarse = parse_model(
      "model ou\nparam a = 1\nparam m = 0.3\nparam s = 0.7\nstate x\n"
      "dx = -a*(x - m) dt + s dW\ninit x = 0\ntime 0 : 0.5 : 1\n");
  EXPECT_THAT(warnings_of(judged(coarse, exact_series(coarse, 5, 800, 1.0)).record),
              HasSubstr("time step"));
}

TEST(Residuals, RefuseTooLittle) {
  const Model model = parse_model(ornstein_uhlenbeck);
  EXPECT_THROW(static_cast<void>(judged(model, exact_series(model, 1, 15, 0.5))), Error);
  EXPECT_THROW(static_cast<void>(judged(model, exact_series(model, 1, 50, 0.5), 10)), Error);
}

ForecastAnswer forecast_of(const Model& model, const SeriesData& data, std::vector<double> ahead,
                           double held_out = 0.0, unsigned threads = 0) {
  ForecastOptions options;
  options.ahead = std::move(ahead);
  options.levels = {0.05, 0.5, 0.95};
  options.held_out = held_out;
  options.session.threads = threads;
  return forecast(model, data, options);
}

TEST(Forecast, IsTheLawOfTheTransition) {
  const Model model = parse_model(ornstein_uhlenbeck);
  Series last{{3, 3, 9}, {4.0, 5.0, 2.0}, {0.1, 1.5, -1.0}};
  const SeriesData data = match_series(model, {table_of(last)}, columns(true), 0);
  const ForecastAnswer answer = forecast_of(model, data, {0.4, 1.0, 2.5});
  ASSERT_EQ(answer.laws.size(), 6U);
  EXPECT_EQ(answer.names, (std::vector<std::string>{"3", "9"}));
  const double starts[] = {1.5, -1.0}, times[] = {5.0, 2.0};
  for (const ForecastLaw& law : answer.laws) {
    EXPECT_EQ(law.time, times[law.individual] + law.ahead);
    const double mean = mean_after(starts[law.individual], law.ahead);
    const double width = deviation_after(law.ahead);
    const double exact[] = {mean, mean - 1.644854 * width, mean, mean + 1.644854 * width};
    for (std::size_t c = 0; c < 4; ++c) {
      EXPECT_NEAR(law.value(0, c), exact[c], 4.5 * law.standard_error(0, c)) << c;
      EXPECT_LT(law.standard_error(0, c), 0.04);
    }
  }
}

// The bar holds against the SDE's law at a coarse dt, and is not much wider than needed.
TEST(Forecast, BarsContainTheTimeStep) {
  const Model model = parse_model(
      "model gbm\nparam r = 0.5\nparam s = 0.3\nstate x positive\n"
      "dx = r*x dt + s*x dW\ninit x = 1\ntime 0 : 0.1 : 1\n");
  const Model drifting = parse_model(
      "model ou\nparam a = 2\nstate x\ndx = -a*x dt + 0.5 dW\ninit x = 1\ntime 0 : 0.1 : 1\n");
  Series last{{0}, {0.0}, {2.0}};
  const ForecastAnswer growth =
      forecast_of(model, match_series(model, {table_of(last)}, columns(false), 0), {1.0});
  EXPECT_NEAR(growth.laws[0].value(0, 0), 2.0 * std::exp(0.5),
              4.5 * growth.laws[0].standard_error(0, 0));
  EXPECT_NEAR(growth.laws[0].value(0, 2), 2.0 * std::exp(0.5 - 0.045),
              4.5 * growth.laws[0].standard_error(0, 2));
  const ForecastLaw decay =
      forecast_of(drifting, match_series(drifting, {table_of(last)}, columns(false), 0), {0.4})
          .laws[0];
  const double exact = 2.0 * std::exp(-0.8);
  EXPECT_GT(std::fabs(decay.value(0, 0) - exact), 0.05);
  EXPECT_NEAR(decay.value(0, 0), exact, 2.0 * decay.standard_error(0, 0));
}

TEST(Forecast, KnowsTheTimeOfTheRowAndItsInputs) {
  const auto forced = [](const std::string& u, const std::string& declared) {
    return parse_model("model forced\n" + declared + "state x\ndx = (-x + " + u +
                       ") dt + 0.2 dW\ninit x = 0\ntime 0 : 0.005 : 1\n");
  };
  Series last{{0}, {4.0}, {0.5}};
  const Model written = forced("sin(t)", "");
  // x' = -x + sin t from x(4) = 0.5
  const auto particular = [](double t) { return 0.5 * (std::sin(t) - std::cos(t)); };
  const double exact = particular(6.0) + std::exp(-2.0) * (0.5 - particular(4.0));
  const ForecastLaw by_time =
      forecast_of(written, match_series(written, {table_of(last)}, columns(false), 0), {1.0, 2.0})
          .laws[1];
  EXPECT_NEAR(by_time.value(0, 0), exact, 4.5 * by_time.standard_error(0, 0));
  std::vector<double> times, values;
  for (int k = 0; k <= 6000; ++k) {
    times.push_back(0.001 * k);
    values.push_back(std::sin(times.back()));
  }
  const std::vector<std::shared_ptr<const Knots>> u = {
      std::make_shared<const Knots>(std::move(times), std::move(values))};
  const Model tabulated = forced("u(t)", "input u(t) from \"u.csv\"\n").with_inputs(u);
  const SeriesData data = match_series(tabulated, {table_of(last)}, columns(false), 0);
  EXPECT_NEAR(forecast_of(tabulated, data, {1.0, 2.0}).laws[1].value(0, 0), by_time.value(0, 0),
              1e-5);
  EXPECT_THROW(static_cast<void>(forecast_of(tabulated, data, {1.0, 3.0})), Error);
}

TEST(Forecast, StaysAboveZeroUnderASquareRoot) {
  const Model model = parse_model(
      "model cir\nparam k = 1\nparam m = 0.2\nparam s = 0.8\nstate r\n"
      "dr = k*(m - r) dt + s*sqrt(r) dW\ninit r = 0.2\ntime 0 : 0.01 : 1\n");
  DataTable table{"r.csv", {"t", "r"}, Matrix(1, 2), {}};
  table.values(0, 1) = 0.1;
  DataOptions options;
  options.time_column = "t";
  const ForecastLaw law =
      forecast_of(model, match_series(model, {table}, options, 0), {1.0}).laws[0];
  EXPECT_NEAR(law.value(0, 0), 0.2 - 0.1 * std::exp(-1.0), 4.5 * law.standard_error(0, 0));
  EXPECT_GE(law.value(0, 1), 0.0);
}

TEST(Forecast, IsScoredAgainstWhatCame) {
  const Model model = parse_model(ornstein_uhlenbeck);
  const SeriesData data = exact_series(model, 8, 1200, 0.5);
  const ForecastAnswer answer = forecast_of(model, data, {0.5, 2.0}, 0.5);
  ASSERT_EQ(answer.scores.size(), 2U);
  EXPECT_EQ(answer.scores[0].forecasts, 600U);
  for (const ForecastScore& one : answer.scores) {
    const double expected = deviation_after(one.ahead) * std::numbers::inv_sqrtpi;
    EXPECT_NEAR(one.expected_score, expected, 0.012 * expected + 0.001);
    EXPECT_NEAR(one.score.value, expected, 4.5 * one.score.standard_error);
    EXPECT_NEAR(one.coverage.value, 0.9, 4.5 * one.coverage.standard_error);
    EXPECT_GT(one.climate_score, one.score.value);
  }
  EXPECT_THAT(warnings_of(answer.record), "");
  const ForecastAnswer wrong = forecast_of(model.with_value("s", 0.35), data, {0.5}, 0.5);
  EXPECT_THAT(warnings_of(wrong.record), HasSubstr("promise 90%"));
}

TEST(Forecast, IsTheSameForAnyNumberOfThreads) {
  const Model model = parse_model(ornstein_uhlenbeck);
  Series rows;
  for (int id = 0; id < 40; ++id) {
    rows.individual.push_back(id);
    rows.time.push_back(1.0);
    rows.x.push_back(0.1 * id);
  }
  const SeriesData data = match_series(model, {table_of(rows)}, columns(true), 0);
  const ForecastAnswer one = forecast_of(model, data, {1.0}, 0.0, 1);
  const ForecastAnswer three = forecast_of(model, data, {1.0}, 0.0, 3);
  for (std::size_t k = 0; k < one.laws.size(); ++k) {
    EXPECT_EQ(one.laws[k].value.data, three.laws[k].value.data);
  }
}

TEST(Forecast, RefusesWhatCannotBeAsked) {
  const Model model = parse_model(ornstein_uhlenbeck);
  const SeriesData data = exact_series(model, 9, 100, 0.5);
  const auto refusal = [&](std::vector<double> ahead, double held_out) -> std::string {
    try {
      static_cast<void>(forecast_of(model, data, std::move(ahead), held_out));
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_THAT(refusal({}, 0.0), HasSubstr("--ahead 1,2,5"));
  EXPECT_THAT(refusal({2.0, 1.0}, 0.0), HasSubstr("ascending"));
  EXPECT_THAT(refusal({0.7}, 0.5), HasSubstr("0 pairs that are 0.7 apart"));
  EXPECT_THAT(refusal({0.5}, 1.0), HasSubstr("below 1"));
}

}  // namespace
}  // namespace divker
