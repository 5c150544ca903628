// The command on several ranks of MPI: the same answers to the bit, one voice, and an end whatever
// happens.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <thread>

#include "support/command.hpp"

namespace divker::test {
namespace {

using Clock = std::chrono::steady_clock;

class RanksTest : public CommandTest {
 protected:
  void SetUp() override {
    const char* launcher = std::getenv("DIVKER_MPIEXEC");
    if (launcher == nullptr) GTEST_SKIP() << "built without MPI";
    launcher_ = launcher;
    CommandTest::SetUp();
    // More ranks than cores, by root, beside other tests.
    for (const char* name : {"OMPI_ALLOW_RUN_AS_ROOT", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM",
                             "OMPI_MCA_rmaps_base_oversubscribe"}) {
      setenv(name, "1", 1);
    }
    setenv("OMPI_MCA_hwloc_base_binding_policy", "none", 1);
    setenv("OMPI_MCA_btl_vader_single_copy_mechanism", "none", 1);
  }

  [[nodiscard]] pid_t start_ranks(std::size_t count, const Words& words) const {
    Words line{launcher_, "-q", "-n", std::to_string(count), command()};
    line.insert(line.end(), words.begin(), words.end());
    return start_program(line);
  }
  [[nodiscard]] Outcome run_on(std::size_t count, const Words& words) const {
    return finish(count == 1 ? start(words) : start_ranks(count, words));
  }

  [[nodiscard]] const std::string& launcher() const { return launcher_; }

  // The command's JSON on so many ranks, less what clocks say; with what is on standard error.
  [[nodiscard]] Json answer_on(std::size_t count, Words words, int code = 0) const {
    words.insert(words.end(), {"--json", "--threads", "1"});
    const Outcome outcome = run_on(count, words);
    EXPECT_EQ(outcome.code, code) << outcome.err;
    Json json = Json::parse(outcome.out);
    json["standard error"] = outcome.err;
    for (const char* key : {"seconds", "compile_seconds", "pilot_seconds"}) json.erase(key);
    if (json.contains("methods")) {
      for (Json& method : json["methods"]) method.erase("seconds");
      // Which method is the cheapest is measured in seconds.
      Json& checks = json["checks"];
      checks.erase(std::remove_if(checks.begin(), checks.end(),
                                  [](const Json& check) { return check["name"] == "method"; }),
                   checks.end());
    }
    return json;
  }

  void expect_equal(const Words& words, const std::vector<std::size_t>& counts = {4}) const {
    const Json alone = answer_on(1, words);
    for (const std::size_t count : counts) {
      EXPECT_EQ(answer_on(count, words), alone) << words[0] << " on " << count << " ranks";
    }
  }

  // The processes that mpirun has started on this machine.
  static std::vector<pid_t> children(pid_t parent) {
    std::ifstream list("/proc/" + std::to_string(parent) + "/task/" + std::to_string(parent) +
                       "/children");
    std::vector<pid_t> found;
    for (pid_t child = 0; list >> child;) found.push_back(child);
    return found;
  }
  // Waits until there are so many, and they had the time to begin.
  static std::vector<pid_t> begun(pid_t parent, std::size_t count) {
    const auto late = Clock::now() + std::chrono::seconds(60);
    while (children(parent).size() < count && Clock::now() < late) {
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    std::this_thread::sleep_for(std::chrono::seconds(3));
    return children(parent);
  }

 private:
  std::string launcher_;
};

// Seconds of work for one rank: not done before it is interrupted.
const Words endless{"simulate", "ou", "--paths", "2000000000", "--threads", "1"};

TEST_F(RanksTest, SimulatesTheSameMoments) {
  expect_equal({"simulate", "ou", "--paths", "3000", "--times", "0.5,1"}, {2, 4});
}

TEST_F(RanksTest, WritesTheSameStates) {
  const Words words{"sample", "langevin", "-n", "3001", "--quiet", "--out", "x.npy"};
  EXPECT_EQ(run_on(1, words).code, 0);
  const std::string alone = text_of(path("x.npy"));
  for (const std::size_t count : {2, 4}) {
    std::filesystem::remove(path("x.npy"));
    const Outcome outcome = run_on(count, words);
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    EXPECT_EQ(outcome.out + outcome.err, "");
    EXPECT_EQ(text_of(path("x.npy")), alone);
  }
}

TEST_F(RanksTest, AnswersTheSame) {
  expect_equal({"score", "ou", "--paths", "3000"}, {2, 4});  // with a pilot
  expect_equal(
      {"score", "ou", "--paths", "3000", "--alpha", "gaussian", "--regressor", "local-sums"});
  expect_equal({"response", "ou", "--paths", "3000", "--alpha", "3"});
  expect_equal({"response", "ou", "--paths", "3000", "--alpha", "3", "--observable", "x^2"});
  expect_equal({"response", "ou", "--paths", "3000", "--alpha", "3", "--to", "m=0.1"});
}

TEST_F(RanksTest, AnswersTheSameByOtherMethods) {
  const Words question{"response", "ou", "--paths", "3000", "--observable", "x^2"};
  for (const char* method : {"likelihood-ratio", "finite-difference"}) {
    Words words = question;
    words.insert(words.end(), {"--method", method});
    expect_equal(words);
  }
  expect_equal({"response", "ou", "--paths", "600", "--alpha", "3", "--observable", "x^2",
                "--stationary", "--set", "T=10"});
}

TEST_F(RanksTest, DiagnosesTheSame) {
  expect_equal({"diagnose", "ou", "--paths", "3000", "--alpha", "3", "--wrt", "m"});
}

TEST_F(RanksTest, FailedPathsAreTheSame) {
  write_model("frail", "state x\ndx = x^3 dt + dW\ninit x ~ normal(0, 0.7)");
  expect_equal({"simulate", "frail.sde", "--paths", "2000", "--failed-share", "1"});
  const Words strict{"simulate", "frail.sde", "--paths", "2000"};
  const Outcome alone = run_on(1, strict);
  const Outcome together = run_on(4, strict);
  EXPECT_EQ(alone.code, 4);
  EXPECT_EQ(together.code, 4);
  EXPECT_EQ(together.err, alone.err);
}

TEST_F(RanksTest, FitsTheSameAndGoesOn) {
  ASSERT_EQ(
      run_on(1, {"sample", "ou", "-n", "300", "--seed", "7", "--quiet", "--out", "y.npy"}).code, 0);
  const Words fit{"fit",   "ou",      "--data", "y.npy",   "--set",
                  "a=1.2", "--paths", "5000",   "--alpha", "3"};
  const auto with = [&](Words more) {
    more.insert(more.begin(), fit.begin(), fit.end());
    return more;
  };
  const Json alone = answer_on(1, with({"--history", "alone.csv"}));
  EXPECT_EQ(answer_on(2, with({"--history", "two.csv"})), alone);
  EXPECT_EQ(text_of(path("two.csv")), text_of(path("alone.csv")));
  // A fit that is begun by one rank and ended by four.
  (void)answer_on(1, with({"--checkpoint", "state", "--iterations", "1"}), 4);
  std::filesystem::copy(path("state"), path("copy"));
  const Json goes_on = answer_on(1, with({"--checkpoint", "state", "--iterations", "2"}), 4);
  EXPECT_EQ(answer_on(4, with({"--checkpoint", "copy", "--iterations", "2"}), 4), goes_on);
  EXPECT_EQ(text_of(path("copy")), text_of(path("state")));
}

TEST_F(RanksTest, OneRankSpeaks) {
  const Outcome help = run_on(2, {"--version"});
  EXPECT_EQ(help.code, 0);
  EXPECT_EQ(help.out, run_on(1, {"--version"}).out);
  const std::vector<std::pair<Words, int>> wrong{
      {{"simulate", "ou", "--paths", "many"}, 2},
      {{"simulate", "nosuch.sde"}, 3},
      {{"simulate", "ou", "--paths", "10", "--out", "nosuch/x.csv"}, 2},
      {{"simulate", "ou", "--paths", "10", "--out", "/dev/full"}, 2}};
  for (const auto& [words, code] : wrong) {
    const Outcome alone = run_on(1, words);
    const Outcome together = run_on(2, words);
    EXPECT_EQ(alone.code, code);
    EXPECT_EQ(together.code, code) << together.err;
    EXPECT_EQ(together.err, alone.err);
    EXPECT_EQ(together.out, alone.out);
  }
}

TEST_F(RanksTest, BenchComparesWithOneRank) {
  const Outcome outcome = run_on(2, {"bench", "--repeats", "1", "--paths", "256"});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  const Json line = Json::parse(outcome.out);  // one line, of one rank
  EXPECT_EQ(line["case"], "lorenz96-40/ranks");
  EXPECT_EQ(line["ranks"], 2);
  EXPECT_GT(line["ratio_to_one_rank"].get<double>(), 0.0);
  const Outcome refused = run_on(2, {"bench", "--only", "normals"});
  EXPECT_EQ(refused.code, 2);
  EXPECT_TRUE(refused.err.starts_with("divker: --only names measurements of one process"))
      << refused.err;
}

TEST_F(RanksTest, ExperimentsRunOnTheFirst) {
  const Outcome outcome =
      run_on(2, {"reproduce", "rough_noise", "--quick", "--out", path("out").string()});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  const auto tables = outcome.out.find("as expected");
  EXPECT_NE(tables, std::string::npos) << outcome.out;
  EXPECT_EQ(outcome.out.find("as expected", tables + 1), std::string::npos);  // said once
}

TEST_F(RanksTest, ARankWithAnErrorOfItsOwnEndsAll) {
  Words line{launcher(), "-q", "-n", "1", command()};
  line.insert(line.end(), endless.begin(), endless.end());
  line.insert(line.end(), {":", "-n", "1", command(), "simulate", "nosuch.sde"});
  const auto began = Clock::now();
  const Outcome outcome = finish(start_program(line));
  EXPECT_EQ(outcome.code, 3) << outcome.err;
  EXPECT_NE(outcome.err.find("nosuch.sde"), std::string::npos) << outcome.err;
  EXPECT_NE(outcome.err.find("rank 1 of 2 alone"), std::string::npos) << outcome.err;
  EXPECT_LT(Clock::now() - began, std::chrono::seconds(60));
}

TEST_F(RanksTest, AKilledRankEndsAll) {
  const pid_t launcher = start_ranks(2, endless);
  const std::vector<pid_t> ranks = begun(launcher, 2);
  ASSERT_EQ(ranks.size(), 2U);
  kill(ranks.back(), SIGKILL);
  const Outcome outcome = finish(launcher);
  EXPECT_EQ(outcome.code, 128 + SIGKILL) << outcome.err;
}

TEST_F(RanksTest, AnInterruptionKeepsWhatAllHaveDone) {
  // Of one rank, and of all by way of mpirun.
  for (const int signal_number : {SIGTERM, SIGUSR1}) {
    const pid_t launcher = start_ranks(2, endless);
    const std::vector<pid_t> ranks = begun(launcher, 2);
    ASSERT_EQ(ranks.size(), 2U);
    kill(signal_number == SIGTERM ? ranks.back() : launcher, signal_number);
    const Outcome outcome = finish(launcher);
    EXPECT_EQ(outcome.code, 130) << outcome.err;
    EXPECT_NE(outcome.err.find("paths that were finished"), std::string::npos) << outcome.err;
    EXPECT_NE(outcome.out.find("t = 1\n"), std::string::npos) << outcome.out;
  }
}

TEST_F(RanksTest, ARunIsEndedByOtherRanksThanBeganIt) {
  const Words run{"simulate", "ou", "--paths", "2000000", "--set", "dt=0.0025"};
  const Json alone = answer_on(1, run);
  Words saving = run;
  saving.insert(saving.end(), {"--checkpoint", "c", "--checkpoint-every", "0.1"});
  Words words = saving;
  words.insert(words.end(), {"--threads", "1"});
  for (const std::size_t beginners : {1, 2}) {
    std::filesystem::remove(path("c"));
    const pid_t process = beginners == 1 ? start(words) : start_ranks(beginners, words);
    wait_for("c");
    kill(process, beginners == 1 ? SIGTERM : SIGUSR1);
    const Outcome outcome = finish(process);
    EXPECT_EQ(outcome.code, 130) << outcome.err;
    EXPECT_EQ(answer_on(3 - beginners, saving), alone);
  }
}

TEST_F(RanksTest, RowsAreKeptByOneRankAndSurvive) {
  const Words run{"sample", "ou", "-n", "300000", "--quiet", "--threads", "1", "--out"};
  const auto with = [&run](Words more) {
    more.insert(more.begin(), run.begin(), run.end());
    return more;
  };
  ASSERT_EQ(run_on(1, with({"alone.npy"})).code, 0);
  const Words words = with({"x.npy", "--checkpoint", "c", "--checkpoint-every", "0"});
  const pid_t launcher = start_ranks(2, words);
  wait_for("c");
  for (const pid_t rank : children(launcher)) kill(rank, SIGKILL);
  (void)finish(launcher);
  ASSERT_TRUE(std::filesystem::exists(path("c")));
  EXPECT_EQ(run_on(4, words).code, 0);
  EXPECT_TRUE(text_of(path("x.npy")) == text_of(path("alone.npy")));
}

}  // namespace
}  // namespace divker::test
