// What the command says of itself: welcome, help, examples, a first model, completion, manual.
#include <gmock/gmock.h>

#include "support/command.hpp"

namespace divker::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class GuideTest : public CommandTest {
 protected:
  Words completed(const Words& words) {
    Words asked{"completion", "words", "--"};
    asked.insert(asked.end(), words.begin(), words.end());
    const Outcome outcome = run(asked);
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    std::istringstream lines(outcome.out);
    Words candidates;
    for (std::string line; std::getline(lines, line);) candidates.push_back(line);
    return candidates;
  }
};

TEST_F(GuideTest, WelcomesWhoeverTypesItsNameAlone) {
  const Outcome outcome = run({});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_THAT(outcome.err, HasSubstr("divker new mine"));
  EXPECT_THAT(outcome.err, HasSubstr("'divker help fit'"));
}

TEST_F(GuideTest, HelpIsASubcommandToo) {
  EXPECT_EQ(run({"help"}).out, run({"--help"}).out);
  EXPECT_EQ(run({"help", "fit"}).out, run({"fit", "--help"}).out);
  EXPECT_EQ(run({"-V"}).out, run({"--version"}).out);
  EXPECT_EQ(run({"help", "fitt"}).code, 2);
}

TEST_F(GuideTest, EverySubcommandShowsAnExampleAPageAndWhatIsNext) {
  const Words subcommands = completed({""});
  EXPECT_GE(subcommands.size(), 13U);
  for (const std::string& subcommand : subcommands) {
    const std::string help = run({subcommand, "--help"}).out;
    EXPECT_THAT(help, HasSubstr("Examples:\n  ")) << subcommand;
    EXPECT_THAT(help, HasSubstr("divker " + subcommand)) << subcommand;
    EXPECT_THAT(help, HasSubstr("Next: divker ")) << subcommand;
  }
}

TEST_F(GuideTest, SettingsMayFollowOneAnother) {
  const Words base{"simulate", "ou", "--paths", "1e2", "--json", "--set"};
  Words together = base;
  together.insert(together.end(), {"a=2", "m=3"});
  Words apart = base;
  apart.insert(apart.end(), {"a=2", "--set", "m=3"});
  const Json json = json_of(together);
  EXPECT_EQ(json.at("paths"), 100);
  EXPECT_EQ(json.at("model_text"), json_of(apart).at("model_text"));
  EXPECT_THAT(json.at("model_text").get<std::string>(), HasSubstr("param m = 3\n"));
}

TEST_F(GuideTest, ANewModelRunsAndIsNeverWrittenOver) {
  ASSERT_EQ(run({"new", "first"}).code, 0);
  const std::string text = text_of(path("first.sde"));
  EXPECT_EQ(run({"response", "first.sde", "--paths", "500", "--observable", "x"}).code, 0);
  const Outcome again = run({"new", "first.sde"});
  EXPECT_EQ(again.code, 2);
  EXPECT_THAT(again.err, HasSubstr("first.sde is there already"));
  EXPECT_EQ(text_of(path("first.sde")), text);
  EXPECT_EQ(run({"new", "no name"}).code, 3);
  EXPECT_FALSE(std::filesystem::exists(path("no name.sde")));
}

TEST_F(GuideTest, ReadsModelsAndDataFromStreamsAndFilesWithoutAnExtension) {
  write("mine.sde", "model mine\nstate x\ndx = -x dt + dW\ninit x = 1\ntime 0 : 0.01 : 0.1\n");
  write("points", "x\n0.5\n");
  std::ofstream(path("wrong")) << "x\n0.5\nmany\n";
  ASSERT_EQ(run({"sample", "ou", "-n", "10", "--out", "points.npy"}).code, 0);
  std::filesystem::rename(path("points.npy"), path("numpy"));
  const auto shell = [&](const std::string& line) {
    write("line.sh", line);
    Outcome outcome;
    outcome.code = std::system(("cd '" + path("").string() + "' && D=" + command() +
                                " && export D && bash line.sh > out.txt 2> err.txt")
                                   .c_str());
    outcome.out = text_of(path("out.txt"));
    outcome.err = text_of(path("err.txt"));
    return outcome;
  };
  EXPECT_THAT(shell("$D show - < mine.sde").out, HasSubstr("model mine"));
  EXPECT_THAT(shell("$D show <(cat mine.sde)").out, HasSubstr("model mine"));
  const std::string score = "$D score ou --paths 1000 --json --at ";
  const Outcome by_name = shell(score + "points");
  EXPECT_EQ(Json::parse(by_name.out).at("points")[0][0], 0.5) << by_name.err;
  EXPECT_EQ(Json::parse(shell(score + "<(cat points)").out).at("points")[0][0], 0.5);
  EXPECT_EQ(Json::parse(shell(score + "- < points").out).at("points")[0][0], 0.5);
  EXPECT_EQ(Json::parse(shell("gzip -c points | " + score + "-").out).at("points")[0][0], 0.5);
  EXPECT_EQ(Json::parse(shell(score + "numpy").out).at("points").size(), 10U);
  EXPECT_EQ(Json::parse(shell("cat numpy | " + score + "-").out).at("points").size(), 10U);
  EXPECT_THAT(shell(score + "- < /dev/null").err, HasSubstr("cannot read '-': it is empty"));
  const Outcome wrong = shell(score + "- < wrong");
  EXPECT_NE(wrong.code, 0);
  EXPECT_THAT(wrong.err, HasSubstr("-:3"));
  EXPECT_THAT(wrong.err, HasSubstr("many"));
}

TEST_F(GuideTest, CompletesSubcommandsModelsOptionsAndParameters) {
  EXPECT_THAT(completed({"fi"}), ::testing::Contains("fit"));
  EXPECT_THAT(completed({"show", ""}), ::testing::Contains("lorenz96"));
  EXPECT_THAT(completed({"response", "ou", "--"}), ::testing::Contains("--observable"));
  EXPECT_THAT(completed({"response", "ou", "--set", ""}), ElementsAre("a=", "m=", "s="));
  EXPECT_THAT(completed({"response", "--seed", "7", "ou", "--wrt", ""}),
              ElementsAre("a", "m", "s"));
  EXPECT_THAT(completed({"fit", "ou", "--data", ""}), ElementsAre());
  EXPECT_THAT(completed({"fitt", ""}), ElementsAre());
  EXPECT_EQ(run({"completion", "fish"}).code, 2);
}

TEST_F(GuideTest, TheScriptsOfTheShellsAreUnderstood) {
  for (const char* shell : {"bash", "zsh"}) {
    const std::string script = run({"completion", shell}).out;
    EXPECT_THAT(script, HasSubstr("completion words --")) << shell;
  }
  write("complete.sh",
        run({"completion", "bash"}).out + "\nCOMP_WORDS=(" + command() +
            " show lorenz9); COMP_CWORD=2; _divker; echo \"${COMPREPLY[@]}\" > candidates");
  const std::string shell = "cd '" + path("").string() + "' && bash complete.sh";
  ASSERT_EQ(std::system(shell.c_str()), 0);
  EXPECT_EQ(text_of(path("candidates")), "lorenz96\n");
}

TEST_F(GuideTest, TheManualHasAPageForEachSubcommand) {
  std::filesystem::create_directory(path("man1"));
  ASSERT_EQ(run({"manual", "man1"}).code, 0);
  for (const std::string& subcommand : completed({""})) {
    EXPECT_THAT(text_of(path("man1/divker-" + subcommand + ".1")), HasSubstr(".SH OPTIONS"))
        << subcommand;
  }
  const std::string fit = text_of(path("man1/divker-fit.1"));
  EXPECT_THAT(fit, HasSubstr("\\-\\-data"));
  EXPECT_THAT(fit, Not(HasSubstr("--data")));  // hyphens of options must stay hyphens
  EXPECT_EQ(run({"manual", "nowhere"}).code, 2);
}

}  // namespace
}  // namespace divker::test
