// Fits to time series: against exact maximum likelihood, and what they refuse.
#include "divker/series.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <Eigen/Dense>
#include <cmath>
#include <functional>
#include <limits>
#include <random>

#include "divker/error.hpp"
#include "divker/language.hpp"

namespace divker {
namespace {

using ::testing::HasSubstr;

const char* const ornstein_uhlenbeck = R"(model ou
param a = 0.5 in (0, inf)
param m = 0
param s = 1 in (0, inf)
state x
dx = -a*(x - m) dt + s dW
init x ~ normal(0, 2)
time 0 : 0.01 : 1
)";

struct Row {
  double individual = 0.0, time = 0.0, x = 0.0;
};

DataTable table_of(const std::vector<Row>& rows) {
  DataTable table{"series.csv", {"id", "t", "x"}, Matrix(rows.size(), 3), {}};
  for (std::size_t r = 0; r < rows.size(); ++r) {
    table.values(r, 0) = rows[r].individual;
    table.values(r, 1) = rows[r].time;
    table.values(r, 2) = rows[r].x;
  }
  return table;
}

DataOptions timed() {
  DataOptions options;
  options.time_column = "t";
  options.names = {{"x", "x"}};
  return options;
}

DataOptions grouped() {
  DataOptions options = timed();
  options.group_column = "id";
  return options;
}

// Exact paths of an OU process with a = 1, m = 0.3, s = 0.7, one row after every interval.
class ExactPath {
 public:
  explicit ExactPath(std::uint64_t seed) : random_(seed) {
    x_ = 0.3 + stationary() * normal_(random_);
  }
  static double stationary() { return 0.7 / std::sqrt(2.0); }
  Row next(double individual, double interval) {
    const double kept = std::exp(-interval);
    time_ += interval;
    x_ = 0.3 + kept * (x_ - 0.3) + stationary() * std::sqrt(1.0 - kept * kept) * normal_(random_);
    return {individual, time_, x_};
  }

 private:
  std::mt19937_64 random_;
  std::normal_distribution<double> normal_;
  double x_ = 0.0, time_ = 0.0;
};

// -log p(y | x) summed over the transitions, at (log a, m, log s).
double minus_log_likelihood(const SeriesData& data, const Eigen::Vector3d& at) {
  const double a = std::exp(at[0]);
  double sum = 0.0;
  for (std::size_t i = 0; i < data.size(); ++i) {
    const double kept = std::exp(-a * data.interval[i]);
    const double variance = std::exp(2.0 * at[2]) * (1.0 - kept * kept) / (2.0 * a);
    const double off = data.to(i, 0) - at[1] - kept * (data.from(i, 0) - at[1]);
    sum += 0.5 * off * off / variance + 0.5 * std::log(variance);
  }
  return sum;
}

// The minimum of a smooth function by Newton's method with differences, and the inverse of its
// second derivative there.
struct Minimum {
  Eigen::VectorXd at;
  Eigen::MatrixXd covariance;
};
Minimum minimum_of(const std::function<double(const Eigen::VectorXd&)>& f, Eigen::VectorXd x) {
  constexpr double h = 1e-3;
  const Eigen::Index count = x.size();
  Eigen::VectorXd gradient(count);
  Eigen::MatrixXd hessian(count, count);
  for (int n = 0; n < 50; ++n) {
    for (Eigen::Index i = 0; i < count; ++i) {
      const Eigen::VectorXd e = h * Eigen::VectorXd::Unit(count, i);
      gradient[i] = (f(x + e) - f(x - e)) / (2.0 * h);
      for (Eigen::Index j = 0; j < count; ++j) {
        const Eigen::VectorXd d = h * Eigen::VectorXd::Unit(count, j);
        hessian(i, j) = (f(x + e + d) - f(x + e - d) - f(x - e + d) + f(x - e - d)) / (4.0 * h * h);
      }
    }
    x -= hessian.ldlt().solve(gradient);
  }
  return {x, hessian.inverse()};
}

Minimum exact_fit(const SeriesData& data) {
  const Eigen::Vector3d start(0.0, 0.3, std::log(0.7));
  return minimum_of([&](const Eigen::VectorXd& at) { return minus_log_likelihood(data, at); },
                    start);
}

// The paths add a noise that the fit reports, and what extrapolation in dt leaves is far smaller
// than a tenth of a standard error of the data.
void expect_exact(const FitResult& fit, const Minimum& exact) {
  ASSERT_TRUE(fit.state.converged) << fit.state.reason;
  const Eigen::Vector3d at(std::exp(exact.at[0]), exact.at[1], std::exp(exact.at[2]));
  const Eigen::Vector3d scale(at[0], 1.0, at[2]);
  for (Eigen::Index i = 0; i < 3; ++i) {
    const auto p = static_cast<std::size_t>(i);
    const double error = scale[i] * std::sqrt(exact.covariance(i, i));
    EXPECT_NEAR(fit.estimate[p], at[i], 4.5 * fit.simulation_error[p] + 0.1 * error)
        << fit.names[p];
    EXPECT_NEAR(fit.series->model_error[p] / error, 1.0, 0.1) << fit.names[p];
    EXPECT_NEAR(fit.standard_error[p] / error, 1.0, 0.2) << fit.names[p];
  }
}

TEST(Series, IsTheMaximumOfTheExactLikelihood) {
  ExactPath path(1);
  std::vector<Row> rows;
  for (int i = 0; i < 1001; ++i) rows.push_back(path.next(0, 0.5));
  const Model model = parse_model(ornstein_uhlenbeck);
  const SeriesData data = match_series(model, {table_of(rows)}, timed());
  ASSERT_EQ(data.size(), 1000U);
  expect_exact(fit_series(model, data), exact_fit(data));
}

TEST(Series, APanelWithIrregularIntervalsIsOneFit) {
  std::vector<Row> rows;
  for (std::uint64_t id = 0; id < 100; ++id) {
    ExactPath path(100 + id);
    for (int i = 0; i < 11; ++i) {
      rows.push_back(path.next(static_cast<double>(id), i % 3 == 0 ? 0.1 : 0.4 + 0.05 * i));
    }
  }
  const Model model = parse_model(ornstein_uhlenbeck);
  const SeriesData data = match_series(model, {table_of(rows)}, grouped());
  ASSERT_EQ(data.size(), 1000U);
  EXPECT_EQ(data.individuals, 100U);
  expect_exact(fit_series(model, data), exact_fit(data));
}

TEST(Series, AFitIsTheSameForAnyNumberOfThreads) {
  ExactPath path(2);
  std::vector<Row> rows;
  for (int i = 0; i < 300; ++i) rows.push_back(path.next(0, 0.5));
  const Model model = parse_model(ornstein_uhlenbeck);
  const SeriesData data = match_series(model, {table_of(rows)}, timed());
  SeriesOptions options;
  options.session.threads = 1;
  const FitResult one = fit_series(model, data, options);
  options.session.threads = 3;
  EXPECT_EQ(fit_series(model, data, options).estimate, one.estimate);
}

// r is 2 c chi'^2 distributed; the density by its Poisson mixture of gamma densities.
double cir_log_density(double k, double m, double s, double interval, double from, double to) {
  const double kept = std::exp(-k * interval);
  const double c = 2.0 * k / (s * s * (1.0 - kept));
  const double shape = 2.0 * k * m / (s * s);
  const double rate = c * from * kept;
  const double at = c * to;
  double sum = 0.0;
  const int middle = static_cast<int>(std::sqrt(rate * at));
  for (int n = std::max(0, middle - 60); n < middle + 60; ++n) {
    sum += std::exp(-rate + n * std::log(rate) - std::lgamma(n + 1.0) - at +
                    (shape + n - 1.0) * std::log(at) - std::lgamma(shape + n));
  }
  return std::log(c * sum);
}

TEST(Series, FindsTheExactFitUnderNoiseThatDependsOnTheState) {
  const Model model = parse_model(R"(model cir
param k = 1 in (0, inf)
param m = 1 in (0, inf)
param s = 0.5 in (0, inf)
state r
dr = k*(m - r) dt + s*sqrt(r) dW
init r ~ lognormal(0, 0.2)
time 0 : 0.01 : 1
)");
  std::mt19937_64 random(5);
  double r = 1.0;
  SeriesData data;
  const double kept = std::exp(-0.5);
  const double c = 2.0 / (0.36 * (1.0 - kept));
  data.from = data.to = Matrix(600, 1);
  for (std::size_t i = 0; i < 600; ++i) {
    data.from(i, 0) = r;
    std::poisson_distribution<int> count(c * r * kept);
    std::gamma_distribution<double> mixed(2.0 / 0.36 + count(random), 1.0 / c);
    r = mixed(random);
    data.to(i, 0) = r;
    data.time.push_back(0.5 * static_cast<double>(i));
    data.interval.push_back(0.5);
  }
  const Minimum exact = minimum_of(
      [&](const Eigen::VectorXd& at) {
        double sum = 0.0;
        for (std::size_t i = 0; i < data.size(); ++i) {
          sum -= cir_log_density(std::exp(at[0]), std::exp(at[1]), std::exp(at[2]), 0.5,
                                 data.from(i, 0), data.to(i, 0));
        }
        return sum;
      },
      Eigen::Vector3d(0.0, 0.0, std::log(0.6)));
  const FitResult fit = fit_series(model, data);
  ASSERT_TRUE(fit.state.converged) << fit.state.reason;
  for (Eigen::Index i = 0; i < 3; ++i) {
    const auto p = static_cast<std::size_t>(i);
    const double error = std::sqrt(exact.covariance(i, i));  // of the logarithm
    const double of_paths = fit.simulation_error[p] / fit.estimate[p];
    EXPECT_NEAR(std::log(fit.estimate[p]), exact.at[i], 4.5 * of_paths + 0.1 * error)
        << fit.names[p];
    EXPECT_NEAR(fit.series->model_error[p] / fit.estimate[p] / error, 1.0, 0.1) << fit.names[p];
  }
}

// dx = (-a x + f u) dt + s dW with a = f = 1 and s = 0.5 under u = sin(t), a row every 0.8.
SeriesData forced_series(const Model& model) {
  std::mt19937_64 random(3);
  std::normal_distribution<double> normal;
  std::vector<Row> rows;
  double x = 0.0;
  for (int i = 0; i < 80'000; ++i) {  // dt = 0.01
    if (i % 80 == 0) rows.push_back({0, 0.01 * i, x});
    x += 0.01 * (-x + std::sin(0.01 * i)) + 0.05 * normal(random);
  }
  return match_series(model, {table_of(rows)}, timed());
}

Model forced_by(const std::string& u, const std::string& declared = {}) {
  return parse_model("model forced\nparam a = 1 in (0, inf)\nparam f = 0.5\n" + declared +
                     "param s = 0.5 in (0, inf)\nstate x\ndx = (-a*x + f*" + u +
                     ") dt + s dW\ninit x ~ normal(0, 1)\ntime 0 : 0.01 : 1\n");
}

TEST(Series, AbsoluteTimeReachesTheEquations) {
  const Model model = forced_by("sin(t)");
  const FitResult fit = fit_series(model, forced_series(model));
  ASSERT_TRUE(fit.state.converged) << fit.state.reason;
  // The bias of the data's own dt is below a hundredth.
  const double truth[] = {1.0, 1.0, 0.5};
  for (std::size_t p = 0; p < 3; ++p) {
    EXPECT_NEAR(fit.estimate[p], truth[p], 4.5 * fit.standard_error[p] + 0.01) << fit.names[p];
    EXPECT_LT(fit.standard_error[p], 0.15) << fit.names[p];
  }
}

TEST(Series, InputsAreReadAtTheTimesOfTheRows) {
  std::vector<double> times, values;
  for (int k = 0; k <= 800'000; ++k) {
    times.push_back(0.001 * k);
    values.push_back(std::sin(times.back()));
  }
  const Model written = forced_by("sin(t)");
  const std::vector<std::shared_ptr<const Knots>> u = {
      std::make_shared<const Knots>(std::move(times), std::move(values))};
  const Model tabulated = forced_by("u(t)", "input u(t) from \"u.csv\"\n").with_inputs(u);
  const FitResult fit = fit_series(tabulated, forced_series(tabulated));
  const FitResult same = fit_series(written, forced_series(written));
  ASSERT_TRUE(fit.state.converged) << fit.state.reason;
  for (std::size_t p = 0; p < 3; ++p) {
    EXPECT_NEAR(fit.estimate[p], same.estimate[p], 1e-3 * same.standard_error[p]) << fit.names[p];
    EXPECT_NEAR(fit.standard_error[p], same.standard_error[p], 1e-3 * same.standard_error[p]);
  }
}

std::string refusal_of(const std::vector<Row>& rows, const DataOptions& options) {
  try {
    static_cast<void>(match_series(parse_model(ornstein_uhlenbeck), {table_of(rows)}, options));
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(Series, RowsAreSortedAndMissingValuesAreLeaptOver) {
  const double none = std::numeric_limits<double>::quiet_NaN();
  const std::vector<Row> rows = {{1, 3, 0.3},  {1, 1, 0.1}, {1, 2, 0.2}, {2, 1, 0.5},
                                 {2, 2, none}, {2, 3, 0.7}, {2, 4, 0.7}, {3, 1, 0.9}};
  const SeriesData data =
      match_series(parse_model(ornstein_uhlenbeck), {table_of(rows)}, grouped());
  ASSERT_EQ(data.size(), 4U);
  EXPECT_EQ(data.from.data, (std::vector<double>{0.1, 0.2, 0.5, 0.7}));
  EXPECT_EQ(data.to.data, (std::vector<double>{0.2, 0.3, 0.7, 0.7}));
  EXPECT_EQ(data.interval, (std::vector<double>{1, 1, 2, 1}));
  EXPECT_EQ(data.individuals, 2U);
  std::string remarks;
  for (const std::string& remark : data.remarks) remarks += remark + "\n";
  EXPECT_THAT(remarks, HasSubstr("1 of 8 rows lack a state"));
  EXPECT_THAT(remarks, HasSubstr("sorted by time: one individual's"));
  EXPECT_THAT(remarks, HasSubstr("One individual with less than two rows"));
  EXPECT_THAT(remarks, HasSubstr("1 of 4 transitions end in the very state"));
}

TEST(Series, RefusesWhatIsNoSeries) {
  EXPECT_THAT(refusal_of({{1, 1, 0.1}, {1, 1, 0.2}}, timed()),
              HasSubstr("row 1 and row 2 of series.csv have the same time 1"));
  EXPECT_THAT(refusal_of({{1, 1, 0.1}, {2, 1, 0.2}}, grouped()), HasSubstr("no transition"));
  EXPECT_THAT(refusal_of({{1, 1, 0.1}, {1, 2, 0.1}, {1, 3, 0.1}, {1, 4000, 0.2}}, timed()),
              HasSubstr("different units"));
  EXPECT_THAT(refusal_of({{1, 1, 0.1}, {1, 2, 0.1}}, {}), HasSubstr("--time"));
}

TEST(Series, RefusesTooFewTransitions) {
  const Model model = parse_model(ornstein_uhlenbeck);
  const SeriesData few =
      match_series(model, {table_of({{0, 0, 1}, {0, 1, 2}, {0, 2, 1}})}, timed());
  EXPECT_THROW(
      {
        try {
          static_cast<void>(fit_series(model, few));
        } catch (const Error& error) {
          EXPECT_THAT(error.what(), HasSubstr("2 transitions for 3 parameters"));
          throw;
        }
      },
      Error);
}

TEST(Series, OneRowAtEachOfManyTimesLooksLikeASeries) {
  std::vector<Row> rows;
  for (int i = 0; i < 20; ++i) rows.push_back({0, static_cast<double>(i), 0.0});
  EXPECT_TRUE(looks_like_series(table_of(rows), timed()));
  rows.push_back({1, 3.0, 0.0});
  EXPECT_FALSE(looks_like_series(table_of(rows), timed()));
  EXPECT_FALSE(looks_like_series(table_of(rows), {}));
}

}  // namespace
}  // namespace divker
