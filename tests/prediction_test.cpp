// What a model predicts: measurements, parameters drawn from the errors of a fit, and what these
// errors do to answers.
#include "divker/prediction.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "divker/ensemble.hpp"
#include "divker/error.hpp"
#include "divker/language.hpp"
#include "divker/moments.hpp"
#include "divker/random.hpp"

namespace divker {
namespace {

using ::testing::HasSubstr;

constexpr double z = 4.5;  // standard errors

// log x_T is normal: mean (m - s^2/2) T, variance s^2 T.
const std::string gbm = R"(model gbm
param m = 0.1
param s = 0.2 in (0, inf)
state x positive
dx = m*x dt + s*x dW
init x = 1
observe y ~ normal(log(x), 0.3)
time 0 : 0.1 : 1
)";

std::string message_of(const std::string& text) {
  try {
    (void)parse_model(text);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

Paths run(const Model& model, std::size_t paths, const std::vector<double>& times = {}) {
  Sampling sampling;
  sampling.paths = paths;
  sampling.snapshots = times;
  sampling.start_rows = StartRows::by_path;
  return Ensemble(model, {}, Asked::states()).run(sampling);
}

void expect_variance(const Moments& moments, std::size_t i, double expected) {
  const auto n = static_cast<double>(moments.count());
  EXPECT_NEAR(moments.variance(i), expected, z * expected * std::sqrt(2.0 / n));
}

TEST(EstimateErrors, AreStatementsOfTheLanguage) {
  const std::string errors = "estimated m +- 0.15\nestimated s +- 0.02 correlations [-0.4]\n";
  const Model model = parse_model(gbm + errors);
  ASSERT_EQ(model.errors().size(), 2U);
  EXPECT_EQ(model.errors()[1].parameter, 1U);
  EXPECT_DOUBLE_EQ(model.errors()[1].standard_error, 0.02);
  EXPECT_EQ(model.errors()[1].correlations, std::vector<double>{-0.4});
  EXPECT_EQ(model.text(), parse_model(model.text()).text());
  EXPECT_THAT(model.text(), ::testing::EndsWith(errors));
  EXPECT_EQ(model.hash(), parse_model(gbm).hash());
  const std::size_t first = 0;
  const Model known = model.without_errors_of({&first, 1});
  ASSERT_EQ(known.errors().size(), 1U);
  EXPECT_TRUE(known.errors()[0].correlations.empty());
}

TEST(EstimateErrors, OfComponentsOfVectorsAndMatrices) {
  const Model model = parse_model(
      "model m\nparam a[2] = [1, 2]\nparam B[2, 2] = [[1, 0], [0, 1]]\nstate x\n"
      "dx = (a[0] + a[1] + B[1,0] + B[0,0] + B[0,1] + B[1,1]) dt + dW\ninit x = 0\n"
      "time 0 : 0.1 : 1\nestimated a[1] +- 0.5\nestimated B[1, 0] +- 2\n");
  EXPECT_EQ(model.parameters()[model.errors()[0].parameter].name, "a[1]");
  EXPECT_EQ(model.parameters()[model.errors()[1].parameter].name, "B[1,0]");
  EXPECT_EQ(model.text(), parse_model(model.text()).text());
}

TEST(EstimateErrors, AtFault) {
  EXPECT_THAT(message_of(gbm + "estimated q +- 1\n"), HasSubstr("There is no parameter 'q'"));
  EXPECT_THAT(message_of(gbm + "estimated m +- 0\n"), HasSubstr("must be positive"));
  EXPECT_THAT(message_of(gbm + "estimated m 0.1\n"), HasSubstr("'+' was expected"));
  EXPECT_THAT(message_of(gbm + "estimated s +- 1\nestimated m +- 1\n"), HasSubstr("in the order"));
  EXPECT_THAT(message_of(gbm + "estimated m +- 1 correlations [0.1]\n"),
              HasSubstr("only 0 estimates"));
  EXPECT_THAT(message_of(gbm + "estimated m +- 1\nestimated s +- 1 correlations [1.5]\n"),
              HasSubstr("must be between -1 and 1"));
  // Three numbers that cannot be correlations together.
  const Model model = parse_model(
      "model m\nparam a = 1\nparam b = 1\nparam c = 1\nstate x\ndx = (a + b + c) dt + dW\n"
      "init x = 0\ntime 0 : 0.1 : 1\nestimated a +- 1\nestimated b +- 1 correlations [0.9]\n"
      "estimated c +- 1 correlations [0.9, -0.9]\n");
  EXPECT_THROW((void)drawn_parameters(model, 10, 1), Error);
  EXPECT_THROW((void)with_drawn_parameters(parse_model(gbm), 10, 1), Error);
}

TEST(Labels, ArePartOfTheText) {
  const Model model = parse_model(
      "model m\nparam a = 1 \"rate\" [1/day] in (0, inf)\nstate x \"temperature\" [K] positive, "
      "v[2] \"speed\" [\"m/s^2\"]\ndx = a*x dt + x dW\ndv[i] = dB[i]\ninit x = 1\ninit v = 0\n"
      "observe y ~ normal(x, a) \"measured temperature\"\ntime 0 : 0.1 : 1\n");
  EXPECT_EQ(model.title_of("x"), "temperature [K]");
  EXPECT_EQ(model.title_of("v[1]"), "speed[1] [m/s^2]");
  EXPECT_EQ(model.title_of("a"), "rate [1/day]");
  EXPECT_EQ(model.title_of("y"), "measured temperature");
  EXPECT_EQ(model.title_of("other"), "other");
  EXPECT_THAT(model.text(), HasSubstr("\"temperature\" [K] positive"));
  const Model again = parse_model(model.text());
  EXPECT_EQ(again.text(), model.text());
  EXPECT_EQ(again.title_of("a"), "rate [1/day]");
  EXPECT_TRUE(model.states()[0].range == Range::positive());
  EXPECT_THAT(message_of("model m\nstate x \"\"\n"), HasSubstr("label"));
}

TEST(DrawnParameters, FollowTheErrorsWithinTheirBounds) {
  constexpr std::size_t n = 20'000;
  const Model model =
      parse_model(gbm + "estimated m +- 0.15\nestimated s +- 0.1 correlations [-0.6]\n");
  const Matrix drawn = drawn_parameters(model, n, 7);
  CovarianceMoments moments(2);
  for (std::size_t r = 0; r < n; ++r) {
    ASSERT_GT(drawn(r, 1), 0.0);
    const double row[] = {drawn(r, 0), std::log(drawn(r, 1))};
    moments.add(row);
  }
  // u = log s has the standard error 0.1/0.2.
  const Matrix covariance = moments.covariance();
  const double error = z / std::sqrt(double{n});
  EXPECT_NEAR(moments.mean()[0], 0.1, 0.15 * error);
  EXPECT_NEAR(moments.mean()[1], std::log(0.2), 0.5 * error);
  EXPECT_NEAR(covariance(0, 0), 0.0225, 0.0225 * std::sqrt(2.0) * error);
  EXPECT_NEAR(covariance(1, 1), 0.25, 0.25 * std::sqrt(2.0) * error);
  EXPECT_NEAR(covariance(0, 1), -0.6 * 0.15 * 0.5, 0.15 * 0.5 * std::sqrt(1.36) * error);
  const Matrix c = covariance_in_coordinates(model);
  EXPECT_NEAR(c(0, 1), -0.6 * 0.15 * 0.5, 1e-12);
}

// var log x_T = s^2 T + T^2 var m where m alone has an error.
TEST(DrawnParameters, EachPathHasItsOwn) {
  constexpr std::size_t n = 20'000;
  const Model model = parse_model(gbm + "estimated m +- 0.15\n");
  const Model drawn = with_drawn_parameters(model, n, 1);
  ASSERT_EQ(drawn.dimension(), 2U);
  const Paths paths = run(drawn, n, {0.5, 1.0});
  Moments half(1), whole(1);
  for (std::size_t r = 0; r < n; ++r) {
    const double first = std::log(paths.snapshots[0].x()(r, 0));
    const double last = std::log(paths.snapshots[1].x()(r, 0));
    half.add({&first, 1});
    whole.add({&last, 1});
    ASSERT_EQ(paths.snapshots[1].x()(r, 1), paths.snapshots[0].x()(r, 1));
  }
  const double variance = 0.04 + 0.0225;
  EXPECT_NEAR(whole.mean()[0], 0.08, z * std::sqrt(variance / n));
  expect_variance(whole, 0, variance);
  expect_variance(half, 0, 0.02 + 0.0225 / 4.0);
}

// An initial law that depends on a parameter with an error, and a start from samples beside it.
TEST(DrawnParameters, MoveTheInitialLaw) {
  constexpr std::size_t n = 20'000;
  const Model model = parse_model(
      "model m\nparam m = 2\nparam b = 0.5 in (0, inf)\nstate x, w\ndx = 0 dt + 0.1 dW\n"
      "dw = 0.1 dV\ninit x ~ normal(m, b)\ninit w ~ samples(\"w.npy\")\ntime 0 : 0.5 : 1\n"
      "estimated m +- 1\n");
  Matrix rows(2, 2);
  rows(0, 1) = 5.0;
  rows(1, 1) = -5.0;
  const Model drawn =
      with_drawn_parameters(model.with_samples(std::make_shared<const Matrix>(rows)), n, 3);
  const Paths paths = run(drawn, n, {0.0, 1.0});
  Moments x(2);
  double above = 0.0;
  for (std::size_t r = 0; r < n; ++r) {
    const auto row = paths.snapshots[0].x().row(r);
    const double both[] = {row[0] - row[2], row[2]};
    x.add(both);
    above += row[1] == 5.0 ? 1.0 : 0.0;
    ASSERT_EQ(std::fabs(row[1]), 5.0);
  }
  EXPECT_NEAR(x.mean()[0], 0.0, z * 0.5 / std::sqrt(double{n}));
  expect_variance(x, 0, 0.25);
  expect_variance(x, 1, 1.0);
  EXPECT_NEAR(above / n, 0.5, z * 0.5 / std::sqrt(double{n}));
}

TEST(Measurement, IsTheValueWithItsNoise) {
  constexpr std::size_t n = 20'000;
  const Model model = parse_model(gbm);
  const Paths paths = run(model, n, {0.5, 1.0});
  const PathGroup all{0, paths.numbers, paths.snapshots};
  const Measurement measurement(model, 1);
  EXPECT_EQ(measurement.names(), std::vector<std::string>{"y"});
  const Matrix y = measurement.of(all, 1);
  Moments noise(2), measured(1);
  const Matrix before = measurement.of(all, 0);
  for (std::size_t r = 0; r < n; ++r) {
    const double both[] = {y(r, 0) - std::log(all.snapshots[1].x()(r, 0)),
                           before(r, 0) - std::log(all.snapshots[0].x()(r, 0))};
    noise.add(both);
    measured.add(y.row(r));
  }
  expect_variance(noise, 0, 0.09);
  expect_variance(noise, 1, 0.09);
  expect_variance(measured, 0, 0.04 + 0.09);
  // The same measurement whatever else is asked for, and another one at another time.
  const Paths end_alone = run(model, n);
  const Matrix again = Measurement(model, 1).of({0, end_alone.numbers, end_alone.snapshots}, 0);
  EXPECT_EQ(again.data, y.data);
  EXPECT_NE(y(0, 0) - std::log(all.snapshots[1].x()(0, 0)),
            before(0, 0) - std::log(all.snapshots[0].x()(0, 0)));
}

TEST(Measurement, OfStatesWhereNothingIsObserved) {
  const Model model = parse_model(
      "model m\nstate x, v\ndx = v dt\ndv = -x dt + dW\ninit x = 1\ninit v = 0\n"
      "time 0 : 0.1 : 1\n");
  const Paths paths = run(model, 100);
  const Measurement measurement(model, 1);
  EXPECT_EQ(measurement.names(), (std::vector<std::string>{"x", "v"}));
  EXPECT_EQ(measurement.of({0, paths.numbers, paths.snapshots}, 0).data,
            paths.snapshots[0].x().data);
}

TEST(Measurement, WithoutADeviationIsRefused) {
  const Model model = parse_model(
      "model m\nstate x\ndx = dW\ninit x = 0\nobserve y ~ normal(x, x)\ntime 0 : 0.1 : 1\n");
  const Paths paths = run(model, 100);
  EXPECT_THROW((void)Measurement(model, 1).of({0, paths.numbers, paths.snapshots}, 0), Error);
}

// Linear in the coordinates: the delta method is exact, correlations and all.
TEST(ErrorsByFit, OfLinearNumbersAreExact) {
  const Model model =
      parse_model(gbm + "estimated m +- 0.15\nestimated s +- 0.1 correlations [-0.6]\n");
  const auto errors = errors_by_fit(model, [](const Model& at) {
    const double m = at.parameters()[0].value;
    const double u = std::log(at.parameters()[1].value);
    return std::vector<double>{2.0 * m, u, m + u, m - u};
  });
  EXPECT_NEAR(errors[0], 0.3, 1e-9);
  EXPECT_NEAR(errors[1], 0.5, 1e-9);
  EXPECT_NEAR(errors[2], std::sqrt(0.0225 + 0.25 - 2.0 * 0.045), 1e-9);
  EXPECT_NEAR(errors[3], std::sqrt(0.0225 + 0.25 + 2.0 * 0.045), 1e-9);
}

// Estimates of m from r rows, m = mean(log x_T)/T + s^2/2 with the error s/sqrt(r T), and a new
// datum from the truth: quantiles with the error of the fit hold it as often as they say, those
// without too seldom. Another m moves log x_T and its quantiles by as much.
TEST(DrawnParameters, MakeIntervalsThatCover) {
  constexpr std::size_t fits = 4000, paths = 20'000, rows = 3;
  const Model model = parse_model(gbm + "estimated m +- 0.115470\n");  // 0.2/sqrt(3)
  const auto interval = [](const Paths& run) {
    std::vector<double> x = run.snapshots[0].x().column(0);
    std::ranges::sort(x);
    return Range{std::log(x[paths / 20]), std::log(x[paths - 1 - paths / 20])};
  };
  const Range wide = interval(run(with_drawn_parameters(model, paths, 1), paths));
  const Range plain = interval(run(model, paths));
  const NormalSource truth(11);
  std::size_t with = 0, without = 0;
  for (std::size_t k = 0; k < fits; ++k) {
    double mean = 0.0;
    for (std::size_t i = 0; i < rows; ++i) mean += truth.normal(k, i, 0, 1) / double{rows};
    const double next = 0.08 + 0.2 * truth.normal(k, rows, 0, 1);
    with += wide.contains(next - 0.2 * mean);
    without += plain.contains(next - 0.2 * mean);
  }
  // The ends themselves have an error of 0.0015 each in probability.
  const double error = 3.0 * std::sqrt(0.9 * 0.1 / fits) + 0.01;
  EXPECT_NEAR(static_cast<double>(with) / fits, 0.9, error);
  // Without: P(|z| < 1.645 / sqrt(4/3)) = 0.846.
  EXPECT_NEAR(static_cast<double>(without) / fits, 0.846, error);
}

}  // namespace
}  // namespace divker
