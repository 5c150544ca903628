#include "divker/regressor.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "divker/error.hpp"

namespace divker {
namespace {

struct Data {
  Matrix x;
  Matrix y;
};

using Function = std::function<double(std::span<const double>)>;
using Noise = std::function<double(std::mt19937_64&)>;

double gaussian_noise(std::mt19937_64& generator) {
  return std::normal_distribution<double>()(generator);
}

// Student's t with three degrees of freedom: finite variance, infinite third moment.
double heavy_noise(std::mt19937_64& generator) {
  return std::student_t_distribution<double>(3.0)(generator);
}

Data draw(std::size_t n, std::size_t d, std::size_t q, unsigned seed, const Function& truth,
          double amplitude = 1.0, const Noise& noise = gaussian_noise) {
  std::mt19937_64 generator(seed);
  std::normal_distribution<double> normal;
  Data data{Matrix(n, d), Matrix(n, q)};
  for (double& value : data.x.data) value = normal(generator);
  for (std::size_t r = 0; r < n; ++r) {
    for (std::size_t c = 0; c < q; ++c) {
      data.y(r, c) =
          static_cast<double>(c + 1) * truth(data.x.row(r)) + amplitude * noise(generator);
    }
  }
  return data;
}

double linear(std::span<const double> x) {
  double sum = 1.0;
  for (std::size_t i = 0; i < x.size(); ++i) sum += static_cast<double>(i + 1) * x[i];
  return sum;
}
double quadratic(std::span<const double> x) { return linear(x) + x[0] * x[0] - x[0] * x.back(); }
double wave(std::span<const double> x) { return std::sin(1.5 * x[0]) + 0.5 * x.back() * x.back(); }

template <typename Action>
void expect_error(const std::string& message, Action&& action) {
  try {
    action();
    ADD_FAILURE() << "no error; expected: " << message;
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    EXPECT_EQ(std::string(error.what()), message);
  }
}

std::vector<std::string> names_for(std::size_t d) {
  std::vector<std::string> names = regressor_names();
  if (d > 1) std::erase(names, "bins");
  return names;
}

TEST(Regressor, LinearFunctionsAreRecovered) {
  for (const std::size_t d : {1, 3, 6}) {
    const Data data = draw(600, d, 2, 1, linear, 0.0);
    const Data test = draw(20, d, 2, 2, linear, 0.0);
    for (const std::string name : {"local-linear", "polynomial"}) {
      const auto regressor = make_regressor(name);
      regressor->fit(data.x, data.y);
      const Prediction p = regressor->predict(test.x);
      for (std::size_t i = 0; i < test.y.data.size(); ++i) {
        EXPECT_NEAR(p.value.data[i], test.y.data[i], 1e-6) << name << ", " << d << "-D";
      }
    }
  }
}

TEST(Regressor, PolynomialRecoversQuadraticFunctions) {
  const Data data = draw(600, 4, 2, 1, quadratic, 0.0);
  const Data test = draw(20, 4, 2, 2, quadratic, 0.0);
  const auto regressor = make_regressor("polynomial");
  regressor->fit(data.x, data.y);
  const Matrix values = regressor->evaluate(test.x);
  for (std::size_t i = 0; i < test.y.data.size(); ++i) {
    EXPECT_NEAR(values.data[i], test.y.data[i], 1e-6);
  }
}

TEST(Regressor, ConstantsAreRecoveredByAll) {
  Data data = draw(300, 1, 1, 1, linear, 0.0);
  for (double& y : data.y.data) y = 3.5;
  for (const std::string& name : regressor_names()) {
    const auto regressor = make_regressor(name);
    regressor->fit(data.x, data.y);
    const Prediction p = regressor->predict(Matrix(1, 1, 0.3));
    EXPECT_NEAR(p.value(0, 0), 3.5, 1e-12) << name;
    EXPECT_NEAR(p.standard_error(0, 0), 0.0, 1e-9) << name;
  }
}

TEST(Regressor, NeighboursAreThePlainMeanOfTheNearest) {
  Data data{Matrix(6, 1), Matrix(6, 1)};
  data.x.data = {0, 1, 2, 10, 11, 12};
  data.y.data = {1, 2, 6, 100, 200, 600};
  RegressorOptions options;
  options.neighbours = 3;
  const auto regressor = make_regressor("neighbours", options);
  regressor->fit(data.x, data.y);
  Matrix points(2, 1);
  points.data = {0.5, 11.4};
  const Matrix values = regressor->evaluate(points);
  EXPECT_DOUBLE_EQ(values(0, 0), 3.0);
  EXPECT_DOUBLE_EQ(values(1, 0), 300.0);
}

// Of `seeds` intervals value +- 1.96 errors, the least number that covers the truth but for 1e-5.
int least_covered(int seeds) {
  int count = 0;
  for (double tail = 0.0; count <= seeds; ++count) {
    // In logarithms, because 0.05^300 underflows.
    tail += std::exp(std::lgamma(seeds + 1.0) - std::lgamma(count + 1.0) -
                     std::lgamma(seeds - count + 1.0) + count * std::log(0.95) +
                     (seeds - count) * std::log(0.05));
    if (tail > 1e-5) break;
  }
  return count;
}

struct Coverage {
  int covered = 0;
  double error = 0.0;     // root mean square
  double reported = 0.0;  // root mean square of the standard errors
};

Coverage measure(const std::string& name, std::size_t n, std::size_t d, const Function& truth,
                 const std::vector<double>& at, const Noise& noise) {
  constexpr int kSeeds = 300;
  Coverage result;
  Matrix point(1, d);
  point.data = at;
  for (unsigned seed = 0; seed < kSeeds; ++seed) {
    const Data data = draw(n, d, 1, 1000 + seed, truth, 1.0, noise);
    const auto regressor = make_regressor(name);
    regressor->fit(data.x, data.y);
    const Prediction p = regressor->predict(point);
    const double error = p.value(0, 0) - truth(at);
    if (std::abs(error) < 1.96 * p.standard_error(0, 0)) ++result.covered;
    result.error += error * error / kSeeds;
    result.reported += p.standard_error(0, 0) * p.standard_error(0, 0) / kSeeds;
  }
  result.error = std::sqrt(result.error);
  result.reported = std::sqrt(result.reported);
  return result;
}

// The bias term makes the bars wider than 95% where the bias is small; how much wider is bounded.
void expect_coverage(const std::string& name, std::size_t n, std::size_t d, const Function& truth,
                     const std::vector<double>& at, const Noise& noise) {
  constexpr double kWidest = 2.5;
  const Coverage c = measure(name, n, d, truth, at, noise);
  EXPECT_GE(c.covered, least_covered(300)) << name << ", " << d << "-D";
  EXPECT_LT(c.reported, kWidest * c.error) << name << ", " << d << "-D";
  printf("%-13s %zu-D n %zu: covered %d of 300, error %.4f, reported %.4f\n", name.c_str(), d, n,
         c.covered, c.error, c.reported);
}

TEST(RegressorCoverage, OneDimension) {
  for (const std::string& name : names_for(1)) {
    if (name == "polynomial") continue;
    expect_coverage(name, 500, 1, wave, {0.4}, gaussian_noise);
  }
  expect_coverage("polynomial", 500, 1, quadratic, {0.4}, gaussian_noise);
}

TEST(RegressorCoverage, ThreeDimensions) {
  for (const std::string& name : names_for(3)) {
    const Function truth = name == "polynomial" ? quadratic : wave;
    expect_coverage(name, 600, 3, truth, {0.4, -0.3, 0.6}, gaussian_noise);
  }
}

TEST(RegressorCoverage, HeavyTails) {
  for (const std::string& name : names_for(1)) {
    const Function truth = name == "polynomial" ? quadratic : wave;
    expect_coverage(name, 500, 1, truth, {0.4}, heavy_noise);
  }
}

// One count of neighbours for all points is too wide at the step and too narrow beside it.
TEST(RegressorCoverage, LocalLinearSeesASharpStep) {
  const Function step = [](std::span<const double> x) { return std::tanh(20.0 * (x[0] - 0.5)); };
  Matrix points(6, 1);
  points.data = {-1.0, 0.4, 0.47, 0.55, 0.6, 1.5};
  std::vector<int> covered(points.rows);
  constexpr int kSeeds = 200;
  for (unsigned seed = 0; seed < kSeeds; ++seed) {
    const Data data = draw(5000, 1, 1, 2000 + seed, step, 0.3);
    const auto regressor = make_regressor("local-linear");
    regressor->fit(data.x, data.y);
    const Prediction p = regressor->predict(points);
    for (std::size_t i = 0; i < points.rows; ++i) {
      const double error = std::abs(p.value(i, 0) - step(points.row(i)));
      if (error < 1.96 * p.standard_error(i, 0)) ++covered[i];
    }
  }
  for (std::size_t i = 0; i < points.rows; ++i) {
    EXPECT_GE(covered[i], least_covered(kSeeds)) << "at " << points(i, 0);
  }
}

TEST(RegressorCoverage, PolynomialSeesItsMisfit) {
  const Function misfit = [](std::span<const double> x) { return std::sin(3.0 * x[0]); };
  const Coverage c = measure("polynomial", 2000, 1, misfit, {0.5}, gaussian_noise);
  EXPECT_GE(c.covered, least_covered(300));
}

TEST(Regressor, OutsideIsFlaggedAndNeverConfident) {
  for (const std::size_t d : {1, 3, 12}) {
    const Data data = draw(1000, d, 1, 3, linear, 0.1);
    Matrix points(3, d);
    for (std::size_t c = 0; c < d; ++c) {
      points(1, c) = 8.0;
      points(2, c) = -1e6;
    }
    double spread = 0.0;
    for (const double y : data.y.data) spread += (y - 1.0) * (y - 1.0) / 1000.0;
    spread = std::sqrt(spread);
    for (const std::string& name : names_for(d)) {
      const auto regressor = make_regressor(name);
      regressor->fit(data.x, data.y);
      const Prediction p = regressor->predict(points);
      EXPECT_FALSE(p.outside[0]) << name << ", " << d << "-D";
      for (std::size_t r = 1; r < 3; ++r) {
        EXPECT_TRUE(p.outside[r]) << name << ", " << d << "-D";
        EXPECT_GT(p.standard_error(r, 0), 0.9 * spread) << name << ", " << d << "-D";
        EXPECT_TRUE(std::isfinite(p.value(r, 0))) << name << ", " << d << "-D";
      }
    }
  }
}

TEST(Regressor, FewOfTheSamplesOwnPointsAreOutside) {
  const Data data = draw(3000, 2, 1, 4, linear, 0.1);
  const Data fresh = draw(2000, 2, 1, 5, linear, 0.1);
  for (const std::string& name : names_for(2)) {
    const auto regressor = make_regressor(name);
    regressor->fit(data.x, data.y);
    const Prediction p = regressor->predict(fresh.x);
    const auto count = std::count(p.outside.begin(), p.outside.end(), true);
    EXPECT_LT(count, 20) << name;
  }
}

TEST(Regressor, ThreadsDoNotChangeABit) {
  for (const std::size_t d : {1, 3, 12}) {
    const Data data = draw(700, d, 3, 6, wave);
    const Data test = draw(40, d, 3, 7, wave);
    for (const std::string& name : names_for(d)) {
      std::vector<Prediction> predictions;
      std::vector<Matrix> left_out;
      for (const std::size_t threads : {1, 2}) {
        RegressorOptions options;
        options.threads = threads;
        const auto regressor = make_regressor(name, options);
        regressor->fit(data.x, data.y);
        predictions.push_back(regressor->predict(test.x));
        left_out.push_back(regressor->leave_one_out());
      }
      EXPECT_EQ(predictions[0].value, predictions[1].value) << name;
      EXPECT_EQ(predictions[0].standard_error, predictions[1].standard_error) << name;
      EXPECT_EQ(predictions[0].effective_samples, predictions[1].effective_samples) << name;
      EXPECT_EQ(left_out[0], left_out[1]) << name;
    }
  }
}

TEST(Regressor, ColumnsShareTheWorkNotTheAnswer) {
  const Data data = draw(400, 2, 2, 8, wave);
  Matrix first(400, 1);
  for (std::size_t r = 0; r < 400; ++r) first(r, 0) = data.y(r, 0);
  const Data test = draw(10, 2, 1, 9, wave);
  for (const std::string name : {"neighbours", "kernel", "local-linear"}) {
    const auto both = make_regressor(name);
    const auto alone = make_regressor(name);
    both->fit(data.x, data.y);
    alone->fit(data.x, first);
    const Prediction a = both->predict(test.x);
    const Prediction b = alone->predict(test.x);
    const Matrix values = both->evaluate(test.x);
    for (std::size_t r = 0; r < 10; ++r) {
      EXPECT_NEAR(a.value(r, 0), b.value(r, 0), 1e-12) << name;
      EXPECT_NEAR(a.standard_error(r, 0), b.standard_error(r, 0), 1e-9) << name;
      EXPECT_NEAR(values(r, 1), a.value(r, 1), 1e-12) << name;
      EXPECT_NEAR(std::hypot(a.deviation(r, 0), a.bias(r, 0)), a.standard_error(r, 0), 1e-12);
    }
  }
}

TEST(Regressor, LeaveOneOutLeavesItOut) {
  const Data data = draw(60, 1, 1, 10, wave);
  for (const std::string name : {"neighbours", "local-linear", "polynomial"}) {
    RegressorOptions options;
    options.neighbours = 20;
    const auto whole = make_regressor(name, options);
    whole->fit(data.x, data.y);
    const Matrix left_out = whole->leave_one_out();
    Data rest{Matrix(59, 1), Matrix(59, 1)};
    std::copy_n(data.x.data.begin() + 1, 59, rest.x.data.begin());
    std::copy_n(data.y.data.begin() + 1, 59, rest.y.data.begin());
    const auto part = make_regressor(name, options);
    part->fit(rest.x, rest.y);
    Matrix point(1, 1, data.x(0, 0));
    // The ridge and the scaling see one sample less.
    const double tolerance = name == "polynomial" ? 1e-2 : 1e-9;
    EXPECT_NEAR(left_out(0, 0), part->evaluate(point)(0, 0), tolerance) << name;
  }
}

TEST(Regressor, CrossFitUsesTheOtherFolds) {
  const Data data = draw(90, 1, 2, 11, wave);
  const Matrix predicted = cross_fit("polynomial", {}, data.x, data.y, 3);
  Data rest{Matrix(0, 1), Matrix(0, 2)};
  for (std::size_t r = 0; r < 90; ++r) {
    if (r % 3 == 1) continue;
    rest.x.data.push_back(data.x(r, 0));
    rest.y.data.insert(rest.y.data.end(), {data.y(r, 0), data.y(r, 1)});
    ++rest.x.rows;
    ++rest.y.rows;
  }
  const auto regressor = make_regressor("polynomial");
  regressor->fit(rest.x, rest.y);
  const Matrix expected = regressor->evaluate(Matrix(1, 1, data.x(4, 0)));
  EXPECT_DOUBLE_EQ(predicted(4, 0), expected(0, 0));
  EXPECT_DOUBLE_EQ(predicted(4, 1), expected(0, 1));
  expect_error("cross-fitting has 1 folds for 90 samples; expected 2 to the number of samples",
               [&] { (void)cross_fit("polynomial", {}, data.x, data.y, 1); });
}

TEST(Regressor, DegenerateSamplesAreSurvived) {
  Data data = draw(200, 3, 1, 12, linear, 0.1);
  for (std::size_t r = 0; r < 200; ++r) {
    data.x(r, 1) = 4.0;               // constant
    data.x(r, 2) = 2 * data.x(r, 0);  // dependent
    if (r % 2 == 1) std::copy_n(data.x.row(r - 1).data(), 3, data.x.row(r).data());
  }
  for (const std::string& name : names_for(3)) {
    const auto regressor = make_regressor(name);
    regressor->fit(data.x, data.y);
    Matrix point(1, 3);
    point.data = {0.1, 4.0, 0.2};
    const Prediction p = regressor->predict(point);
    EXPECT_TRUE(std::isfinite(p.value(0, 0))) << name;
    EXPECT_TRUE(std::isfinite(p.standard_error(0, 0))) << name;
    for (const double value : regressor->leave_one_out().data) {
      EXPECT_TRUE(std::isfinite(value)) << name;
    }
  }
}

TEST(Regressor, DefaultsFollowTheRules) {
  EXPECT_EQ(default_regressor(1, 10000), "local-linear");
  EXPECT_EQ(default_regressor(8, 10000), "local-linear");
  EXPECT_EQ(default_regressor(9, 10000), "polynomial");
  EXPECT_EQ(default_regressor(8, 50), "polynomial");
  EXPECT_EQ(default_neighbours(1, 100000), 5000U);
  EXPECT_EQ(default_neighbours(40, 1000), 10U);
  EXPECT_EQ(default_neighbours(2, 4), 4U);
}

TEST(Regressor, RefusesByNameAndNumber) {
  Data data = draw(10, 2, 1, 13, linear);
  expect_error(
      "there is no regressor 'forest'; the known ones are bins, neighbours, kernel, local-linear, "
      "polynomial",
      [] { (void)make_regressor("forest"); });
  RegressorOptions options;
  options.neighbours = 11;
  expect_error("the regressor is to use 11 neighbours, but the sample has only 10",
               [&] { make_regressor("neighbours", options)->fit(data.x, data.y); });
  options.neighbours = 3;
  expect_error("the regressor 'local-linear' has 3 neighbours in 2 dimensions; expected at least 4",
               [&] { make_regressor("local-linear", options)->fit(data.x, data.y); });
  expect_error("the regressor 'bins' works in 1 dimension; the points have 2",
               [&] { make_regressor("bins")->fit(data.x, data.y); });
  options.bandwidth = -1.0;
  expect_error(
      "the bandwidth of the regressor is -1; expected a positive number, or 0 for the rule",
      [&] { (void)make_regressor("kernel", options); });
  options = {};
  options.degree = 3;
  expect_error("the degree of the regressor is 3; expected 1 or 2",
               [&] { (void)make_regressor("polynomial", options); });
}

TEST(Regressor, RefusesBadSamplesAndPoints) {
  Data data = draw(10, 2, 1, 13, linear);
  const auto regressor = make_regressor("neighbours");
  expect_error("the regressor has not been fitted yet",
               [&] { (void)regressor->predict(Matrix(1, 2)); });
  expect_error("the regressor has 10 points but 9 values; expected as many",
               [&] { regressor->fit(data.x, Matrix(9, 1)); });
  regressor->fit(data.x, data.y);
  expect_error("the points to predict at have 3 columns; expected 2",
               [&] { (void)regressor->predict(Matrix(1, 3)); });
  Matrix points(2, 2);
  points(1, 0) = std::numeric_limits<double>::infinity();
  expect_error("the points to predict at: row 1, column 0 is inf, which is not finite",
               [&] { (void)regressor->evaluate(points); });
  data.x(7, 1) = std::nan("");
  expect_error("the points of the sample: row 7, column 1 is nan, which is not finite",
               [&] { regressor->fit(data.x, data.y); });
  data.x(7, 1) = 0.0;
  data.y(3, 0) = std::nan("");
  expect_error("the values of the sample: row 3, column 0 is nan, which is not finite",
               [&] { regressor->fit(data.x, data.y); });
}

}  // namespace
}  // namespace divker
