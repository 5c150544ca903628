#include "estimate/localised_density.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>

#include "divker/error.hpp"
#include "divker/tail_index.hpp"
#include "estimate/parallel.hpp"

namespace divker {
namespace {

using Pair = std::array<double, 2>;

// In spreads of the sample. Each width is half of the one before, each core 0.71 of it.
constexpr double widest_width = 8.0;
// The bias falls like its fourth power, and is to fall like the error, with some room: too small a
// core costs a logarithm alone.
double widest_core(std::size_t paths) {
  return 0.2 * std::pow(static_cast<double>(paths) / 4000.0, -0.125);
}
constexpr std::size_t widths_on_line = 12, widths_in_plane = 8, cores_in_plane = 8;

// What one row says of the density at y, before the control; the control; the bias of v.
struct Summand {
  double base = 0.0;
  Pair control{};
  double bias = 0.0;

  [[nodiscard]] double with(const Pair& c) const {
    return base + c[0] * control[0] + c[1] * control[1];
  }
};

// A row as seen from y: d = x - y, and its covector.
struct Arm {
  Pair d, nu;

  [[nodiscard]] double square() const { return d[0] * d[0] + d[1] * d[1]; }
  // nu . (x - y) / (2 pi r^2)
  [[nodiscard]] double radial() const {
    const double r2 = square();
    return r2 > 0.0 ? (nu[0] * d[0] + nu[1] * d[1]) / (2.0 * std::numbers::pi * r2) : 0.0;
  }
};

// `phi`: exp(-r^2/2w^2).
Summand on_line(const Arm& arm, double w, double phi) {
  const double v = phi * (arm.nu[0] - arm.d[0] / (w * w));
  return {arm.d[0] < 0.0 ? 0.5 * v : -0.5 * v, {v, 0.0}, 0.0};
}

// G_v, G_2v, G_4v of one row.
struct Cores {
  double one = 0.0, two = 0.0, four = 0.0;
};
Summand in_plane(const Arm& arm, double radial, double w, double phi, const Cores& g) {
  const double unit = 1.0 / (w * w);
  Summand summand;
  summand.base = phi * unit / (2.0 * std::numbers::pi) - radial * (phi - 2.0 * g.one + g.two);
  summand.control = {phi * (arm.nu[0] - arm.d[0] * unit), phi * (arm.nu[1] - arm.d[1] * unit)};
  summand.bias = -radial * (g.four - 3.0 * g.two + 2.0 * g.one) / 3.0;
  return summand;
}

double fourth_power(double x) { return (x * x) * (x * x); }

Summand summand_of(const Arm& arm, const Localisation& at) {
  const double r2 = arm.square();
  const double phi = std::exp(-0.5 * r2 / (at.width * at.width));
  if (at.core == 0.0) return on_line(arm, at.width, phi);
  const double four = std::exp(-0.125 * r2 / (at.core * at.core));
  return in_plane(arm, arm.radial(), at.width, phi, {fourth_power(four), four * four, four});
}

// Sums over rows for one width and one core.
class Tally {
 public:
  void add(const Summand& s, double phi) {
    const auto [v0, v1] = s.control;
    mass_ += phi;
    z_ += s.base, zz_ += s.base * s.base;
    v0_ += v0, v1_ += v1;
    zv0_ += s.base * v0, zv1_ += s.base * v1;
    v00_ += v0 * v0, v01_ += v0 * v1, v11_ += v1 * v1;
    b_ += s.bias, bb_ += s.bias * s.bias;
  }
  [[nodiscard]] double mass() const { return mass_; }

  // The coefficients of the least variance over so many rows, and the expected squared error with
  // so many paths.
  [[nodiscard]] std::pair<Pair, double> best(double rows, double paths) const {
    const auto covariance = [rows](double product, double a, double b) {
      return product / rows - a / rows * b / rows;
    };
    const double zv0 = covariance(zv0_, z_, v0_), zv1 = covariance(zv1_, z_, v1_);
    const double v00 = covariance(v00_, v0_, v0_), v11 = covariance(v11_, v1_, v1_);
    const double v01 = covariance(v01_, v0_, v1_);
    constexpr double ridge = 1e-9;
    const double a = v00 + ridge * (v00 + v11), b = v11 + ridge * (v00 + v11);
    Pair c{};
    if (const double determinant = a * b - v01 * v01; determinant > 0.0) {
      c = {(zv1 * v01 - zv0 * b) / determinant, (zv0 * v01 - zv1 * a) / determinant};
    }
    const double left = covariance(zz_, z_, z_) + c[0] * zv0 + c[1] * zv1;
    const double bias = b_ / rows;
    const double noise = covariance(bb_, b_, b_) / rows;
    return {c, std::max(0.0, left) / paths + std::max(0.0, bias * bias - noise)};
  }

 private:
  double mass_ = 0.0, z_ = 0.0, zz_ = 0.0, v0_ = 0.0, v1_ = 0.0, zv0_ = 0.0, zv1_ = 0.0, v00_ = 0.0,
         v01_ = 0.0, v11_ = 0.0, b_ = 0.0, bb_ = 0.0;
};

// All widths and cores that are tried at one point.
class Trial {
 public:
  Trial(std::size_t dimension, std::size_t paths)
      : paths_(paths),
        widest_core_(widest_core(paths)),
        widths_(dimension == 1 ? widths_on_line : widths_in_plane),
        cores_(dimension == 1 ? 1 : cores_in_plane),
        tallies_(widths_ * cores_) {}

  void add(const Arm& arm) {
    const double r2 = arm.square();
    std::array<double, cores_in_plane + 2> g{};
    double radial = 0.0;
    if (cores_ > 1) {
      radial = arm.radial();
      g[0] = std::exp(-0.125 * r2 / (widest_core_ * widest_core_));
      for (std::size_t k = 1; k < g.size(); ++k) g[k] = g[k - 1] * g[k - 1];
    }
    double w = widest_width;
    double phi = std::exp(-0.5 * r2 / (w * w));
    for (std::size_t k = 0; k < widths_ && phi > 0.0; ++k) {
      for (std::size_t c = 0; c < cores_; ++c) {
        Tally& tally = tallies_[k * cores_ + c];
        if (cores_ == 1) {
          tally.add(on_line(arm, w, phi), phi);
        } else if (fits(w, c)) {
          tally.add(in_plane(arm, radial, w, phi, {g[c + 2], g[c + 1], g[c]}), phi);
        }
      }
      w *= 0.5;
      phi = fourth_power(phi);
    }
  }

  // A width that too few rows are within is not judged by them.
  [[nodiscard]] Localisation best(std::size_t rows) const {
    constexpr double fewest = 30.0;
    Localisation result;
    double least = 0.0, w = widest_width;
    for (std::size_t k = 0; k < widths_; ++k, w *= 0.5) {
      for (std::size_t c = 0; c < cores_; ++c) {
        const Tally& tally = tallies_[k * cores_ + c];
        if (k > 0 && (tally.mass() < fewest || (cores_ > 1 && !fits(w, c)))) continue;
        const auto [control, cost] =
            tally.best(static_cast<double>(rows), static_cast<double>(paths_));
        if (result.width > 0.0 && !(cost < least)) continue;
        least = cost;
        result = {w, cores_ > 1 ? core(c) : 0.0, control};
      }
    }
    return result;
  }

 private:
  [[nodiscard]] double core(std::size_t c) const {
    return widest_core_ * std::pow(2.0, -0.5 * static_cast<double>(c));
  }
  [[nodiscard]] bool fits(double w, std::size_t c) const { return 2.0 * core(c) <= w; }

  std::size_t paths_;
  double widest_core_;
  std::size_t widths_, cores_;
  std::vector<Tally> tallies_;
};

// Every how many-th path of a half is looked at to choose.
std::size_t stride_of_choice(std::size_t dimension, std::size_t rows_of_half) {
  const std::size_t most = dimension == 1 ? 32'768 : 8'192;
  return (rows_of_half + most - 1) / most;
}

// Values between the 1% and the 99% quantiles, the rest moved there: heavy tails have no spread.
std::vector<double> without_tails(std::vector<double> values) {
  std::vector<double> sorted = values;
  const std::size_t cut = sorted.size() / 100;
  std::ranges::nth_element(sorted, sorted.begin() + static_cast<std::ptrdiff_t>(cut));
  const double low = sorted[cut];
  std::ranges::nth_element(sorted, sorted.end() - 1 - static_cast<std::ptrdiff_t>(cut));
  const double high = sorted[sorted.size() - 1 - cut];
  for (double& value : values) value = std::clamp(value, low, high);
  return values;
}

void check(const ScoredSample& sample) {
  const Matrix& x = sample.x;
  const Matrix& nu = sample.nu;
  const bool fits = (x.cols == 1 || x.cols == 2) && nu.cols == x.cols && nu.rows == x.rows &&
                    sample.rows_of_path > 0 && x.rows % sample.rows_of_path == 0;
  if (fits && sample.paths() >= 4) return;
  throw Error(ErrorKind::usage,
              fmt::format("a localised density takes one or two columns, four paths and more, and "
                          "covectors of the same shape; got {} x {} and {} x {}",
                          x.rows, x.cols, nu.rows, nu.cols));
}

}  // namespace

double LocalDensity::standard_error() const { return std::hypot(deviation, bias, unseen); }

LocalisedDensity::LocalisedDensity(const ScoredSample& sample) : dimension_(sample.x.cols) {
  check(sample);
  Matrix central(sample.x.rows, dimension_);
  for (std::size_t c = 0; c < dimension_; ++c) {
    const std::vector<double> column = without_tails(sample.x.column(c));
    for (std::size_t r = 0; r < column.size(); ++r) central(r, c) = column[r];
  }
  CovarianceMoments moments(dimension_);
  moments.add(central);
  const Matrix covariance = moments.covariance();
  centre_[0] = moments.mean()[0];
  root_[0] = std::sqrt(covariance(0, 0));
  volume_ = root_[0];
  if (dimension_ == 2) {
    centre_[1] = moments.mean()[1];
    root_[1] = covariance(0, 1) / root_[0];
    root_[2] = std::sqrt(std::max(0.0, covariance(1, 1) - root_[1] * root_[1]));
    constexpr double smallest = 1e-6;
    volume_ *= root_[2] > smallest * std::sqrt(covariance(1, 1)) ? root_[2] : 0.0;
  }
  if (!(volume_ > 0.0) || !std::isfinite(volume_)) {
    throw Error(ErrorKind::numerical,
                "The sample has no density: it does not vary, or only along a line.");
  }
  sample_ = standardised(sample);
}

LocalisedDensity::Point LocalisedDensity::standardised(const Matrix& points, std::size_t r) const {
  Point z{};
  z[0] = (points(r, 0) - centre_[0]) / root_[0];
  if (dimension_ == 2) z[1] = (points(r, 1) - centre_[1] - root_[1] * z[0]) / root_[2];
  return z;
}

LocalisedDensity::Columns LocalisedDensity::standardised(const ScoredSample& sample) const {
  Columns columns;
  columns.rows_of_path = sample.rows_of_path;
  for (std::size_t c = 0; c < 2; ++c) {
    columns.x[c].resize(sample.x.rows);
    columns.nu[c].resize(sample.x.rows);
  }
  for (std::size_t r = 0; r < sample.x.rows; ++r) {
    const Point z = standardised(sample.x, r);
    columns.x[0][r] = z[0];
    columns.x[1][r] = z[1];
    columns.nu[0][r] = root_[0] * sample.nu(r, 0);
    if (dimension_ == 1) continue;
    columns.nu[0][r] += root_[1] * sample.nu(r, 1);
    columns.nu[1][r] = root_[2] * sample.nu(r, 1);
  }
  return columns;
}

LocalisedDensity::Choice LocalisedDensity::choose(const Point& y, std::size_t half) const {
  const std::size_t of_path = sample_.rows_of_path;
  const std::size_t paths = sample_.x[0].size() / of_path;
  const std::size_t stride = stride_of_choice(dimension_, paths / 2 * of_path);
  Trial trial(dimension_, paths);
  std::vector<std::pair<double, double>> nearest;  // squared distance, squared covector
  for (std::size_t path = half; path < paths; path += 2 * stride) {
    for (std::size_t r = path * of_path; r < (path + 1) * of_path; ++r) {
      const Arm arm{{sample_.x[0][r] - y[0], sample_.x[1][r] - y[1]},
                    {sample_.nu[0][r], sample_.nu[1][r]}};
      trial.add(arm);
      nearest.emplace_back(arm.square(), arm.nu[0] * arm.nu[0] + arm.nu[1] * arm.nu[1]);
    }
  }
  constexpr std::size_t neighbours = 8;
  const std::size_t near = std::min(neighbours, nearest.size());
  std::ranges::nth_element(nearest, nearest.begin() + static_cast<std::ptrdiff_t>(near - 1));
  double squares = 0.0;
  for (std::size_t k = 0; k < near; ++k) squares += nearest[k].second;
  return {trial.best(nearest.size()), std::sqrt(squares / static_cast<double>(near))};
}

template <class Take>
void LocalisedDensity::each_path(const Columns& sample, const Point& y,
                                 const std::array<Localisation, 2>& chosen,
                                 const Take& take) const {
  const std::size_t of_path = sample.rows_of_path;
  for (std::size_t path = 0; path * of_path < sample.x[0].size(); ++path) {
    const Localisation& at = chosen[1 - path % 2];  // by the other half
    double value = 0.0, bias = 0.0;
    for (std::size_t r = path * of_path; r < (path + 1) * of_path; ++r) {
      const Summand summand = summand_of(
          {{sample.x[0][r] - y[0], sample.x[1][r] - y[1]}, {sample.nu[0][r], sample.nu[1][r]}}, at);
      value += summand.with(at.control);
      bias += summand.bias;
    }
    const double unit = 1.0 / (volume_ * static_cast<double>(of_path));
    take(path, value * unit, bias * unit);
  }
}

double LocalisedDensity::size_of_one(const std::array<Choice, 2>& choices) const {
  double size = 0.0;
  for (const Choice& choice : choices) {
    const double steep = choice.near_score + 1.0 / choice.localisation.width;
    size = std::max(size, dimension_ == 1 ? 0.5 * steep : steep * steep / (2.0 * std::numbers::pi));
  }
  return size / volume_;
}

LocalDensity LocalisedDensity::estimate(const Point& y) const {
  constexpr double a_part = 0.05;  // of what a path at the point adds: such a path makes the value
  // With no path where 1.5 are expected one sees none in 22% of all samples, and in 5% where 3 are.
  constexpr double unseen = 1.5;
  const std::array<Choice, 2> choices{choose(y, 0), choose(y, 1)};
  const double size = size_of_one(choices);
  const std::size_t paths = sample_.x[0].size() / sample_.rows_of_path;
  LocalDensity result;
  result.chosen = {choices[0].localisation, choices[1].localisation};
  result.unseen = unseen * size / static_cast<double>(paths);
  std::vector<double> sizes(paths);
  std::array<double, 2> sum{}, squares{}, count{};
  double bias = 0.0;
  each_path(sample_, y, result.chosen, [&](std::size_t path, double value, double b) {
    const std::size_t half = path % 2;
    sum[half] += value;
    squares[half] += value * value;
    count[half] += 1.0;
    bias += b;
    sizes[path] = std::fabs(value);
    result.paths +=
        sizes[path] * static_cast<double>(sample_.rows_of_path) > a_part * size ? 1.0 : 0.0;
  });
  double variance = 0.0;
  for (std::size_t half = 0; half < 2; ++half) {
    const double mean = sum[half] / count[half];
    result.value += 0.5 * mean;
    variance += 0.25 * (squares[half] / count[half] - mean * mean) / (count[half] - 1.0);
  }
  result.deviation = std::sqrt(std::max(0.0, variance));
  result.bias = dimension_ == 2 ? std::fabs(bias) / static_cast<double>(paths) : 0.0;
  TailSample tail;
  tail.add(sizes);
  // Of few paths that make the value among many that do not, all tails look heavy.
  const TailIndex index = tail.index();
  if (result.paths >= 2.0 * static_cast<double>(index.values)) result.tail_index = index.k;
  return result;
}

std::vector<LocalDensity> LocalisedDensity::at(const Matrix& points, std::size_t threads) const {
  std::vector<LocalDensity> found(points.rows);
  for_each_block(points.rows, 1, threads, [&](std::size_t begin, std::size_t end) {
    for (std::size_t r = begin; r < end; ++r) found[r] = estimate(standardised(points, r));
  });
  return found;
}

std::vector<Estimate> LocalisedDensity::difference(const std::vector<LocalDensity>& found,
                                                   const Matrix& points, const ScoredSample& coarse,
                                                   const ScoredSample& fine) const {
  const Columns at_coarse = standardised(coarse), at_fine = standardised(fine);
  std::vector<Estimate> result;
  for (std::size_t r = 0; r < points.rows; ++r) {
    const Point y = standardised(points, r);
    std::vector<double> values(coarse.paths());
    each_path(at_coarse, y, found[r].chosen,
              [&](std::size_t path, double value, double) { values[path] = value; });
    each_path(at_fine, y, found[r].chosen,
              [&](std::size_t path, double value, double) { values[path] -= value; });
    Moments moments(1);
    for (const double& value : values) moments.add({&value, 1});
    result.push_back(moments.estimate(0));
  }
  return result;
}

}  // namespace divker
