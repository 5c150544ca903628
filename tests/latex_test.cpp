// Equations for a paper.
#include <gmock/gmock.h>

#include "divker/language.hpp"

namespace divker {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string written(const std::string& lines) {
  return latex(parse_model("model m\n" + lines + "time 0 : 0.01 : 1\n"));
}

TEST(Latex, WritesEquationsLawsAndParameters) {
  EXPECT_EQ(latex(load_model("ou")),
            "\\begin{aligned}\n"
            "\\mathrm{d}x &= -a \\left(x - m\\right) \\, \\mathrm{d}t + s \\, \\mathrm{d}W \\\\\n"
            "x(0) &\\sim \\mathcal{N}\\left(0,\\; 2^2\\right) \\\\\n"
            "& a = 1 > 0,\\quad m = 0,\\quad s = 1 > 0\n"
            "\\end{aligned}\n");
}

TEST(Latex, KeepsIndicesSumsAndGreekLetters) {
  const std::string text = latex(load_model("lorenz96"));
  EXPECT_THAT(text, HasSubstr("\\sum_{j=0}^{39} x_{j}^{2}"));
  EXPECT_THAT(text, HasSubstr("\\mathrm{d}x_{i} &= \\left(\\left(x_{i + 1} - x_{i - 2}\\right)"));
  EXPECT_THAT(text, HasSubstr("\\sigma \\, \\mathrm{d}W_{i}"));
}

TEST(Latex, PutsBelowWhatNamesHaveBelow) {
  const std::string text = written(
      "param sigma_v = 1\nparam k1 = 2\nparam rate_of_x = 1\nstate x\n"
      "dx = -k1*rate_of_x*x dt + sigma_v dW\ninit x = 1e-10\n");
  EXPECT_THAT(text, HasSubstr("\\sigma_{v} \\, \\mathrm{d}W"));
  EXPECT_THAT(text, HasSubstr("-k_{1} \\mathrm{rate}_{\\mathrm{of\\_x}} x"));
  EXPECT_THAT(text, HasSubstr("x(0) &= 10^{-10}"));
}

TEST(Latex, EnclosesWhatPrecedenceAsksFor) {
  const std::string text = written(
      "param a = 1\nstate x\nlet p = (x + a)^2/(1 + x*3)*(x - a)\nlet q = x - (a - x)\n"
      "let r = sqrt(x)^3 + (x/2)^2 + (-x)*a\ndx = (p + q + r) dt + dW\ninit x = 1\n");
  EXPECT_THAT(text, HasSubstr("\\left(x + a\\right)^{2}"));
  EXPECT_THAT(text, HasSubstr("{1 + x \\cdot 3}"));
  EXPECT_THAT(text, HasSubstr("q &= x - \\left(a - x\\right)"));
  EXPECT_THAT(text, HasSubstr("\\left(\\sqrt{x}\\right)^{3} + \\left(\\frac{x}{2}\\right)^{2}"));
  EXPECT_THAT(text, HasSubstr("\\left(\\frac{x}{2}\\right)^{2} + \\left(-x a\\right)"));
  EXPECT_THAT(text, Not(HasSubstr("1 \\, \\mathrm{d}W")));
  EXPECT_THAT(text, HasSubstr("+ \\mathrm{d}W"));
}

TEST(Latex, NeedsNoParenthesesAroundTheFirstSign) {
  const std::string text =
      written("param a = 1\nstate x\ndx = (-a*x/2 + 1) dt + exp(-x^2/2) dW\ninit x = 1\n");
  EXPECT_THAT(text, HasSubstr("\\left(-\\frac{a x}{2} + 1\\right) \\, \\mathrm{d}t"));
  EXPECT_THAT(text, HasSubstr("\\exp\\left(-\\frac{x^{2}}{2}\\right)"));
}

TEST(Latex, KnowsRegimesStratonovichMapsAndObservations) {
  const std::string regimes = written(
      "param c = 0.5\nstate x\ndx = if(x > c and x <= 2, -x, abs(x)) dt - c*x o dW\n"
      "init x ~ lognormal(0, 1)\nobserve y ~ normal(x, c)\n");
  EXPECT_THAT(regimes, HasSubstr("\\begin{cases} -x & \\text{if } x > c \\text{ and } x \\le 2 "
                                 "\\\\ \\left|x\\right| & \\text{otherwise} \\end{cases}"));
  EXPECT_THAT(regimes, HasSubstr(" - c x \\, \\circ \\mathrm{d}W"));
  EXPECT_THAT(regimes, HasSubstr("\\log\\mathcal{N}\\left(0,\\; 1^2\\right)"));
  EXPECT_THAT(regimes, HasSubstr("y &\\sim \\mathcal{N}\\left(x,\\; c^2\\right)"));
  EXPECT_THAT(latex(load_model("tent")), HasSubstr("x_{i}' &= 1 - a \\left|"));
}

}  // namespace
}  // namespace divker
