// The bar contains the bias of the time step: against closed forms of the SDE, not of its chain.
#include "answer/time_step.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "divker/density_change.hpp"
#include "divker/language.hpp"
#include "divker/stationary.hpp"
#include "support/statistics.hpp"

namespace divker {
namespace {

using test::consistent;
using test::Mean;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// Ornstein-Uhlenbeck from normal(0, 2), at T = 1. Ten steps are few: the variance of the Euler
// chain is 0.025 too small.
Model coarse() {
  return parse_model(
      "model coarse\nparam a = 1\nparam s = 1 in (0, inf)\nstate x\ndx = -a*x dt + s dW\n"
      "init x ~ normal(0, 2)\ntime 0 : 0.1 : 1\n");
}
double variance_of_sde(double a, double s) {
  return 4.0 * std::exp(-2.0 * a) + s * s * -std::expm1(-2.0 * a) / (2.0 * a);
}
constexpr double h = 1e-5;
double by_a() {
  return (variance_of_sde(1.0 + h, 1.0) - variance_of_sde(1.0 - h, 1.0)) / (2.0 * h);
}
double by_s() {
  return (variance_of_sde(1.0, 1.0 + h) - variance_of_sde(1.0, 1.0 - h)) / (2.0 * h);
}
// d log h / d parameter at x, where the variance v changes by dv.
double log_density_by(double x, double dv) {
  const double v = variance_of_sde(1.0, 1.0);
  return 0.5 * (x * x / v - 1.0) * dv / v;
}

AnswerOptions options_with(std::size_t paths, std::uint64_t seed, TimeStep policy) {
  AnswerOptions options;
  options.sampling.paths = paths;
  options.sampling.seed = seed;
  options.method.damping = parse_damping("2");
  options.time_step = policy;
  return options;
}

Matrix some_points() {
  Matrix points(3, 1);
  points.data = {-1.0, 0.2, 1.5};
  return points;
}

// How often value +- 1.96 bars holds the truth, with what dt adds to the bars and without it.
struct Coverage {
  std::size_t intervals = 0, with = 0, without = 0;
  void add(double value, double error, double without_time_step, double truth) {
    const double distance = std::fabs(value - truth);
    ++intervals;
    with += distance <= 1.96 * error ? 1 : 0;
    without += distance <= 1.96 * without_time_step ? 1 : 0;
  }
};

// Of 120 intervals that hold the truth with probability 0.95 fewer than 103 do so with probability
// 7e-5; of those of one seed, which depend on each other, the same is asked in proportion.
constexpr std::uint64_t seeds = 120;
constexpr double least_share = 103.0 / 120.0;

double share(std::size_t count, const Coverage& coverage) {
  return static_cast<double>(count) / static_cast<double>(coverage.intervals);
}

TEST(TimeStep, BarsOfMeansHoldTheTruthOfTheSde) {
  const Model model = coarse();
  Coverage mean, responses;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    const ObservableAnswer answer =
        observable_response(model, {0, 1}, "x^2", options_with(40'000, seed, TimeStep::in_bar));
    ASSERT_EQ(answer.time_step.size(), 3U);
    mean.add(answer.value.value, answer.value.standard_error, answer.deviation[0],
             variance_of_sde(1.0, 1.0));
    const double truth[] = {by_a(), by_s()};
    for (std::size_t p = 0; p < 2; ++p) {
      responses.add(answer.response[p].value, answer.response[p].standard_error,
                    answer.deviation[1 + p], truth[p]);
    }
  }
  std::printf("of means: held by %.3f, without dt %.3f; of responses: %.3f, without dt %.3f\n",
              share(mean.with, mean), share(mean.without, mean), share(responses.with, responses),
              share(responses.without, responses));
  EXPECT_GE(share(mean.with, mean), least_share);
  EXPECT_GE(share(responses.with, responses), least_share);
  EXPECT_LT(share(mean.without, mean), 0.2);
  EXPECT_LT(share(responses.without, responses), least_share);
}

TEST(TimeStep, BarsAtPointsHoldTheTruthOfTheSde) {
  const Model model = coarse();
  const Matrix points = some_points();
  Coverage score, response;
  const auto count = [&](Coverage& coverage, const PointAnswer& answer, std::size_t r,
                         std::size_t c, double truth) {
    const Prediction& found = answer.prediction;
    coverage.add(found.value(r, c), found.standard_error(r, c),
                 std::hypot(found.deviation(r, c), found.bias(r, c)), truth);
  };
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    const AnswerOptions options = options_with(20'000, seed, TimeStep::in_bar);
    const PointAnswer scores = score_at(model, points, options);
    const PointAnswer responses = response_at(model, {0, 1}, points, options);
    for (std::size_t r = 0; r < points.rows; ++r) {
      const double x = points(r, 0);
      count(score, scores, r, 0, -x / variance_of_sde(1.0, 1.0));
      count(response, responses, r, 0, log_density_by(x, by_a()));
      count(response, responses, r, 1, log_density_by(x, by_s()));
    }
  }
  std::printf("scores: held by %.3f, without dt %.3f; responses: %.3f, without dt %.3f\n",
              share(score.with, score), share(score.without, score), share(response.with, response),
              share(response.without, response));
  EXPECT_GE(share(score.with, score), least_share);
  EXPECT_GE(share(response.with, response), least_share);
  // The bias of the score is small here.
  EXPECT_LT(share(response.without, response), least_share);
}

// With more than three states the change from dt to dt/2 is taken as linear in the state.
TEST(TimeStep, BarsAtPointsInManyStatesHoldTheTruth) {
  const Model model = parse_model(
      "model five\nparam s = 1 in (0, inf)\nstate x[5]\ndx[i] = -2*x[i] dt + s dW[i]\n"
      "init x[i] ~ normal(0, 2)\ntime 0 : 0.1 : 1\n");
  Matrix points(1, 5);
  points.data = {0.5, 0.0, -0.5, 0.25, -0.75};
  Coverage score;
  Mean plain, extrapolated;
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    for (const TimeStep policy : {TimeStep::in_bar, TimeStep::extrapolated}) {
      AnswerOptions options = options_with(20'000, seed, policy);
      options.regressor = "polynomial";
      const Prediction found = score_at(model, points, options).prediction;
      for (std::size_t i = 0; i < 5; ++i) {
        const double truth = -points(0, i) / variance_of_sde(2.0, 1.0);
        (policy == TimeStep::in_bar ? plain : extrapolated)
            .add((found.value(0, i) - truth) * points(0, i));
        if (policy == TimeStep::extrapolated) continue;
        score.add(found.value(0, i), found.standard_error(0, i),
                  std::hypot(found.deviation(0, i), found.bias(0, i)), truth);
      }
    }
  }
  EXPECT_GE(share(score.with, score), 0.8);  // of 50: below with probability 1e-4
  EXPECT_LT(share(score.without, score), 0.5);
  // The bias is proportional to x.
  EXPECT_LT(std::fabs(extrapolated.estimate().value), 0.5 * std::fabs(plain.estimate().value));
}

// Averages over seeds tell a bias that one answer hides.
TEST(TimeStep, ExtrapolationTakesMostOfTheBiasOff) {
  const Model model = coarse();
  const double truth[] = {variance_of_sde(1.0, 1.0), by_a(), by_s()};
  Mean plain[3], extrapolated[3];
  std::size_t held = 0;
  constexpr std::uint64_t many = 200;
  for (std::uint64_t seed = 1; seed <= many; ++seed) {
    for (const TimeStep policy : {TimeStep::ignored, TimeStep::extrapolated}) {
      const auto answer =
          observable_response(model, {0, 1}, "x^2", options_with(40'000, seed, policy));
      const Estimate found[] = {answer.value, answer.response[0], answer.response[1]};
      for (std::size_t q = 0; q < 3; ++q) {
        const double error = found[q].value - truth[q];
        (policy == TimeStep::ignored ? plain : extrapolated)[q].add(error);
        if (policy == TimeStep::ignored) continue;
        held += std::fabs(error) <= 1.96 * found[q].standard_error ? 1 : 0;
      }
    }
  }
  for (std::size_t q = 0; q < 3; ++q) {
    const Estimate before = plain[q].estimate(), after = extrapolated[q].estimate();
    EXPECT_GT(std::fabs(before.value), 5.0 * before.standard_error) << q;
    EXPECT_LT(std::fabs(after.value) + after.standard_error, 0.5 * std::fabs(before.value)) << q;
  }
  EXPECT_GE(held, static_cast<std::size_t>(least_share * 3 * many));
}

// The pairs are beside the run: its digits are what they are without them.
TEST(TimeStep, IgnoredGivesTheSameDigitsWithoutPairs) {
  const Model model = coarse();
  const auto ask = [&](TimeStep policy) {
    return observable_response(model, {0, 1}, "x^2", options_with(4'000, 1, policy));
  };
  const ObservableAnswer with = ask(TimeStep::in_bar), without = ask(TimeStep::ignored);
  EXPECT_EQ(without.record.effort.pair_runs, 0U);
  EXPECT_EQ(with.record.effort.pair_runs, 2 * pairs_for(4'000));
  EXPECT_EQ(with.record.effort.path_runs, without.record.effort.path_runs);
  EXPECT_THAT(without.time_step, IsEmpty());
  EXPECT_EQ(with.value.value, without.value.value);
  EXPECT_EQ(with.deviation[0], without.value.standard_error);
  for (std::size_t p = 0; p < 2; ++p) {
    EXPECT_EQ(with.response[p].value, without.response[p].value);
    EXPECT_EQ(with.deviation[1 + p], without.response[p].standard_error);
    EXPECT_EQ(with.response[p].standard_error,
              std::hypot(with.deviation[1 + p], with.time_step[1 + p]));
  }
  const PointAnswer at = score_at(model, some_points(), options_with(4'000, 1, TimeStep::in_bar));
  const PointAnswer plain =
      score_at(model, some_points(), options_with(4'000, 1, TimeStep::ignored));
  EXPECT_EQ(at.prediction.value, plain.prediction.value);
  EXPECT_EQ(plain.time_step.rows, 0U);
}

TEST(TimeStep, MapsHaveNone) {
  const Model model = parse_model(
      "model linear\nparam a = 0.8\nstate x\nx' = a*x + 0.1*xi\ninit x ~ normal(0, 1)\n"
      "time 0 : 1 : 3\n");
  AnswerOptions options;
  options.sampling.paths = 1'000;
  const ObservableAnswer mean = observable_response(model, {0}, "x^2", options);
  EXPECT_THAT(mean.time_step, IsEmpty());
  EXPECT_EQ(mean.record.effort.pair_runs, 0U);
  EXPECT_EQ(score_at(model, some_points(), options).time_step.rows, 0U);
}

// A Brownian motion with drift has no bias of dt: the exact step of its chain is that of the SDE.
TEST(TimeStep, IsNothingWhereTheChainIsTheSde) {
  const Model model = parse_model(
      "model drifting\nparam m = 0.3\nstate x\ndx = m dt + 0.5 dW\ninit x ~ normal(0, 1)\n"
      "time 0 : 0.25 : 1\n");
  AnswerOptions options;
  options.sampling.paths = 4'000;
  options.method.scheme = Scheme::exact;
  options.method.damping = parse_damping("0");
  const ObservableAnswer mean = observable_response(model, {0}, "x", options);
  for (const double counted : mean.time_step) EXPECT_LT(counted, 1e-9);
  const PointAnswer score = score_at(model, some_points(), options);
  for (const double counted : score.time_step.data) EXPECT_LT(counted, 1e-9);
}

// Likelihood ratios and finite differences have the same bias as the chain that they belong to.
TEST(TimeStep, EveryMethodMeasuresIt) {
  const Model model = coarse();
  for (const std::string method : {"likelihood-ratio", "finite-difference"}) {
    SCOPED_TRACE(method);
    AnswerOptions options = options_with(40'000, 1, TimeStep::in_bar);
    options.method = {};
    options.method.estimator = method;
    const ObservableAnswer mean = observable_response(model, {0}, "x^2", options);
    EXPECT_NEAR(mean.time_step[0], 0.025, 0.005);
    EXPECT_TRUE(consistent(mean.response[0], by_a()));
    const PointAnswer at = response_at(model, {0}, some_points(), options);
    ASSERT_EQ(at.time_step.rows, 3U);
    for (std::size_t r = 0; r < 3; ++r) {
      EXPECT_TRUE(consistent({at.prediction.value(r, 0), at.prediction.standard_error(r, 0)},
                             log_density_by(some_points()(r, 0), by_a())));
    }
  }
}

// A change over a finite distance carries the biases of its nodes.
TEST(TimeStep, IsInTheBarOfAChange) {
  const Model model = coarse();
  const auto ask = [&](TimeStep policy) {
    return observable_change(model, std::vector<double>{1.5, 1.0}, "x^2",
                             {options_with(20'000, 1, policy), 5})
        .change.front();
  };
  const Change with = ask(TimeStep::in_bar), without = ask(TimeStep::ignored);
  const double truth = variance_of_sde(1.5, 1.0) - variance_of_sde(1.0, 1.0);
  EXPECT_EQ(with.value, without.value);
  EXPECT_EQ(with.deviation, without.deviation);
  EXPECT_TRUE(consistent({with.value, with.standard_error}, truth));
  EXPECT_GT(std::fabs(without.value - truth), 2.0 * without.standard_error);
}

// The stationary variance of the chain is s^2 dt / (1 - (1 - dt)^2), that of the SDE s^2 / 2; the
// score at x is -x over it.
TEST(TimeStep, StationaryBarsHoldTheTruthOfTheSde) {
  const Model model = coarse();
  StationaryOptions options;
  options.spinup = 3.0;
  options.window = 3.0;
  options.length = 9.0;
  Coverage means, responses, points;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    options.answer = options_with(2'048, seed, TimeStep::in_bar);
    const ObservableAnswer answer =
        stationary_observable_response(model, {1}, "x^2", options).answer;
    means.add(answer.value.value, answer.value.standard_error, answer.deviation[0], 0.5);
    responses.add(answer.response[0].value, answer.response[0].standard_error, answer.deviation[1],
                  1.0);
  }
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    options.answer = options_with(1'024, seed, TimeStep::in_bar);
    const PointAnswer at = stationary_score_at(model, some_points(), options).answer;
    ASSERT_EQ(at.time_step.rows, 3U);
    for (std::size_t r = 0; r < 3; ++r) {
      points.add(at.prediction.value(r, 0), at.prediction.standard_error(r, 0),
                 std::hypot(at.prediction.deviation(r, 0), at.prediction.bias(r, 0)),
                 -2.0 * at.points(r, 0));
    }
  }
  std::printf(
      "stationary: means held by %.3f, without dt %.3f; responses %.3f, %.3f; scores %.3f, "
      "%.3f\n",
      share(means.with, means), share(means.without, means), share(responses.with, responses),
      share(responses.without, responses), share(points.with, points),
      share(points.without, points));
  EXPECT_GE(share(means.with, means), least_share);
  EXPECT_GE(share(responses.with, responses), least_share);
  EXPECT_GE(share(points.with, points), 0.8);  // of 60: below with probability 1e-5
  EXPECT_LT(share(means.without, means), 0.2);
}

TEST(TimeStep, CountsABiasInFullOnlyWhereItStandsOut) {
  const auto count = [](double error, const StepBias& bias, TimeStep policy) {
    return with_step_bias(10.0, error, bias, policy);
  };
  const Stepped certain = count(3.0, {4.0, 1.0}, TimeStep::in_bar);
  EXPECT_EQ(certain.value, 10.0);
  EXPECT_EQ(certain.counted, 4.0);
  EXPECT_EQ(certain.standard_error, 5.0);
  // Half of it, for (3 * 1)^2 / ((3 * 1)^2 + 3^2) = 1/2, and the other half's error, up to 1.
  const Stepped doubtful = count(1.0, {4.0, 3.0}, TimeStep::in_bar);
  EXPECT_EQ(doubtful.counted, std::hypot(2.0, 1.0));
  const Stepped taken = count(3.0, {4.0, 1.0}, TimeStep::extrapolated);
  EXPECT_EQ(taken.value, 6.0);
  EXPECT_EQ(taken.counted, 1.0);
  EXPECT_EQ(count(1.0, {4.0, 1.0}, TimeStep::ignored).standard_error, 1.0);
  EXPECT_EQ(count(1.0, {std::nan(""), 1.0}, TimeStep::in_bar).counted, 0.0);
}

// States whose density grows by e^5 in a unit, and a change from dt to dt/2 of 1 + 3 x: a mean over
// neighbours would be one over the denser side.
TEST(TimeStep, AtPointsOnAFlankTheChangeIsThatOfThePoint) {
  std::mt19937_64 random(11);
  std::uniform_real_distribution<double> uniform;
  std::normal_distribution<double> normal;
  constexpr std::size_t paths = 2'000;
  Matrix coarse_x(paths, 1), coarse_y(paths, 2), fine_x(paths, 1), fine_y(paths, 2);
  for (std::size_t r = 0; r < paths; ++r) {
    coarse_x(r, 0) = std::log(uniform(random)) / 5.0;
    fine_x(r, 0) = coarse_x(r, 0) + 0.01 * normal(random);
    const double noise = normal(random), x = fine_x(r, 0);
    coarse_y(r, 0) = coarse_x(r, 0) * coarse_x(r, 0);
    fine_y(r, 0) = x * x + 1.0 + 3.0 * x;
    coarse_y(r, 1) = coarse_y(r, 0) + noise;
    fine_y(r, 1) = fine_y(r, 0) + noise + 0.05 * normal(random);
  }
  Matrix point(1, 1);
  point.data = {-0.5};
  const StepBiases found =
      step_bias_at_points({coarse_x, coarse_y, 1}, {fine_x, fine_y, 1}, point, 1);
  EXPECT_NEAR(found.value(0, 0), 1.0, 1e-8);
  EXPECT_LT(found.error(0, 0), 1e-8);
  EXPECT_TRUE(consistent({found.value(0, 1), found.error(0, 1)}, 1.0));
  EXPECT_LT(found.error(0, 1), 0.1);
}

TEST(TimeStep, PairsTakeAShareOfTheRunThatFalls) {
  EXPECT_EQ(pairs_for(100), 100U);
  EXPECT_EQ(pairs_for(1'200), 128U);
  EXPECT_EQ(pairs_for(10'000), 833U);
  EXPECT_EQ(pairs_for(1'000'000), 26'352U);
  EXPECT_EQ(pairs_for(10'000'000'000), 500'000U);
}

// More paths do not help where dt is all of the bar, and the record says so; nowhere else.
TEST(TimeStep, WarnsWhereItIsNearlyAllOfTheBar) {
  const auto warnings = [](double dt, const std::string& observable) {
    const Model model = coarse().with_value("dt", dt);
    return observable_response(model, {0}, observable, options_with(100'000, 1, TimeStep::in_bar))
        .record.warnings;
  };
  EXPECT_THAT(warnings(0.02, "x^2"), IsEmpty());
  const auto found = warnings(0.25, "x^2");
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found.front().what, "time_step");
  EXPECT_THAT(found.front().sentence, HasSubstr("a dt below 0.25 would make it smaller"));
}

}  // namespace
}  // namespace divker
