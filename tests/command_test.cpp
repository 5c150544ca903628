// What each subcommand answers, and that its answers are right and reproducible.
#include "support/command.hpp"

#include <cmath>
#include <set>
#include <thread>

#include "divker/npy.hpp"
#include "divker/table.hpp"

namespace divker::test {
namespace {

void expect_keys(const Json& json, const std::vector<std::string>& keys) {
  for (const std::string& key : keys) EXPECT_TRUE(json.contains(key)) << key;
  for (const char* key : {"alpha", "seed", "paths", "failed_paths", "model_text", "model_hash",
                          "time_grid", "version"}) {
    EXPECT_TRUE(json.contains(key)) << key;
  }
}

// What must not depend on how the work was divided.
Json without_times(Json json) {
  for (const char* key : {"seconds", "compile_seconds", "pilot_seconds"}) json.erase(key);
  return json;
}

// x_1 of the shipped model ou: normal, mean 0 where m = 0, started from N(0, 2).
double ou_variance(double a, double s) {
  const double decay = std::exp(-2.0 * a);
  return 4.0 * decay + s * s / (2.0 * a) * (1.0 - decay);
}

TEST_F(CommandTest, ListsTheShippedModels) {
  const Outcome table = run({"models"});
  EXPECT_EQ(table.code, 0);
  EXPECT_NE(table.out.find("lorenz96 "), std::string::npos);
  std::set<std::string> names;
  const Json listed = json_of({"models"});
  for (const Json& model : listed.at("models")) {
    names.insert(model.at("name").get<std::string>());
    EXPECT_FALSE(model.at("summary").get<std::string>().empty());
  }
  EXPECT_TRUE(names.contains("ou") && names.contains("lorenz96") && names.contains("gbm"));
}

TEST_F(CommandTest, ShowsAModel) {
  const Outcome ou = run({"show", "ou"});
  EXPECT_EQ(ou.code, 0);
  EXPECT_EQ(ou.err, "");
  EXPECT_NE(ou.out.find("Ito SDE: 1 state, 1 Brownian motion, 3 parameters of which 3 free\n"),
            std::string::npos)
      << ou.out;
  const Json lorenz = json_of({"show", "lorenz96", "--set", "F=9"});
  EXPECT_EQ(lorenz.at("states"), 40);
  EXPECT_EQ(lorenz.at("steps"), 375);
  EXPECT_NE(lorenz.at("model_text").get<std::string>().find("param F = 9\n"), std::string::npos);
}

TEST_F(CommandTest, FixesAndFreesParameters) {
  const Words question{"response", "ou", "--observable", "x^2", "--paths", "1000"};
  Words fixed = question;
  fixed.insert(fixed.end(), {"--fix", "a,s"});
  const Json json = json_of(fixed);
  EXPECT_EQ(json.at("parameters"), (Words{"m"}));
  const auto text = json.at("model_text").get<std::string>();
  EXPECT_NE(text.find("param a = 1 in (0, inf) fixed\n"), std::string::npos) << text;
  write_model("exact",
              "param k = 1 fixed\nparam c = 2 fixed\nstate x\ndx = -k*x dt + dW\n"
              "init x ~ normal(0, 1)\nobserve y = c*x");
  EXPECT_EQ(
      json_of({"response", "exact.sde", "--observable", "x^2", "--paths", "1000", "--free", "k"})
          .at("parameters"),
      (Words{"k"}));
  expect_failure({"simulate", "exact.sde", "--free", "c"}, 3, "depends on the parameter c");
  expect_failure({"simulate", "ou", "--fix", "q"}, 2, "There is no parameter 'q'");
}

TEST_F(CommandTest, ShowsAFileOfAnyEncodingInAnyFolder) {
  write_model("mine", "# caf\xe9\nstate x\ndx = -x dt + dW\ninit x = 0");
  const Json shown = json_of({"show", path("mine.sde").string()});
  EXPECT_EQ(shown.at("model"), "mine");
  EXPECT_EQ(shown.at("score_free_start"), true);
  EXPECT_TRUE(shown.at("parameters").empty());
}

TEST_F(CommandTest, ShowsAModelWhoseSamplesAreMissing) {
  write_model("from_file", "state x\ndx = -x dt + dW\ninit x ~ samples(\"start.csv\")");
  EXPECT_EQ(run({"show", "from_file.sde"}).code, 0);
}

TEST_F(CommandTest, SimulatesMoments) {
  const Json json = json_of({"simulate", "ou", "--times", "0,0.5,1", "--paths", "20000"});
  expect_keys(json, {"snapshots"});
  const Json& snapshots = json.at("snapshots");
  ASSERT_EQ(snapshots.size(), 3U);
  EXPECT_EQ(snapshots[1].at("t"), 0.5);
  const double error = snapshots[2].at("stderr")[0];
  EXPECT_NEAR(snapshots[2].at("mean")[0].get<double>(), 0.0, 5.0 * error);
  const double deviation = std::sqrt(ou_variance(1.0, 1.0));
  EXPECT_NEAR(error, deviation / std::sqrt(20000.0), 0.1 * error);
  // The standard error of a deviation is that of the mean over sqrt(2); 0.01 is the bias of dt.
  EXPECT_NEAR(snapshots[2].at("deviation")[0].get<double>(), deviation,
              5.0 * error / std::sqrt(2.0) + 0.01);
  const Outcome table = run({"simulate", "ou", "--paths", "100"});
  EXPECT_EQ(table.code, 0);
  EXPECT_EQ(table.err, "");
  EXPECT_NE(table.out.find("100 paths of 100 steps"), std::string::npos);
}

TEST_F(CommandTest, SetChangesParametersAndTheTimeGrid) {
  const Words base{"simulate", "--set", "dt=0.02", "--set", "T=0.5", "--set", "m=3"};
  Words words = base;
  words.insert(words.end(), {"ou", "--paths", "100"});  // the model may follow an option
  const Json json = json_of(words);
  EXPECT_EQ(json.at("time_grid").at("step"), 0.02);
  EXPECT_EQ(json.at("time_grid").at("end"), 0.5);
  EXPECT_EQ(json.at("snapshots")[0].at("t"), 0.5);
  EXPECT_NE(json.at("model_text").get<std::string>().find("param m = 3\n"), std::string::npos);
}

TEST_F(CommandTest, WritesTheSameStatesInEveryFormat) {
  for (const char* file : {"x.csv", "x.npy", "x.h5"}) {
    const Outcome outcome = run(
        {"simulate", "langevin", "--paths", "50", "--times", "0.1,0.2", "--out", file, "--quiet"});
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    EXPECT_EQ(outcome.out + outcome.err, "");
  }
  const Table csv = read_table(path("x.csv"));
  EXPECT_EQ(csv.columns, (Words{"t", "q", "p"}));
  EXPECT_EQ(csv.values.rows, 100U);
  EXPECT_EQ(csv.values.data, read_table(path("x.npy")).values.data);
  EXPECT_EQ(csv.values.data, read_table(path("x.h5")).values.data);
  EXPECT_NE(text_of(path("x.csv")).find("# seed: 1\n"), std::string::npos);
}

TEST_F(CommandTest, Samples) {
  const Json json = json_of({"sample", "ou", "-n", "200", "--out", "x.npy"});
  expect_keys(json, {"out"});
  EXPECT_EQ(json.at("paths"), 200);
  EXPECT_EQ(read_npy(path("x.npy")).rows, 200U);
}

TEST_F(CommandTest, StartsFromSamplesBesideTheModel) {
  std::filesystem::create_directory(path("models"));
  write("models/from_file.sde",
        "model from_file\nstate x, y\ndx = 0.001 dV\ndy = dW\ninit x ~ samples(\"start.csv\")\n"
        "init y ~ samples(\"start.csv\")\ntime 0 : 0.01 : 0.02\n");
  write("models/start.csv", "y,x\n0,7\n0,9\n");
  const Outcome outcome =
      run({"sample", "models/from_file.sde", "-n", "100", "--out", "x.csv", "--quiet"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  std::set<double> starts;  // hardly any noise: rounding takes x back to its start
  for (const double x : read_table(path("x.csv")).values.column(0)) starts.insert(std::round(x));
  EXPECT_EQ(starts, (std::set<double>{7.0, 9.0}));
}

TEST_F(CommandTest, TellsWhatItTookFilesFor) {
  write("from_file.sde",
        "model from_file\nstate x\ndx = -x dt + dW\ninit x ~ samples(\"start.csv\")\n"
        "time 0 : 0.01 : 0.02\n");
  write("start.csv", "x;y\n7;1\n9;2\n");
  const Outcome sampled = run({"simulate", "from_file.sde", "--paths", "100"});
  EXPECT_EQ(sampled.code, 0);
  EXPECT_NE(sampled.err.find("start.csv: columns are separated by ';'.\n"), std::string::npos)
      << sampled.err;
  EXPECT_EQ(run({"simulate", "from_file.sde", "--paths", "100", "--quiet"}).err, "");
  write("at.csv", "x;\n0,5;\n1,25;\n");
  const Outcome scored = run({"score", "ou", "--at", "at.csv", "--paths", "1000", "--json"});
  EXPECT_EQ(scored.code, 0);
  const Json warnings = Json::parse(scored.out).at("warnings");
  ASSERT_EQ(warnings.size(), 2U);
  EXPECT_EQ(warnings[1].at("what"), "file");
  EXPECT_EQ(warnings[1].at("sentence"),
            "at.csv: decimals are written with commas; '0,5' in line 2 is 0.5.");
  EXPECT_NE(scored.err.find("divker: at.csv: decimals are written"), std::string::npos);
}

TEST_F(CommandTest, ScoreOfOuIsTheClosedForm) {
  write("at.csv", "x\n-1\n0.5\n1.5\n");
  const Json json = json_of({"score", "ou", "--at", "at.csv"});
  expect_keys(json, {"points", "score", "stderr", "bias", "outside"});
  ASSERT_EQ(json.at("points").size(), 3U);
  for (std::size_t r = 0; r < 3; ++r) {
    const double x = json.at("points")[r][0];
    EXPECT_NEAR(json.at("score")[r][0].get<double>(), -x / ou_variance(1.0, 1.0),
                5.0 * json.at("stderr")[r][0].get<double>() + 0.02)
        << x;
  }
}

// The exact scheme is without the bias of dt: the score is that of the Euler chain, whose variance
// is known, at a step at which the Euler scheme is off by many error bars.
TEST_F(CommandTest, ExactSchemeFindsTheScoreOfTheChain) {
  write("at.csv", "x\n1\n");
  const Words words{
      "score", "ou", "--at", "at.csv", "--set", "dt=0.25", "--alpha", "1", "--ignore-time-step"};
  const auto defect_in_bars = [&](Words extended, const std::string& scheme) {
    if (scheme == "exact") extended.insert(extended.end(), {"--scheme", "exact"});
    extended.emplace_back("--json");
    const Outcome outcome = run(extended);
    // Euler's score is so far off at this dt that the identity is noticed to fail.
    EXPECT_EQ(outcome.err.find("score identity: 1 + E[nu.x]/1") == std::string::npos,
              scheme == "exact");
    const Json json = Json::parse(outcome.out);
    EXPECT_EQ(json.at("scheme"), scheme);
    double variance = 4.0;
    for (int n = 0; n < 4; ++n) variance = 0.75 * 0.75 * variance + 0.25;
    const double error = json.at("stderr")[0][0];
    return std::fabs(json.at("score")[0][0].get<double>() + 1.0 / variance) / error;
  };
  EXPECT_LT(defect_in_bars(words, "exact"), 5.0);
  EXPECT_GT(defect_in_bars(words, "euler"), 10.0);
}

TEST_F(CommandTest, ExactSchemeSimulatesTheSamePaths) {
  const Words words{"simulate", "bumpy", "--paths", "2000"};
  Words exact = words;
  exact.insert(exact.end(), {"--scheme", "exact"});
  EXPECT_EQ(json_of(words).at("snapshots"), json_of(exact).at("snapshots"));
}

TEST_F(CommandTest, AnswersForMaps) {
  const Json json = json_of({"response", "logistic", "--observable", "x", "--paths", "5000"});
  EXPECT_EQ(json.at("alpha"), "kernel");
  EXPECT_EQ(json.at("scheme"), "exact");
  write("linear.sde",
        "model linear\nparam a = 0.8\nstate x\nx' = a*x + 0.1*xi\ninit x ~ normal(0, 1)\n"
        "time 0 : 1 : 3\n");
  // E[x^2] = a^6 + 0.01 (1 + a^2 + a^4), by every mixture.
  constexpr double derivative = 6.0 * 0.32768 + 0.01 * (2.0 * 0.8 + 4.0 * 0.512);
  for (const char* alpha : {"auto", "0", "0.5", "1", "mixed:0.2,0.5", "gaussian", "kernel"}) {
    const Json found = json_of({"response", "linear.sde", "--observable", "x^2", "--alpha", alpha});
    EXPECT_NEAR(found.at("response")[0].get<double>(), derivative,
                5.0 * found.at("stderr")[0].get<double>())
        << alpha;
  }
}

TEST_F(CommandTest, ScoreHasADefaultGrid) {
  const Json json = json_of({"score", "ou", "--paths", "5000", "--grid", "5"});
  ASSERT_EQ(json.at("points").size(), 5U);
  EXPECT_EQ(json.at("score").size(), 5U);
  EXPECT_LT(json.at("points")[0][0], json.at("points")[4][0]);
}

TEST_F(CommandTest, PointsMayNameTheirColumnsInAnyOrder) {
  write("at.csv", "p,q\n0.25,-0.5\n0,1\n");
  write_npy(path("at.npy"), [] {
    Matrix points(2, 2);
    points.data = {-0.5, 0.25, 1.0, 0.0};
    return points;
  }());
  const Json named = json_of({"score", "langevin", "--at", "at.csv", "--paths", "4000"});
  const Json plain = json_of({"score", "langevin", "--at", "at.npy", "--paths", "4000"});
  EXPECT_EQ(named.at("points"), Json::parse("[[-0.5, 0.25], [1.0, 0.0]]"));
  EXPECT_EQ(without_times(named), without_times(plain));
}

TEST_F(CommandTest, ResponseAtPoints) {
  write("at.csv", "x\n-1\n0.5\n");
  const Words words{"response", "ou",      "--wrt", "s,a",   "--at",
                    "at.csv",   "--paths", "20000", "--out", "r.csv"};
  const Json json = json_of(words);
  expect_keys(json, {"parameters", "points", "response", "stderr"});
  EXPECT_EQ(json.at("parameters"), (Json{"s", "a"}));
  const Table table = read_table(path("r.csv"));
  EXPECT_EQ(table.columns, (Words{"x", "response.s", "stderr.s", "time_step.s", "response.a",
                                  "stderr.a", "time_step.a", "outside"}));
  ASSERT_EQ(table.values.rows, 2U);
  for (std::size_t r = 0; r < 2; ++r) {
    EXPECT_EQ(table.values(r, 0), json.at("points")[r][0]);
    EXPECT_EQ(table.values(r, 1), json.at("response")[r][0]);
    EXPECT_EQ(table.values(r, 2), json.at("stderr")[r][0]);
    EXPECT_EQ(table.values(r, 3), json.at("time_step")[r][0]);
    EXPECT_EQ(table.values(r, 4), json.at("response")[r][1]);
    EXPECT_EQ(table.values(r, 5), json.at("stderr")[r][1]);
    EXPECT_EQ(table.values(r, 6), json.at("time_step")[r][1]);
  }
}

TEST_F(CommandTest, ResponseOfAnObservable) {
  const Json json = json_of({"response", "ou", "--observable", "x^2", "--out", "r.csv"});
  expect_keys(json, {"parameters", "value", "value_stderr", "response", "stderr"});
  ASSERT_EQ(json.at("parameters"), (Json{"a", "m", "s"}));
  const auto near = [&](const Json& value, const Json& error, double expected) {
    EXPECT_NEAR(value.get<double>(), expected, 5.0 * error.get<double>() + 0.02);
  };
  near(json.at("value"), json.at("value_stderr"), ou_variance(1.0, 1.0));
  constexpr double h = 1e-5;
  const double by_a = (ou_variance(1.0 + h, 1.0) - ou_variance(1.0 - h, 1.0)) / (2.0 * h);
  const double by_s = (ou_variance(1.0, 1.0 + h) - ou_variance(1.0, 1.0 - h)) / (2.0 * h);
  near(json.at("response")[0], json.at("stderr")[0], by_a);
  near(json.at("response")[1], json.at("stderr")[1], 0.0);
  near(json.at("response")[2], json.at("stderr")[2], by_s);
  const Table table = read_table(path("r.csv"));
  ASSERT_EQ(table.columns.front(), "value");
  EXPECT_EQ(table.values(0, 0), json.at("value"));
  EXPECT_EQ(table.values(0, 2), json.at("response")[0]);
}

TEST_F(CommandTest, ResultsDoNotDependOnThreadsAndBlocks) {
  write("at.csv", "q,p\n0,0\n");
  const auto with = [&](const std::string& threads, const std::string& block) {
    return without_times(json_of({"response", "langevin", "--at", "at.csv", "--paths", "3000",
                                  "--seed", "7", "--threads", threads, "--block", block}));
  };
  const Json once = with("1", "0");
  EXPECT_EQ(once.at("seed"), 7);
  EXPECT_EQ(once, with("2", "0"));
  EXPECT_EQ(once, with("2", "64"));
}

TEST_F(CommandTest, HelpAndVersion) {
  EXPECT_NE(run({"--help"}).out.find("response"), std::string::npos);
  EXPECT_NE(run({"--version"}).out.find('.'), std::string::npos);
  for (const char* subcommand :
       {"models", "show", "simulate", "sample", "score", "response", "bench", "reproduce"}) {
    const Outcome help = run({subcommand, "--help"});
    EXPECT_EQ(help.code, 0) << subcommand;
    EXPECT_NE(help.out.find(std::string("divker ") + subcommand), std::string::npos) << help.out;
  }
}

TEST_F(CommandTest, ListsTheExperiments) {
  const Outcome outcome = run({"reproduce"});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  for (const char* name : {"density_1d ", "lorenz96 ", "fit_5d ", "costs "}) {
    EXPECT_NE(outcome.out.find(name), std::string::npos) << outcome.out;
  }
}

// Lorenz-96 with more paths than anybody waits for.
Words long_run() { return {"simulate", "lorenz96", "--paths", "500000000", "--json"}; }

TEST_F(CommandTest, AnswersFromWhatIsFinishedOnCtrlC) {
  write("at.csv", [] {
    std::string row = "0";
    for (int i = 1; i < 40; ++i) row += ",0";
    return row + "\n";
  }());
  const pid_t child =
      start({"score", "lorenz96", "--at", "at.csv", "--alpha", "5", "--paths", "400000", "--json",
             "--checkpoint", "begun", "--checkpoint-every", "0.1"});
  wait_for("begun");
  kill(child, SIGINT);
  const Outcome outcome = finish(child);
  EXPECT_EQ(outcome.code, 130) << outcome.err;
  const Json json = Json::parse(outcome.out);
  EXPECT_EQ(json.at("interrupted"), true);
  EXPECT_EQ(json.at("score")[0].size(), 40U);
  const std::size_t finished = json.at("paths");
  EXPECT_GT(finished, 0U);
  EXPECT_LT(finished, 400000U);
  EXPECT_NE(outcome.err.find("the " + std::to_string(finished) + " of 400000 paths"),
            std::string::npos)
      << outcome.err;
}

TEST_F(CommandTest, EndsOnTermWithTheSameCode) {
  Words words = long_run();
  words.insert(words.end(), {"--checkpoint", "begun", "--checkpoint-every", "0.1"});
  const pid_t child = start(words);
  wait_for("begun");
  kill(child, SIGTERM);
  EXPECT_EQ(finish(child).code, 130);
}

}  // namespace
}  // namespace divker::test
