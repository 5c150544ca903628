// Response functions against closed forms of the Ornstein-Uhlenbeck process, finite differences on
// common noise, the ordinary response, and direct simulation of a forced model.
#include "divker/response_function.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "answer/rewrite.hpp"
#include "divker/error.hpp"
#include "divker/language.hpp"
#include "support/statistics.hpp"

namespace divker {
namespace {

using test::consistent;

AnswerOptions options_with(std::size_t paths, std::uint64_t seed = 1) {
  AnswerOptions options;
  options.sampling.paths = paths;
  options.sampling.seed = seed;
  return options;
}

Kick kick_of(const Model& model, const std::string& parameter, std::vector<double> lags) {
  return {model.parameter_index(parameter), std::move(lags), std::nullopt};
}

std::string refusal_of(const std::function<void()>& asked) {
  try {
    asked();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

void expect_along(const ResponseFunction& found, const std::function<double(double)>& response,
                  const std::function<double(double)>& integral) {
  for (std::size_t l = 0; l < found.lags.size(); ++l) {
    const double lag = found.lags[l];
    EXPECT_TRUE(consistent(found.response[l], response(lag), 1e-12)) << "R at lag " << lag;
    EXPECT_TRUE(consistent(found.integral[l], integral(lag), 1e-12)) << "G at lag " << lag;
  }
}

// Of dx = -a (x - m) dt + s dW with a = s = 1, m = 0 from normal(0, 2).
double variance_at(double t) { return 4.0 * std::exp(-2.0 * t) + 0.5 * (1.0 - std::exp(-2.0 * t)); }

TEST(JointEstimate, ErrorsOfSumsKnowCorrelations) {
  BatchSums sums(2);
  const std::vector<double> z{1.0, 3.0, 2.0, 6.0};
  for (const double one : z) {
    sums.begin(1);
    sums.add(0, one);
    sums.add(1, 2.0 - one);  // the sum of both is known
  }
  const JointEstimate joint = sums.result();
  EXPECT_NEAR(joint[0].value, 3.0, 1e-14);
  EXPECT_NEAR(joint[0].standard_error, std::sqrt((4.0 + 0.0 + 1.0 + 9.0) / 3.0 / 4.0), 1e-14);
  EXPECT_NEAR(joint.of(std::vector<double>{1.0, 1.0}).value, 2.0, 1e-14);
  EXPECT_NEAR(joint.of(std::vector<double>{1.0, 1.0}).standard_error, 0.0, 1e-14);
}

TEST(ResponseFunction, OfOrnsteinUhlenbeckToItsMean) {
  const Model model = load_model("ou");
  const Kick kick = kick_of(model, "m", {0.0, 0.1, 0.5, 1.0});
  expect_along(
      response_function(model, "x", kick, options_with(2000)),
      [](double lag) { return std::exp(-lag); }, [](double lag) { return 1.0 - std::exp(-lag); });
}

TEST(ResponseFunction, OfOrnsteinUhlenbeckToItsNoise) {
  const Model model = load_model("ou");
  const Kick kick = kick_of(model, "s", {0.0, 0.2, 0.6});
  expect_along(
      response_function(model, "x^2", kick, options_with(50'000)),
      [](double lag) { return 2.0 * std::exp(-2.0 * lag); },
      [](double lag) { return 1.0 - std::exp(-2.0 * lag); });
}

// A jump is handed to the noise of the kick's own step.
TEST(ResponseFunction, SeesJumpsOfTheObservable) {
  const Model model = load_model("ou");
  const Kick kick = kick_of(model, "m", {0.1, 0.5});
  const auto found = response_function(model, "if(x > 0, 1, 0)", kick, options_with(100'000));
  for (std::size_t l = 0; l < 2; ++l) {
    const double lag = found.lags[l];
    const double density = 1.0 / std::sqrt(2.0 * 3.14159265358979 * variance_at(lag));
    EXPECT_TRUE(consistent(found.response[l], density * std::exp(-lag), 1e-12)) << lag;
    EXPECT_LT(found.response[l].standard_error, 0.5 * density);
  }
}

TEST(ResponseFunction, IntegralIsTheResponseToALastingChange) {
  const Model model = load_model("double_well");
  const std::vector<double> lags{1.0, 2.0};
  const Kick kick = kick_of(model, "h", lags);
  const auto found = response_function(model, "x", kick, options_with(20'000));
  for (std::size_t l = 0; l < lags.size(); ++l) {
    AnswerOptions options = options_with(20'000, 2);
    options.sampling.snapshots = {lags[l]};
    options.method.estimator = "path-kernel";
    const ObservableAnswer other =
        observable_response(model, {model.parameter_index("h")}, "x", options);
    const Estimate difference{
        found.integral[l].value - other.response[0].value,
        std::hypot(found.integral[l].standard_error, other.response[0].standard_error)};
    EXPECT_TRUE(consistent(difference, 0.0, 1e-12));
    EXPECT_GT(std::fabs(found.integral[l].value), 10.0 * found.integral[l].standard_error);
  }
}

// E[Phi] of the chain with an impulse of both signs in its first step, on the same noise.
TEST(ResponseFunction, AgreesWithFiniteDifferencesOnLorenz96) {
  const Model model = load_model("lorenz96");
  const std::string observable = "x[0]^2";
  const std::vector<double> lags{0.0, 0.2, 0.6};
  AnswerOptions options = options_with(4000);
  options.time_step = TimeStep::ignored;
  const auto found = response_function(model, observable, kick_of(model, "F", lags), options);
  const KickedModel kicked(model, model.parameter_index("F"));
  Sampling sampling = options.sampling;
  for (const double lag : lags) sampling.snapshots.push_back(lag + model.time().step);
  constexpr double h = 0.02;
  const Ensemble ensemble(kicked.model(), {}, Asked::states());
  const auto paths_at = [&](double kick) {
    std::vector<double> values = kicked.model().parameter_values();
    values[kicked.both().front()] = kick;
    return ensemble.run_at(kicked.model().with_parameters(values), sampling);
  };
  const Paths above = paths_at(h), below = paths_at(-h);
  for (std::size_t l = 0; l < lags.size(); ++l) {
    test::Mean difference;
    for (std::size_t r = 0; r < above.numbers.size(); ++r) {
      difference.add(
          (std::pow(above.snapshots[l].x()(r, 0), 2) - std::pow(below.snapshots[l].x()(r, 0), 2)) /
          (2.0 * h));
    }
    // The same paths: what is left is the curvature of the difference.
    EXPECT_NEAR(found.response[l].value, difference.estimate().value,
                0.05 * found.response[l].standard_error + 0.01);
  }
}

TEST(ResponseFunction, ChaosIsDampedWhereItHasGrown) {
  const Model model = load_model("lorenz96").with_value("T", 6.0);
  const auto found = response_function(model, "x[0]", kick_of(model, "F", {0.2, 1.0, 3.0, 5.0}),
                                       options_with(2000));
  EXPECT_LT(found.response[0].standard_error, 0.1);
  EXPECT_LT(found.response[3].standard_error, 5.0);
  EXPECT_TRUE(consistent(found.response[3], 0.0, 0.1));
  EXPECT_NE(found.record.alpha.find("from lag"), std::string::npos) << found.record.alpha;
}

class StationaryFunction : public testing::TestWithParam<std::string> {};

TEST_P(StationaryFunction, OfOrnsteinUhlenbeck) {
  const Model model = load_model("ou");
  std::vector<double> lags;
  for (int k = 0; k <= 60; ++k) lags.push_back(0.1 * k);
  StationaryOptions options;
  options.answer = options_with(GetParam() == "path-kernel" ? 2048 : 512);
  options.answer.method.estimator = GetParam();
  const auto found = stationary_response_function(model, "x^3", kick_of(model, "m", lags), options);
  // E[3 x^2] exp(-tau), at each lag and at frequencies.
  for (const std::size_t l : {0U, 2U, 10U, 30U}) {
    EXPECT_TRUE(consistent(found.response[l], 1.5 * std::exp(-lags[l]), 1e-12)) << lags[l];
    EXPECT_TRUE(consistent(found.integral[l], 1.5 * (1.0 - std::exp(-lags[l])), 1e-12));
  }
  for (const Susceptibility& one : susceptibility(found, {0.0, 1.0, 3.0})) {
    const double w = one.frequency, missing = 1.5 * std::exp(-6.0) + 2e-3;
    EXPECT_TRUE(consistent(one.real, 1.5 / (1.0 + w * w), missing)) << w;
    EXPECT_TRUE(consistent(one.imaginary, 1.5 * w / (1.0 + w * w), missing)) << w;
  }
  Forcing ramp;
  for (int k = 0; k <= 20; ++k) {
    ramp.times.push_back(0.2 * k);
    ramp.change.push_back(0.02 * k);
  }
  const auto changes = forced_change(found, ramp);
  for (std::size_t k = 0; k < changes.size(); ++k) {
    const double t = ramp.times[k];
    EXPECT_TRUE(consistent(changes[k], 1.5 * 0.1 * (t - 1.0 + std::exp(-t)), 2e-4)) << t;
  }
}

TEST_P(StationaryFunction, ToItsNoise) {
  const Model model = load_model("ou");
  StationaryOptions options;
  options.answer = options_with(GetParam() == "path-kernel" ? 20'000 : 1024);
  options.answer.method.estimator = GetParam();
  const auto found =
      stationary_response_function(model, "x^2", kick_of(model, "s", {0.0, 0.5, 1.0}), options);
  expect_along(
      found, [](double lag) { return 2.0 * std::exp(-2.0 * lag); },
      [](double lag) { return 1.0 - std::exp(-2.0 * lag); });
}

INSTANTIATE_TEST_SUITE_P(By, StationaryFunction,
                         testing::Values("path-kernel", "divergence-kernel"), [](const auto& one) {
                           return one.param == "path-kernel" ? "Tangents" : "Integrals";
                         });

// A kick of the rate acts on where the seasons have brought the state.
TEST(ResponseFunction, OfASeasonalLawKnowsThePhase) {
  const Model model = parse_model(
      "model seasons\nparam a = 1\nstate x\ndx = -a*x dt + 2*cos(2*pi*t) dt + 0.2 dW\ninit x = 0\n"
      "time 0 : 0.01 : 1");
  constexpr double w = 2.0 * 3.14159265358979;
  StationaryOptions options;
  options.answer = options_with(4000);
  options.spinup = 8.0;
  for (const double phase : {0.0, 0.25}) {
    Kick kick = kick_of(model, "a", {0.0, 0.3, 1.0});
    kick.period = 1.0;
    kick.phase = phase;
    const auto found = stationary_response_function(model, "x", kick, options);
    const double mean = 2.0 * (std::cos(w * phase) + w * std::sin(w * phase)) / (1.0 + w * w);
    for (std::size_t l = 0; l < kick.lags.size(); ++l) {
      EXPECT_TRUE(consistent(found.response[l], -mean * std::exp(-kick.lags[l]), 1e-12)) << phase;
    }
    EXPECT_NE(refusal_of([&] {
                (void)forced_change(found, {{0.0, 1.0}, {0.0, 1.0}});
              }).find("without a period"),
              std::string::npos);
    kick.period = 0.7;
    EXPECT_NE(refusal_of([&] {
                (void)stationary_response_function(model, "x", kick, options);
              }).find("they have another period, or none"),
              std::string::npos);
  }
}

// Of the SDE's answer, dt included: bars of one standard error hold in two cases of three.
TEST(ResponseFunction, BarsCoverTheClosedForm) {
  const Model model = load_model("ou").with_value("dt", 0.02);
  const Kick kick = kick_of(model, "m", {0.1, 0.4, 0.8});
  std::size_t inside = 0, all = 0;
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    const auto found = response_function(model, "x^3", kick, options_with(1024, seed));
    for (std::size_t l = 0; l < kick.lags.size(); ++l, ++all) {
      const double lag = kick.lags[l];
      const double truth = 3.0 * variance_at(lag) * std::exp(-lag);
      const double error = std::fabs(found.response[l].value - truth);
      if (error < 2.0 * found.response[l].standard_error) ++inside;
    }
  }
  EXPECT_GE(inside, all * 85 / 100);
}

TEST(ResponseFunction, IsTheSameForAnyThreads) {
  const Model model = load_model("double_well");
  const Kick kick = kick_of(model, "h", {0.5, 1.0});
  AnswerOptions options = options_with(1500);
  options.session.threads = 1;
  const auto one = response_function(model, "x", kick, options);
  options.session.threads = 3;
  const auto three = response_function(model, "x", kick, options);
  EXPECT_EQ(one.joint.value, three.joint.value);
  EXPECT_EQ(one.joint.influence, three.joint.influence);
}

TEST(ResponseFunction, RefusesWhatItCannotTell) {
  const Model model = load_model("ou");
  const auto refused = [&](const std::string& parameter, std::vector<double> lags) {
    return refusal_of([&] {
      (void)response_function(model, "x", kick_of(model, parameter, std::move(lags)),
                              options_with(100));
    });
  };
  EXPECT_EQ(refused("m", {0.015}),
            "The lag 0.015 is no whole number of steps of 0.01; the nearest one is 0.02.");
  EXPECT_EQ(refused("m", {0.5, 1.5}),
            "The lag 1.5 ends at t = 1.5, beyond the end T = 1 of the time grid: a larger T makes "
            "room for it.");
  EXPECT_EQ(refused("m", {0.5, 0.2}), "Lags must ascend, but 0.2 follows 0.5.");
  EXPECT_EQ(refused("m", {-0.5}), "A lag is -0.5, but must be a time from 0 on after the kick.");
  EXPECT_EQ(refused("m", {}), "A response function needs lags; none are given.");
  const Model spread = parse_model(
      "model spread\nparam w = 2 in (0, inf)\nstate x\ndx = -x dt + dW\ninit x ~ normal(0, "
      "w)\ntime 0 : 0.01 : 1");
  EXPECT_NE(refusal_of([&] {
              (void)response_function(spread, "x", kick_of(spread, "w", {0.5}), options_with(100));
            }).find("mentions w: a kick changes a parameter of the equations for a moment"),
            std::string::npos);
  const Model silent = parse_model(
      "model silent\nparam k = 2\nstate x, v\ndx = v dt\ndv = -k*x dt - v dt + dW\ninit x = "
      "0\ninit v = 0\n"
      "time 0 : 0.01 : 1");
  EXPECT_NE(refusal_of([&] {
              (void)response_function(silent, "if(x > 0, 1, 0)", kick_of(silent, "k", {0.5}),
                                      options_with(100));
            }).find("jumps, which a derivative misses"),
            std::string::npos);
  const auto found =
      response_function(model, "x", kick_of(model, "m", {0.0, 0.5}), options_with(100));
  EXPECT_NE(refusal_of([&] {
              (void)forced_change(found, {{0.0, 1.0}, {0.0, 1.0}});
            }).find("ask for the response function of the stationary law"),
            std::string::npos);
}

TEST(ResponseFunction, TheStationaryOneNeedsALawThatStandsStill) {
  const Model model = load_model("ou");
  EXPECT_NE(refusal_of([&] {
              (void)stationary_response_function(model, "x*t", kick_of(model, "m", {0.5}), {});
            }).find("mentions the time t"),
            std::string::npos);
  const Model forced = parse_model(
      "model forced\nparam a = 1\nstate x\ndx = -a*x dt + cos(t) dt + dW\ninit x = 0\ntime 0 : "
      "0.01 : 1");
  EXPECT_NE(refusal_of([&] {
              (void)stationary_response_function(forced, "x", kick_of(forced, "a", {0.5}), {});
            }).find("depend on the time t"),
            std::string::npos);
}

}  // namespace
}  // namespace divker
