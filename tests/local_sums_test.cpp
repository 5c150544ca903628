#include "divker/local_sums.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "divker/answer.hpp"
#include "divker/error.hpp"
#include "divker/language.hpp"

namespace divker {
namespace {

struct Sample {
  Matrix x, y;
};

// X normal in d dimensions, two columns of Y: sin(2 x_0) + noise, and x_0^2 times noise.
Sample draw(std::size_t n, std::size_t d, unsigned seed) {
  std::mt19937_64 generator(seed);
  std::normal_distribution<double> normal;
  Sample s{Matrix(n, d), Matrix(n, 2)};
  for (std::size_t r = 0; r < n; ++r) {
    for (std::size_t c = 0; c < d; ++c) s.x(r, c) = normal(generator);
    s.y(r, 0) = std::sin(2.0 * s.x(r, 0)) + normal(generator);
    s.y(r, 1) = s.x(r, 0) * s.x(r, 0) * (1.0 + normal(generator));
  }
  return s;
}

Matrix points_on_line(std::size_t d) {
  Matrix points(5, d);
  for (std::size_t p = 0; p < 5; ++p) points(p, 0) = -1.0 + 0.5 * static_cast<double>(p);
  return points;
}

double truth(double x, std::size_t column) { return column == 0 ? std::sin(2.0 * x) : x * x; }

Matrix rows(const Matrix& m, std::size_t begin, std::size_t end) {
  Matrix part(end - begin, m.cols);
  std::copy_n(m.row(begin).data(), part.data.size(), part.data.begin());
  return part;
}

// In 64 groups, as an ensemble leaves them.
LocalSums sums_of(const Sample& s, const Matrix& points) {
  LocalSums sums(points, std::vector<double>(points.cols, 1.0), 2, s.x.rows);
  for (std::size_t g = 0; g < 64; ++g) {
    LocalSums part(points, std::vector<double>(points.cols, 1.0), 2, s.x.rows);
    const std::size_t begin = g * s.x.rows / 64, end = (g + 1) * s.x.rows / 64;
    part.add(rows(s.x, begin, end), rows(s.y, begin, end), g);
    sums.merge(part);
  }
  return sums;
}

// 95% intervals from value +- 1.96 bars over 200 seeds, 5 points, 2 columns: the bars include an
// estimated bias, so they may cover more but not less. Points of one seed are nearly independent;
// the share has a standard deviation of about 0.005: below 0.93 by chance less than once in 1e4.
TEST(LocalSums, ErrorBarsCover) {
  for (const std::size_t d : {1UL, 2UL}) {
    const Matrix points = points_on_line(d);
    std::size_t covered = 0, all = 0;
    double squares = 0.0;
    for (unsigned seed = 0; seed < 200; ++seed) {
      const Prediction p = sums_of(draw(8000, d, seed), points).result();
      for (std::size_t r = 0; r < points.rows; ++r) {
        for (std::size_t c = 0; c < 2; ++c, ++all) {
          const double z = (p.value(r, c) - truth(points(r, 0), c)) / p.standard_error(r, c);
          covered += std::abs(z) < 1.96 ? 1 : 0;
          squares += z * z;
        }
      }
    }
    const double share = static_cast<double>(covered) / static_cast<double>(all);
    RecordProperty("covered_" + std::to_string(d), std::to_string(share));
    EXPECT_GT(share, 0.93) << d << " dimensions";
    EXPECT_GT(squares / static_cast<double>(all), 0.4) << "bars far too wide";
  }
}

TEST(LocalSums, AgreesWithTheRegressorThatKeepsTheSample) {
  const Sample s = draw(40'000, 1, 7);
  const Matrix points = points_on_line(1);
  const Prediction sums = sums_of(s, points).result();
  const auto regressor = make_regressor("local-linear");
  regressor->fit(s.x, s.y);
  const Prediction kept = regressor->predict(points);
  for (std::size_t r = 0; r < points.rows; ++r) {
    for (std::size_t c = 0; c < 2; ++c) {
      EXPECT_NEAR(sums.value(r, c), kept.value(r, c),
                  4.0 * std::hypot(sums.standard_error(r, c), kept.standard_error(r, c)));
    }
  }
}

TEST(LocalSums, FarPointsAreOutside) {
  Matrix points(2, 1);
  points(0, 0) = 30.0;
  points(1, 0) = 4.5;
  const Prediction p = sums_of(draw(8000, 1, 3), points).result();
  EXPECT_TRUE(p.outside[0]);
  EXPECT_TRUE(p.outside[1]);
  EXPECT_GE(p.standard_error(0, 0), 1.0);
  EXPECT_GE(p.standard_error(1, 0), 1.0);
}

TEST(LocalSums, Refuses) {
  const auto message = [](auto&& work) -> std::string {
    try {
      work();
    } catch (const Error& error) {
      return error.what();
    }
    return "no error";
  };
  EXPECT_EQ(message([] { LocalSums(Matrix(1, 9), std::vector<double>(9, 1.0), 1, 10); }),
            "local sums work in 1 to 8 dimensions; the points have 9");
  EXPECT_EQ(message([] {
              LocalSums(Matrix(1, 2), {1.0, 0.0}, 1, 10);
            }),
            "local sums need one positive scale for each coordinate");
  LocalSums sums(Matrix(1, 2), {1.0, 1.0}, 1, 10);
  EXPECT_EQ(message([&] { sums.add(Matrix(3, 2), Matrix(3, 2), 0); }),
            "local sums of 2 coordinates and 1 outputs were given samples of 3 x 2 and 3 x 2");
  EXPECT_EQ(message([&] { (void)sums.result(); }),
            "local sums have 0 samples; expected at least 2");
}

// The whole way: the score of an Ornstein-Uhlenbeck process started from its invariant law
// normal(0, 1) is -x. Two points within four bars: false alarm 1e-4.
TEST(LocalSums, ScoreOfAnEnsembleThatIsNotKept) {
  const Model model = parse_model(
      "model ou\nstate x\ndx = -x dt + 1.4142135623730951 dW\ninit x ~ normal(0, 1)\n"
      "time 0 : 0.01 : 1\n",
      "ou.sde");
  Matrix points(2, 1);
  points(0, 0) = -1.0;
  points(1, 0) = 0.5;
  AnswerOptions options;
  options.regressor = local_sums_regressor;
  options.sampling.paths = 20'000;
  const PointAnswer one = score_at(model, points, options);
  for (std::size_t r = 0; r < 2; ++r) {
    EXPECT_NEAR(one.prediction.value(r, 0), -points(r, 0),
                4.0 * one.prediction.standard_error(r, 0) + 0.01);
    EXPECT_LT(one.prediction.standard_error(r, 0), 0.1);
  }
  EXPECT_EQ(one.record.regressor, "local-sums");
  options.session.threads = 2;
  options.session.block = 64;
  EXPECT_EQ(score_at(model, points, options).prediction.value.data, one.prediction.value.data);
}

}  // namespace
}  // namespace divker
