// A form of damping that the library does not know comes in through the table alone.
#include "toys/toy_damping.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "divker/answer.hpp"
#include "divker/language.hpp"
#include "divker/pilot.hpp"
#include "support/errors.hpp"
#include "support/statistics.hpp"

namespace divker {
namespace {

class ToyDampingTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    static const test::ToyDamping toy;
    damping_forms().push_back(&toy);
  }
};

TEST_F(ToyDampingTest, IsUnderstood) {
  const Damping damping = parse_damping("toy:2.5");
  EXPECT_EQ(damping.form, &damping_form("toy"));
  EXPECT_EQ(damping.alpha, 2.5);
  EXPECT_EQ(damping.text(), "toy:2.5");
  EXPECT_EQ(damping.identity(), "toy:2.5");
  test::expect_error(ErrorKind::usage,
                     "The damping alpha = -1 is negative: alpha must be at least 0.",
                     [] { (void)parse_damping("toy:-1"); });
}

TEST_F(ToyDampingTest, IsAmongWhatIsExpected) {
  test::expect_error(
      ErrorKind::usage,
      "The damping 'toy:' is not understood: expected auto, a number (alpha, per unit of time), "
      "early:alpha, gaussian, jacobian, jacobian:alpha,beta, learned, kernel, mixed:alpha,c, off, "
      "until:alpha,time, late:alpha or toy:alpha.",
      [] { (void)parse_damping("toy:"); });
}

TEST_F(ToyDampingTest, HasAStepOfItsOwn) {
  EXPECT_TRUE(parse_damping("toy:1").same_step(parse_damping("toy:2")));
  EXPECT_FALSE(parse_damping("toy:1").same_step(parse_damping("1")));
}

// The damping changes the variance alone, and it does change something.
TEST_F(ToyDampingTest, GivesTheAnswerOfTheConstant) {
  const Model model = load_model("ou");
  AnswerOptions options;
  options.sampling.paths = 20'000;
  options.sampling.seed = 3;
  const auto with = [&](const std::string& damping) {
    options.method.damping = parse_damping(damping);
    return observable_response(model, model.free_parameters(), "x^2 + sin(x)", options);
  };
  const ObservableAnswer toy = with("toy:2");
  const ObservableAnswer constant = with("2");
  EXPECT_EQ(toy.record.method.damping.text(), "toy:2");
  ASSERT_EQ(toy.response.size(), constant.response.size());
  for (std::size_t p = 0; p < toy.response.size(); ++p) {
    const Estimate& found = toy.response[p];
    const Estimate& expected = constant.response[p];
    EXPECT_NE(found.value, expected.value) << toy.names[p];
    const double error = std::hypot(found.standard_error, expected.standard_error);
    EXPECT_TRUE(test::consistent({found.value, error}, expected.value)) << toy.names[p];
  }
}

TEST_F(ToyDampingTest, IsTriedByThePilot) {
  const Model model = load_model("ou");
  Sampling sampling;
  sampling.paths = 2'000;
  const DampingChoice choice = choose_damping(model, {}, {}, sampling);
  const auto tried = std::count_if(
      choice.candidates.begin(), choice.candidates.end(),
      [](const DampingCandidate& c) { return c.damping.form == &damping_form("toy"); });
  EXPECT_GE(tried, 2);
}

}  // namespace
}  // namespace divker
