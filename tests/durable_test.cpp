// Runs of the command that are killed, stopped, and out of space: what is saved is whole, and the
// same command goes on to the same bits.
#include <sys/mount.h>
#include <sys/stat.h>

#include <chrono>
#include <random>
#include <thread>

#include "support/command.hpp"

namespace divker::test {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr int usage = 2;
constexpr int file_at_fault = 3;

class DurableTest : public CommandTest {
 protected:
  // A run of some tenths of a second on one thread.
  [[nodiscard]] static Words run_words(const std::string& checkpoint, const Words& more,
                                       const std::string& paths = "1000000") {
    Words words{"simulate",           "ou",   "--paths",      paths,     "--threads", "1", "--json",
                "--checkpoint-every", "0.02", "--checkpoint", checkpoint};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }

  // The numbers that a command prints; times apart.
  [[nodiscard]] Json numbers_of(const Words& words) const {
    const Outcome outcome = run(words);
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    Json json = Json::parse(outcome.out, nullptr, false);
    for (const char* key : {"seconds", "compile_seconds", "pilot_seconds", "out"}) json.erase(key);
    return json;
  }

  void remove(const Words& names) const {
    for (const std::string& name : names) fs::remove(path(name));
  }

  // Starts the command and kills it at a moment of its life, which lasts `whole` seconds.
  void kill_at(const Words& words, double whole, double share) const {
    const pid_t child = start(words);
    std::this_thread::sleep_for(std::chrono::duration<double>(whole * share));
    kill(child, SIGKILL);
    (void)finish(child);
  }

  [[nodiscard]] double seconds_of(const Words& words) const {
    const auto began = Clock::now();
    EXPECT_EQ(run(words).code, 0);
    return std::chrono::duration<double>(Clock::now() - began).count();
  }

  // A small disk of its own, as a folder; false where mounting is not permitted.
  [[nodiscard]] bool mount_disk(const std::string& name, const std::string& size) {
    fs::create_directory(path(name));
    const std::string options = "size=" + size;
    if (mount("tmpfs", path(name).c_str(), "tmpfs", 0, options.c_str()) != 0) return false;
    disks_.push_back(path(name));
    return true;
  }
  void TearDown() override {
    for (const fs::path& disk : disks_) umount(disk.c_str());
    CommandTest::TearDown();
  }

 private:
  std::vector<fs::path> disks_;
};

TEST_F(DurableTest, KilledAtAnyMomentARunEndsWithTheSameBits) {
  const Json whole = numbers_of(run_words("whole", {}));
  const double seconds = seconds_of(run_words("timed", {}));
  std::mt19937 moments(20240607);
  std::size_t resumed = 0;
  for (int i = 0; i < 25; ++i) {
    remove({"c"});
    kill_at(run_words("c", {}), seconds, std::uniform_real_distribution(0.0, 1.0)(moments));
    // A torn file would be refused here.
    resumed += fs::exists(path("c")) ? 1 : 0;
    EXPECT_EQ(numbers_of(run_words("c", {})), whole) << "kill " << i;
    EXPECT_EQ(text_of(path("stderr.txt")), "");
    for (const auto& entry : fs::directory_iterator(path("."))) {
      EXPECT_FALSE(entry.path().filename().string().starts_with(".c.")) << entry.path();
    }
  }
  EXPECT_GT(resumed, 3U) << "too few of the kills came after a save";
}

TEST_F(DurableTest, KilledAtAnyMomentAFileOfRowsEndsWithTheSameBits) {
  const auto words = [](const std::string& name) {
    return run_words(name, {"--times", "0.5,1", "--out", name + ".npy"}, "100000");
  };
  const double seconds = seconds_of(words("whole"));
  const std::string whole = text_of(path("whole.npy"));
  std::mt19937 moments(20240608);
  for (int i = 0; i < 25; ++i) {
    remove({"c", "c.rows", "c.npy"});
    kill_at(words("c"), seconds, std::uniform_real_distribution(0.0, 1.0)(moments));
    if (fs::exists(path("c.npy"))) {
      EXPECT_EQ(text_of(path("c.npy")), whole) << "whole or not at all";
    }
    EXPECT_EQ(run(words("c")).code, 0);
    EXPECT_TRUE(text_of(path("c.npy")) == whole) << "kill " << i;
  }
}

TEST_F(DurableTest, KilledAgainAndAgainAFitEndsWithTheSameBits) {
  write("m.sde",
        "model m\nparam m = 1\nparam s = 1 in (0, inf)\nstate x\ndx = (m - x) dt + s dW\n"
        "init x ~ normal(0, 0.5)\ntime 0 : 0.02 : 1\n");
  ASSERT_EQ(run({"sample", "m.sde", "-n", "300", "--seed", "9", "--out", "y.npy"}).code, 0);
  const auto words = [](const std::string& name) {
    return Words{"fit", "m.sde",  "--data",       "y.npy", "--paths", "2000",       "--set",
                 "s=4", "--json", "--checkpoint", name,    "--out",   name + ".sde"};
  };
  const double seconds = seconds_of(words("whole"));
  std::mt19937 moments(20240609);
  for (int i = 0; i < 8; ++i) {
    remove({"c", "c.sde"});
    for (int kills = 0; kills < 2; ++kills) {
      kill_at(words("c"), seconds, std::uniform_real_distribution(0.0, 1.0)(moments));
    }
    EXPECT_EQ(run(words("c")).code, 0);
    EXPECT_EQ(text_of(path("c")), text_of(path("whole"))) << "kill " << i;
    EXPECT_EQ(text_of(path("c.sde")), text_of(path("whole.sde"))) << "kill " << i;
  }
}

// Killed within its first iteration, which is one long run of paths.
TEST_F(DurableTest, AFitGoesOnWithinAnIteration) {
  write("m.sde",
        "model m\nparam m = 1\nparam s = 1 in (0, inf)\nstate x\ndx = (m - x) dt + s dW\n"
        "init x ~ normal(0, 0.5)\ntime 0 : 0.0005 : 1\n");
  ASSERT_EQ(run({"sample", "m.sde", "-n", "300", "--seed", "9", "--out", "y.npy"}).code, 0);
  const auto words = [](const std::string& name) {
    return Words{"fit",     "m.sde",        "--data",     "y.npy",
                 "--paths", "40000",        "--alpha",    "1",
                 "--json",  "--optimizer",  "gd",         "--iterations",
                 "2",       "--checkpoint", name,         "--checkpoint-every",
                 "0",       "--out",        name + ".sde"};
  };
  const int code = run(words("whole")).code;
  const auto runs = [this] {
    std::vector<fs::path> found;
    for (const auto& entry : fs::directory_iterator(path("."))) {
      if (entry.path().filename().string().starts_with("c.run-")) found.push_back(entry.path());
    }
    return found;
  };
  const pid_t child = start(words("c"));
  while (runs().empty()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  kill(child, SIGKILL);
  (void)finish(child);
  EXPECT_FALSE(fs::exists(path("c"))) << "no iteration had ended";
  const fs::path saved = runs().front();
  fs::copy(saved, path("kept"));
  EXPECT_EQ(run(words("c")).code, code);
  EXPECT_EQ(text_of(path("c")), text_of(path("whole")));
  EXPECT_EQ(text_of(path("c.sde")), text_of(path("whole.sde")));
  EXPECT_TRUE(runs().empty()) << "a fit that has ended leaves none";

  // It is read, or this would go unseen; and what is another run's is none.
  remove({"c", "c.sde"});
  std::ofstream(saved) << "torn";
  const Outcome torn = run(words("c"));
  EXPECT_EQ(torn.code, 3);
  EXPECT_NE(torn.err.find("is no checkpoint of a run"), std::string::npos) << torn.err;
  fs::copy(path("kept"), saved, fs::copy_options::overwrite_existing);
  Words other = words("c");
  other.insert(other.end(), {"--seed", "2"});
  EXPECT_EQ(run(other).code, code);
}

TEST_F(DurableTest, EveryAnswerGoesOn) {
  const std::vector<Words> answers{
      {"score", "ou", "--alpha", "1"},
      {"response", "ou", "--alpha", "1", "--regressor", "local-sums"},
      {"response", "ou", "--observable", "x^2"},
      {"response", "ou", "--alpha", "1", "--stationary", "--observable", "x^2"},
      {"score", "ou", "--alpha", "1", "--stationary"}};
  for (Words words : answers) {
    words.insert(words.end(), {"--paths", "20000", "--set", "dt=0.02", "--json"});
    const Json whole = numbers_of(words);
    words.insert(words.end(), {"--checkpoint", "c", "--checkpoint-every", "0"});
    const pid_t child = start(words);
    wait_for("c");
    kill(child, SIGKILL);
    (void)finish(child);
    EXPECT_EQ(numbers_of(words), whole) << words[1] << " " << words[2];
    EXPECT_EQ(numbers_of(words), whole) << "a finished one answers again";
    remove({"c"});
  }
}

TEST_F(DurableTest, ASignalSavesFirst) {
  for (const int signal : {SIGINT, SIGTERM}) {
    remove({"c"});
    const Words words = run_words("c", {"--set", "T=5"});
    Words often = words;
    often[8] = "0";  // --checkpoint-every, so that there is a sign of life to wait for
    const pid_t child = start(often);
    wait_for("c");
    kill(child, signal);
    const Outcome outcome = finish(child);
    EXPECT_EQ(outcome.code, 130);
    EXPECT_TRUE(Json::parse(outcome.out)["interrupted"].get<bool>());
    EXPECT_NE(outcome.err.find("the same command goes on from c."), std::string::npos);
    EXPECT_EQ(numbers_of(words), numbers_of(run_words("whole", {"--set", "T=5"})));
  }
}

// The answer goes into a pipe that nobody reads: without the second signal it would wait for ever.
TEST_F(DurableTest, ASecondSignalEndsAtOnce) {
  ASSERT_EQ(mkfifo(path("pipe.csv").c_str(), 0600), 0);
  const pid_t child = start({"sample", "ou", "-n", "100000000", "--out", "pipe.csv", "--checkpoint",
                             "c", "--checkpoint-every", "0"});
  wait_for("c");
  kill(child, SIGINT);
  kill(child, SIGTERM);
  const Outcome outcome = finish(child);  // by whichever of the two was delivered second
  EXPECT_TRUE(outcome.code == 128 + SIGTERM || outcome.code == 128 + SIGINT) << outcome.code;
  EXPECT_EQ(outcome.err, "") << "it came to an orderly end";
}

TEST_F(DurableTest, AFullDiskKeepsTheLastGoodCheckpoint) {
  // Arrays of paths grow with the run.
  const auto score = [](const std::string& checkpoint) {
    return Words{"score", "ou",     "--paths",      "20000",    "--alpha",
                 "1",     "--json", "--checkpoint", checkpoint, "--checkpoint-every",
                 "0"};
  };
  if (!mount_disk("disk", "128k")) {
    GTEST_SKIP() << "mounting a small file system is not permitted here";
  }
  expect_failure(score("disk/c"), usage, "cannot write 'disk/c': No space left on device");
  ASSERT_TRUE(fs::exists(path("disk/c")));
  fs::copy_file(path("disk/c"), path("c"));
  EXPECT_EQ(numbers_of(score("c")), numbers_of(score("whole")));

  ASSERT_TRUE(mount_disk("rows", "64k"));
  const auto sample = [](const std::string& name) {
    return run_words(name, {"--out", "x.npy"}, "100000");
  };
  EXPECT_EQ(run(sample("whole.x")).code, 0);
  const std::string whole = text_of(path("x.npy"));
  remove({"x.npy"});
  expect_failure(sample("rows/c"), usage, "cannot write 'rows/c");
  EXPECT_FALSE(fs::exists(path("x.npy")));
  if (fs::exists(path("rows/c"))) fs::copy_file(path("rows/c"), path("d"));
  fs::copy_file(path("rows/c.rows"), path("d.rows"));
  EXPECT_EQ(run(sample("d")).code, 0);
  EXPECT_TRUE(text_of(path("x.npy")) == whole);
}

TEST_F(DurableTest, RefusesWhatIsNoCheckpointOfIt) {
  const auto refuse = [this](const Words& more, int code, const std::string& message) {
    Words words{"simulate", "ou", "--paths", "1000"};
    words.insert(words.end(), more.begin(), more.end());
    expect_failure(words, code, message);
  };
  ASSERT_EQ(run({"simulate", "ou", "--paths", "1000", "--checkpoint", "c"}).code, 0);
  const std::string good = text_of(path("c"));
  refuse({"--checkpoint", "c", "--seed", "2"}, usage,
         "c is the checkpoint of another run: the seed is 1 there, and 2 here.");
  refuse({"--checkpoint", "c", "--set", "a=2"}, usage, "the parameter a is 1 there, and 2 here.");
  write("cut", good.substr(0, good.size() / 2));
  refuse({"--checkpoint", "cut"}, file_at_fault, "cut is no checkpoint of a run: ");
  write("fit", "divker fit 4\n");
  refuse({"--checkpoint", "fit"}, file_at_fault,
         "fit is no checkpoint of a run: it does not begin with 'divker run 1'");
  EXPECT_EQ(text_of(path("fit")), "divker fit 4\n");
  refuse({"--checkpoint-every", "5"}, usage, "--checkpoint-every requires --checkpoint");
  refuse({"--checkpoint", "d", "--checkpoint-every", "-5"}, usage, "--checkpoint-every");
  refuse({"--checkpoint", "x.npy", "--out", "x.npy"}, usage,
         "--checkpoint and --out name the same file.");
  const Words endless{"score", "ou", "--paths", "100000000000", "--checkpoint", "nowhere/c"};
  expect_failure(endless, usage, "the folder 'nowhere' does not exist");
  expect_failure({"diagnose", "ou", "--checkpoint", "d"}, usage, "--checkpoint");
  expect_failure({"response", "ou", "--to", "a=2", "--checkpoint", "d"}, usage,
                 "--checkpoint saves one run: it excludes --method and --to, which make several.");
}

TEST_F(DurableTest, RefusesRowsThatAreNotItsOwn) {
  const auto words = [](const std::string& checkpoint) {
    return Words{"simulate", "ou", "--paths", "1000", "--out", "x.npy", "--checkpoint", checkpoint};
  };
  write("c.rows", "a file of the user's");
  expect_failure(words("c"), file_at_fault, "c.rows': it is there already, and holds no rows");
  EXPECT_EQ(text_of(path("c.rows")), "a file of the user's");
  ASSERT_EQ(run(words("d")).code, 0);
  fs::resize_file(path("d.rows"), 100);
  expect_failure(words("d"), file_at_fault, "d.rows': 1004 numbers should be there, but 10 are");
}

}  // namespace
}  // namespace divker::test
