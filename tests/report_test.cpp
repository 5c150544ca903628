// Answers as pages: what they hold, and what is wrong with their names.
#include <gmock/gmock.h>

#include "divker/language.hpp"
#include "support/command.hpp"

namespace divker::test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class ReportTest : public CommandTest {
 protected:
  std::string page_of(Words words) {
    words.insert(words.end(), {"--report", "page.html"});
    const Outcome outcome = run(words);
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    return text_of(path("page.html"));
  }
};

TEST_F(ReportTest, HoldsQuestionNumbersEquationsAndHowItWasMade) {
  const Words words{"response", "ou", "--paths", "2000", "--observable", "if(x^2 < 1, 1, 0)"};
  const std::string page = page_of(words);
  EXPECT_THAT(page, HasSubstr("<h1>response of ou</h1>"));
  EXPECT_THAT(page,
              HasSubstr("divker response ou --paths 2000 --observable 'if(x^2 &lt; 1, 1, 0)'"));
  EXPECT_THAT(page, HasSubstr(mathml(load_model("ou"))));
  EXPECT_THAT(page, HasSubstr("<dt>seed</dt><dd>1</dd>"));
  EXPECT_THAT(page, HasSubstr("<dt>time_grid.step</dt><dd>0.01</dd>"));
  const Json json = json_of(words);
  const auto begin = page.find("\"rows\":") + 7;
  const Json rows = Json::parse(page.substr(begin, page.find("]]", begin) + 2 - begin));
  EXPECT_NEAR(rows.at(0).at(0), json.at("value"), 1e-8);
  EXPECT_NEAR(rows.at(0).at(1), json.at("value_stderr"), 1e-8);
}

TEST_F(ReportTest, WarnsFirst) {
  const std::string page = page_of(
      {"response", "ou", "--observable", "x^2", "--paths", "2000", "--method", "likelihood-ratio"});
  EXPECT_LT(page.find("The noise depends on s"), page.find("<h2>Numbers"));
}

TEST_F(ReportTest, TellsAFit) {
  ASSERT_EQ(run({"sample", "ou", "-n", "500", "--out", "y.csv"}).code, 0);
  const std::string page = page_of({"fit", "ou", "--data", "y.csv", "--paths", "4000", "--quiet"});
  EXPECT_THAT(page, HasSubstr("<h1>Fit of ou</h1>"));
  EXPECT_THAT(page, HasSubstr("<h2>Iterations</h2>"));
  EXPECT_THAT(page, HasSubstr("<th scope=\"row\">s</th>"));
}

TEST_F(ReportTest, RefusesOtherFilesBeforeTheRun) {
  expect_failure({"response", "ou", "--report", "page.pdf"}, 2, "reports are .html files");
  expect_failure({"response", "ou", "--report", "none/page.html"}, 2, "none/page.html");
}

TEST(MathMl, ReadsWhatLatexWrites) {
  const std::string text = mathml(parse_model(
      "model m\nparam sigma_v = 1\nparam K[2] = [1, 2]\nstate x[2]\nlet c = if(x[0] > 0, "
      "sqrt(x[0]), "
      "1)\n"
      "dx[i] = (-K[i]*x[i]^3/2 + sum(j, 0:1, x[j])) dt + sigma_v dW[i]\ninit x[i] ~ normal(0, 1)\n"
      "path m = max(x[0])\ntime 0 : 0.01 : 1\n"));
  EXPECT_THAT(text, HasSubstr("<msub><mi>σ</mi><mrow><mrow><mi>v</mi></mrow></mrow></msub>"));
  EXPECT_THAT(text, HasSubstr("<munderover><mo>∑</mo>"));
  EXPECT_THAT(text, HasSubstr("<msqrt>"));
  EXPECT_THAT(text, HasSubstr("<mfrac>"));
  EXPECT_THAT(text, HasSubstr("<munder><mi>max</mi>"));
  EXPECT_THAT(text, Not(HasSubstr("\\")));
}

}  // namespace
}  // namespace divker::test
