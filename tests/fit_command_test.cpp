// divker fit as its user meets it.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <chrono>
#include <cmath>
#include <limits>
#include <numbers>
#include <thread>

#include "divker/npy.hpp"
#include "support/command.hpp"

namespace divker::test {
namespace {

constexpr int usage = 2;
constexpr int data_at_fault = 3;

class FitCommandTest : public CommandTest {
 protected:
  void SetUp() override {
    CommandTest::SetUp();
    write("m.sde",
          "model m\nparam m = 1\nparam s = 1 in (0, inf)\nstate x\ndx = (m - x) dt + s dW\n"
          "init x ~ normal(0, 0.5)\ntime 0 : 0.01 : 1\n");
    ASSERT_EQ(run({"simulate", "m.sde", "--paths", "400", "--seed", "9", "--times", "0.5,1",
                   "--out", "long.csv"})
                  .code,
              0);
    ASSERT_EQ(run({"sample", "m.sde", "-n", "400", "--seed", "9", "--out", "y.npy"}).code, 0);
  }
};

TEST_F(FitCommandTest, FitsSnapshotsToTheContract) {
  const Json json =
      json_of({"fit", "m.sde", "--data", "long.csv", "--time", "t", "--paths", "10000", "--set",
               "s=2", "--out", "fitted.sde", "--history", "history.csv"});
  EXPECT_EQ(json["parameters"], (std::vector<std::string>{"m", "s"}));
  EXPECT_TRUE(json["converged"].get<bool>());
  EXPECT_GT(json["iterations"].get<int>(), 0);
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_NEAR(json["estimate"][i].get<double>(), 1.0, 5.0 * json["stderr"][i].get<double>());
  }
  for (const char* key : {"alpha", "seed", "paths", "failed_paths", "correlation", "weak",
                          "inactive", "goodness", "history", "log_likelihood", "reason"}) {
    EXPECT_TRUE(json.contains(key)) << key;
  }
  EXPECT_EQ(json["goodness"].size(), 2U);
  EXPECT_NE(text_of(path("fitted.sde")).find(" +- "), std::string::npos);
  EXPECT_TRUE(text_of(path("history.csv")).starts_with("iteration,paths,gain,"));
  EXPECT_EQ(run({"sample", "fitted.sde", "-n", "10", "--out", "drawn.h5"}).code, 0);
}

TEST_F(FitCommandTest, SaysInATableWhatCameOut) {
  const Outcome outcome = run({"fit", "m.sde", "--data", "y.npy@1", "--paths", "5000"});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  for (const char* part : {"estimate", "correlation", "KS", "converged in "}) {
    EXPECT_NE(outcome.out.find(part), std::string::npos) << part;
  }
}

TEST_F(FitCommandTest, SaysPlainlyThatItDidNotConverge) {
  const Outcome outcome = run({"fit", "m.sde", "--data", "y.npy", "--paths", "5000", "--set", "s=9",
                               "--iterations", "1", "--json"});
  EXPECT_EQ(outcome.code, 4);
  EXPECT_FALSE(Json::parse(outcome.out)["converged"].get<bool>());
  EXPECT_NE(outcome.err.find("the fit did not converge: the limit of 1 iterations"),
            std::string::npos);
}

TEST_F(FitCommandTest, QuestionsDataInOtherUnits) {
  write("cm.csv", "x\n31200\n31300\n31100\n31250\n31210\n");
  const Words words = {"fit", "m.sde", "--data", "cm.csv", "--paths", "1000", "--iterations", "1"};
  const Outcome outcome = run(words);
  EXPECT_EQ(outcome.code, 4);
  const std::string sentence = "x: the data have mean 3.12e+04 and deviation 74, the model at";
  EXPECT_EQ(outcome.err.find("divker: " + sentence), 0U) << outcome.err;
  EXPECT_NE(outcome.err.find("the limit of 1 iterations was reached; " + sentence),
            std::string::npos)
      << outcome.err;
  EXPECT_NE(outcome.out.find("\n" + sentence), std::string::npos) << outcome.out;
}

TEST_F(FitCommandTest, RefusesBadArguments) {
  const auto refuse = [this](Words words, int code, const std::string& message) {
    words.insert(words.begin(), {"fit", "m.sde"});
    expect_failure(words, code, message);
  };
  write("bad.csv", "x\n1\nmuch\n");
  write("other.csv", "y\n1\n2\n3\n");
  write("one.csv", "x\n1\n");
  refuse({}, usage, "--data is required");
  refuse({"--data", "none.csv"}, data_at_fault, "cannot read 'none.csv'");
  refuse({"--data", "bad.csv"}, data_at_fault, "bad.csv:3: 'much' in column 'x' is not a number");
  refuse({"--data", "other.csv"}, data_at_fault, "The column 'y' of other.csv is neither");
  refuse({"--data", "long.csv"}, data_at_fault, "name it with --time t if it holds the times");
  refuse({"--data", "one.csv"}, data_at_fault, "fewer than the 2 parameters to be fitted");
  refuse({"--data", "y.npy@soon"}, usage,
         "--data y.npy@soon: 'soon' after the @ is neither a time nor 'stationary'.");
  refuse({"--data", "y.npy@3"}, usage, "the nearest time on it is 1.");
  refuse({"--data", "y.npy", "--data", "y.npy@stationary"}, usage,
         "Stationary data and data of a time cannot be fitted together");
  refuse({"--data", "long.csv@1", "--time", "t"}, usage, "gives a time, and so does --time t");
  refuse({"--data", "long.csv", "--map", "x"}, usage, "--map x: expected NAME=COLUMN");
  refuse({"--data", "y.npy", "--out", "x.csv"}, usage, "the fitted model is written to a .sde");
  refuse({"--data", "y.npy", "--checkpoint", "nowhere/c"}, usage, "the folder 'nowhere' does not");
  std::filesystem::create_directory(path("folder"));
  refuse({"--data", "y.npy", "--checkpoint", "folder"}, usage, "folder': it is a folder");
  refuse({"--data", "y.npy", "--paths", "5"}, usage, "a fit needs at least 100");
  write("c", "no state\n");
  refuse({"--data", "y.npy", "--checkpoint", "c"}, data_at_fault, "c is no saved fit: it does not");
}

TEST_F(FitCommandTest, NamesTheRowOfDataThatCannotBe) {
  const double infinity = std::numeric_limits<double>::infinity();
  Matrix y(300, 2, 1.0);
  y(7, 1) = infinity;
  write_npy(path("infinite.npy"), y);
  write("two.sde",
        "model two\nparam a = 1\nstate x, v\ndx = -a*x dt + dX\ndv = -v dt + dV\n"
        "init x ~ normal(0, 1)\ninit v ~ normal(0, 1)\ntime 0 : 0.1 : 1\n");
  expect_failure({"fit", "two.sde", "--data", "infinite.npy"}, data_at_fault,
                 "'infinite.npy': row 7, column 1 is inf, which is not finite");
  write("grows.sde",
        "model grows\nparam r = 0.1\nparam s = 0.2 in (0, inf)\nstate w\n"
        "dw = r*w dt + s*w dW\ninit w ~ lognormal(0, 0.1)\ntime 0 : 0.1 : 1\n");
  write("negative.csv", "w\n1\n1.2\n-0.5\n0.9\n");
  expect_failure({"fit", "grows.sde", "--data", "negative.csv"}, data_at_fault,
                 "Line 4 of negative.csv has 'w' = -0.5, but w stays positive in the model grows");
}

TEST_F(FitCommandTest, GoesOnWithoutAParameterThatHasNoEffect) {
  write("silent.sde",
        "model silent\nparam m = 1\nparam q = 1\nstate x, u\ndx = (m - x) dt + dW\n"
        "du = -q*u dt + dV\ninit x ~ normal(0, 0.5)\ninit u ~ normal(0, 1)\ntime 0 : 0.01 : 1\n");
  const Outcome outcome = run({"fit", "silent.sde", "--data", "long.csv@1", "--paths", "10000"});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_NE(outcome.out.find("\nColumns not used: t.\n"), std::string::npos) << outcome.out;
  EXPECT_NE(outcome.out.find("q has no effect on what is observed; it was left as it is."),
            std::string::npos)
      << outcome.out;
}

// Of m, and of a and b that enter as a product.
const char* const product =
    "model product\nparam m = 1\nparam a = 4 in (0, inf)\nparam b = 0.5 in (0, inf)\nstate x\n"
    "dx = (m - x) dt + a*b dW\ninit x ~ normal(0, 0.5)\ntime 0 : 0.01 : 1\n";

TEST_F(FitCommandTest, UndeterminedParametersHaveNoStandardErrorInJson) {
  write("product.sde", product);
  const Json json = json_of({"fit", "product.sde", "--data", "y.npy", "--paths", "10000", "--out",
                             "fitted.sde", "--checkpoint", "c"});
  EXPECT_EQ(json["parameters"], (std::vector<std::string>{"m", "a", "b"}));
  EXPECT_TRUE(json["converged"].get<bool>());
  EXPECT_EQ(json["undetermined"], (std::vector<std::string>{"a", "b"}));
  for (const char* key : {"stderr", "stderr_of_paths"}) {
    EXPECT_TRUE(json[key][0].is_number()) << key;
    EXPECT_TRUE(json[key][1].is_null() && json[key][2].is_null()) << key;
  }
  EXPECT_EQ(json["correlation"][0], Json::array({1.0, nullptr, nullptr}));
  EXPECT_EQ(json["correlation"][1], Json::array({nullptr, nullptr, nullptr}));
  ASSERT_EQ(json["determined"].size(), 1U);
  const Json& one = json["determined"][0];
  EXPECT_EQ(one["combination"], "a*b");
  EXPECT_EQ(one["parameters"], (std::vector<std::string>{"a", "b"}));
  EXPECT_NEAR(one["estimate"].get<double>(), 1.0, 5.0 * one["stderr"].get<double>());
  const double a = json["estimate"][1].get<double>();
  const double b = json["estimate"][2].get<double>();
  EXPECT_NEAR(a / b, 8.0, 1e-6);
  EXPECT_NEAR(a * b, one["estimate"].get<double>(), 1e-9);
  EXPECT_NE(text_of(path("fitted.sde")).find(" undetermined (only a*b = "), std::string::npos);
  EXPECT_EQ(run({"sample", "fitted.sde", "-n", "10", "--out", "drawn.csv"}).code, 0);
  // The saved fit ends where it ended.
  const Json again = json_of({"fit", "product.sde", "--data", "y.npy", "--paths", "10000", "--out",
                              "again.sde", "--checkpoint", "c"});
  EXPECT_EQ(text_of(path("again.sde")), text_of(path("fitted.sde")));
  EXPECT_EQ(again["determined"], json["determined"]);
  for (const auto& entry : std::filesystem::directory_iterator(path("."))) {
    EXPECT_FALSE(entry.path().filename().string().starts_with("c.")) << entry.path();
  }
}

TEST_F(FitCommandTest, SaysInPlaceOfAStandardErrorWhatIsDetermined) {
  write("product.sde", product);
  const Outcome outcome = run({"fit", "product.sde", "--data", "y.npy", "--paths", "5000"});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_THAT(outcome.out, ::testing::ContainsRegex("  a +[0-9.]+ undetermined \\(only a\\*b = "));
  EXPECT_THAT(outcome.out, ::testing::ContainsRegex("  a +-      -\n +b +-      -      -\n"));
  EXPECT_EQ(outcome.out.find("nan"), std::string::npos) << outcome.out;
  EXPECT_EQ(outcome.err.find("nan"), std::string::npos) << outcome.err;
}

// One row of the data at a time, 60 times: each is worth (dm / dmean)^2 / variance of the law.
TEST_F(FitCommandTest, OneRowATimeHasTheErrorOfSixtyRows) {
  std::string table = "t,x\n";
  double information = 0.0;
  for (int k = 1; k <= 60; ++k) {
    const double t = 0.4 + 0.01 * k;
    const double decay = std::exp(-t);
    const double variance = 0.5 * (1.0 - decay * decay) + 0.25 * decay * decay;
    const double score = std::sqrt(2.0) * std::sin(2.0 * std::numbers::pi * 0.381966 * k);
    table += fmt::format("{:.2f},{:.9g}\n", t, 1.0 - decay + std::sqrt(variance) * score);
    information += (1.0 - decay) * (1.0 - decay) / variance;
  }
  write("rows.csv", table);
  const Outcome outcome = run({"fit", "m.sde", "--data", "rows.csv", "--time", "t", "--paths",
                               "10000", "--alpha", "jacobian:1,1", "--json"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_NE(outcome.err.find("is this a series?"), std::string::npos) << outcome.err;
  const Json json = Json::parse(outcome.out);
  EXPECT_TRUE(json["converged"].get<bool>());
  EXPECT_NEAR(json["stderr"][0].get<double>() * std::sqrt(information), 1.0, 0.15);
  EXPECT_NEAR(json["estimate"][0].get<double>(), 1.0, 0.5 * json["stderr"][0].get<double>());
}

// Two groups of values under a normal law: the fit converges, and says that the law is another.
TEST_F(FitCommandTest, SaysThatTheModelIsNotTheLawOfTheData) {
  Matrix y(600, 1);
  for (std::size_t r = 0; r < y.rows; ++r) {
    y(r, 0) = (r % 2 == 0 ? 3.0 : -3.0) + 1e-3 * static_cast<double>(r);
  }
  write_npy(path("two_groups.npy"), y);
  const Outcome outcome = run({"fit", "m.sde", "--data", "two_groups.npy", "--paths", "10000"});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_NE(outcome.out.find("The law of the fitted model is not that of the data:\n  x at t = 1, "
                             "Kolmogorov-Smirnov distance 0."),
            std::string::npos)
      << outcome.out;
}

TEST_F(FitCommandTest, RefusesACheckpointOfAnotherFit) {
  Words words{"fit", "m.sde", "--data", "y.npy", "--paths", "5000", "--checkpoint", "c"};
  ASSERT_EQ(run(words).code, 0);
  words.insert(words.end(), {"--seed", "2"});
  expect_failure(words, usage,
                 "The saved fit belongs to another model, other data or other options");
}

TEST_F(FitCommandTest, KilledAndResumedItEndsWithTheSameBits) {
  const auto words = [](const std::string& checkpoint) {
    return Words{
        "fit",   "m.sde", "--data", "y.npy", "--paths",           "60000",        "--set",   "s=9",
        "--set", "m=-9",  "--json", "--out", checkpoint + ".sde", "--checkpoint", checkpoint};
  };
  ASSERT_EQ(run(words("whole")).code, 0);
  const auto killed = [&](int delay_ms) {
    const pid_t child = start(words("broken"));
    std::this_thread::sleep_for(std::chrono::milliseconds(delay_ms));
    kill(child, SIGKILL);
    return finish(child).code == 128 + SIGKILL;
  };
  int delay = 200;
  while (killed(delay) && delay < 20'000) delay += delay / 2;
  ASSERT_EQ(run(words("broken")).code, 0);
  EXPECT_EQ(text_of(path("broken")), text_of(path("whole")));
  EXPECT_EQ(text_of(path("broken.sde")), text_of(path("whole.sde")));
}

TEST_F(FitCommandTest, AnInterruptSavesFirst) {
  const pid_t child = start({"fit", "m.sde", "--data", "y.npy", "--paths", "30000000", "--set",
                             "s=9", "--checkpoint", "c"});
  while (!std::filesystem::exists(path("c"))) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  kill(child, SIGINT);
  const Outcome outcome = finish(child);
  EXPECT_EQ(outcome.code, 130);
  EXPECT_NE(outcome.err.find("the same command goes on from c"), std::string::npos) << outcome.err;
  EXPECT_TRUE(text_of(path("c")).starts_with("divker fit 4\n"));
}

}  // namespace
}  // namespace divker::test
