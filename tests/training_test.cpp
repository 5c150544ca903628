// Fits by features of the law: many parameters, and other divergences than that of the likelihood.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <numbers>

#include "divker/error.hpp"
#include "divker/fit.hpp"
#include "divker/language.hpp"
#include "divker/random.hpp"
#include "fit/training/divergence.hpp"
#include "fit/training/feature_law.hpp"

namespace divker {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

constexpr double dx = 0.01;

double normal_density(double x, double mean, double deviation) {
  const double z = (x - mean) / deviation;
  return std::exp(-0.5 * z * z) / (deviation * std::sqrt(2.0 * std::numbers::pi));
}

// Two modes.
constexpr double apart = 1.5;
constexpr double width = 0.5;
double two_modes(double x) {
  return 0.5 * (normal_density(x, apart, width) + normal_density(x, -apart, width));
}
Matrix drawn_from_two_modes(std::size_t count) {
  const NormalSource random(5, Stream::pick);
  Matrix y(count, 1);
  for (std::size_t r = 0; r < count; ++r) {
    const double side = random.uniform(r, 1) < 0.5 ? -apart : apart;
    y(r, 0) = side + width * random.normal(r, 2, 0, 1);
  }
  return y;
}

FitResult fit_to(const Model& model, const Matrix& y, const FitOptions& options) {
  return fit_parameters(model, match_data(model, {{"data", {}, y, {}}}, {}), options);
}

FitOptions quick(const std::string& divergence = "kl") {
  FitOptions options;
  options.sampling.paths = 10'000;
  options.divergence = divergence;
  options.features = 60;
  return options;
}

TEST(Divergence, SlopeWitnessAndCurvatureAreThoseOfOneFunction) {
  for (const std::string& name : divergence_names()) {
    const fit::Divergence& one = fit::divergence_named(name);
    EXPECT_NEAR(one.slope(0.0), 0.0, 1e-15) << name;
    EXPECT_NEAR(one.witness(0.0), 0.0, 1e-15) << name;
    const double h = 1e-5;
    EXPECT_NEAR((one.slope(h) - one.slope(-h)) / (2.0 * h), one.curvature, 1e-8) << name;
    for (const double l : {-2.0, -0.3, 0.7, 1.5}) {
      // w = f - r f', hence dw = -r df' .
      const double of_witness = (one.witness(l + h) - one.witness(l - h)) / (2.0 * h);
      const double of_slope = (one.slope(l + h) - one.slope(l - h)) / (2.0 * h);
      EXPECT_NEAR(of_witness, -std::exp(l) * of_slope, 1e-6) << name;
      EXPECT_GT(of_slope, 0.0) << name << " is not convex";
      if (one.over_data == nullptr) continue;
      EXPECT_NEAR(one.witness(l), 1.0 + std::exp(l) * one.over_data(l), 1e-12) << name;
    }
  }
  EXPECT_THAT([] { (void)fit::divergence_named("hellingr"); },
              ThrowsMessage<Error>(HasSubstr("divergence: 'hellingr' is none of: kl, reverse-kl")));
}

// Of N(1/2, 1) from N(0, 1), closed forms but for Jensen and Shannon's.
TEST(Divergence, OfTwoNormalLawsIsItsClosedForm) {
  const NormalSource random(3, Stream::pick);
  constexpr std::size_t count = 40'000;
  constexpr double shift = 0.5;
  const Model model = parse_model(
      "model m\nparam a = 1\nstate x\ndx = -a*x dt + dW\n"
      "init x ~ normal(0, 1)\ntime 0 : 0.1 : 1\n");
  Matrix y(count, 1), of_model(count, 1);
  for (std::size_t r = 0; r < count; ++r) {
    y(r, 0) = shift + random.normal(r, 0, 0, 1);
    of_model(r, 0) = random.normal(r, 1, 0, 1);
  }
  const fit::Target target(match_data(model, {{"data", {}, y, {}}}, {}), 20, 1);
  double jensen_shannon = 0.0;
  for (double x = -9.0; x < 9.0; x += dx) {
    const double p = normal_density(x, shift, 1.0), h = normal_density(x, 0.0, 1.0);
    jensen_shannon +=
        0.5 * dx * (p * std::log(2.0 * p / (p + h)) + h * std::log(2.0 * h / (p + h)));
  }
  const double square = shift * shift;
  const std::vector<double> exact = {0.5 * square, 0.5 * square, jensen_shannon,
                                     std::exp(square) - 1.0, 2.0 * (1.0 - std::exp(-square / 8.0))};
  for (std::size_t k = 0; k < exact.size(); ++k) {
    const fit::Divergence& one = fit::divergence_named(divergence_names()[k]);
    const fit::FeatureLaw law = fit::law_of(target, one, {of_model}, 1);
    // What 20 features learn of chance and the ridge takes off.
    const double bias = 0.02 * exact[k];
    EXPECT_NEAR(law.divergence, exact[k], 4.5 * law.error + bias) << one.name;
    EXPECT_LT(law.error, 0.1 * exact[k]) << one.name;
  }
}

// A normal law that is to be that of two modes, and what quadrature says of it.
struct NormalLaw {
  const fit::Divergence& divergence;
  using Point = std::array<double, 2>;

  static double log_ratio(const Point& at, double x) {
    return std::log(two_modes(x)) - std::log(normal_density(x, at[0], at[1]));
  }
  [[nodiscard]] double distance(const Point& at) const {
    double sum = 0.0;
    for (double x = -7.0; x < 7.0; x += dx) {
      const double l = log_ratio(at, x);
      const double h = normal_density(x, at[0], at[1]);
      if (h < 1e-290) continue;
      sum += dx * h * (divergence.witness(l) + std::exp(l) * divergence.slope(l));
    }
    return sum;
  }
  // By ever smaller steps along the axes.
  [[nodiscard]] Point least_from(Point at) const {
    for (double step = 0.1; step > 1e-4;) {
      const Point before = at;
      for (const std::size_t axis : {0U, 1U}) {
        for (const double change : {-step, step}) {
          Point next = at;
          next[axis] += change;
          if (next[1] > 0.2 && distance(next) < distance(at)) at = next;
        }
      }
      if (at == before) step *= 0.5;
    }
    return at;
  }
};

const char* const normal_law = R"(model shifted
param m = 0.8
param s = 0.7 in (0, inf)
state x
dx = m dt + s dW
init x ~ normal(0, 0.02)
time 0 : 0.1 : 1
)";

// KL covers both modes, its reverse takes one.
TEST(Training, OfAWrongLawEachDivergenceFindsItsOwnMinimum) {
  const Matrix y = drawn_from_two_modes(20'000);
  const Model model = parse_model(normal_law);
  for (const std::string& name : divergence_names()) {
    FitOptions options = quick(name);
    options.optimizer = "dual";
    const FitResult result = fit_to(model, y, options);
    const NormalLaw law{fit::divergence_named(name)};
    const NormalLaw::Point exact = law.least_from({0.8, 0.7});
    EXPECT_TRUE(result.state.converged) << name << ": " << result.state.reason;
    ASSERT_TRUE(result.divergence);
    EXPECT_EQ(result.divergence->name, name);
    const double mean = result.estimate[0];
    const double deviation = std::sqrt(result.estimate[1] * result.estimate[1] + 0.02 * 0.02);
    const double excess = law.distance({mean, deviation}) - law.distance(exact);
    EXPECT_LT(excess, 0.05 * law.distance(exact))
        << name << ": " << mean << ", " << deviation << " for " << exact[0] << ", " << exact[1];
    if (name == "kl") {
      EXPECT_NEAR(mean, 0.0, 0.1);
      EXPECT_NEAR(deviation, std::hypot(apart, width), 0.1);
    }
    if (name == "reverse-kl") {
      EXPECT_NEAR(mean, apart, 0.1);
      EXPECT_NEAR(deviation, width, 0.1);
    }
  }
}

// A sum of bumps with a weight each, started flat.
Model bumps(std::size_t count) {
  std::string text = "model bumps\n";
  std::string drift;
  for (std::size_t k = 0; k < count; ++k) {
    const double centre = -3.0 + 6.0 * static_cast<double>(k) / static_cast<double>(count - 1);
    text += "param w" + std::to_string(k) + " = 0\n";
    drift += " + w" + std::to_string(k) + "*exp(-(x - (" + std::to_string(centre) + "))^2*8)";
  }
  return parse_model(text + "state x\ndx = (-0.2*x" + drift +
                     ") dt + 0.6 dW\ninit x ~ normal(0, 1)\ntime 0 : 0.05 : 1\n");
}

TEST(Training, IsTheDefaultForManyParametersAndFindsTheLaw) {
  const Model model = bumps(110);
  const FitResult result = fit_to(model, drawn_from_two_modes(4'000), quick());
  EXPECT_TRUE(result.state.converged) << result.state.reason;
  ASSERT_TRUE(result.divergence);
  EXPECT_EQ(result.names.size(), 110U);
  EXPECT_EQ(result.undetermined, result.names);
  EXPECT_TRUE(result.rejected.empty());
  const Estimate& first = *result.state.history.front().divergence;
  EXPECT_GT(first.value, 10.0 * first.standard_error);
  const Estimate& last = result.divergence->value;
  EXPECT_LT(last.value, 4.5 * last.standard_error);
}

TEST(Training, GoesOnFromASavedStateToTheSameBits) {
  const Model model = bumps(110);
  const FitData data = match_data(model, {{"data", {}, drawn_from_two_modes(1'000), {}}}, {});
  for (const std::string optimizer : {"dual", "adam"}) {
    FitOptions options = quick("jensen-shannon");
    options.sampling.paths = 2'000;
    options.optimizer = optimizer;
    options.iterations = 5;
    const FitResult whole = fit_parameters(model, data, options);
    Fit first(model, data, options);
    std::string saved = to_text(first.state());
    bool more = true;
    while (more) {
      Fit next(model, data, options);
      next.resume(parse_fit_state(saved, "saved"));
      more = next.advance();
      saved = to_text(next.state());
    }
    EXPECT_EQ(saved, to_text(whole.state)) << optimizer;
    options.divergence = "hellinger";
    Fit other(model, data, options);
    EXPECT_THROW(other.resume(parse_fit_state(saved, "saved")), Error);
  }
}

// With memory for psi alone.
TEST(Training, AdamFollowsTheSameDivergence) {
  FitOptions options = quick();
  options.optimizer = "adam";
  options.iterations = 25;
  options.rate = 0.1;
  const FitResult result = fit_to(bumps(110), drawn_from_two_modes(4'000), options);
  ASSERT_TRUE(result.divergence);
  const Estimate& first = *result.state.history.front().divergence;
  EXPECT_LT(result.divergence->value.value, 0.3 * first.value);
}

// Steps that make the paths explode are undone.
TEST(Training, AStepAtWhichPathsFailIsUndoneAndHalved) {
  const Model model = parse_model(
      "model cubic\nparam g = -0.5\nstate x\ndx = g*x^3 dt + 0.3 dW\n"
      "init x ~ normal(0, 0.3)\ntime 0 : 0.05 : 1\n");
  const Matrix y = drawn_from_two_modes(2'000);
  for (const std::string divergence : {"kl", "jensen-shannon"}) {
    FitOptions options = quick(divergence);
    options.optimizer = "adam";
    options.rate = 100.0;
    options.iterations = 1;
    const FitResult result = fit_to(model, y, options);
    EXPECT_LT(result.state.pace, 1.0) << divergence;
    EXPECT_GT(result.state.history[1].halvings, 0U) << divergence;
    EXPECT_TRUE(std::isfinite(result.estimate[0])) << divergence;
  }
}

TEST(Training, RefusesWhatItCannotFollow) {
  const Model model = parse_model(normal_law);
  const auto refusal = [&](const FitOptions& options, double shift) {
    Matrix y = drawn_from_two_modes(1'000);
    for (double& value : y.data) value += shift;
    return [&model, options, y] { (void)fit_to(model, y, options); };
  };
  EXPECT_THAT(refusal(quick("reverse-kl"), 30.0),
              ThrowsMessage<Error>(HasSubstr("the supports are apart, where the divergence "
                                             "reverse-kl is infinite or flat. Begin nearer")));
  FitOptions newton = quick("chi-square");
  newton.optimizer = "newton";
  EXPECT_THAT(refusal(newton, 0.0),
              ThrowsMessage<Error>(HasSubstr("The optimizer newton, and match, regressor")));
}

}  // namespace
}  // namespace divker
