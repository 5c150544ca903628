// divker fit as its user meets it.
#include <chrono>
#include <thread>

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

TEST_F(FitCommandTest, RefusesBadArguments) {
  const auto refuse = [this](Words words, int code, const std::string& message) {
    words.insert(words.begin(), {"fit", "m.sde"});
    expect_failure(words, code, message);
  };
  write("bad.csv", "x\n1\nnan\n");
  write("other.csv", "y\n1\n2\n3\n");
  write("one.csv", "x\n1\n");
  refuse({}, usage, "--data is required");
  refuse({"--data", "none.csv"}, data_at_fault, "cannot read 'none.csv'");
  refuse({"--data", "bad.csv"}, data_at_fault, "bad.csv:3: 'nan' in column 'x' is not finite");
  refuse({"--data", "other.csv"}, data_at_fault, "The column 'y' of other.csv is neither");
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
  refuse({"--data", "y.npy", "--paths", "5"}, usage, "a fit needs at least 100");
  write("c", "no state\n");
  refuse({"--data", "y.npy", "--checkpoint", "c"}, data_at_fault, "c is no saved fit: it does not");
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
  EXPECT_TRUE(text_of(path("c")).starts_with("divker fit 1\n"));
}

}  // namespace
}  // namespace divker::test
