// What the data do not determine, in words: from spectra whose directions are known.
#include "fit/directions.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "divker/language.hpp"

namespace divker {
namespace {

using Words = std::vector<std::string>;

// u and v are positive, a and b any number.
Model model() {
  return parse_model(
      "model m\nparam u = 1 in (0, inf)\nparam v = 1 in (0, inf)\nparam a = 1\nparam b = 1\n"
      "state x\ndx = (a*u + b*v) dt + dW\ninit x ~ normal(0, 1)\ntime 0 : 0.1 : 1\n");
}

// One weak direction among strong ones, in the given parameters.
Words words_of(const std::vector<std::size_t>& parameters, const std::vector<double>& direction,
               double noise = 0.0) {
  const auto n = static_cast<Eigen::Index>(direction.size());
  fit::Spectrum spectrum;
  spectrum.scale = Eigen::VectorXd::Ones(n);
  spectrum.values = Eigen::VectorXd::Ones(n);
  spectrum.values[0] = 1e-4;
  spectrum.vectors = Eigen::MatrixXd::Identity(n, n);
  spectrum.vectors.col(0) = Eigen::Map<const Eigen::VectorXd>(direction.data(), n).normalized();
  spectrum.noise = Eigen::VectorXd::Constant(n, noise);
  return fit::weak_directions(model(), parameters, spectrum);
}

TEST(Directions, OfOneParameter) {
  EXPECT_EQ(words_of({0, 1}, {1.0, 0.1}), Words{"u is hardly determined"});
}

// Coordinates of positive parameters are logarithms: what is raised together is a product or ratio.
TEST(Directions, OfPairsThatTradeOneToOne) {
  EXPECT_EQ(words_of({0, 1}, {1.0, -1.0}), Words{"u and v are determined only through u * v"});
  EXPECT_EQ(words_of({0, 1}, {1.0, 1.1}), Words{"u and v are determined only through u / v"});
  EXPECT_EQ(words_of({2, 3}, {-1.0, 1.0}), Words{"a and b are determined only through a + b"});
  EXPECT_EQ(words_of({2, 3}, {1.0, 1.0}), Words{"a and b are determined only through a - b"});
}

TEST(Directions, OfCombinations) {
  EXPECT_EQ(words_of({0, 2}, {1.0, 1.0}), Words{"a common change of u and a is hardly determined"});
  EXPECT_EQ(words_of({0, 1}, {-1.0, -2.0}),
            Words{"a common change of u and v is hardly determined"});
  EXPECT_EQ(words_of({0, 1, 2}, {1.0, 1.0, -1.0}),
            Words{"raising u and v while lowering a is hardly noticed by the data"});
}

TEST(Directions, TellsWhatMorePathsMayTell) {
  EXPECT_EQ(words_of({0, 1}, {1.0, 0.1}, 1e-4),
            Words{"u is hardly determined (within the noise of these paths: more paths may tell)"});
  EXPECT_EQ(words_of({0, 1}, {1.0, 0.1}, 0.5),
            Words{"these paths are too few to tell which combinations are; more --paths may tell"});
}

// Four in words, the others by their number.
TEST(Directions, OfManyNamesFour) {
  std::string text = "model m\nparam p[7] = 1\nstate x\ndx = sum(i, 0:6, p[i])*x dt + dW\n";
  const Model many = parse_model(text + "init x ~ normal(0, 1)\ntime 0 : 0.1 : 1\n");
  fit::Spectrum spectrum;
  spectrum.scale = Eigen::VectorXd::Ones(7);
  spectrum.values = Eigen::VectorXd::Constant(7, 1e-4);
  spectrum.values[6] = 1.0;
  spectrum.vectors = Eigen::MatrixXd::Identity(7, 7);
  spectrum.noise = Eigen::VectorXd::Zero(7);
  EXPECT_EQ(
      fit::weak_directions(many, {0, 1, 2, 3, 4, 5, 6}, spectrum),
      (Words{"p[0] is hardly determined", "p[1] is hardly determined", "p[2] is hardly determined",
             "p[3] is hardly determined", "2 more combinations"}));
}

}  // namespace
}  // namespace divker
