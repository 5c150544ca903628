// States with a range: the coordinate that each is stepped in, and answers near the ends. The
// truths are closed forms: the noncentral chi-square of a square-root process, the Beta law of gene
// frequencies, the identities that hold for every chain.
#include "divker/state_coordinates.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "answer/places_met.hpp"
#include "divker/answer.hpp"
#include "divker/boundaries.hpp"
#include "divker/fit.hpp"
#include "divker/language.hpp"
#include "divker/stationary.hpp"
#include "support/asked.hpp"
#include "support/closed_forms.hpp"
#include "support/errors.hpp"
#include "support/identities.hpp"
#include "support/statistics.hpp"

namespace divker {
namespace {

using test::column;
using test::consistent;
using test::message_of;
using test::with_paths;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

Model one_state(const std::string& state, const std::string& equation,
                const std::string& start = "init x = 0.4",
                const std::string& time = "0 : 0.01 : 1") {
  return parse_model(
      "model m\nparam a = 1 in (0, inf)\nparam b = 0.8 in (0, inf)\n"
      "param s = 0.7 in (0, inf)\nstate x " +
      state + "\ndx = " + equation + "\n" + start + "\ntime " + time + "\n");
}

// Genes that mutate both ways: stationary Beta(2a/s^2, 2b/s^2).
Model genes(const std::string& state = "in (0, 1)") {
  return parse_model("model genes\nparam a = 1 in (0, inf)\nparam b = 1.5 in (0, inf)\nstate x " +
                     state + "\ndx = (a*(1 - x) - b*x) dt + sqrt(x*(1 - x)) dW\ninit x = 0.3\n" +
                     "time 0 : 0.01 : 1\n");
}

// Feller's ratio 2ab/s^2 is 1.25: Euler's steps fall below zero on one path in six.
Model square_root(const std::string& state = "", double dt = 0.01) {
  return parse_model(
      "model rate\nparam a = 2 in (0, inf)\nparam b = 0.05 in (0, inf)\n"
      "param s = 0.4 in (0, inf)\nstate r " +
      state + "\ndr = a*(b - r) dt + s*sqrt(r) dW\ninit r = 0.04\ntime 0 : " + std::to_string(dt) +
      " : 1\n");
}

std::string coordinate_of(const Model& model) {
  const auto all = coordinates(model);
  return all[0] == nullptr ? "none" : all[0]->text("x");
}

TEST(Coordinates, FollowTheNoise) {
  const auto chosen = [](const std::string& state, const std::string& equation) {
    return coordinate_of(one_state(state, equation));
  };
  EXPECT_EQ(chosen("", "-x dt + s dW"), "none");
  EXPECT_EQ(chosen("positive", "a*x dt + s*x dW"), "log(x)");
  EXPECT_EQ(chosen("in (0, inf)", "a*x dt + s*x dW"), "log(x)");
  EXPECT_EQ(chosen("in (-2, inf)", "-a*x dt + s*(x + 2) dW"), "log(x - -2)");
  EXPECT_EQ(chosen("in (-inf, 3)", "-a*x dt + s*(3 - x) dW"), "log(3 - x)");
  EXPECT_EQ(chosen("in (0, 1)", "a*x*(1 - x) dt + s*x*(1 - x) dW"), "log((x - 0)/(1 - x))");
  EXPECT_EQ(chosen("positive", "a*(b - x) dt + s*sqrt(x) dW"), "sqrt(x)");
  EXPECT_EQ(chosen("positive", "a*(b - x) dt + s*x^0.5 dW - sqrt(0.1*s*x) dV"), "sqrt(x)");
  EXPECT_EQ(chosen("in (0.1, inf)", "a*(b - x) dt + s*sqrt(x - 0.1) dW"), "sqrt(x - 0.1)");
  EXPECT_EQ(chosen("in (-inf, 2)", "(a - 2*x) dt + s*sqrt(2 - x) dW"), "sqrt(2 - x)");
  EXPECT_EQ(chosen("in (0, 1)", "(a*(1 - x) - b*x) dt + s*sqrt(x*(1 - x)) dW"), "asin(sqrt(x))");
  EXPECT_EQ(chosen("in (-1, 2)", "(a - 2*x) dt + s*sqrt((x + 1)*(2 - x)) dW"),
            "asin(sqrt((x - -1)/3))");
  // Below Feller's bound, at one end or at the other, and where something else moves the end.
  EXPECT_EQ(chosen("positive", "a*(0.1 - x) dt + s*sqrt(x) dW"), "log(x)");
  EXPECT_EQ(chosen("in (0, 1)", "(a*(1 - x) - 0.1*x) dt + s*sqrt(x*(1 - x)) dW"),
            "log((x - 0)/(1 - x))");
  const auto pair = [](const std::string& drift) {
    return parse_model("model m\nstate x positive, z\ndx = (" + drift +
                       " - x) dt + 0.1*sqrt(x) dW\ndz = -z dt + dV\ninit x = 1\ninit z = 1\n"
                       "time 0 : 0.01 : 1\n");
  };
  EXPECT_EQ(coordinate_of(pair("z^2 + 1")), "log(x)");
  EXPECT_EQ(coordinate_of(pair("1 + x*z")), "sqrt(x)");
}

TEST(Coordinates, AreFoundWithoutADeclaration) {
  EXPECT_EQ(coordinate_of(square_root()), "none");
  EXPECT_EQ(coordinate_of(square_root().stepped_in_roots()), "sqrt(x)");
  EXPECT_EQ(coordinate_of(genes("").stepped_in_roots()), "asin(sqrt(x))");
  EXPECT_THAT(coordinates_in_words(square_root()),
              ElementsAre("r is stepped in sqrt(r), by implicit steps, where paths meet its end."));
  EXPECT_THAT(coordinates_in_words(square_root("positive")),
              ElementsAre("r is stepped in sqrt(r), by implicit steps."));
  EXPECT_THAT(coordinates_in_words(load_model("ou")), IsEmpty());
  EXPECT_EQ(square_root().stepped_in_roots().hash(), square_root().hash());
  // A normal law may begin beyond the end.
  const Model normal = one_state("", "a*(b - x) dt + s*sqrt(x) dW", "init x ~ normal(1, 0.1)");
  EXPECT_EQ(coordinate_of(normal.stepped_in_roots()), "none");
}

// Numbers and expressions of one coordinate agree, and g and tau are the derivatives of x(u).
TEST(Coordinates, HaveTheDerivativesTheySay) {
  const std::vector<std::pair<Model, double>> cases{
      {one_state("positive", "a*x dt + s*x dW"), 0.3},
      {one_state("in (-inf, 3)", "-a*x dt + s*(3 - x) dW"), -0.7},
      {one_state("in (-1, 2)", "-a*x dt + s*(x + 1)*(2 - x) dW"), 1.2},
      {one_state("in (-inf, 2)", "(a - 2*x) dt + s*sqrt(2 - x) dW"), 0.9},
      {one_state("in (-1, 2)", "(a - 2*x) dt + s*sqrt((x + 1)*(2 - x)) dW"), -0.4}};
  for (const auto& [model, at] : cases) {
    const std::shared_ptr<const Coordinate> coordinate = coordinates(model)[0];
    Graph graph;
    const Expression u = graph.input("u");
    const Expression x = coordinate->state(u, graph.input("other"));
    const Expression slope = derivative(x, u);
    const double place = coordinate->at_state(at);
    const auto value = [&](Expression e) { return evaluate(e, std::vector<double>{place, 0.0}); };
    EXPECT_NEAR(value(x), at, 1e-12);
    EXPECT_NEAR(coordinate->stretch(at), value(slope), 1e-12);
    EXPECT_NEAR(coordinate->turn(at), value(derivative(slope, u) / slope), 1e-12);
    EXPECT_NEAR(value(coordinate->stretch(x, u)), value(slope), 1e-12);
    EXPECT_NEAR(value(coordinate->turn(x, u)), coordinate->turn(at), 1e-12);
    const auto [of_u, of_x] = coordinate->shortcut(x, u);
    EXPECT_NEAR(value(of_u), value(of_x), 1e-12);
  }
}

// Score and responses are those of the chain that is stepped, pulls and all, whatever dt is.
TEST(Coordinates, IdentitiesHoldForTheChain) {
  const std::vector<Model> models{
      square_root("positive", 0.05),
      one_state("positive", "(a - b*x^2) dt + s*sqrt(x) dW", "init x ~ lognormal(0, 0.3)",
                "0 : 0.05 : 1"),
      one_state("in (-inf, 2)", "(a - 2*x) dt + s*sqrt(2 - x) dW", "init x = 1.5", "0 : 0.05 : 1"),
      one_state("in (0, 1)", "(a*(1 - x) - b*x) dt + s*sqrt(x*(1 - x)) dW", "init x = 0.5*b",
                "0 : 0.05 : 1"),
      one_state("in (-1, 2)", "(a - 2*x - b*x^2/5) dt + s*sqrt((x + 1)*(2 - x)) dW", "init x = 0",
                "0 : 0.05 : 1"),
      one_state("in (0, 1)", "a*(b - x) dt + s*x*(1 - x) dW", "init x = 0.2", "0 : 0.05 : 1"),
      parse_model("model pair\nparam k = 2 in (0, inf)\nparam m = 0.06 in (0, inf)\n"
                  "param e = 0.4 in (0, inf)\nparam r = -0.6 in (-1, 1)\nstate y, v positive\n"
                  "dy = (0.1 - v/2) dt + sqrt(v) dU\n"
                  "dv = k*(m - v) dt + e*r*sqrt(v) dU + e*sqrt(1 - r^2)*sqrt(v) dW\n"
                  "init y ~ normal(0, 0.1)\ninit v ~ lognormal(-3, 0.3)\ntime 0 : 0.05 : 1\n")};
  for (const Model& model : models) {
    test::IdentityOptions options;
    options.paths = 40'000;
    options.scheme = Scheme::exact;
    const auto report = test::check_identities(model, options);
    EXPECT_EQ(report.failed, 0U) << model.text();
    EXPECT_LE(report.worst().z(), test::z_limit) << model.text() << ": " << report.worst().what;
  }
}

TEST(SquareRoot, ScoreAndResponsesNearZero) {
  for (const char* state : {"", "positive"}) {
    const Model model = square_root(state);
    const std::vector<double> values = model.parameter_values();
    const auto log_density = [](std::vector<double> p, double x) {
      return test::cir_log_density(p[0], p[1], p[2], 0.04, 1.0)({&x, 1});
    };
    const Matrix points = column({0.01, 0.03, 0.06, 0.12});
    const PointAnswer score = score_at(model, points, with_paths(100'000));
    const PointAnswer response = response_at(model, {0, 1, 2}, points, with_paths(100'000));
    EXPECT_THAT(score.record.steps, HasSubstr("r in sqrt(r)"));
    EXPECT_EQ(score.record.summary.failed, 0U);
    for (std::size_t r = 0; r < points.rows; ++r) {
      const double x = points(r, 0), h = 1e-5;
      const double slope = (log_density(values, x + h) - log_density(values, x - h)) / (2.0 * h);
      EXPECT_TRUE(
          consistent({score.prediction.value(r, 0), score.prediction.standard_error(r, 0)}, slope));
      for (std::size_t p = 0; p < 3; ++p) {
        std::vector<double> above = values, below = values;
        above[p] += h;
        below[p] -= h;
        const double expected = (log_density(above, x) - log_density(below, x)) / (2.0 * h);
        EXPECT_TRUE(consistent(
            {response.prediction.value(r, p), response.prediction.standard_error(r, p)}, expected));
      }
    }
  }
}

TEST(SquareRoot, MeansAndTheirResponses) {
  const ObservableAnswer answer =
      observable_response(square_root(), {0, 1, 2}, "r", with_paths(100'000));
  EXPECT_EQ(answer.record.method.estimator, "divergence-kernel");
  EXPECT_TRUE(consistent(answer.value, 0.05 - 0.01 * std::exp(-2.0)));
  EXPECT_TRUE(consistent(answer.response[0], 0.01 * std::exp(-2.0)));
  EXPECT_TRUE(consistent(answer.response[1], 1.0 - std::exp(-2.0)));
  EXPECT_TRUE(consistent(answer.response[2], 0.0));
  for (const char* method : {"likelihood-ratio", "finite-difference"}) {
    AnswerOptions options = with_paths(100'000);
    options.method.estimator = method;
    const ObservableAnswer other = observable_response(square_root(), {1}, "r", options);
    EXPECT_TRUE(consistent(other.response[0], 1.0 - std::exp(-2.0))) << method;
  }
}

TEST(Genes, StationaryLawIsBeta) {
  StationaryOptions options;
  options.answer.sampling.paths = 4096;
  const Matrix points = column({0.2, 0.4, 0.6});
  const PointAnswer score = stationary_score_at(genes(), points, options).answer;
  const PointAnswer response = stationary_response_at(genes(), {0, 1}, points, options).answer;
  // Digamma at 2, 3 and 5.
  constexpr double euler = 0.57721566490153286;
  constexpr double at_2 = 1.0 - euler, at_3 = 1.5 - euler, at_5 = 25.0 / 12.0 - euler;
  for (std::size_t r = 0; r < 3; ++r) {
    const double x = score.points(r, 0);
    const auto found = [r](const PointAnswer& answer, std::size_t c) {
      return test::Estimate{answer.prediction.value(r, c), answer.prediction.standard_error(r, c)};
    };
    EXPECT_TRUE(consistent(found(score, 0), 1.0 / x - 2.0 / (1.0 - x)));
    EXPECT_TRUE(consistent(found(response, 0), 2.0 * (std::log(x) - at_2 + at_5)));
    EXPECT_TRUE(consistent(found(response, 1), 2.0 * (std::log(1.0 - x) - at_3 + at_5)));
  }
}

TEST(Genes, MeansAndTheirResponses) {
  for (const char* state : {"in (0, 1)", ""}) {
    const ObservableAnswer answer =
        observable_response(genes(state), {0, 1}, "x", with_paths(100'000));
    const double left = std::exp(-2.5);
    EXPECT_TRUE(consistent(answer.value, 0.4 - 0.1 * left));
    EXPECT_TRUE(consistent(answer.response[0], 0.24 * (1.0 - left) + 0.1 * left));
    EXPECT_TRUE(consistent(answer.response[1], -0.16 * (1.0 - left) + 0.1 * left));
  }
}

// A logit walks to an end and comes back: distances that round to nothing do no harm.
TEST(Logit, PathsThatComeNearAnEndGoOn) {
  const Model model =
      one_state("in (0, 1)", "20*x*(1 - x) dt + 0.5*x*(1 - x) dW", "init x = 0.5", "0 : 0.01 : 10");
  const MomentsAnswer moments = simulate_moments(model, with_paths(2000).sampling);
  EXPECT_EQ(moments.record.summary.failed, 0U);
  EXPECT_NEAR(moments.snapshots.back().x.mean().front(), 1.0, 1e-9);
}

TEST(Ranges, FaultsAreNamed) {
  const auto fault = [](const std::string& lines) {
    return message_of([&] { (void)parse_model("model m\n" + lines); });
  };
  const std::string rest = "\ndp = (1 - 2*p) dt + sqrt(p*(1 - p)) dW\ntime 0 : 0.1 : 1\n";
  const std::string equation = "state p in (0, 1)" + rest;
  EXPECT_THAT(fault(equation + "init p = 1.2\n"),
              HasSubstr("The state p is in (0, 1), but starts from 1.2."));
  EXPECT_THAT(fault(equation + "init p ~ normal(0.5, 0.1)\n"),
              HasSubstr("The state p is in (0, 1), but its initial law is normal, which is not; "
                        "write init p = ..., a point, or init p ~ samples(\"...\")."));
  EXPECT_THAT(fault(equation + "init p ~ lognormal(-1, 0.1)\n"),
              HasSubstr("its initial law is lognormal, which is not"));
  EXPECT_THAT(fault("state p in (1, 0)" + rest + "init p = 0.5\n"),
              HasSubstr("The range (1, 0) of the state p leaves no value between its ends."));
  EXPECT_THAT(fault("state p in 0, 1\n"),
              HasSubstr("The name of a state was expected, but '1' was found"));
  EXPECT_THAT(fault("state p in (0, 1)\np' = p + xi\ninit p = 0.5\ntime 0 : 1 : 5\n"),
              HasSubstr("The state p of the map m cannot be declared in (0, 1)"));
  const Model model = parse_model("model m\n" + equation + "init p = 0.5\n");
  EXPECT_THAT(
      message_of([&] { (void)score_at(model, column({1.0}), {}); }),
      HasSubstr("Point number 0 has the value 1 for state p, which is declared in (0, 1)."));
  auto samples = std::make_shared<Matrix>(2, 1, 0.5);
  (*samples)(1, 0) = 1.5;
  const Model sampled =
      parse_model("model m\n" + equation + "init p ~ samples(\"p.npy\")\n").with_samples(samples);
  EXPECT_THAT(message_of([&] { (void)simulate_moments(sampled, with_paths(8).sampling); }),
              HasSubstr("hold p = 1.5 in row 1, but the state p is declared in (0, 1)."));
  EXPECT_THAT(message_of([&] {
                (void)match_data(model, {{"data", {}, column({0.5, 1.5}), {}}}, {});
              }),
              HasSubstr("= 1.5, but p stays in (0, 1) in the model m"));
}

TEST(Ranges, ArePartOfTheModel) {
  const Model model = genes();
  EXPECT_THAT(model.text(), HasSubstr("state x in (0, 1)\n"));
  EXPECT_EQ(parse_model(model.text()).hash(), model.hash());
  EXPECT_NE(genes("in (0, 1.5)").hash(), model.hash());
  EXPECT_NE(genes("").hash(), model.hash());
  EXPECT_EQ(genes("in (0, inf)").hash(), genes("positive").hash());
  ModelBuilder b("built");
  const Expression x = b.state("x", Range{0.0, 1.0});
  const std::vector<Expression> z = b.states("z", 2, true, Range{-1.0, 2.0});
  for (const Expression& state : {x, z[0], z[1]}) {
    b.drift(state, 0.5 - state);
    b.initial_point(state, 0.5);
  }
  b.noise(x, "W", x * (1.0 - x));
  b.time(0.0, 0.1, 1.0);
  const Model built = b.build();
  EXPECT_THAT(built.text(), HasSubstr("state x in (0, 1)\nstate z[2] periodic in (-1, 2)\n"));
  EXPECT_EQ(parse_model(built.text()).hash(), built.hash());
}

}  // namespace
}  // namespace divker
