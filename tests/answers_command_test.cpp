// What score and response answer with --stationary, --method and --to, and what they record.
#include <cmath>

#include "divker/table.hpp"
#include "support/command.hpp"

namespace divker::test {
namespace {

void expect_keys(const Json& json, const std::vector<std::string>& keys) {
  for (const std::string& key : keys) EXPECT_TRUE(json.contains(key)) << key << " of " << json;
}

TEST_F(CommandTest, AnswersForTheStationaryDensity) {
  const Json score = json_of({"score", "ou", "--stationary", "--paths", "256", "--grid", "3"});
  expect_keys(score, {"points", "score", "stderr", "stationary", "alpha", "time_grid"});
  EXPECT_EQ(score.at("points").size(), 3U);
  expect_keys(score.at("stationary"), {"spinup", "length", "spacing", "samples"});
  const double x = score.at("points")[0][0];
  EXPECT_NEAR(score.at("score")[0][0].get<double>(), -2.0 * x, 0.1 * std::fabs(x));

  const Json at = json_of({"response", "ou", "--stationary", "--paths", "512", "--wrt", "m",
                           "--window", "5", "--spinup", "5", "--grid", "2"});
  expect_keys(at, {"parameters", "points", "response", "stderr", "window_stderr", "stationary"});
  EXPECT_EQ(at.at("stationary").at("spinup"), 5.0);
  EXPECT_NEAR(at.at("stationary").at("window")[0].get<double>(), 5.0, 1e-9);
  EXPECT_EQ(at.at("paths"), 512);
}

TEST_F(CommandTest, AnswersForAveragesUnderTheStationaryDensity) {
  const Json json = json_of(
      {"response", "ou", "--stationary", "--observable", "x^2", "--paths", "512", "--alpha", "4"});
  expect_keys(json, {"parameters", "observable", "value", "value_stderr", "response", "stderr",
                     "window_stderr", "stationary", "time_grid"});
  const Json& how = json.at("stationary");
  EXPECT_EQ(how.at("windows").size(), 9U);
  EXPECT_EQ(how.at("window").size(), 3U);
  EXPECT_EQ(how.at("plateau").size(), 3U);
  EXPECT_NEAR(json.at("value").get<double>(), 0.5,
              5.0 * json.at("value_stderr").get<double>() + 0.01);
  const double end = how.at("spinup").get<double>() + how.at("length").get<double>();
  EXPECT_NEAR(json.at("time_grid").at("end").get<double>(), end, 1e-9);

  const Outcome table = run({"response", "ou", "--stationary", "--observable", "x^2", "--window",
                             "2", "--spinup", "4", "--paths", "128", "--out", "r.csv"});
  EXPECT_EQ(table.code, 0) << table.err;
  EXPECT_NE(table.out.find("stationary: spin-up 4, then "), std::string::npos) << table.out;
  EXPECT_NE(text_of(path("r.csv")).find("# stationary: {\"spinup\":4.0"), std::string::npos)
      << text_of(path("r.csv"));
}

TEST_F(CommandTest, SaysThatThereIsNoPlateau) {
  const Outcome outcome = run({"response", "ou", "--stationary", "--observable", "x", "--wrt", "m",
                               "--window", "0.1", "--spinup", "5", "--paths", "2048", "--quiet"});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_NE(outcome.err.find("divker: the response to m has no plateau at window 0.1: longer "
                             "windows disagree, or none was carried."),
            std::string::npos)
      << outcome.err;
}

TEST_F(CommandTest, AnswersByEveryMethod) {
  for (const char* method : {"divergence-kernel", "likelihood-ratio", "finite-difference"}) {
    const Json mean = json_of({"response", "ou", "--wrt", "m", "--observable", "x", "--method",
                               method, "--paths", "2000", "--alpha", "4"});
    expect_keys(mean, {"method", "path_runs", "pilot_path_runs", "response", "stderr"});
    EXPECT_EQ(mean.at("method"), method);
    const double expected = 1.0 - std::pow(0.99, 100);
    EXPECT_NEAR(mean.at("response")[0].get<double>(), expected,
                5.0 * mean.at("stderr")[0].get<double>() + 0.01);
    const Json density = json_of({"response", "ou", "--wrt", "m", "--grid", "2", "--method", method,
                                  "--paths", "2000", "--alpha", "4"});
    expect_keys(density, {"method", "path_runs", "points", "response", "stderr", "bias"});
  }
  const Json difference = json_of({"response", "ou", "--observable", "x^2", "--method",
                                   "finite-difference", "--fd-step", "0.05", "--paths", "1000"});
  EXPECT_EQ(difference.at("fd_steps"), Json({0.05, 0.05, 0.05}));
  EXPECT_EQ(difference.at("path_runs"), 7000);
  expect_keys(difference, {"truncation"});
}

TEST_F(CommandTest, TellsWhichMethodWasChosen) {
  const std::vector<std::string> words{"response", "ou",       "--wrt", "m",       "--observable",
                                       "x",        "--method", "auto",  "--paths", "25600"};
  const Json mean = json_of(words);
  EXPECT_EQ(mean.at("method"), "path-kernel");
  EXPECT_EQ(mean.at("alpha"), "off");
  EXPECT_EQ(mean.at("compared")[0], Json({{"method", "path-kernel"}, {"work", 1.0}}));
  EXPECT_GT(mean.at("compared")[1].at("work").get<double>(), 1.0);
  const Outcome told = run(words);
  EXPECT_NE(told.out.find("error^2 x work of path-kernel: 1\n"), std::string::npos) << told.out;
}

TEST_F(CommandTest, WarnsOfLikelihoodRatiosOfTheNoise) {
  const Outcome outcome = run({"response", "ou", "--wrt", "s", "--observable", "x^2", "--method",
                               "likelihood-ratio", "--paths", "1000", "--quiet"});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_EQ(outcome.err,
            "divker: The noise depends on s: the variance of its likelihood ratio grows like "
            "1/dt.\n");
}

TEST_F(CommandTest, TellsHowMuchADensityChanges) {
  write("points.csv", "x\n-1\n0.5\n");
  const Json json =
      json_of({"response", "ou", "--to", "a=1.5", "--to", "m=0.5", "--at", "points.csv", "--paths",
               "4000", "--alpha", "gaussian", "--out", "change.csv"});
  expect_keys(json, {"to", "points", "log_ratio", "stderr", "deviation", "bias", "quadrature",
                     "outside", "nodes", "path_runs"});
  EXPECT_EQ(json.at("to"), Json({{"a", 1.5}, {"m", 0.5}}));
  EXPECT_EQ(json.at("log_ratio").size(), 2U);
  const Table table = read_table(path("change.csv"));
  EXPECT_EQ(table.columns, (Words{"x", "log_ratio", "stderr", "quadrature", "outside"}));
  EXPECT_NE(text_of(path("change.csv")).find("# to: {\"a\":1.5,\"m\":0.5}"), std::string::npos);

  const Json mean = json_of({"response", "ou", "--to", "m=1", "--observable", "x", "--nodes", "3",
                             "--paths", "4000", "--alpha", "gaussian"});
  expect_keys(mean, {"to", "observable", "change", "stderr", "quadrature"});
  EXPECT_EQ(mean.at("path_runs"), 12000);
  EXPECT_NEAR(mean.at("change").get<double>(), 1.0 - std::pow(0.99, 100),
              5.0 * mean.at("stderr").get<double>() + 0.01);
  const Outcome text = run({"response", "ou", "--to", "m=1", "--grid", "2", "--paths", "2000"});
  EXPECT_NE(text.out.find("log of the density ratio"), std::string::npos) << text.out;
}

}  // namespace
}  // namespace divker::test
