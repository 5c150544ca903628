// What density prints and writes, and what it says of requests that it cannot answer.
#include <cmath>

#include "divker/table.hpp"
#include "support/command.hpp"

namespace divker::test {
namespace {

TEST_F(CommandTest, DensityAtPointsWithItsDistributionFunction) {
  const Json json = json_of({"density", "ou", "--paths", "4000", "--grid", "5", "--cdf",
                             "--quantile", "0.05,0.5", "--wrt", "a,s"});
  for (const char* key : {"points", "density", "stderr", "time_step", "log_density", "log_stderr",
                          "tail_index", "outside", "cdf", "cdf_stderr", "levels", "quantile",
                          "quantile_stderr", "pair_path_runs"}) {
    EXPECT_TRUE(json.contains(key)) << key;
  }
  EXPECT_EQ(json.at("states"), Json({"x"}));
  EXPECT_EQ(json.at("parameters"), Json({"a", "s"}));
  EXPECT_EQ(json.at("density").size(), 5U);
  EXPECT_EQ(json.at("quantile_response").size(), 2U);
  EXPECT_EQ(json.at("quantile_response")[0].size(), 2U);
  for (std::size_t r = 1; r < 5; ++r) EXPECT_GE(json.at("cdf")[r], json.at("cdf")[r - 1]);
}

TEST_F(CommandTest, DensityOfAMarginalAtSeveralTimes) {
  const Json json = json_of({"density", "lorenz96", "--marginal", "x[3],x[4]", "--times", "0,0.2",
                             "--paths", "500", "--grid", "3", "--alpha", "5"});
  EXPECT_EQ(json.at("states"), Json({"x[3]", "x[4]"}));
  ASSERT_EQ(json.at("laws").size(), 2U);
  EXPECT_EQ(json.at("laws")[1].at("points").size(), 9U);
  const Outcome outcome = run({"density", "langevin", "--marginal", "q", "--paths", "1000",
                               "--grid", "4", "--out", "density.csv"});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_NE(outcome.out.find("log density"), std::string::npos) << outcome.out;
  const Table table = read_table(path("density.csv"));
  EXPECT_EQ(table.columns, (std::vector<std::string>{"q", "density", "stderr", "time_step",
                                                     "log_density", "log_stderr", "outside"}));
  EXPECT_EQ(table.values.rows, 4U);
}

TEST_F(CommandTest, DensityFarOutsideIsNullInItsLogarithm) {
  write("far.csv", "x\n40\n");
  const Json json = json_of({"density", "ou", "--paths", "1000", "--at", path("far.csv")});
  EXPECT_TRUE(json.at("log_density")[0].is_null());
  EXPECT_EQ(json.at("outside")[0], true);
  EXPECT_GT(json.at("stderr")[0].get<double>(), 0.0);
}

TEST_F(CommandTest, DensityRefuses) {
  constexpr int usage = 2;
  expect_failure({"density", "lorenz96"}, usage,
                 "name them, such as --marginal x[0] or --marginal x[0],x[1].");
  expect_failure({"density", "fitzhugh_nagumo", "--marginal", "vv"}, usage,
                 "--marginal: model fitzhugh_nagumo has no state 'vv'. Did you mean 'v'?");
  expect_failure({"density", "lorenz96", "--marginal", "x"}, usage, "40 were named");
  expect_failure({"density", "ou", "--quantile", "1.2"}, usage, "it must be between 0 and 1");
  expect_failure({"density", "ou", "--stationary", "--cdf", "--wrt", "a"}, usage, "--wrt");
}

}  // namespace
}  // namespace divker::test
