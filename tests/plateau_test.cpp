// The choice of a window on made-up estimates whose bias and noise are known.
#include "estimate/plateau.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <vector>

namespace divker {
namespace {

const std::vector<double> windows{1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 16.0};

// Estimates of 0 with bias -exp(-w) and noise that grows by independent pieces.
WindowEstimates estimates(double noise, std::mt19937_64& generator) {
  std::normal_distribution<double> normal;
  WindowEstimates result;
  result.covariance = Matrix(windows.size(), windows.size());
  double sum = 0.0;
  double before = 0.0;
  for (const double w : windows) {
    sum += noise * std::sqrt(w - before) * normal(generator);
    before = w;
    result.value.push_back(sum - std::exp(-w));
  }
  for (std::size_t i = 0; i < windows.size(); ++i) {
    for (std::size_t j = 0; j < windows.size(); ++j) {
      result.covariance(i, j) = noise * noise * windows[std::min(i, j)];
    }
  }
  return result;
}

TEST(Plateau, LittleNoiseAsksForALongWindow) {
  std::mt19937_64 generator(1);
  const WindowEstimates rough = estimates(0.3, generator);
  const WindowEstimates fine = estimates(0.001, generator);
  const Plateau of_rough = find_plateau({&rough, 1}, windows);
  const Plateau of_fine = find_plateau({&fine, 1}, windows);
  EXPECT_TRUE(of_rough.found);
  EXPECT_TRUE(of_fine.found);
  EXPECT_LE(windows[of_rough.window], 2.0);
  EXPECT_GE(windows[of_fine.window], 6.0);
}

TEST(Plateau, NoPlateauIsTheLongestWindowAndSaysSo) {
  WindowEstimates growing;
  growing.value = windows;
  growing.covariance = Matrix(windows.size(), windows.size());
  const Plateau plateau = find_plateau({&growing, 1}, windows);
  EXPECT_FALSE(plateau.found);
  EXPECT_EQ(plateau.window, windows.size() - 1);
  EXPECT_EQ(window_error(growing, windows, plateau.window), 8.0);  // against half the length
}

TEST(Plateau, TheErrorIsThatOfTheComparisonWithTwiceTheLength) {
  std::mt19937_64 generator(2);
  WindowEstimates found = estimates(0.1, generator);
  found.value.assign(windows.size(), 5.0);
  EXPECT_NEAR(window_error(found, windows, 2), 0.1 * std::sqrt(4.0 - 2.0), 1e-12);
  found.value[4] = 5.7;
  EXPECT_NEAR(window_error(found, windows, 2), 0.7, 1e-12);
  EXPECT_EQ(window_error({{1.0}, Matrix(1, 1)}, std::vector<double>{2.0}, 0), 0.0);
}

// The error that is reported, sampling and window together, covers the truth.
TEST(Plateau, ErrorsCoverWhateverTheNoise) {
  constexpr int runs = 400;
  for (const double noise : {0.003, 0.03, 0.3}) {
    std::mt19937_64 generator(3);
    int covered = 0;
    for (int run = 0; run < runs; ++run) {
      const WindowEstimates found = estimates(noise, generator);
      const std::size_t i = find_plateau({&found, 1}, windows).window;
      const double error =
          std::hypot(std::sqrt(found.covariance(i, i)), window_error(found, windows, i));
      covered += std::fabs(found.value[i]) < 1.96 * error ? 1 : 0;
    }
    EXPECT_GE(covered, 362) << noise;  // binomial (400, 0.95): below with probability 1e-4
  }
}

TEST(Plateau, AllQuantitiesMustAgree) {
  std::mt19937_64 generator(4);
  std::vector<WindowEstimates> both{estimates(0.3, generator), estimates(0.001, generator)};
  const Plateau plateau = find_plateau(both, windows);
  EXPECT_GE(windows[plateau.window], 6.0);
}

}  // namespace
}  // namespace divker
