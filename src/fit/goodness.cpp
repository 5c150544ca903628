#include "fit/goodness.hpp"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <numbers>
#include <random>
#include <utility>

#include "fit/instrument.hpp"

namespace divker::fit {
namespace {

// P(sup |Brownian bridge| > x).
double kolmogorov_tail(double x) {
  if (x < 0.2) return 1.0;
  double sum = 0.0;
  for (int k = 1; k <= 100; ++k) {
    sum += (k % 2 == 1 ? 2.0 : -2.0) * std::exp(-2.0 * k * k * x * x);
  }
  return std::clamp(sum, 0.0, 1.0);
}

double corrected_tail(double distance, double root) {
  return kolmogorov_tail((root + 0.12 + 0.11 / root) * distance);
}

// P(A^2 > x) of the limiting law, to about 2e-6.
double anderson_darling_tail(double x) {
  if (!(x > 0.0)) return 1.0;
  const auto polynomial = [x](std::initializer_list<double> rising) {
    double value = 0.0;
    for (const double* c = rising.end(); c != rising.begin();) value = value * x + *--c;
    return value;
  };
  const double below =
      x < 2.0 ? std::exp(-1.2337141 / x) / std::sqrt(x) *
                    polynomial({2.00012, 0.247105, -0.0649821, 0.0347962, -0.011672, 0.00168691})
              : std::exp(-std::exp(
                    polynomial({1.0776, -2.30695, 0.43424, -0.082433, 0.008056, -0.0003146})));
  return std::clamp(1.0 - below, 0.0, 1.0);
}

// Two samples as one, in ascending order, with labels.
class Pooled {
 public:
  Pooled(std::span<const double> a, std::span<const double> b)
      : n_(static_cast<double>(a.size())), m_(static_cast<double>(b.size())) {
    std::vector<std::pair<double, bool>> all;
    all.reserve(a.size() + b.size());
    for (const double x : a) all.emplace_back(x, true);
    for (const double x : b) all.emplace_back(x, false);
    std::sort(all.begin(), all.end());
    for (const auto& [value, first] : all) {
      values_.push_back(value);
      first_.push_back(first);
    }
  }

  // 2 integral (F - G)^2.
  [[nodiscard]] double energy() const {
    double difference = 0.0;
    double integral = 0.0;
    for (std::size_t k = 0; k + 1 < values_.size(); ++k) {
      difference += first_[k] ? 1.0 / n_ : -1.0 / m_;
      integral += difference * difference * (values_[k + 1] - values_[k]);
    }
    return 2.0 * integral;
  }

  void exchange_labels(std::mt19937_64& random) {
    for (std::size_t i = first_.size() - 1; i > 0; --i) {
      const std::size_t j = random() % (i + 1);
      const bool label = first_[i];
      first_[i] = first_[j];
      first_[j] = label;
    }
  }

 private:
  double n_;
  double m_;
  std::vector<double> values_;
  std::vector<bool> first_;
};

double deviation(const std::vector<double>& sorted) {
  double mean = 0.0;
  double squares = 0.0;
  const auto n = static_cast<double>(sorted.size());
  for (const double x : sorted) mean += x / n;
  for (const double x : sorted) squares += (x - mean) * (x - mean) / n;
  return std::sqrt(squares);
}

// Products z_i and z_i z_j, of |i - j| up to a reach.
class SecondMoments {
 public:
  SecondMoments(const Matrix& sample, std::size_t most) {
    const std::size_t d = sample.cols;
    for (std::size_t c = 0; c < d; ++c) scores_.emplace_back(sample.column(c));
    for (std::size_t apart = 0; apart < d; ++apart) {
      if (d + pairs_.size() + d - apart > most) break;
      for (std::size_t i = 0; i + apart < d; ++i) pairs_.emplace_back(i, i + apart);
    }
  }

  [[nodiscard]] RowMajor of(const Matrix& points) const {
    const std::size_t d = scores_.size();
    RowMajor f(static_cast<Eigen::Index>(points.rows),
               static_cast<Eigen::Index>(d + pairs_.size()));
    for (std::size_t r = 0; r < points.rows; ++r) {
      double* row = f.row(static_cast<Eigen::Index>(r)).data();
      for (std::size_t c = 0; c < d; ++c) row[c] = scores_[c](points(r, c));
      for (std::size_t k = 0; k < pairs_.size(); ++k) {
        row[d + k] = row[pairs_[k].first] * row[pairs_[k].second];
      }
    }
    return f;
  }

 private:
  std::vector<NormalScores> scores_;
  std::vector<std::pair<std::size_t, std::size_t>> pairs_;
};

}  // namespace

double chi_square_tail(double x, double freedom) {
  const double spread = 2.0 / (9.0 * freedom);
  const double z = (std::cbrt(x / freedom) - 1.0 + spread) / std::sqrt(spread);
  return 0.5 * std::erfc(z / std::numbers::sqrt2);
}

double chi_square_quantile(double p, double freedom) {
  double low = 0.0;
  double high = freedom + 10.0;
  while (chi_square_tail(high, freedom) > p) high *= 2.0;
  for (int k = 0; k < 60; ++k) {
    const double middle = 0.5 * (low + high);
    (chi_square_tail(middle, freedom) > p ? low : high) = middle;
  }
  return high;
}

ChiSquare joint_moments(const Matrix& data, const Matrix& sample) {
  constexpr std::size_t most_moments = 600;
  constexpr std::size_t most_sampled = 20'000;
  constexpr std::size_t rows_per_moment = 5;
  Matrix drawn(std::min(sample.rows, most_sampled), sample.cols);
  std::copy_n(sample.data.begin(), drawn.data.size(), drawn.data.begin());
  const std::size_t most = std::min(most_moments, data.rows / rows_per_moment);
  if (data.cols > most) return {};
  const SecondMoments moments(drawn, most);
  RowMajor of_sample = moments.of(drawn);
  const Eigen::RowVectorXd mean = of_sample.colwise().mean();
  of_sample.rowwise() -= mean;
  const Eigen::VectorXd difference = (moments.of(data).colwise().mean() - mean).transpose();
  const auto n = static_cast<double>(drawn.rows);
  Eigen::MatrixXd covariance = of_sample.transpose() * of_sample / n;
  covariance.diagonal().array() += 1e-9;
  covariance *= 1.0 / n + 1.0 / static_cast<double>(data.rows);
  ChiSquare result;
  result.freedom = static_cast<std::size_t>(difference.size());
  result.statistic = difference.dot(covariance.llt().solve(difference));
  result.p = chi_square_tail(result.statistic, static_cast<double>(result.freedom));
  return result;
}

TestResult anderson_darling(std::vector<double> a, std::vector<double> b) {
  std::ranges::sort(a);
  std::ranges::sort(b);
  const auto n = static_cast<double>(a.size()), m = static_cast<double>(b.size());
  const double all = n + m;
  double sum = 0.0;
  std::size_t i = 0, j = 0;
  while (i < a.size() || j < b.size()) {
    const double value = j == b.size() || (i < a.size() && a[i] <= b[j]) ? a[i] : b[j];
    const std::size_t a_before = i, b_before = j;
    while (i < a.size() && a[i] == value) ++i;
    while (j < b.size() && b[j] == value) ++j;
    const std::size_t equal = i - a_before + j - b_before;
    const double share_of_a = static_cast<double>(i - a_before) / static_cast<double>(equal);
    for (std::size_t k = 1; k <= equal && a_before + b_before + k < a.size() + b.size(); ++k) {
      const auto below = static_cast<double>(a_before + b_before + k);
      const double of_a = static_cast<double>(a_before) + static_cast<double>(k) * share_of_a;
      sum += std::pow(of_a * all - n * below, 2) / (below * (all - below));
    }
  }
  TestResult result;
  result.statistic = sum / (n * m);
  result.p = anderson_darling_tail(result.statistic);
  return result;
}

TestResult kolmogorov_smirnov(std::vector<double> a, std::vector<double> b) {
  std::sort(a.begin(), a.end());
  std::sort(b.begin(), b.end());
  const auto n = static_cast<double>(a.size());
  const auto m = static_cast<double>(b.size());
  TestResult result;
  for (std::size_t i = 0, j = 0; i < a.size() && j < b.size();) {
    const double x = std::min(a[i], b[j]);
    while (i < a.size() && a[i] <= x) ++i;
    while (j < b.size() && b[j] <= x) ++j;
    const double distance = std::fabs(static_cast<double>(i) / n - static_cast<double>(j) / m);
    result.statistic = std::max(result.statistic, distance);
  }
  result.p = corrected_tail(result.statistic, std::sqrt(n * m / (n + m)));
  return result;
}

TestResult uniform_distance(std::vector<double> u) {
  std::ranges::sort(u);
  const auto n = static_cast<double>(u.size());
  TestResult result;
  for (std::size_t j = 0; j < u.size(); ++j) {
    const auto below = static_cast<double>(j);
    result.statistic = std::max({result.statistic, u[j] - below / n, (below + 1.0) / n - u[j]});
  }
  result.p = corrected_tail(result.statistic, std::sqrt(n));
  return result;
}

TestResult energy_distance(const Matrix& a, const Matrix& b, std::size_t most, std::uint64_t seed) {
  constexpr int exchanges = 199;
  const auto n = static_cast<Eigen::Index>(std::min(a.rows, most));
  const auto m = static_cast<Eigen::Index>(std::min(b.rows, most));
  Eigen::MatrixXd points(static_cast<Eigen::Index>(a.cols), n + m);
  for (Eigen::Index r = 0; r < n + m; ++r) {
    const auto row =
        r < n ? a.row(static_cast<std::size_t>(r)) : b.row(static_cast<std::size_t>(r - n));
    points.col(r) = Eigen::Map<const Eigen::VectorXd>(row.data(), points.rows());
  }
  const Eigen::VectorXd mean = points.rowwise().mean();
  const Eigen::VectorXd scale =
      (points.colwise() - mean).rowwise().norm() / std::sqrt(static_cast<double>(n + m));
  points = scale.cwiseMax(1e-300).cwiseInverse().asDiagonal() * (points.colwise() - mean);
  Eigen::MatrixXf distance(n + m, n + m);
  for (Eigen::Index r = 0; r < n + m; ++r) {
    distance.col(r) = (points.colwise() - points.col(r)).colwise().norm().transpose().cast<float>();
  }
  // With w = 1/n on the first and -1/m on the second sample it is -w^T D w.
  Eigen::MatrixXf weights(n + m, 1 + exchanges);
  weights.col(0).head(n).setConstant(1.0F / static_cast<float>(n));
  weights.col(0).tail(m).setConstant(-1.0F / static_cast<float>(m));
  std::mt19937_64 random(seed);
  for (int k = 1; k <= exchanges; ++k) {
    weights.col(k) = weights.col(k - 1);
    for (Eigen::Index i = n + m - 1; i > 0; --i) {
      const auto j = static_cast<Eigen::Index>(random() % static_cast<std::uint64_t>(i + 1));
      std::swap(weights(i, k), weights(j, k));
    }
  }
  const Eigen::ArrayXf statistics =
      -(distance * weights).cwiseProduct(weights).colwise().sum().transpose().array();
  const auto as_large = (statistics.tail(exchanges) >= statistics[0]).count();
  return {statistics[0], (1.0 + static_cast<double>(as_large)) / (1.0 + exchanges)};
}

double energy_statistic(std::span<const double> a, std::span<const double> b) {
  return Pooled(a, b).energy();
}

TestResult energy_distance(std::span<const double> a, std::span<const double> b,
                           std::uint64_t seed) {
  Pooled pooled(a, b);
  TestResult result;
  result.statistic = pooled.energy();
  std::mt19937_64 random(seed);
  constexpr int exchanges = 199;
  int larger = 0;
  for (int k = 0; k < exchanges; ++k) {
    pooled.exchange_labels(random);
    if (pooled.energy() >= result.statistic) ++larger;
  }
  result.p = (1.0 + larger) / (1.0 + exchanges);
  return result;
}

double mean_log_density(std::vector<double> sample, std::span<const double> points) {
  std::sort(sample.begin(), sample.end());
  const auto n = static_cast<double>(sample.size());
  const double quartiles = sample[sample.size() * 3 / 4] - sample[sample.size() / 4];
  const double spread = std::min(deviation(sample), quartiles / 1.34);
  const double bandwidth = 0.9 * std::max(spread, 1e-300) * std::pow(n, -0.2);
  const double constant = -std::log(n * bandwidth * std::sqrt(2.0 * std::numbers::pi));
  constexpr double reach = 8.0;
  double total = 0.0;
  for (const double y : points) {
    auto near = std::lower_bound(sample.begin(), sample.end(), y - reach * bandwidth);
    double sum = 0.0;
    for (; near != sample.end() && *near <= y + reach * bandwidth; ++near) {
      sum += std::exp(-0.5 * std::pow((y - *near) / bandwidth, 2));
    }
    // Beyond the sample: the tail of its nearest kernel.
    const double edge = std::clamp(y, sample.front(), sample.back());
    const double tail = -0.5 * std::pow((y - edge) / bandwidth, 2);
    total += constant + (sum > 0.0 ? std::log(sum) : tail);
  }
  return total / static_cast<double>(points.size());
}

}  // namespace divker::fit
