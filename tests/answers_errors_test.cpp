// Bad input to --stationary, --method and --to: each exit code and message.
#include "support/command.hpp"

namespace divker::test {
namespace {

constexpr int usage = 2;
constexpr int model = 3;
constexpr int numerical = 4;

TEST_F(CommandTest, RefusesBadStationaryOptions) {
  const auto refuse = [this](Words words, int code, const std::string& message) {
    words.insert(words.begin(), {"response", "ou", "--observable", "x"});
    expect_failure(words, code, message);
  };
  refuse({"--stationary", "--times", "1"}, usage, "--times");
  refuse({"--stationary", "--time", "1"}, usage, "--time excludes --stationary");
  refuse({"--stationary", "--window", "0"}, usage, "The window is 0; it must be positive.");
  refuse({"--stationary", "--window", "-2"}, usage, "The window is -2; it must be positive.");
  refuse({"--stationary", "--window", "nan"}, usage, "--window: 'nan' is not a finite number");
  refuse({"--stationary", "--window", "soon"}, usage, "--window: 'soon' is not a finite number");
  refuse({"--stationary", "--spinup", "0"}, usage, "The spin-up is 0; it must be positive.");
  refuse({"--stationary", "--length", "-1"}, usage, "The length is -1; it must be positive.");
  refuse({"--stationary", "--window", "30", "--length", "20"}, usage,
         "The window 30 is longer than the 20 units of time for which paths are followed after the "
         "spin-up.");
  refuse({"--stationary", "--length", "1e30"}, usage, "The stationary run would take 1e+32 steps");
  refuse({"--stationary", "--paths", "10"}, usage, "A stationary answer takes at least 64 paths");
  refuse({"--stationary", "--paths", "0"}, usage, "A stationary answer takes at least 64 paths");
  refuse({"--window", "3"}, usage, "--window requires --stationary");
  refuse({"--spinup", "3"}, usage, "--spinup requires --stationary");
  expect_failure({"response", "ou", "--stationary", "--observable", "x*t"}, usage,
                 "The observable x*t mentions the time t, so that it has no stationary mean.");
  expect_failure({"score", "ou", "--stationary", "--fokker-planck"}, usage,
                 "--fokker-planck excludes --stationary");
  expect_failure({"score", "ou", "--stationary", "--time", "1"}, usage,
                 "--time excludes --stationary");
  expect_failure({"score", "lorenz63", "--stationary", "--spinup", "1", "--length", "1"}, usage,
                 "Model lorenz63 has 3 states, so there is no default grid of points");
}

TEST_F(CommandTest, RefusesModelsWithoutAStationaryDensity) {
  write_model("seasons", "param a = 1\nstate x\ndx = (sin(t) - a*x) dt + dW\ninit x = 0");
  write_model("wander", "param s = 1\nstate x\ndx = s dW\ninit x ~ normal(0, 1)");
  for (const char* subcommand : {"score", "response"}) {
    expect_failure({subcommand, "seasons.sde", "--stationary"}, usage,
                   "The equations of model seasons depend on the time t, so that it has no "
                   "stationary density.");
    expect_failure({subcommand, "wander.sde", "--stationary"}, numerical,
                   "Model wander has no stationary density that its paths settle to: the spread of "
                   "x still moves between t = ");
  }
}

TEST_F(CommandTest, RefusesBadMethodsOfResponses) {
  const auto refuse = [this](Words words, int code, const std::string& message) {
    words.insert(words.begin(), "response");
    expect_failure(words, code, message);
  };
  refuse({"ou", "--method", "magic"}, usage, "--method: magic not in {divergence-kernel,");
  refuse({"ou", "--method", "likelihood-ratio", "--stationary"}, usage, "excludes");
  refuse({"ou", "--fd-step", "0.1"}, usage, "--fd-step requires --method");
  refuse({"ou", "--method", "likelihood-ratio", "--fd-step", "0.1"}, usage,
         "--fd-step is for --method finite-difference.");
  refuse({"ou", "--method", "finite-difference", "--fd-step", "0"}, usage, "--fd-step");
  refuse({"ou", "--method", "finite-difference", "--fd-step", "-0.1"}, usage, "--fd-step");
  refuse({"ou", "--method", "finite-difference", "--fd-step", "2"}, usage,
         "The step 2 of the finite difference takes a = 1 outside its bounds (0, inf).");
  write_model("mass",
              "param m = 1\nstate q, p\ndq = p/m dt\ndp = -q dt + dW\ninit q = 0\ninit p = 0");
  refuse({"mass.sde", "--method", "likelihood-ratio", "--observable", "q"}, model,
         "The likelihood ratio needs noise wherever a parameter acts: m moves the state q of model "
         "mass, which has none.");
  write("points.csv", "q,p\n0,0\n");
  refuse({"langevin", "--method", "finite-difference", "--at", "points.csv"}, usage,
         "Finite differences of densities are for models of one state; model langevin has 2");
}

TEST_F(CommandTest, RefusesBadTargets) {
  const auto refuse = [this](Words words, int code, const std::string& message) {
    words.insert(words.begin(), {"response", "ou"});
    expect_failure(words, code, message);
  };
  refuse({"--to", "zz=1"}, usage, "There is no parameter 'zz' in the model ou; its parameters are");
  refuse({"--to", "dt=0.1"}, usage, "There is no parameter 'dt'");
  refuse({"--to", "s=-1"}, model, "The parameter s = -1 is outside its bounds (0, inf).");
  refuse({"--to", "s=nan"}, model, "The parameter s = nan is outside its bounds (0, inf).");
  refuse({"--to", "s=much"}, usage, "--to s=much: 'much' is not a number.");
  refuse({"--to", "s"}, usage, "--to s: expected name=value");
  refuse({"--to", "s=1"}, usage, "The target has the same parameters as the model ou");
  refuse({"--to", "s=2", "--wrt", "s"}, usage, "excludes");
  refuse({"--to", "s=2", "--stationary"}, usage, "excludes");
  refuse({"--to", "s=2", "--method", "finite-difference"}, usage, "excludes");
  refuse({"--to", "s=2", "--fokker-planck"}, usage, "excludes");
  refuse({"--to", "s=2", "--nodes", "1"}, usage, "--nodes");
  refuse({"--nodes", "5"}, usage, "--nodes requires --to");
}

// What belongs to SDEs alone.
TEST_F(CommandTest, RefusesEquationsOfDensitiesForMaps) {
  write("map.sde",
        "model chain\nparam a = 0.5\nstate x\nx' = a*x + xi\ninit x ~ normal(0, 1)\n"
        "time 0 : 1 : 10\n");
  expect_failure({"response", "map.sde", "--paths", "1000", "--fokker-planck"}, usage,
                 "--fokker-planck is for SDEs; model chain is a discrete-time map.");
  expect_failure({"response", "map.sde", "--stationary", "--fokker-planck"}, usage,
                 "--fokker-planck excludes --stationary");
}

}  // namespace
}  // namespace divker::test
