// Fits find what they should, with standard errors that tell how closely.
#include "divker/fit.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "divker/error.hpp"
#include "divker/language.hpp"
#include "fit/bounds.hpp"
#include "fit/goodness.hpp"
#include "fit/instrument.hpp"
#include "support/asked.hpp"
#include "support/statistics.hpp"

namespace divker {
namespace {

using test::sample;
using ::testing::HasSubstr;

// Normal at all times: closed forms, and a maximum-likelihood estimate from mean and variance.
const char* const relaxation = R"(model relaxation
param m = 1
param s = 1 in (0, inf)
state x
dx = (m - x) dt + s dW
init x ~ normal(0, 0.5)
time 0 : 0.01 : 1
)";

FitOptions quick(std::size_t paths) {
  FitOptions options;
  options.sampling.paths = paths;
  return options;
}

FitResult fit_sample(const Model& model, const Matrix& y, const FitOptions& options) {
  return fit_parameters(model, match_data(model, {{"data", {}, y, {}}}, {}), options);
}

// The Euler chain's mean and variance at time 1.
struct Law {
  double mean_of_m = 0.0;   // mean / m
  double variance_0 = 0.0;  // variance = variance_0 + s^2 variance_s
  double variance_s = 0.0;
};
Law euler_law() {
  const double decay = std::pow(0.99, 100);
  return {1.0 - decay, 0.25 * decay * decay, 0.01 * (1.0 - decay * decay) / (1.0 - 0.99 * 0.99)};
}

TEST(Fit, IsTheMaximumOfTheLikelihood) {
  const Model model = parse_model(relaxation);
  const Matrix y = sample(model, 2000, 7);
  const FitResult result =
      fit_sample(model.with_value("m", 3.0).with_value("s", 2.5), y, quick(50'000));
  EXPECT_TRUE(result.state.converged) << result.state.reason;
  test::Mean all;
  for (const double value : y.data) all.add(value);
  const double mean = all.estimate().value;
  const double variance = std::pow(all.root_mean_square(), 2) - mean * mean;
  const Law law = euler_law();
  // What is left is the noise of the paths.
  EXPECT_TRUE(test::consistent({result.estimate[0], result.simulation_error[0]},
                               mean / law.mean_of_m, 0.002));
  EXPECT_TRUE(test::consistent({result.estimate[1], result.simulation_error[1]},
                               std::sqrt((variance - law.variance_0) / law.variance_s), 0.002));
  // Fisher's information of a normal law.
  const double total = law.variance_0 + law.variance_s;
  EXPECT_NEAR(result.standard_error[0], std::sqrt(total * 1.04 / 2000) / law.mean_of_m, 2e-3);
  EXPECT_NEAR(result.standard_error[1], total * std::sqrt(1.04 / 4000) / law.variance_s, 3e-3);
  EXPECT_TRUE(result.weak.empty());
  for (const GoodnessOfFit& one : result.goodness) {
    EXPECT_GT(one.kolmogorov_smirnov_p, 1e-4);
    EXPECT_GT(one.energy_p, 0.005);
  }
}

// z = (estimate - truth) / standard error over repetitions has mean square 1.
TEST(Fit, StandardErrorsCover) {
  const Model model = parse_model(relaxation);
  constexpr std::size_t repetitions = 30;
  test::Mean squares;
  for (std::size_t k = 0; k < repetitions; ++k) {
    FitOptions options = quick(8'000);
    options.sampling.seed = 1000 + k;
    options.method.damping = parse_damping("jacobian:1,1");
    const FitResult result = fit_sample(model, sample(model, 400, 5000 + k), options);
    EXPECT_TRUE(result.state.converged) << result.state.reason;
    for (std::size_t i = 0; i < 2; ++i) {
      squares.add(std::pow((result.estimate[i] - 1.0) / result.standard_error[i], 2));
    }
  }
  EXPECT_TRUE(test::consistent(squares.estimate(), 1.0, 0.1));
}

TEST(Fit, SeesThroughNoiseOfTheObservation) {
  const Model model = parse_model(std::string(relaxation) +
                                  "param e = 0.5 in (0, inf)\nparam c = 2\n"
                                  "observe y ~ normal(c*x, e)\nobserve z ~ normal(x, 0.1)\n");
  // c and e from the joint law of both.
  Matrix both = sample(model, 4000, 11);
  both.cols = 2;
  both.data.resize(2 * both.rows);
  const NormalSource normals(3);
  const Matrix x = sample(model, 4000, 11);
  for (std::size_t r = 0; r < both.rows; ++r) {
    both(r, 0) = 2.0 * x(r, 0) + 0.5 * normals.normal(r, 0, 0, 2);
    both(r, 1) = x(r, 0) + 0.1 * normals.normal(r, 0, 1, 2);
  }
  const FitResult result =
      fit_sample(model.with_value("c", 1.5).with_value("e", 0.9), both, quick(50'000));
  EXPECT_TRUE(result.state.converged) << result.state.reason;
  const std::vector<double> truth{1.0, 1.0, 0.5, 2.0};
  for (std::size_t i = 0; i < truth.size(); ++i) {
    EXPECT_TRUE(test::consistent({result.estimate[i], result.standard_error[i]}, truth[i]))
        << result.names[i];
    EXPECT_LT(result.standard_error[i], 0.1);
  }
}

// Fifteen parameters from all of them at their class means.
TEST(Fit, FindsTheParametersOfARing) {
  const std::vector<double> truth{4.246, 4.483, 4.590, 4.885, 4.478, 1.145, 0.718, 0.980,
                                  1.250, 1.192, 1.244, 1.040, 0.757, 0.844, 1.150};
  const Model start = load_model("ring");
  const Matrix y = sample(start.with_parameters(truth), 20'000, 99);
  FitOptions options = quick(60'000);
  options.iterations = 10;
  const FitResult result = fit_sample(start, y, options);
  EXPECT_TRUE(result.state.converged) << result.state.reason;
  test::Mean squares;
  for (std::size_t i = 0; i < truth.size(); ++i) {
    EXPECT_TRUE(test::consistent({result.estimate[i], result.standard_error[i]}, truth[i]))
        << result.names[i];
    squares.add(std::pow(result.estimate[i] - truth[i], 2));
  }
  EXPECT_LT(squares.estimate().value, 0.0015);
}

// Of the 95% intervals of fifteen parameters 95% hold the truth. Repetitions are independent, the
// intervals of one are not. The long version is the table of docs/fit.md.
TEST(Fit, IntervalsOfARingCover) {
  const Model model = load_model("ring");
  constexpr std::size_t repetitions = 12;
  test::Mean covered;
  for (std::size_t k = 0; k < repetitions; ++k) {
    FitOptions options = quick(8'000);
    options.sampling.seed = 300 + k;
    options.method.damping = parse_damping("jacobian:4,0.5");
    const FitResult result = fit_sample(model, sample(model, 1000, 7000 + k), options);
    EXPECT_TRUE(result.state.converged) << result.state.reason;
    double share = 0.0;
    for (std::size_t i = 0; i < result.estimate.size(); ++i) {
      const double truth = model.parameter_values()[model.free_parameters()[i]];
      const bool holds = std::fabs(result.estimate[i] - truth) < 1.96 * result.standard_error[i];
      share += holds ? 1.0 / 15.0 : 0.0;
    }
    covered.add(share);
  }
  EXPECT_TRUE(test::consistent(covered.estimate(), 0.95, 0.02));
}

TEST(Fit, NamesWhatHasNoEffectAndWhatIsWeak) {
  const Model model = parse_model(
      "model weak\nparam a = 1 in (0, inf)\nparam b = 1 in (0, inf)\nparam q = 1\nstate x, u\n"
      "dx = -x dt + a*b dW\ndu = -q*u dt + dV\ninit x ~ normal(0, 0.1)\n"
      "init u ~ normal(0, 1)\ntime 0 : 0.02 : 1\n");
  const Matrix all = sample(model, 1000, 5);
  Matrix x(all.rows, 1);
  x.data = all.column(0);
  const FitData data = match_data(model, {{"data", {"x"}, x, {}}}, {});
  const FitResult result = fit_parameters(model.with_value("a", 2.0), data, quick(20'000));
  EXPECT_EQ(result.inactive, (std::vector<std::string>{"q"}));
  ASSERT_EQ(result.weak.size(), 1U);
  EXPECT_THAT(result.weak.front(), HasSubstr("a and b are determined only through a * b"));
  EXPECT_NEAR(result.estimate[0] * result.estimate[1], 1.0, 0.1);
}

TEST(Fit, GoesOnFromASavedStateToTheSameBits) {
  const Model model = parse_model(relaxation);
  const FitData data = match_data(model, {{"data", {}, sample(model, 500, 3), {}}}, {});
  const Model start = model.with_value("s", 3.0).with_value("m", -2.0);
  for (const std::string& optimizer : optimizer_names()) {
    FitOptions options = quick(10'000);
    options.optimizer = optimizer;
    options.iterations = 12;
    const FitResult whole = fit_parameters(start, data, options);
    Fit first(start, data, options);
    std::string saved = to_text(first.state());
    bool more = true;
    while (more) {
      Fit next(start, data, options);
      next.resume(parse_fit_state(saved, "saved"));
      more = next.advance();
      saved = to_text(next.state());
    }
    EXPECT_EQ(saved, to_text(whole.state));
  }
}

TEST(Fit, ThePlainEstimatorAndGradientsComeClose) {
  const Model model = parse_model(relaxation);
  const Matrix y = sample(model, 1000, 9);
  FitOptions options = quick(5'000);
  options.match = "neighbours";
  options.optimizer = "gd";
  options.iterations = 40;
  options.rate = 0.5;
  const FitResult result = fit_sample(model.with_value("m", 1.5), y, options);
  EXPECT_EQ(result.record.regressor, "neighbours");
  EXPECT_NEAR(result.estimate[0], 1.0, 0.3);
  EXPECT_NEAR(result.estimate[1], 1.0, 0.3);
}

TEST(Fit, FitsStationaryData) {
  const Model model = parse_model(
      "model well\nparam a = 1\nparam s = 0.8 in (0, inf)\nstate x\n"
      "dx = (a*x - x^3) dt + s dW\ninit x ~ normal(0, 1)\ntime 0 : 0.02 : 8\n");
  DataOptions stationary;
  stationary.stationary = true;
  const FitData data = match_data(model, {{"data", {}, sample(model, 2000, 21), {}}}, stationary);
  const FitResult result =
      fit_parameters(model.with_value("a", 0.5).with_value("s", 1.1), data, quick(40'000));
  EXPECT_TRUE(result.state.converged) << result.state.reason;
  EXPECT_TRUE(test::consistent({result.estimate[0], result.standard_error[0]}, 1.0, 0.05));
  EXPECT_TRUE(test::consistent({result.estimate[1], result.standard_error[1]}, 0.8, 0.02));
}

TEST(Fit, TakesTheBestOfSeveralStarts) {
  const Model model = parse_model(
      "model hump\nparam a = 0.2\nparam s = 0.5 in (0, inf)\nstate x\n"
      "dx = (3*cos(a) - x) dt + s dW\ninit x ~ normal(0, 0.5)\ntime 0 : 0.02 : 1\n");
  const Matrix y = sample(model.with_value("a", 2.0), 500, 31);
  // The law does not know the sign of a, nor whole turns.
  FitOptions options = quick(10'000);
  options.starts = 12;
  const FitResult result = fit_sample(model, y, options);
  EXPECT_TRUE(result.state.converged) << result.state.reason;
  EXPECT_NEAR(std::cos(result.estimate[0]), std::cos(2.0), 0.05);
}

// Data in centimetres of a model in metres.
TEST(Fit, QuestionsDataFarFromTheStart) {
  const Model model = parse_model(relaxation);
  Matrix y = sample(model, 300, 3);
  FitOptions options = quick(2000);
  const auto far = [&] {
    Fit fit(model, match_data(model, {{"data", {}, y, {}}}, {}), options);
    EXPECT_TRUE(fit.state().far.empty());
    fit.advance();
    EXPECT_EQ(fit.state().history.size(), 1U);
    EXPECT_EQ(parse_fit_state(to_text(fit.state()), "f").far, fit.state().far);
    return fit.state().far;
  };
  EXPECT_THAT(far(), ::testing::IsEmpty());
  for (double& value : y.data) value += 10.0;
  EXPECT_THAT(far(), ::testing::IsEmpty());  // a bad start
  for (double& value : y.data) value += 20.0;
  ASSERT_EQ(far().size(), 1U);
  EXPECT_THAT(far()[0], ::testing::MatchesRegex(
                            "x: the data have mean 30\\.[0-9]+ and deviation 0\\.[0-9]+, the model "
                            "at the start 0\\.[0-9]+ and 0\\.[0-9]+ \\(other units\\?\\)\\."));
  for (double& value : y.data) value = 100.0 * (value - 30.0);
  ASSERT_EQ(far().size(), 1U);
  EXPECT_THAT(far()[0], HasSubstr("(a factor of 100: other units?)."));
  options.iterations = 1;
  const FitResult result = fit_sample(model, y, options);
  EXPECT_FALSE(result.state.converged);
  EXPECT_EQ(result.remarks, far());
  EXPECT_THAT(result.state.reason, HasSubstr("; x: the data have mean "));
  EXPECT_TRUE(result.state.reason.ends_with("(a factor of 100: other units?)"));
  y = Matrix(4, 1, 0.5);  // four equal values may be chance, five are not
  EXPECT_THAT(far(), ::testing::IsEmpty());
  y = Matrix(5, 1, 0.5);
  EXPECT_EQ(far().size(), 1U);
}

TEST(Fit, WritesTheFittedModel) {
  const Model model = parse_model(relaxation);
  const FitResult result = fit_sample(model, sample(model, 300, 2), quick(4'000));
  const std::string text = fitted_text(result);
  EXPECT_THAT(text, HasSubstr("# Fitted to 300 rows of data in "));
  EXPECT_THAT(text, HasSubstr(" +- "));
  EXPECT_EQ(parse_model(text).parameter_values(), result.model.parameter_values());
}

TEST(Fit, RefusesBadRequests) {
  const Model model = parse_model(relaxation);
  const FitData data = match_data(model, {{"data", {}, Matrix(1, 1, 0.5), {}}}, {});
  const auto message = [&](const FitData& of, const FitOptions& options) -> std::string {
    try {
      (void)Fit(model, of, options);
    } catch (const Error& error) {
      return error.what();
    }
    return "nothing was thrown";
  };
  EXPECT_THAT(message(data, quick(1000)),
              HasSubstr("The data have 1 rows, fewer than the 2 parameters to be fitted"));
  EXPECT_THAT(message(data, quick(10)), HasSubstr("a fit needs at least 100"));
  FitOptions options = quick(1000);
  options.window = 3.0;
  EXPECT_THAT(message(data, options), HasSubstr("The window is 3; it must be from 0"));
  const FitData more = match_data(model, {{"data", {}, Matrix(3, 1, 0.5), {}}}, {});
  options = quick(1000);
  options.optimizer = "simplex";
  EXPECT_EQ(message(more, options), "optimizer: 'simplex' is none of: newton, dual, adam, gd.");
  options = quick(1000);
  options.match = "scaled";
  EXPECT_EQ(message(more, options), "match: 'scaled' is none of: centred, neighbours.");
  EXPECT_THROW((void)parse_fit_state("divker fit 4\nfingerprint x\nparameters a\n", "f"), Error);
}

TEST(Fit, RefusesDamagedStates) {
  FitState state;
  state.fingerprint = "x";
  state.parameters = state.damping_parameters = {1.0, 2.0};
  state.active = {0, 1};
  state.paths = 100;
  state.history.push_back({0, 100, 0.5, 1.0, 0.5, 0, {1.0, 2.0}});
  const auto message = [&](const auto& damage) {
    FitState damaged = state;
    damage(damaged);
    try {
      (void)parse_fit_state(to_text(damaged), "f");
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::model);
      return std::string(error.what());
    }
    return std::string("no error");
  };
  EXPECT_EQ(message([](FitState&) {}), "no error");
  EXPECT_EQ(message([](FitState& s) { s.active[1] = 2; }),
            "f is no saved fit: an active parameter is not one of its 2.");
  EXPECT_EQ(message([](FitState& s) { s.damping_parameters.pop_back(); }),
            "f is no saved fit: it has 2 parameters and 1 damping_parameters.");
  EXPECT_EQ(message([](FitState& s) { s.paths = 0; }), "f is no saved fit: it has no paths.");
  EXPECT_EQ(message([](FitState& s) { s.history[0].parameters.pop_back(); }),
            "f is no saved fit: iteration 0 of its history has 6 numbers.");
  std::string text = to_text(state);
  text.replace(text.find("100 0 0.5"), 3, "1e300");
  EXPECT_THAT([&] { (void)parse_fit_state(text, "f"); },
              ::testing::ThrowsMessage<Error>(HasSubstr("holds 1e+300 where a whole number")));
}

TEST(Fit, RefusesTheMemoryOfAnotherOptimizer) {
  const Model model = parse_model(relaxation);
  const FitData data = match_data(model, {{"data", {}, Matrix(3, 1, 0.5), {}}}, {});
  FitOptions options = quick(1000);
  options.optimizer = "adam";
  Fit fit(model, data, options);
  FitState state = fit.state();
  state.memory.pop_back();
  EXPECT_THAT([&] { fit.resume(state); },
              ::testing::ThrowsMessage<Error>(
                  "The saved fit has 3 numbers in the memory of its optimizer; adam has 4 for 2 "
                  "active parameters."));
}

TEST(FitParts, BoundsAreKeptBothWays) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  for (const auto& [lower, upper] : std::vector<std::pair<double, double>>{
           {-infinity, infinity}, {0.0, infinity}, {-infinity, 5.0}, {-1.0, 4.0}}) {
    const Parameter p{"p", 0.0, lower, upper, false, 0};
    for (const double value : {0.001, 1.0, 3.9}) {
      const double u = fit::to_free(p, value);
      EXPECT_NEAR(fit::from_free(p, u), value, 1e-12);
      const double h = 1e-6;
      EXPECT_NEAR((fit::from_free(p, u + h) - fit::from_free(p, u - h)) / (2 * h),
                  fit::slope(p, value), 1e-6);
    }
    for (const double u : {-1e3, 1e3}) {
      const double value = fit::from_free(p, u);
      EXPECT_TRUE(value > lower && value < upper) << value;
    }
  }
}

// In twelve coordinates, where not all products of three fit, those of neighbours are there.
TEST(FitParts, InstrumentsSeeProductsOfNeighbours) {
  constexpr std::size_t rows = 4500;
  const NormalSource normals(23);
  Matrix y(rows, 12), responses(rows, 2);
  std::vector<double> truth;
  for (std::size_t r = 0; r < rows; ++r) {
    for (std::size_t c = 0; c < y.cols; ++c) y(r, c) = normals.normal(r, 0, c, 14);
    truth.push_back(y(r, 11) * y(r, 0) * y(r, 1));
    responses(r, 0) = truth.back() + normals.normal(r, 0, 12, 14);
    responses(r, 1) = y(r, 3) + normals.normal(r, 0, 13, 14);
  }
  const fit::Instrument instrument(y, responses, fit::Detail::coarse, 1);
  const Matrix learned = instrument.evaluate(y);
  double products = 0.0, squares = 0.0, left = 0.0;
  for (std::size_t r = 0; r < rows; ++r) {
    products += truth[r] * learned(r, 0);
    squares += truth[r] * truth[r];
    left += std::pow(learned(r, 0) - truth[r], 2);
  }
  EXPECT_NEAR(products / squares, 1.0, 0.1);
  EXPECT_LT(left / squares, 0.2);
}

// A product of four factors in three neighbours is beyond a coarse instrument.
TEST(FitParts, FineInstrumentsSeeProductsOfHigherDegree) {
  EXPECT_TRUE(fit::Instrument::can_be_finer(20, 120'000));
  EXPECT_FALSE(fit::Instrument::can_be_finer(20, 10'000));  // too few samples
  EXPECT_FALSE(fit::Instrument::can_be_finer(2, 120'000));  // all products are in it
  constexpr std::size_t rows = 30'000;
  const NormalSource normals(29);
  Matrix y(rows, 12), responses(rows, 1);
  for (std::size_t r = 0; r < rows; ++r) {
    for (std::size_t c = 0; c < y.cols; ++c) y(r, c) = normals.normal(r, 0, c, 13);
    const double square = y(r, 0) * y(r, 0) - 1.0;
    responses(r, 0) = y(r, 11) * square * y(r, 1) + normals.normal(r, 0, 12, 13);
  }
  const auto explained = [&](fit::Detail detail) {
    const Matrix learned = fit::Instrument(y, responses, detail, 2).evaluate(y);
    double products = 0.0, squares = 0.0;
    for (std::size_t r = 0; r < rows; ++r) {
      products += responses(r, 0) * learned(r, 0);
      squares += responses(r, 0) * responses(r, 0);
    }
    return products / squares;
  };
  // The truth is two thirds of the variance; at most 600 features learn 2% of the rest.
  EXPECT_NEAR(explained(fit::Detail::fine), 0.667, 0.04);
  EXPECT_LT(explained(fit::Detail::coarse), 0.05);
}

// Quantiles of the chi-square law from tables.
TEST(FitParts, ChiSquareIsThatOfTables) {
  EXPECT_NEAR(fit::chi_square_quantile(0.05, 10), 18.307, 0.05);
  EXPECT_NEAR(fit::chi_square_quantile(0.001, 60), 99.607, 0.2);
  EXPECT_NEAR(fit::chi_square_tail(fit::chi_square_quantile(0.01, 4), 4), 0.01, 1e-6);
}

// Three coordinates; with `correlation` the first two have the same marginals but not one law.
Matrix triples(std::size_t rows, double correlation, std::uint64_t seed) {
  const NormalSource normals(seed);
  Matrix m(rows, 3);
  for (std::size_t r = 0; r < rows; ++r) {
    for (std::size_t c = 0; c < 3; ++c) m(r, c) = normals.normal(r, 0, c, 3);
    m(r, 1) = correlation * m(r, 0) + std::sqrt(1.0 - correlation * correlation) * m(r, 1);
  }
  return m;
}

TEST(FitParts, JointMomentsHaveTheirLevelAndSeeCorrelations) {
  std::size_t rejected = 0;
  constexpr std::size_t repetitions = 200;
  for (std::size_t k = 0; k < repetitions; ++k) {
    const fit::ChiSquare test =
        fit::joint_moments(triples(200, 0.5, 2 * k), triples(2000, 0.5, 2 * k + 1));
    EXPECT_EQ(test.freedom, 9U);
    rejected += test.p < 0.1 ? 1 : 0;
  }
  // Binomial: 20 +- 5 * 4.2.
  EXPECT_LE(rejected, 41U);
  EXPECT_GE(rejected, 3U);
  EXPECT_LT(fit::joint_moments(triples(1000, 0.5, 1), triples(2000, 0.0, 2)).p, 1e-6);
  EXPECT_EQ(fit::joint_moments(triples(10, 0.5, 1), triples(200, 0.5, 2)).freedom, 0U);
}

TEST(FitParts, TestsOfOneLawHaveTheirLevel) {
  const NormalSource normals(17);
  std::size_t ks = 0, energy = 0;
  constexpr std::size_t repetitions = 200;
  for (std::size_t k = 0; k < repetitions; ++k) {
    std::vector<double> a, b;
    for (std::size_t i = 0; i < 60; ++i) a.push_back(normals.normal(k, i, 0, 1));
    for (std::size_t i = 0; i < 300; ++i) b.push_back(normals.normal(k, 100 + i, 0, 1));
    ks += fit::kolmogorov_smirnov(a, b).p < 0.1 ? 1 : 0;
    energy += fit::energy_distance(a, b, k).p < 0.1 ? 1 : 0;
  }
  // Binomial: 20 +- 5 * 4.2.
  EXPECT_LE(ks, 41U);
  EXPECT_LE(energy, 41U);
  EXPECT_GE(energy, 3U);
}

}  // namespace
}  // namespace divker
