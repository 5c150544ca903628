// Bad input: each exit code and message, and that nothing but the message is printed.
#include <sys/mount.h>
#include <sys/stat.h>

#include "support/command.hpp"

namespace divker::test {
namespace {

constexpr int usage = 2;
constexpr int model = 3;
constexpr int numerical = 4;

TEST_F(CommandTest, RefusesBadCommandLines) {
  expect_failure({}, usage, "A subcommand is expected; the subcommands are: models, show,");
  expect_failure({"socre"}, usage, "There is no subcommand 'socre'; the subcommands are: models");
  expect_failure({"socre"}, usage, "Did you mean 'score'?");
  expect_failure({"score", "ou", "--path", "100"}, usage, "Did you mean '--paths'?");
  expect_failure({"score", "ou", "b=3", "--set", "a=2"}, usage, "not expected: b=3");
  expect_failure({"score"}, usage, "model is required");
  expect_failure({"score", "ou", "--bogus"}, usage, "--bogus");
  expect_failure({"score", "ou", "--bogus"}, usage, "Run 'divker score --help'");
  expect_failure({"score", "ou", "--paths", "0"}, usage, "The number of paths is 0");
  expect_failure({"score", "ou", "--paths", "-3"}, usage, "--paths: '-3' is not a whole number");
  expect_failure({"score", "ou", "--paths", "15e-1"}, usage,
                 "--paths: '15e-1' is not a whole number");
  expect_failure({"score", "ou", "--paths", "1e17"}, usage,
                 "--paths: '1e17' is not a whole number");
  expect_failure({"score", "ou", "--paths", "-1e3"}, usage,
                 "--paths: '-1e3' is not a whole number");
  expect_failure({"score", "ou", "--seed", "-1"}, usage, "--seed: '-1' is not a whole number");
  expect_failure({"score", "ou", "--time", "nan"}, usage, "--time: 'nan' is not a finite number");
  expect_failure({"score", "ou", "--failed-share", "2"}, usage, "--failed-share");
  expect_failure({"score", "ou", "--at", ""}, usage, "--at: the text is empty");
  expect_failure({"sample", "ou", "-n", "5"}, usage, "divker sample needs --out FILE");
}

TEST_F(CommandTest, RefusesExperimentsThatAreNone) {
  expect_failure({"reproduce", "lorenz"}, usage,
                 "There is no experiment 'lorenz'; the experiments");
  expect_failure({"reproduce", "costs", "--quick", "--out", "/proc/none"}, usage,
                 "the folder /proc/none cannot be made");
}

TEST_F(CommandTest, RefusesModelsThatAreNone) {
  write("empty.sde", "");
  write("binary.sde", std::string("\x7f") + "ELF\0\1\2" + std::string(3, '\0'));
  expect_failure({"show", "kuramotto"}, model, "Did you mean 'kuramoto'?");
  expect_failure({"show", "missing.sde"}, model, "There is no model file 'missing.sde'");
  expect_failure({"show", "empty.sde"}, model, "The model file empty.sde is empty.");
  expect_failure({"show", "binary.sde"}, model, "The model file binary.sde is not a text");
  expect_failure({"show", "."}, model, "is a directory");
}

TEST_F(CommandTest, ShowsWhereAModelIsAtFault) {
  write_model("noeq", "state x, y\ndx = -x dt + dW\ninit x = 0\ninit y = 0");
  expect_failure({"show", "noeq.sde"}, model,
                 "noeq.sde:2:10: The state y has no equation; dy = ... was expected.\n"
                 "  state x, y\n"
                 "           ^\n");
  write_model("singular", "state x, y\ndx = -x dt + dW\ndy = -y dt + dW\ninit x = 0\ninit y = 0");
  write("points.csv", "x,y\n0,0\n");
  expect_failure({"score", "singular.sde", "--at", "points.csv"}, model,
                 "The noise of x and y is one and the same Brownian motion W");
}

TEST_F(CommandTest, RefusesBadSettings) {
  const auto refuse = [this](const std::string& setting, int code, const std::string& message) {
    expect_failure({"simulate", "ou", "--set", setting}, code, message);
  };
  refuse("zz=1", usage, "There is no parameter 'zz' in the model ou; its parameters are: a, m");
  refuse("a", usage, "--set a: expected name=value");
  refuse("a=much", usage, "--set a=much: 'much' is not a number.");
  refuse("a=", usage, "--set a=: '' is not a number.");
  refuse("s=-1", model, "The parameter s = -1 is outside its bounds (0, inf).");
  refuse("dt=0", model, "The time step is 0; it must be positive.");
  refuse("dt=-0.1", model, "The time step is -0.1; it must be positive.");
  refuse("dt=0.3", model, "it must be a whole number of steps");
  refuse("T=1.005", model, "it must be a whole number of steps");
}

TEST_F(CommandTest, RefusesBadPoints) {
  write("two.csv", "0,1\n");
  write("other.csv", "y\n1\n");
  write("nan.csv", "x\n0\nnan\n");
  write("empty.csv", "");
  expect_failure({"score", "ou", "--at", "two.csv"}, model,
                 "two.csv has 2 columns without names; expected 1: x");
  expect_failure({"score", "ou", "--at", "other.csv"}, model,
                 "other.csv has no column 'x'; its columns are y");
  expect_failure({"score", "ou", "--at", "nan.csv"}, model,
                 "nan.csv:3: the value of column 'x' is missing");
  expect_failure({"score", "ou", "--at", "none.csv"}, model,
                 "cannot read 'none.csv': No such file or directory");
  expect_failure({"score", "ou", "--at", "empty.csv"}, model, "it is empty");
  expect_failure({"score", "lorenz63"}, usage, "give the points with --at");
}

TEST_F(CommandTest, RefusesBadMethods) {
  expect_failure({"score", "ou", "--alpha", "zz"}, usage, "The damping 'zz' is not understood");
  expect_failure({"score", "ou", "--alpha", "-1"}, usage, "The damping alpha = -1 is negative");
  expect_failure({"score", "ou", "--regressor", "zz"}, usage, "--regressor: zz not in {bins,");
  expect_failure(
      {"score", "ou", "--paths", "1000", "--regressor", "neighbours", "--neighbours", "2000"},
      usage, "2000 neighbours, but the sample has only 1000");
  expect_failure({"score", "ou", "--order", "3"}, usage, "--order");
  expect_failure({"score", "langevin", "--fokker-planck"}, usage,
                 "--fokker-planck is for models of one state; model langevin has 2.");
}

// What is made for SDEs is refused for maps, and the other way about.
TEST_F(CommandTest, RefusesWhatMapsHaveNoUseFor) {
  expect_failure({"score", "logistic", "--fokker-planck"}, usage,
                 "--fokker-planck is for SDEs; model logistic is a discrete-time map.");
  expect_failure({"score", "logistic", "--order", "2"}, usage,
                 "The order in the inverse is that of an expansion in dt, but model logistic is a "
                 "discrete-time map, whose step is exact.");
  expect_failure(
      {"simulate", "logistic", "--scheme", "euler"}, usage,
      "The scheme euler is for SDEs: model logistic is a discrete-time map, whose step is "
      "exact.");
  for (const char* alpha : {"jacobian", "jacobian:1,0.5"}) {
    expect_failure({"score", "logistic", "--alpha", alpha}, usage,
                   "Jacobian damping is made of the drift of an SDE, but model logistic is a "
                   "discrete-time map.");
  }
  expect_failure({"score", "logistic", "--alpha", "early:0.5"}, usage,
                 "The damping 'early' forgets the start of an SDE at the rate 1/t, but model "
                 "logistic is a discrete-time map.");
  expect_failure({"score", "logistic", "--alpha", "2"}, usage,
                 "The damping alpha = 2 is above 1: it is the share of the kernel in a step, "
                 "because model logistic is a discrete-time map.");
  expect_failure({"score", "logistic", "--set", "dt=0.5"}, model,
                 "The model logistic is a map: its time step is 1, not 0.5.");
  write("origin.csv", "0,0,0,0,0,0,0,0,0\n");
  expect_failure({"score", "tent", "--at", "origin.csv", "--alpha", "0.5"}, model,
                 "The step of model tent has a kink (abs)");
  expect_failure({"response", "logistic", "--observable", "x", "--alpha", "0.5"}, numerical,
                 "its inverse Jacobian was not finite at t = ");
}

TEST_F(CommandTest, RefusesWhatSdesHaveNoUseFor) {
  for (const char* alpha : {"kernel", "mixed:0.5,0.5"}) {
    expect_failure({"score", "ou", "--alpha", alpha}, usage,
                   std::string("The damping '") + alpha +
                       "' belongs to exact steps: those of maps, and those of the SDE ou with the "
                       "exact scheme.");
  }
  expect_failure({"score", "ou", "--alpha", "mixed:0.5,2"}, usage,
                 "The share c = 2 of the likelihood ratio is outside [0, 1].");
  expect_failure({"score", "ou", "--scheme", "exact", "--order", "2"}, usage,
                 "The order in the inverse is that of the Euler scheme; the exact scheme keeps all "
                 "orders.");
  expect_failure({"score", "ou", "--scheme", "milstein"}, usage,
                 "--scheme: milstein not in {euler,exact}");
}

TEST_F(CommandTest, RefusesBadTimes) {
  expect_failure({"simulate", "ou", "--times", "0.333"}, usage,
                 "The snapshot time 0.333 is not on the time grid 0 : 0.01 : 1");
  expect_failure({"simulate", "ou", "--times", "0.5,0.5"}, usage,
                 "Snapshot times must ascend, but 0.5 follows 0.5.");
  expect_failure({"simulate", "ou", "--times", ""}, usage, "--times");
  expect_failure({"score", "ou", "--time", "1.5"}, usage, "The snapshot time 1.5 is not on");
}

TEST_F(CommandTest, RefusesResponsesThatAreNone) {
  write_model("fixed", "param a = 1 fixed\nstate x\ndx = -a*x dt + dW\ninit x = 0");
  write("at.csv", "x\n0\n");
  expect_failure({"response", "fixed.sde"}, usage, "Model fixed has no parameter to differentiate");
  expect_failure({"response", "fixed.sde", "--observable", "x"}, usage,
                 "Model fixed has no parameter to differentiate");
  expect_failure({"response", "ou", "--wrt", "zz"}, usage, "There is no parameter 'zz'");
  expect_failure({"response", "ou", "--wrt", "a,a"}, usage, "--wrt names the parameter a twice.");
  expect_failure({"response", "ou", "--at", "at.csv", "--observable", "x"}, usage,
                 "--at and --observable exclude each other");
  expect_failure({"response", "ou", "--observable", "x+zz"}, usage,
                 "--observable: expression:1:3: The name 'zz' is not declared");
}

TEST_F(CommandTest, RefusesBadInitialSamples) {
  write_model("from_file", "state x\ndx = -x dt + dW\ninit x ~ samples(\"start.csv\")");
  const Words words{"simulate", "from_file.sde", "--paths", "10"};
  expect_failure(words, model, "starts from the samples in 'start.csv', but there is no such file");
  write("start.csv", "y\n1\n");
  expect_failure(words, model, "start.csv has no column 'x'; its columns are y");
  write("start.csv", "x\n1\nnan\n");
  expect_failure(words, model, "start.csv:3: the value of column 'x' is missing");
}

TEST_F(CommandTest, AModelReadsNoFilesOutsideOfItsFolder) {
  const Words words{"simulate", "from_file.sde", "--paths", "10"};
  const auto refuse = [&](const std::string& file, const std::string& message) {
    write_model("from_file", "state x\ndx = -x dt + dW\ninit x ~ samples(\"" + file + "\")");
    expect_failure(words, model, message);
  };
  write("start.csv", "x\n1\n");
  const std::string outside = "a model may only name files in its own folder or below";
  refuse("/etc/passwd", outside);
  refuse(path("start.csv").string(), outside);
  refuse("../start.csv", outside);
  refuse("./../start.csv", outside);
  ASSERT_EQ(mkfifo(path("pipe.csv").c_str(), 0600), 0);
  refuse("pipe.csv", "pipe.csv': it is not a regular file");
  std::filesystem::create_symlink("/dev/zero", path("zero.npy"));
  refuse("zero.npy", "zero.npy': it is not a regular file");
  write_model("from_file", "state x\ndx = -x dt + dW\ninit x ~ samples(\"start.csv\")");
  EXPECT_EQ(run(words).code, 0);
}

TEST_F(CommandTest, NamesThePathAndTheTimeOfABlowUp) {
  write_model("blow", "param a = 1\nstate x\ndx = a*x^3 dt + dW\ninit x = 50");
  for (const char* subcommand : {"simulate", "score", "response"}) {
    expect_failure({subcommand, "blow.sde", "--paths", "100"}, numerical,
                   "Path 0 was the first: its state x was not finite at t = 0.06.");
  }
}

TEST_F(CommandTest, RefusesOutputsBeforeTheRun) {
  const auto refuse = [this](const std::string& file, const std::string& message) {
    expect_failure({"score", "ou", "--paths", "100000000000", "--out", file}, usage, message);
  };
  refuse("nowhere/x.csv", "the folder 'nowhere' does not exist");
  refuse("x.txt", "the known ones are .csv, .npy, .h5");
  refuse(".", "the known ones are .csv, .npy, .h5");
}

TEST_F(CommandTest, SaysThatStandardOutputIsFull) {
  for (const char* subcommand : {"show", "simulate"}) {
    const Outcome outcome = finish(start({subcommand, "lorenz96", "--set", "T=0.04"}, "/dev/full"));
    EXPECT_EQ(outcome.code, usage);
    EXPECT_NE(outcome.err.find("Standard output could not be written."), std::string::npos);
  }
}

TEST_F(CommandTest, AFullDiskLeavesNoFileAndKeepsTheAnswer) {
  const std::string disk = path("disk").string();
  std::filesystem::create_directory(disk);
  // Too small for the rows that wait, and for the file beside them.
  for (const char* size : {"size=200k", "size=32k"}) {
    if (mount("tmpfs", disk.c_str(), "tmpfs", 0, size) != 0) {
      GTEST_SKIP() << "mounting a small file system is not permitted here";
    }
    for (const char* file : {"disk/x.csv", "disk/x.npy", "disk/x.h5"}) {
      expect_failure({"sample", "ou", "-n", "20000", "--out", file}, usage,
                     "cannot write 'disk/x.");
    }
    EXPECT_TRUE(std::filesystem::is_empty(disk));
    if (std::string(size) != "size=32k") umount(disk.c_str());
  }
  const Outcome score =
      run({"score", "ou", "--paths", "1000", "--grid", "5000", "--out", "disk/x.csv", "--json"});
  EXPECT_EQ(score.code, usage);
  EXPECT_NE(score.err.find("No space left on device"), std::string::npos) << score.err;
  EXPECT_TRUE(Json::accept(score.out));
  EXPECT_TRUE(std::filesystem::is_empty(disk));
  umount(disk.c_str());
}

}  // namespace
}  // namespace divker::test
