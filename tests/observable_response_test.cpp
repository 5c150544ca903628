#include "divker/observable_response.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <vector>

#include "divker/error.hpp"

namespace divker {
namespace {

struct Sample {
  std::vector<double> phi;
  Matrix integral;
  Matrix explicit_part;
};

// X ~ normal(mu, sd) with I = d log h / d(mu, sd), and Phi = offset + X^2 + sd X: the truth of
// d/dmu is 2 mu + sd, that of d/dsd is 2 sd + mu.
constexpr double kMu = 0.7;
constexpr double kSd = 1.3;

Sample draw(std::size_t n, unsigned seed, double offset = 0.0) {
  std::mt19937_64 generator(seed);
  std::normal_distribution<double> normal;
  Sample s{std::vector<double>(n), Matrix(n, 2), Matrix(n, 2)};
  for (std::size_t r = 0; r < n; ++r) {
    const double z = normal(generator);
    const double x = kMu + kSd * z;
    s.phi[r] = offset + x * x + kSd * x;
    s.integral(r, 0) = z / kSd;
    s.integral(r, 1) = (z * z - 1.0) / kSd;
    s.explicit_part(r, 1) = x;
  }
  return s;
}

ObservableResponse respond(const Sample& s) {
  ResponseAccumulator accumulator(2);
  accumulator.add(s.phi, s.integral, s.explicit_part);
  return accumulator.result();
}

TEST(ObservableResponse, StandardErrorsCover) {
  constexpr int kSeeds = 300;
  const double truth[] = {2.0 * kMu + kSd, 2.0 * kSd + kMu};
  const double mean = kMu * kMu + kSd * kSd + kSd * kMu;
  std::vector<int> covered(5);
  std::vector<double> plain_squares(2);
  std::vector<double> squares(2);
  for (unsigned seed = 0; seed < kSeeds; ++seed) {
    const ObservableResponse r = respond(draw(2000, seed));
    covered[4] += std::abs(r.value.value - mean) < 1.96 * r.value.standard_error ? 1 : 0;
    for (std::size_t p = 0; p < 2; ++p) {
      const double error = r.response[p].value - truth[p];
      const double plain = r.plain[p].value - truth[p];
      covered[p] += std::abs(error) < 1.96 * r.response[p].standard_error ? 1 : 0;
      covered[2 + p] += std::abs(plain) < 1.96 * r.plain[p].standard_error ? 1 : 0;
      squares[p] += error * error;
      plain_squares[p] += plain * plain;
    }
  }
  // Binomial(300, 0.95): below 266 with probability 1e-5, and 300 with 2e-7.
  for (const int count : covered) {
    EXPECT_GE(count, 266);
    EXPECT_LT(count, kSeeds);
  }
  for (std::size_t p = 0; p < 2; ++p) {
    RecordProperty("variance_ratio_" + std::to_string(p), squares[p] / plain_squares[p]);
    EXPECT_LT(squares[p], 0.8 * plain_squares[p]) << "the control variate should help";
  }
}

TEST(ObservableResponse, BlocksAndMergesAgree) {
  const Sample s = draw(3000, 7, 1e6);
  const ObservableResponse whole = respond(s);
  const auto grouped = [&] {
    ResponseAccumulator total(2);
    for (std::size_t begin = 0; begin < 3000; begin += 1000) {
      ResponseAccumulator part(2);
      for (std::size_t at = begin; at < begin + 1000; at += 250) {
        Matrix integral(250, 2);
        Matrix explicit_part(250, 2);
        std::copy_n(s.integral.row(at).data(), 500, integral.data.begin());
        std::copy_n(s.explicit_part.row(at).data(), 500, explicit_part.data.begin());
        part.add(std::span(s.phi).subspan(at, 250), integral, explicit_part);
      }
      total.merge(part);
    }
    total.merge(ResponseAccumulator(2));
    return total.result();
  };
  const ObservableResponse once = grouped();
  const ObservableResponse again = grouped();
  for (std::size_t p = 0; p < 2; ++p) {
    EXPECT_NEAR(once.response[p].value, whole.response[p].value, 1e-8);
    EXPECT_NEAR(once.response[p].standard_error, whole.response[p].standard_error, 1e-8);
    EXPECT_NEAR(once.plain[p].standard_error, whole.plain[p].standard_error, 1e-8);
    EXPECT_EQ(once.response[p].value, again.response[p].value);
    EXPECT_EQ(once.response[p].standard_error, again.response[p].standard_error);
  }
  EXPECT_NEAR(once.value.value, whole.value.value, 1e-8);
}

TEST(ObservableResponse, AnOffsetOfPhiChangesNothing) {
  const ObservableResponse a = respond(draw(1000, 3));
  const ObservableResponse b = respond(draw(1000, 3, 1e6));
  for (std::size_t p = 0; p < 2; ++p) {
    EXPECT_NEAR(a.response[p].value, b.response[p].value, 1e-8);
    EXPECT_NEAR(a.response[p].standard_error, b.response[p].standard_error, 1e-8);
  }
}

TEST(ObservableResponse, AgreesWithTheDefinition) {
  const Sample s = draw(50, 11);
  const ObservableResponse result = respond(s);
  double mean = 0.0;
  for (const double phi : s.phi) mean += phi / 50.0;
  for (std::size_t p = 0; p < 2; ++p) {
    double plain = 0.0;
    for (std::size_t r = 0; r < 50; ++r) {
      plain += ((s.phi[r] - mean) * s.integral(r, p) + s.explicit_part(r, p)) / 50.0;
    }
    EXPECT_NEAR(result.plain[p].value, plain, 1e-12);
  }
}

TEST(ObservableResponse, AParameterWithoutInfluence) {
  ResponseAccumulator accumulator(1);
  accumulator.add(std::vector<double>{1.0, 2.0, 3.0}, Matrix(3, 1));
  const ObservableResponse result = accumulator.result();
  EXPECT_EQ(result.response[0].value, 0.0);
  EXPECT_EQ(result.response[0].standard_error, 0.0);
}

// Else an unstable damping, whose squares overflow, would look like the best.
TEST(ObservableResponse, SumsThatOverflowAreNoCertainty) {
  ResponseAccumulator accumulator(1);
  Matrix integral(3, 1);
  integral.data = {1e200, -3e200, 2e200};
  accumulator.add(std::vector<double>{1.0, 2.0, 4.0}, integral);
  EXPECT_TRUE(std::isinf(accumulator.result().response[0].standard_error));
  EXPECT_TRUE(std::isinf(accumulator.result().plain[0].standard_error));
}

TEST(ObservableResponse, RefusesOtherShapes) {
  ResponseAccumulator accumulator(2);
  try {
    accumulator.add(std::vector<double>(3), Matrix(3, 1));
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    EXPECT_STREQ(error.what(), "the table of I is 3 x 1; expected 3 x 2");
  }
  try {
    (void)accumulator.result();
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "a standard error takes at least 2 samples; got 0");
  }
  EXPECT_THROW(accumulator.merge(ResponseAccumulator(3)), Error);
  EXPECT_THROW(accumulator.add(std::vector<double>(3), Matrix(3, 2), Matrix(2, 2)), Error);
}

}  // namespace
}  // namespace divker
