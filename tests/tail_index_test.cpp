#include "divker/tail_index.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <numbers>
#include <random>

#include "divker/error.hpp"
#include "divker/observable_response.hpp"

namespace divker {
namespace {

using Draw = std::function<double(std::mt19937_64&)>;

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

std::vector<double> draw(const Draw& one, std::size_t n, unsigned seed) {
  std::mt19937_64 generator(seed);
  std::vector<double> values(n);
  for (double& value : values) value = one(generator);
  return values;
}

// P(z > t) = t^(-1/k), whose excesses over any threshold follow a generalised Pareto law exactly.
Draw pareto(double k) {
  return [k](std::mt19937_64& generator) {
    return std::pow(1.0 - std::uniform_real_distribution<>()(generator), -k);
  };
}

double with_random_sign(double value, std::mt19937_64& generator) {
  return std::bernoulli_distribution()(generator) ? value : -value;
}

TailIndex index_of(std::span<const double> values) {
  TailSample sample;
  sample.add(values);
  return sample.index();
}

constexpr unsigned kSeeds = 20;

double mean_index(const Draw& one, std::size_t n) {
  double sum = 0.0;
  for (unsigned seed = 1; seed <= kSeeds; ++seed) sum += index_of(draw(one, n, seed)).k;
  return sum / kSeeds;
}

double standard_error(double k, std::size_t m) {
  return (1.0 + k) / std::sqrt(static_cast<double>(m));
}

double prior_bias(double k, std::size_t m) {
  return std::abs(0.5 - k) * 10.0 / (static_cast<double>(m) + 10.0);
}

TEST(TailIndex, FindsTheIndexOfExactParetoSamples) {
  constexpr std::size_t n = 10000;
  constexpr std::size_t m = 300;
  for (const double k : {0.2, 0.5, 0.8, 1.2}) {
    SCOPED_TRACE(k);
    const TailIndex one = index_of(draw(pareto(k), n, 1));
    EXPECT_EQ(one.values, m);
    EXPECT_NEAR(one.k, k, 4.5 * standard_error(k, m) + prior_bias(k, m));
    EXPECT_NEAR(mean_index(pareto(k), n), k,
                4.5 * standard_error(k, m * kSeeds) + prior_bias(k, m));
  }
}

TEST(TailIndex, TheStandardErrorIsTheOneStated) {
  constexpr int repetitions = 400;
  double sum = 0.0;
  double squares = 0.0;
  for (unsigned seed = 1; seed <= repetitions; ++seed) {
    const double k = index_of(draw(pareto(0.7), 2500, seed)).k;
    sum += k;
    squares += k * k;
  }
  const double mean = sum / repetitions;
  const double spread = std::sqrt(squares / repetitions - mean * mean);
  // The spread of a spread is 1 / sqrt(2 repetitions) of it; the prior takes 10 of 160 away, and
  // what is left is of the order 1 / m.
  EXPECT_NEAR(spread / standard_error(0.7, 150), 1.0, 4.5 / std::sqrt(800.0) + 10.0 / 160.0);
}

TEST(TailIndex, LightTailsHaveNone) {
  for (const std::size_t n : {1000U, 10000U, 100000U}) {
    EXPECT_LT(mean_index(std::normal_distribution<>(), n), 0.1);
    EXPECT_LT(mean_index(std::exponential_distribution<>(), n), 0.15);
    EXPECT_LT(index_of(draw(std::normal_distribution<>(), n, 1)).k, 0.3);
    EXPECT_LT(index_of(draw(std::exponential_distribution<>(), n, 1)).k, 0.3);
    EXPECT_LT(mean_index(std::uniform_real_distribution<>(-1.0, 1.0), n), -0.5);
  }
}

struct Student {
  int nu;
  std::function<double(double)> survival;
  std::function<double(double)> density;

  // The derivative of 1 / hazard, which is k everywhere for a generalised Pareto law.
  [[nodiscard]] double local_k(double x) const {
    return survival(x) / density(x) * (nu + 1.0) * x / (nu + x * x) - 1.0;
  }
  // Where |t| exceeds x with this probability.
  [[nodiscard]] double threshold(double probability) const {
    double low = 0.0;
    double high = 1e6;
    for (int i = 0; i < 100; ++i) {
      const double middle = 0.5 * (low + high);
      (2.0 * survival(middle) > probability ? low : high) = middle;
    }
    return low;
  }
};

std::vector<Student> students() {
  const double pi = std::numbers::pi;
  return {{1, [=](double x) { return 0.5 - std::atan(x) / pi; },
           [=](double x) { return 1.0 / (pi * (1.0 + x * x)); }},
          {2, [](double x) { return 0.5 - 0.5 * x / std::sqrt(2.0 + x * x); },
           [](double x) { return std::pow(2.0 + x * x, -1.5); }},
          {4,
           [](double x) {
             const double s = 1.0 + x * x / 4.0;
             return 0.5 - 0.375 * x / std::sqrt(s) * (1.0 - x * x / (12.0 * s));
           },
           [](double x) { return 0.375 * std::pow(1.0 + x * x / 4.0, -2.5); }}};
}

// The bias is bounded by the local k at the threshold, which goes to 1 / nu monotonically.
TEST(TailIndex, StudentsTailHasTheIndexOneOverNu) {
  constexpr std::size_t n = 10000;
  constexpr std::size_t m = 300;
  for (const Student& student : students()) {
    SCOPED_TRACE(student.nu);
    const double k = 1.0 / student.nu;
    const double bias = std::abs(student.local_k(student.threshold(0.03)) - k);
    EXPECT_LT(bias, 0.1);
    const double tolerance = 4.5 * standard_error(k, m * kSeeds) + prior_bias(k, m) + bias;
    EXPECT_NEAR(mean_index(std::student_t_distribution<>(student.nu), n), k, tolerance);
  }
}

// The values of the formula of loo and ArviZ for the excesses i^2 / (n + 1 - i), i = 1 ... n,
// computed with NumPy.
TEST(TailIndex, IsThatOfThePackages) {
  const auto k_of = [](int n) {
    std::vector<double> values{0.0};
    for (double i = n; i >= 1.0; --i) values.push_back(i * i / (n + 1.0 - i));
    return pareto_k(values);
  };
  EXPECT_NEAR(k_of(5), 0.8169284320420853, 1e-12);
  EXPECT_NEAR(k_of(40), 1.3830048806272048, 1e-12);
  EXPECT_NEAR(k_of(200), 1.7214909952310664, 1e-12);
}

TEST(TailIndex, HasNoUnit) {
  std::vector<double> values = draw(pareto(0.6), 500, 3);
  const double k = index_of(values).k;
  for (double& value : values) value = -std::ldexp(value, 900);
  EXPECT_EQ(index_of(values).k, k);
  for (double& value : values) value = std::ldexp(value, -1800);
  EXPECT_EQ(index_of(values).k, k);
}

TEST(TailIndex, OrderAndGroupingChangeNothing) {
  for (const std::size_t n : {40U, 600U, 20000U, 60000U}) {
    SCOPED_TRACE(n);
    std::mt19937_64 generator(n);
    std::vector<double> values = draw(std::student_t_distribution<>(3), n, 7);
    const TailIndex whole = index_of(values);
    for (int repetition = 0; repetition < 5; ++repetition) {
      std::shuffle(values.begin(), values.end(), generator);
      std::vector<TailSample> parts(7);
      for (std::size_t at = 0, size = 0; at < n; at += size) {
        size = std::min(n - at, std::uniform_int_distribution<std::size_t>(1, 700)(generator));
        parts[generator() % parts.size()].add(std::span(values).subspan(at, size));
      }
      while (parts.size() > 1) {
        std::shuffle(parts.begin(), parts.end(), generator);
        parts[0].merge(parts.back());
        parts.pop_back();
      }
      EXPECT_EQ(parts[0].count(), n);
      EXPECT_EQ(parts[0].index().values, whole.values);
      EXPECT_EQ(parts[0].index().k, whole.k);
    }
  }
}

TEST(TailIndex, RestsOnTheNumberOfValuesStated) {
  const auto values_of = [](std::size_t n) { return index_of(draw(pareto(0.5), n, 1)).values; };
  EXPECT_EQ(values_of(25), 5U);
  EXPECT_EQ(values_of(101), 21U);
  EXPECT_EQ(values_of(400), 60U);
  EXPECT_EQ(values_of(29126), 512U);
  EXPECT_EQ(values_of(100000), 512U);
}

TEST(TailIndex, FewOrEqualValuesHaveNone) {
  EXPECT_TRUE(std::isnan(TailSample().index().k));
  EXPECT_TRUE(std::isnan(index_of(std::vector<double>{1.0}).k));
  EXPECT_TRUE(std::isnan(index_of(draw(pareto(2.0), 20, 1)).k));
  EXPECT_FALSE(std::isnan(index_of(draw(pareto(2.0), 21, 1)).k));
  EXPECT_TRUE(std::isnan(index_of(std::vector<double>(1000, 0.0)).k));
  EXPECT_TRUE(std::isnan(index_of(std::vector<double>(1000, -2.5)).k));
  EXPECT_TRUE(std::isnan(pareto_k({})));
}

TEST(TailIndex, TiedValuesAreFitted) {
  std::vector<double> values(1000, 0.0);
  for (std::size_t i = 0; i < 20; ++i) values[50 * i] = std::pow(2.0, static_cast<double>(i));
  EXPECT_GT(index_of(values).k, 0.7) << "rare and large values among zeros";
  // Sixteen excesses of one third of the largest: the grid of the fit then holds theta = 0.
  std::vector<double> counts(65, 2.0);
  std::fill_n(counts.begin(), 16, 1.0);
  counts[20] = 3.0;
  counts.back() = 0.0;
  EXPECT_TRUE(std::isfinite(pareto_k(counts)));
}

TEST(TailIndex, WhatIsNotFiniteIsInfinitelyHeavy) {
  std::vector<double> values = draw(std::normal_distribution<>(), 2000, 1);
  for (const double bad : {kInfinity, -kInfinity, kNan}) {
    for (const std::size_t at : {std::size_t{3}, std::size_t{1999}}) {
      std::vector<double> spoilt = values;
      spoilt[at] = bad;
      EXPECT_EQ(index_of(spoilt).k, kInfinity);
    }
  }
}

TEST(TailIndex, RefusesWhatIsNoAbsoluteValue) {
  for (const double bad : {-1.0, kNan}) {
    try {
      static_cast<void>(pareto_k(std::vector<double>{1.0, bad}));
      FAIL() << "no Error";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::usage);
      EXPECT_THAT(error.what(), testing::StartsWith("a tail index is of absolute values; one of "));
    }
  }
}

TEST(TailIndex, SurvivesAnArchive) {
  for (const std::size_t n : {0U, 100U, 5000U}) {
    const std::vector<double> values = draw(pareto(0.9), n, 2);
    TailSample sample;
    sample.add(values);
    Archive written;
    written(sample);
    EXPECT_LT(written.bytes().size(), 4300U);
    Archive read(written.bytes());
    TailSample same;
    read(same);
    EXPECT_TRUE(read.at_end());
    const std::vector<double> more = draw(pareto(0.9), 3000, 3);
    sample.add(more);
    same.add(more);
    EXPECT_EQ(same.count(), sample.count());
    EXPECT_EQ(same.index().k, sample.index().k);
  }
}

TEST(TailIndex, OfColumnsIsAboutTheirMeans) {
  constexpr std::size_t n = 4000;
  Matrix y(n, 3);
  std::mt19937_64 generator(4);
  for (std::size_t r = 0; r < n; ++r) {
    y(r, 0) = std::normal_distribution<>()(generator);
    y(r, 1) = with_random_sign(pareto(0.9)(generator), generator);
    y(r, 2) = 1e6 + y(r, 1);
  }
  const std::vector<double> k = tail_indices(y);
  ASSERT_EQ(k.size(), 3U);
  EXPECT_LT(k[0], 0.3);
  EXPECT_NEAR(k[1], 0.9, 4.5 * standard_error(0.9, 190) + prior_bias(0.9, 190));
  EXPECT_NEAR(k[2], k[1], 1e-6);
}

TEST(TailIndex, WarnsAboveSevenTenths) {
  EXPECT_FALSE(tail_warning("E[x]", 0.7));
  EXPECT_FALSE(tail_warning("E[x]", kNan));
  EXPECT_EQ(tail_warning("d E[x] / d a", 0.834),
            "The error bar of d E[x] / d a means little: the tail index of its summands is 0.83; "
            "above 0.5 their variance does not exist, and above 0.7 more paths hardly help.");
  EXPECT_TRUE(tail_warning("E[x]", kInfinity));
}

// Groups of 256 paths with a normal Phi, and I with tails of the index 0.1 and `k`; the explicit
// part of the first has the index `explicit_k`.
ResponseAccumulator responses(std::size_t groups, double k, double explicit_k = 0.0) {
  std::mt19937_64 generator(11);
  ResponseAccumulator total(2);
  for (std::size_t group = 0; group < groups; ++group) {
    std::vector<double> phi(256);
    Matrix integral(256, 2);
    Matrix explicit_part(explicit_k > 0.0 ? 256 : 0, explicit_k > 0.0 ? 2 : 0);
    for (std::size_t r = 0; r < phi.size(); ++r) {
      phi[r] = 5.0 + std::normal_distribution<>()(generator);
      integral(r, 0) = with_random_sign(pareto(0.1)(generator), generator);
      integral(r, 1) = with_random_sign(pareto(k)(generator), generator);
      if (explicit_k > 0.0) explicit_part(r, 0) = pareto(explicit_k)(generator);
    }
    ResponseAccumulator part(2);
    part.add(phi, integral, explicit_part);
    total.merge(part);
  }
  return total;
}

// A power beyond 1 times a normal number is as good as a power where one product in 60 is larger.
TEST(TailIndex, OfResponsesIsThatOfTheirSummands) {
  for (const double k : {0.8, 1.2}) {
    const std::vector<double> found = responses(120, k).tail_indices();
    ASSERT_EQ(found.size(), 2U);
    EXPECT_LT(found[0], 0.4);
    EXPECT_NEAR(found[1], k, 4.5 * standard_error(k, 512) + prior_bias(k, 512));
  }
  const std::vector<double> found = responses(120, 0.1, 0.9).tail_indices();
  EXPECT_NEAR(found[0], 0.9, 4.5 * standard_error(0.9, 512) + prior_bias(0.9, 512));
  EXPECT_LT(found[1], 0.4);
}

TEST(TailIndex, OfResponsesSurvivesAnArchive) {
  ResponseAccumulator sums = responses(20, 0.8);
  Archive written;
  written(sums);
  Archive read(written.bytes());
  ResponseAccumulator same(2);
  read(same);
  EXPECT_TRUE(read.at_end());
  EXPECT_EQ(same.tail_indices(), sums.tail_indices());
}

}  // namespace
}  // namespace divker
