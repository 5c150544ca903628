// A question of the user's own is asked by the command like those of the library.
#include "present/question.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "command_line.hpp"
#include "divker/csv.hpp"
#include "support/statistics.hpp"
#include "toys/toy_question.hpp"

namespace divker {
namespace {

using test::consistent;
using ::testing::internal::CaptureStdout;
using ::testing::internal::GetCapturedStdout;

struct Told {
  app::Ending ending;
  std::string out;
};

class QuestionTest : public ::testing::Test {
 protected:
  void SetUp() override {
    present::questions().push_back(test::toy_question());
    std::string name = (std::filesystem::temp_directory_path() / "divker-question-XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
    std::ofstream(model()) << "model walk\nparam s = 1\nstate x\ndx = 0 dt + s dW\n"
                              "init x = 0\ntime 0 : 0.1 : 1\n";
  }
  void TearDown() override {
    std::filesystem::remove_all(folder_);
    present::questions().pop_back();
  }

  [[nodiscard]] std::string model() const { return (folder_ / "walk.sde").string(); }
  [[nodiscard]] std::string file(const std::string& name) const {
    return (folder_ / name).string();
  }
  static Told run(const std::vector<std::string>& words) {
    std::vector<const char*> all{"divker"};
    for (const std::string& word : words) all.push_back(word.c_str());
    CaptureStdout();
    app::Ending ending = app::run(static_cast<int>(all.size()), all.data());
    return {std::move(ending), GetCapturedStdout()};
  }
  [[nodiscard]] Told below(std::vector<std::string> options) const {
    options.insert(options.begin(), {"below", model(), "--quiet"});
    return run(options);
  }

 private:
  std::filesystem::path folder_;
};

// x_1 is standard normal, in the chain too: the share below 1 is Phi(1).
TEST_F(QuestionTest, IsAnsweredInJson) {
  const Told told = below({"--level", "1", "--paths", "20000", "--json"});
  EXPECT_EQ(told.ending.code, 0) << told.ending.sentence;
  const auto json = nlohmann::json::parse(told.out);
  EXPECT_TRUE(consistent({json["share"], json["stderr"]}, 0.841344746, 0.0));
  EXPECT_EQ(json["level"], 1.0);
  EXPECT_EQ(json["paths"], 20000);
  EXPECT_EQ(json["model"], "walk");
}

TEST_F(QuestionTest, IsAnsweredForPeopleAndInAFile) {
  const Told told = below({"--paths", "400", "--out", file("share.csv")});
  EXPECT_EQ(told.ending.code, 0) << told.ending.sentence;
  const Table table = read_table(file("share.csv"));
  EXPECT_EQ(table.columns, (std::vector<std::string>{"share", "stderr"}));
  EXPECT_EQ(told.out, fmt::format("share below 0: {:.6g} +- {:.2g}\n", table.values(0, 0),
                                  table.values(0, 1)));
}

TEST_F(QuestionTest, IsListedAndHasTheHelpOfItsOptions) {
  EXPECT_NE(run({"--help"}).out.find("The share of paths that end below a level"),
            std::string::npos);
  const std::string help = run({"below", "--help"}).out;
  EXPECT_NE(help.find("--level X=0"), std::string::npos) << help;
  EXPECT_NE(help.find("Paths that end below it are counted"), std::string::npos);
}

TEST_F(QuestionTest, RefusesWrongOptions) {
  const Told no_number = below({"--level", "high"});
  EXPECT_EQ(no_number.ending.code, 2);
  EXPECT_EQ(no_number.ending.sentence,
            "divker below: --level: 'high' is not a finite number\n"
            "Run 'divker below --help' to see what is expected.\n");
  EXPECT_EQ(no_number.out, "");
  EXPECT_EQ(below({"--levels", "1"}).ending.code, 2);
}

TEST_F(QuestionTest, RefusesWrongModels) {
  const Told told = run({"below", "lorenz96", "--quiet"});
  EXPECT_EQ(told.ending.code, 2);
  EXPECT_EQ(told.ending.sentence,
            "divker: The toy asks models of one state; model lorenz96 has 40.\n");
}

TEST(NoToyQuestion, IsNoSubcommandWhereItIsNotInTheTable) {
  const char* words[] = {"divker", "below"};
  const app::Ending ending = app::run(2, words);
  EXPECT_EQ(ending.code, 2);
  EXPECT_EQ(
      ending.sentence.rfind("divker: There is no subcommand 'below'; the subcommands are: "
                            "models, show, simulate, sample, density, score, response, forecast, "
                            "residuals, likelihood, fit, compare, diagnose, bench, reproduce, new, "
                            "completion, manual.",
                            0),
      0U)
      << ending.sentence;
}

}  // namespace
}  // namespace divker
