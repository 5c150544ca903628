// Every method on random models: no two answers contradict each other without a warning.
//
// A model fails only if two answers are 4.5 joint bars apart and, asked again twelve times with
// other random numbers, at least twice beyond 3.5. For normal errors that happens by chance in one
// run of this test of 10^6. The seeds are fixed. `random_models` runs as many models as are wanted.
#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "divker/language.hpp"
#include "support/cross_check.hpp"

namespace divker::test {
namespace {

constexpr std::size_t paths = 3000;

void expect_no_contradiction(std::uint64_t seed) {
  const CrossCheck check = cross_check(random_model(seed), paths, 1000 * seed);
  EXPECT_FALSE(check.has_failed()) << check.text();
  EXPECT_GT(check.pairs, 0U) << check.text();
}

TEST(RandomModels, OfConsecutiveSeedsAgree) {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) expect_no_contradiction(seed);
}

// Observables that few paths carry over a jump, jumps in time, states far from zero.
TEST(RandomModels, ThatAreHardForFiniteDifferencesAgree) {
  for (const std::uint64_t seed : {62U, 100U, 123U, 414U, 468U, 695U, 5073U}) {
    expect_no_contradiction(seed);
  }
}

TEST(RandomModels, AreOfAllKinds) {
  std::string all;
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    const RandomModel model = random_model(seed);
    const Model parsed = parse_model(model.text);
    EXPECT_FALSE(parsed.free_parameters().empty()) << model.text;
    all += model.text + "# " + model.observable + "\n";
  }
  for (const char* part : {"state u", "positive", "tamed", "lognormal", "sqrt(max", "floor", "sign",
                           "step(", "if(", "mod(", "max(", "t < p", "dW3"}) {
    EXPECT_NE(all.find(part), std::string::npos) << part;
  }
}

TEST(RandomModels, AreTheSameForASeed) {
  EXPECT_EQ(random_model(7).text, random_model(7).text);
  EXPECT_NE(random_model(7).text, random_model(8).text);
}

// The comparison finds what it is there for, and leaves alone what a warning explains.
TEST(CrossCheck, FindsAnswersThatContradictEachOther) {
  Opinion first{"a", ObservableAnswer{}, ""}, second{"b", ObservableAnswer{}, ""};
  first.answer->names = second.answer->names = {"p"};
  first.answer->response = {{1.0, 0.1}};
  second.answer->response = {{2.0, 0.1}};
  CrossCheck check;
  compare(first, second, 4.5, check);
  ASSERT_EQ(check.disagreements.size(), 2U);  // of the SDE and of the chain
  EXPECT_NEAR(check.disagreements[0].bars, 7.07, 0.01);
  EXPECT_TRUE(check.is_suspicious());
  EXPECT_FALSE(check.has_failed());
  check.disagreements[0].again = 2;
  EXPECT_TRUE(check.has_failed());

  second.answer->record.warnings = {{"tail", "The error bar of the response to p means little"}};
  CrossCheck explained;
  compare(first, second, 4.5, explained);
  EXPECT_EQ(explained.disagreements.at(0).excuse, "tail");
  EXPECT_FALSE(explained.is_suspicious());

  second.answer->record.warnings.clear();
  second.answer->response = {{std::nan(""), 0.1}};
  CrossCheck broken;
  compare(first, second, 4.5, broken);
  EXPECT_TRUE(broken.is_suspicious());
}

}  // namespace
}  // namespace divker::test
