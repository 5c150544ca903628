// The tail indices of answers: heavy ones are marked, those of sound answers are not.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <random>

#include "divker/density_change.hpp"
#include "divker/fit.hpp"
#include "divker/language.hpp"
#include "divker/stationary.hpp"
#include "tune/trial.hpp"

namespace divker {
namespace {

using testing::Each;
using testing::Gt;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::IsNan;
using testing::Lt;
using testing::SizeIs;

constexpr double kMeansLittle = 0.7;

// The tails are those of the sampling error: the bias of dt stays out of the bar.
AnswerOptions options_with(std::size_t paths, const std::string& damping = "auto",
                           const std::string& method = {}) {
  AnswerOptions options;
  options.sampling.paths = paths;
  options.method.damping = parse_damping(damping);
  options.method.estimator = method;
  options.time_step = TimeStep::ignored;
  return options;
}

std::vector<std::string> tail_warnings(const RunRecord& record) {
  std::vector<std::string> sentences;
  for (const Warning& warning : record.warnings) {
    if (warning.what == "tail") sentences.push_back(warning.sentence);
  }
  return sentences;
}

ObservableAnswer respond(const Model& model, const std::string& observable,
                         const AnswerOptions& options) {
  return observable_response(model, model.free_parameters(), observable, options);
}

// End points of a few paths, as points to ask at.
Matrix some_points(const Model& model, std::size_t count) {
  Sampling sampling;
  sampling.paths = count;
  sampling.seed = 77;
  return Ensemble(model, {}, Asked::states()).run(sampling).snapshots.back().x();
}

// The covector of a particle between two wells grows there by more than a weak damping takes away,
// and by a factor that differs from path to path.
TEST(TailsOfAMean, AreHeavyWithoutDamping) {
  const Model model = load_model("double_well");
  const ObservableAnswer weak = respond(model, "x", options_with(20'000, "0.1"));
  EXPECT_THAT(weak.tail_index, Each(Gt(kMeansLittle)));
  ASSERT_THAT(tail_warnings(weak.record), SizeIs(4));
  EXPECT_EQ(
      tail_warnings(weak.record).front(),
      fmt::format("The error bar of the response to a means little: the tail index of its "
                  "summands is {:.2f}; above 0.5 their variance does not exist, and above 0.7 "
                  "more paths hardly help. A stronger damping, the method finite-difference, "
                  "which carries no weights along the paths, or an observable that grows more "
                  "slowly may have lighter tails.",
                  weak.tail_index.front()));
  for (const char* damping : {"5", "auto"}) {
    const ObservableAnswer strong = respond(model, "x", options_with(20'000, damping));
    EXPECT_THAT(strong.tail_index, Each(Lt(0.5))) << damping;
    EXPECT_THAT(tail_warnings(strong.record), IsEmpty()) << damping;
  }
}

// Over forty seeds the answers spread by twice what a bar promises, and some bars are three times
// as long as others.
TEST(TailsOfAMean, MarkBarsThatAreTooShort) {
  const Model model = load_model("double_well");
  constexpr std::size_t seeds = 40;
  Moments responses(1);
  std::vector<double> bars;
  std::size_t marked = 0;
  for (std::size_t seed = 1; seed <= seeds; ++seed) {
    AnswerOptions options = options_with(2000, "0.1");
    options.sampling.seed = seed;
    const ObservableAnswer answer = respond(model, "x", options);
    responses.add(std::span(&answer.response.front().value, 1));
    bars.push_back(answer.response.front().standard_error);
    if (answer.tail_index.front() > kMeansLittle) ++marked;
  }
  std::ranges::sort(bars);
  const double typical = bars[seeds / 2];
  EXPECT_GT(std::sqrt(responses.variance(0)), 1.5 * typical);
  EXPECT_GT(bars.back(), 2.0 * typical);
  EXPECT_GE(marked, 36U);
}

// dx = a x dt + s x dW grows like the exponential of a normal variable: x^2 is heavy whatever is
// multiplied with it, and all three methods miss d E[x^2] / da = 2T E[x^2] by many of their bars.
TEST(TailsOfAMean, CountTheObservableToo) {
  const Model model = parse_model(
      "model growth\nparam a = 0.1\nstate x\ndx = a*x dt + 0.8*x dW\ninit x ~ lognormal(0, 0.2)\n"
      "time 0 : 0.01 : 3\n");
  const double truth = 6.0 * std::exp((0.2 + 0.64) * 3.0 + 2.0 * 0.04);
  for (const char* method : {"divergence-kernel", "likelihood-ratio", "finite-difference"}) {
    SCOPED_TRACE(method);
    const AnswerOptions options = options_with(20'000, "auto", method);
    const ObservableAnswer heavy = respond(model, "x^2", options);
    EXPECT_GT(heavy.tail_index.front(), kMeansLittle);
    ASSERT_THAT(tail_warnings(heavy.record), SizeIs(1));
    EXPECT_THAT(tail_warnings(heavy.record).front(),
                HasSubstr("n observable that grows more slowly may have lighter tails."));
    const Estimate& response = heavy.response.front();
    EXPECT_GT(std::abs(response.value - truth), 4.0 * response.standard_error);

    const ObservableAnswer light = respond(model, "log(x)", options);
    EXPECT_LT(light.tail_index.front(), 0.5);
    EXPECT_THAT(tail_warnings(light.record), IsEmpty());
  }
}

// The advice: differences have no weights, and lighter tails than both methods that have.
TEST(TailsOfAMean, AreLighterForDifferences) {
  const Model model = load_model("kuramoto");
  const auto heaviest = [&](const char* method) {
    const auto found = respond(model, "x[0]^2", options_with(20'000, "auto", method));
    return *std::ranges::max_element(found.tail_index);
  };
  EXPECT_GT(heaviest("divergence-kernel"), kMeansLittle);
  EXPECT_GT(heaviest("likelihood-ratio"), kMeansLittle);
  EXPECT_LT(heaviest("finite-difference"), 0.5);
}

// At default settings no answer is marked by mistake: none of 39 answers with 128 tail indices.
TEST(TailsOfAMean, AreLightForShippedModels) {
  struct Case {
    const char* model;
    std::vector<const char*> observables;
    std::uint64_t seeds;
  };
  for (const auto& [name, observables, seeds] :
       {Case{"ou", {"x", "x^2"}, 10}, Case{"lorenz63", {"x", "z", "x^2"}, 5},
        Case{"lorenz96", {"x[0]", "x[0]^2"}, 2}}) {
    const Model model = load_model(name);
    for (const char* observable : observables) {
      for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
        SCOPED_TRACE(fmt::format("{} {} {}", name, observable, seed));
        AnswerOptions options;
        options.sampling.seed = seed;
        const ObservableAnswer answer = respond(model, observable, options);
        EXPECT_THAT(answer.tail_index, Each(Lt(kMeansLittle)));
        EXPECT_THAT(tail_warnings(answer.record), IsEmpty());
      }
    }
  }
}

TEST(TailsAtPoints, AreLightForShippedModels) {
  for (const char* name : {"ou", "lorenz63"}) {
    const Model model = load_model(name);
    const Matrix points = some_points(model, 5);
    for (std::uint64_t seed = 1; seed <= 5; ++seed) {
      SCOPED_TRACE(fmt::format("{} {}", name, seed));
      AnswerOptions options = options_with(20'000);
      options.sampling.seed = seed;
      for (const PointAnswer& answer :
           {score_at(model, points, options),
            response_at(model, model.free_parameters(), points, options)}) {
        EXPECT_EQ(answer.prediction.tail_index.rows, points.rows);
        EXPECT_EQ(answer.prediction.tail_index.cols, answer.names.size());
        EXPECT_THAT(answer.prediction.tail_index.data, Each(testing::Not(Gt(kMeansLittle))));
        EXPECT_THAT(tail_warnings(answer.record), IsEmpty());
      }
    }
  }
}

// Twenty oscillators that may turn either way. A damping of 20 has bars of the same length.
TEST(TailsAtPoints, OfAScoreAreLighterWithMoreDamping) {
  const Model model = load_model("kuramoto");
  const Matrix points = some_points(model, 2);
  const PointAnswer weak = score_at(model, points, options_with(20'000, "2"));
  ASSERT_FALSE(tail_warnings(weak.record).empty());
  EXPECT_THAT(
      tail_warnings(weak.record).front(),
      testing::AllOf(HasSubstr("The error bar of the score of x["), HasSubstr(" of 2 points"),
                     HasSubstr(" A stronger damping may have lighter tails.")));
  const PointAnswer strong = score_at(model, points, options_with(20'000, "20"));
  EXPECT_THAT(strong.prediction.tail_index.data, Each(Lt(kMeansLittle)));
  EXPECT_THAT(tail_warnings(strong.record), IsEmpty());
}

TEST(TailsAtPoints, OfLocalSumsAreNotKnown) {
  AnswerOptions options = options_with(5000, "5");
  options.regressor = "local-sums";
  const Model model = load_model("ou");
  const PointAnswer answer = score_at(model, some_points(model, 2), options);
  EXPECT_THAT(answer.prediction.tail_index.data, testing::AllOf(SizeIs(2), Each(IsNan())));
}

// What x explains is no error, however heavy it is; what it does not explain is.
TEST(TailsAtPoints, AreThoseOfTheResiduals) {
  std::mt19937_64 generator(5);
  std::normal_distribution<double> normal;
  std::student_t_distribution<double> student(0.8);
  Matrix x(60'000, 1);
  Matrix y(60'000, 2);
  for (std::size_t r = 0; r < x.rows; ++r) {
    x(r, 0) = normal(generator);
    y(r, 0) = std::exp(3.0 * x(r, 0)) + normal(generator);
    y(r, 1) = x(r, 0) + student(generator);
  }
  Matrix points(3, 1);
  points.data = {-1.0, 0.0, 0.5};
  for (const std::string& name : regressor_names()) {
    if (name == "polynomial") continue;  // of degree two: no such surface
    SCOPED_TRACE(name);
    const auto regressor = make_regressor(name);
    regressor->fit(x, y);
    const Matrix k = regressor->predict(points).tail_index;
    EXPECT_THAT(k.column(0), Each(Lt(0.5)));
    EXPECT_THAT(k.column(1), Each(Gt(kMeansLittle)));
  }
  const auto polynomial = make_regressor("polynomial");
  polynomial->fit(x, y);
  EXPECT_THAT(polynomial->predict(points).tail_index.column(1), Each(Gt(kMeansLittle)));
}

TEST(TailsOfAStationaryMean, AreThoseOfWholePaths) {
  const Model model = load_model("double_well");
  StationaryOptions options;
  const auto with = [&](const char* damping) {
    options.answer = options_with(2048, damping);
    return stationary_observable_response(model, model.free_parameters(), "x", options).answer;
  };
  EXPECT_THAT(with("1").tail_index, Each(Gt(kMeansLittle)));
  EXPECT_THAT(with("5").tail_index, Each(Lt(kMeansLittle)));
  EXPECT_THAT(tail_warnings(with("5").record), IsEmpty());
}

TEST(TailsOfAChange, AreTheHeaviestOfTheNodes) {
  const Model model = load_model("double_well");
  std::vector<double> target = model.parameter_values();
  target[model.parameter_indices("h").front()] = 0.1;
  ChangeOptions options;
  options.nodes = 2;
  options.answer = options_with(5000, "0.1");
  const ChangeAnswer weak = observable_change(model, target, "x", options);
  EXPECT_GT(weak.change.front().tail_index, kMeansLittle);
  ASSERT_THAT(tail_warnings(weak.record), SizeIs(1)) << "none of the nodes' own";
  EXPECT_THAT(tail_warnings(weak.record).front(), HasSubstr("the change of the mean means little"));
  options.answer = options_with(5000, "5");
  const ChangeAnswer strong = observable_change(model, target, "x", options);
  EXPECT_LT(strong.change.front().tail_index, 0.5);
  EXPECT_THAT(tail_warnings(strong.record), IsEmpty());
}

// The state where the fit begins is reported: what its errors rest on.
TEST(TailsOfAFit, AreInTheRemarks) {
  const Model model = load_model("double_well");
  const FitData data = match_data(model, {{"data", {}, some_points(model, 200), {}}}, {});
  const auto start_with = [&](const char* damping) {
    FitOptions options;
    options.sampling.paths = 4000;
    options.method.damping = parse_damping(damping);
    return Fit(model, data, options).result();
  };
  const FitResult weak = start_with("0.1");
  EXPECT_THAT(weak.tail_index, testing::AllOf(SizeIs(weak.names.size()), Each(Gt(kMeansLittle))));
  EXPECT_THAT(weak.remarks, testing::Contains(HasSubstr("The error bar of a means little")));
  const FitResult strong = start_with("5");
  EXPECT_THAT(strong.tail_index, Each(Lt(kMeansLittle)));
  EXPECT_THAT(strong.remarks, IsEmpty());
}

TEST(ThePilot, PaysALittleForLightTails) {
  const auto candidate = [](double cost, double k) {
    return DampingCandidate{constant_damping(1.0), cost, k};
  };
  const double unknown = std::numeric_limits<double>::quiet_NaN();
  EXPECT_TRUE(tune::is_before(candidate(1.2, 0.4), candidate(1.0, 0.6)));
  EXPECT_TRUE(tune::is_before(candidate(1.2, unknown), candidate(1.0, 0.6)));
  EXPECT_TRUE(tune::is_before(candidate(1.0, 0.6), candidate(1.3, 0.4)));
  EXPECT_TRUE(tune::is_before(candidate(1.0, 0.9), candidate(1.2, 0.6))) << "neither is light";
  EXPECT_TRUE(tune::is_before(candidate(1.0, 0.4), candidate(1.2, 0.1))) << "both are light";
}

TEST(ThePilot, MeasuresTheTailsOfTheLastRound) {
  const Model model = load_model("langevin");
  AnswerOptions options = options_with(20'000);
  const DampingChoice choice =
      response_at(model, model.free_parameters(), some_points(model, 1), options).record.choice;
  const auto& chosen = choice.candidates.front();
  ASSERT_FALSE(std::isnan(chosen.tail_index));
  for (const DampingCandidate& other : choice.candidates) {
    if (std::isnan(other.tail_index) || other.tail_index >= 0.5) continue;
    EXPECT_TRUE(chosen.tail_index < 0.5 || 1.25 * chosen.cost <= other.cost)
        << other.damping.text();
  }
}

}  // namespace
}  // namespace divker
