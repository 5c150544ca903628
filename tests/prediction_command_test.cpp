// What simulate, response, likelihood and compare say of predictions, and of bad requests for them.
#include <algorithm>
#include <cmath>
#include <numbers>

#include "divker/table.hpp"
#include "support/command.hpp"

namespace divker::test {
namespace {

constexpr int usage = 2, model_error = 3;

class Prediction : public CommandTest {
 protected:
  void SetUp() override {
    CommandTest::SetUp();
    const std::string text =
        "model cooling\nparam a = 1 in (0, inf)\nparam m = 0.5\nstate x \"temperature\" [K]\n"
        "dx = a*(m - x) dt + 0.6 dW\ninit x ~ normal(2, 0.5)\nobserve y ~ normal(x, 0.2)\n"
        "time 0 : 0.05 : 2\n";
    write("cooling.sde", text);
    write("fitted.sde", text + "estimated a +- 0.2\nestimated m +- 0.1 correlations [0.5]\n");
  }
};

TEST_F(Prediction, SimulatesWhatIsMeasured) {
  const Json json = json_of({"simulate", "cooling.sde", "--paths", "5000", "--observed"});
  EXPECT_EQ(json.at("names"), Json({"y"}));
  // The Euler chain of the Ornstein-Uhlenbeck process, and the noise of y.
  const double shrunk = std::pow(0.95, 40);
  const double mean = 0.5 + 1.5 * shrunk;
  const double variance =
      0.25 * shrunk * shrunk + 0.36 * 0.05 * (1.0 - shrunk * shrunk) / (1.0 - 0.9025) + 0.04;
  const Json& end = json.at("snapshots")[0];
  EXPECT_NEAR(end.at("mean")[0].get<double>(), mean, 4.5 * std::sqrt(variance / 5000));
  EXPECT_NEAR(end.at("deviation")[0].get<double>(), std::sqrt(variance),
              4.5 * std::sqrt(variance / 10'000));
}

TEST_F(Prediction, TimesOfTheSamePathsInOneTable) {
  const Outcome outcome = run({"sample", "cooling.sde", "-n", "50", "--observed", "--times",
                               "0.5,1,2", "--out", "d.csv", "--quiet"});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  const Table table = read_table(path("d.csv"));
  EXPECT_EQ(table.columns, (std::vector<std::string>{"t", "y"}));
  ASSERT_EQ(table.values.rows, 150U);
  EXPECT_EQ(table.values(50, 0), 1.0);
  // The end alone has the same measurements.
  (void)run({"sample", "cooling.sde", "-n", "50", "--observed", "--out", "e.csv", "--quiet"});
  const Table end = read_table(path("e.csv"));
  for (std::size_t r = 0; r < 50; ++r) EXPECT_EQ(end.values(r, 0), table.values(100 + r, 1));
}

TEST_F(Prediction, ExpressionsAreSetAtTheModelsOwnValues) {
  const Json one =
      json_of({"simulate", "cooling.sde", "--paths", "100", "--set", "a=2*a", "m=a+m", "dt=dt/2"});
  const Json other =
      json_of({"simulate", "cooling.sde", "--paths", "100", "--set", "a=2", "m=1.5", "dt=0.025"});
  EXPECT_EQ(one.at("snapshots"), other.at("snapshots"));
  EXPECT_EQ(one.at("model_text"), other.at("model_text"));
  expect_failure({"simulate", "cooling.sde", "--set", "a=2*q"}, usage,
                 "--set a=2*q: expression:1:3: The name 'q' is not declared");
  expect_failure({"simulate", "cooling.sde", "--set", "a=x"}, usage,
                 "--set a=x: 'x' is not a number.");
  expect_failure({"simulate", "cooling.sde", "--set", "a=2*x"}, usage, "it depends on x");
  expect_failure({"simulate", "cooling.sde", "--set", "a=1/0"}, usage, "--set a=1/0: ");
  expect_failure({"simulate", "cooling.sde", "--set", "a=-a"}, model_error,
                 "The parameter a = -1 is outside its bounds");
}

TEST_F(Prediction, ErrorsOfTheFitWidenTheLaw) {
  const Json narrow = json_of({"simulate", "fitted.sde", "--paths", "8000"});
  const Json wide = json_of({"simulate", "fitted.sde", "--paths", "8000", "--with-fit-errors"});
  const double one = narrow.at("snapshots")[0].at("deviation")[0];
  const double both = wide.at("snapshots")[0].at("deviation")[0];
  EXPECT_GT(both, std::sqrt(one * one + 0.005));
  EXPECT_LT(both, std::sqrt(one * one + 0.03));
  EXPECT_EQ(wide.at("model_text"), narrow.at("model_text"));
  // What is set is known.
  const Outcome show = run({"show", "fitted.sde", "--set", "a=1.5"});
  EXPECT_EQ(show.out.find("estimated a"), std::string::npos) << show.out;
  EXPECT_NE(show.out.find("estimated m +- 0.1\n"), std::string::npos) << show.out;
  EXPECT_NE(show.out.find("state x \"temperature\" [K]"), std::string::npos) << show.out;
  expect_failure({"simulate", "cooling.sde", "--with-fit-errors"}, usage,
                 "tells no errors of its parameters");
}

TEST_F(Prediction, BandsHoldTheDataTheyPredict) {
  (void)run({"sample", "cooling.sde", "-n", "100", "--observed", "--times", "0.5,2", "--out",
             "d.csv", "--seed", "7", "--quiet"});
  const Json json = json_of({"simulate", "cooling.sde", "--data", "d.csv", "--time", "t", "--bands",
                             "0.05,0.5,0.95", "--paths", "5000"});
  ASSERT_EQ(json.at("snapshots").size(), 2U);
  EXPECT_EQ(json.at("snapshots")[0].at("t"), 0.5);
  const Json& coverage = json.at("coverage")[0];
  EXPECT_EQ(coverage.at("rows"), 200);
  EXPECT_NEAR(coverage.at("share").get<double>(), 0.9, 4.0 * std::sqrt(0.09 / 200.0));
  const Outcome outcome = run({"simulate", "cooling.sde", "--bands", "0.05,0.95", "--times", "1,2",
                               "--paths", "1000", "--out", "bands.csv", "--quiet"});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(
      read_table(path("bands.csv")).columns,
      (std::vector<std::string>{"t", "mean.x", "stderr.x", "deviation.x", "q0.05.x", "q0.95.x"}));
  expect_failure({"simulate", "cooling.sde", "--bands", "0.5,0.05"}, usage, "levels ascend");
  expect_failure({"simulate", "cooling.sde", "--bands", "5"}, usage, "must be between 0 and 1");
  write("foreign.csv", "t,q\n1,2\n");
  expect_failure({"simulate", "cooling.sde", "--data", "foreign.csv", "--time", "t"}, model_error,
                 "foreign.csv");
}

// d E[x]/d m = 1 - e^{-a T}: the error of m alone moves the mean by as much.
TEST_F(Prediction, ErrorsOfTheFitAreInTheBarsOfResponses) {
  write("one.sde", text_of(path("cooling.sde")) + "estimated m +- 0.1\n");
  const Json json = json_of({"response", "one.sde", "--observable", "x", "--with-fit-errors",
                             "--paths", "4000", "--ignore-time-step"});
  const double slope = 1.0 - std::pow(0.95, 40);
  const double value = json.at("value_fit_error");
  EXPECT_NEAR(value, 0.1 * slope, 0.002);
  EXPECT_GT(json.at("value_stderr").get<double>(), value);
  ASSERT_EQ(json.at("fit_error").size(), 2U);
  const Json points = json_of({"response", "one.sde", "--grid", "3", "--with-fit-errors", "--paths",
                               "4000", "--ignore-time-step"});
  EXPECT_EQ(points.at("fit_error").size(), 3U);
  for (std::size_t r = 0; r < 3; ++r) {
    EXPECT_GE(points.at("stderr")[r][1].get<double>(), points.at("fit_error")[r][1].get<double>());
  }
}

TEST_F(Prediction, FitsWriteTheirErrorsIntoTheModel) {
  (void)run({"sample", "cooling.sde", "-n", "60", "--observed", "--times", "0.5,1,2", "--out",
             "d.csv", "--seed", "7", "--quiet"});
  const Json fit = json_of({"fit", "cooling.sde", "--data", "d.csv", "--time", "t", "--paths",
                            "3000", "--out", "f.sde"});
  const Json shown = json_of({"show", "f.sde"});
  ASSERT_EQ(shown.at("estimated").size(), 2U);
  for (std::size_t p = 0; p < 2; ++p) {
    EXPECT_EQ(shown.at("estimated")[p].at("name"), fit.at("parameters")[p]);
    const double error = fit.at("stderr")[p];
    EXPECT_NEAR(shown.at("estimated")[p].at("stderr").get<double>(), error, 1e-5 * error);
  }
  const double r = fit.at("correlation")[1][0];
  EXPECT_NEAR(shown.at("estimated")[1].at("correlations")[0].get<double>(), r, 1e-5);
}

TEST_F(Prediction, ComparesModelsByLikelihood) {
  (void)run({"sample", "cooling.sde", "-n", "60", "--observed", "--times", "0.5,2", "--out",
             "d.csv", "--seed", "7", "--quiet"});
  const Words data{"--data", "d.csv", "--time", "t", "--paths", "8000"};
  const auto with = [&](Words words) {
    words.insert(words.end(), data.begin(), data.end());
    return words;
  };
  const Json one = json_of(with({"likelihood", "cooling.sde"}));
  EXPECT_EQ(one.at("rows"), 120);
  EXPECT_EQ(one.at("free_parameters"), 2);
  write("off.sde",
        "model off\nparam a = 1 in (0, inf)\nparam m = 1\nstate x\n"
        "dx = a*(m - x) dt + 0.6 dW\ninit x ~ normal(2, 0.5)\n"
        "observe y ~ normal(x, 0.2)\ntime 0 : 0.05 : 2\n");
  const Json json = json_of(with({"compare", "off.sde", "cooling.sde"}));
  ASSERT_EQ(json.at("models").size(), 2U);
  EXPECT_EQ(json.at("models")[0].at("name"), "cooling.sde");
  EXPECT_EQ(json.at("models")[0].at("log_likelihood"), one.at("log_likelihood"));
  EXPECT_GT(json.at("models")[0].at("weight").get<double>(), 0.99);
  EXPECT_NE(json.at("models")[1].at("verdict").get<std::string>().find("tell them apart"),
            std::string::npos);
  const Json same = json_of(with({"compare", "cooling.sde", "fitted.sde"}));
  EXPECT_NEAR(same.at("models")[0].at("weight").get<double>(), 0.5, 1e-12);
  expect_failure(with({"compare", "cooling.sde"}), usage, "two models at least");
  expect_failure(with({"compare", "cooling.sde", "off.sde", "--nested"}), usage,
                 "needs a larger model");
  expect_failure({"likelihood", "cooling.sde"}, usage, "--data");
}

}  // namespace
}  // namespace divker::test
