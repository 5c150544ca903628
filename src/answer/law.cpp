#include "answer/law.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "answer/observable.hpp"
#include "answer/path_checks.hpp"
#include "answer/tails.hpp"
#include "divker/error.hpp"
#include "divker/observable_response.hpp"

namespace divker {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

PointValues zeros(const Matrix& points, std::vector<std::string> names) {
  PointValues values;
  values.points = points;
  const Matrix none(points.rows, names.size());
  values.prediction = {none,
                       none,
                       none,
                       none,
                       std::vector<double>(points.rows, 0.0),
                       std::vector<bool>(points.rows, false),
                       Matrix(points.rows, names.size(), nan)};
  values.names = std::move(names);
  return values;
}

// The means of each path's rows.
std::vector<double> path_means(const std::vector<double>& values, std::size_t of_path) {
  std::vector<double> means(values.size() / of_path, 0.0);
  for (std::size_t r = 0; r < values.size(); ++r) {
    means[r / of_path] += values[r] / static_cast<double>(of_path);
  }
  return means;
}

// 1{x <= y} of each row.
std::vector<double> below(const Snapshot& snapshot, double y) {
  std::vector<double> phi(snapshot.x().rows);
  for (std::size_t r = 0; r < phi.size(); ++r) phi[r] = snapshot.x()(r, 0) <= y ? 1.0 : 0.0;
  return phi;
}

// Between the order statistics, the k-th of n at (k + 1/2)/n.
double order_statistic(const std::vector<double>& sorted, double level) {
  const double place = level * static_cast<double>(sorted.size()) - 0.5;
  const double low = std::clamp(std::floor(place), 0.0, static_cast<double>(sorted.size() - 2));
  const auto k = static_cast<std::size_t>(low);
  return sorted[k] + std::clamp(place - low, 0.0, 1.0) * (sorted[k + 1] - sorted[k]);
}

// With fewer paths on one side a share has no bar worth the name.
constexpr double fewest_paths = 10.0;
// With no path where 1.5 are expected one sees none in 22% of all samples, and in 5% where 3 are.
constexpr double unseen_paths = 1.5;

void require_paths_beyond(double level, std::size_t paths) {
  const double share = std::min(level, 1.0 - level);
  if (share * static_cast<double>(paths) >= fewest_paths) return;
  throw Error(ErrorKind::usage,
              fmt::format("Of {} paths fewer than {} are beyond the quantile of the level {}: at "
                          "least {:.0f} paths tell it.",
                          paths, fewest_paths, level, std::ceil(fewest_paths / share)));
}

}  // namespace

MarginalCoordinates::MarginalCoordinates(const Model& model,
                                         const std::vector<std::size_t>& marginal,
                                         const Matrix& x) {
  for (std::size_t c = 0; c < marginal.size(); ++c) {
    bool is_log = model.states()[marginal[c]].range == Range::positive();
    for (std::size_t r = 0; is_log && r < x.rows; ++r) is_log = x(r, c) > 0.0;
    is_log_.push_back(is_log);
  }
}

ScoredSample MarginalCoordinates::of(const LawRows& rows) const {
  ScoredSample sample{rows.snapshot.x(), rows.snapshot.nu(), rows.of_path};
  for (std::size_t c = 0; c < is_log_.size(); ++c) {
    for (std::size_t r = 0; is_log_[c] && r < sample.x.rows; ++r) {
      sample.nu(r, c) = sample.x(r, c) * sample.nu(r, c) + 1.0;
      sample.x(r, c) = std::log(sample.x(r, c));
    }
  }
  return sample;
}

Matrix MarginalCoordinates::of(Matrix points) const {
  for (std::size_t c = 0; c < is_log_.size(); ++c) {
    for (std::size_t r = 0; is_log_[c] && r < points.rows; ++r) {
      points(r, c) = std::log(points(r, c));
    }
  }
  return points;
}

double MarginalCoordinates::unit(const Matrix& points, std::size_t r) const {
  double unit = 1.0;
  for (std::size_t c = 0; c < is_log_.size(); ++c) unit /= is_log_[c] ? points(r, c) : 1.0;
  return unit;
}

Law::Law(const Model& model, const std::vector<std::size_t>& marginal, LawSample sample,
         const DensityOptions& options, std::vector<std::string> parameters)
    : options_(options),
      step_(model.time().step),
      parameters_(std::move(parameters)),
      sample_(std::move(sample)),
      coordinates_(model, marginal, snapshot().x()),
      localised_(coordinates_.of(sample_.rows)) {}

LawAtTime Law::tell(const Matrix& given, RunRecord& record) const {
  const Matrix points = given.rows > 0 ? given : own_grid();
  LawAtTime law;
  law.time = snapshot().time;
  law.density = density(points, record);
  law.log_density = Matrix(points.rows, 2, nan);
  for (std::size_t r = 0; r < points.rows; ++r) {
    const double value = law.density.prediction.value(r, 0);
    const double error = law.density.prediction.standard_error(r, 0);
    if (!(value > 2.0 * error)) continue;
    law.log_density(r, 0) = std::log(value);
    law.log_density(r, 1) = error / value;
  }
  if (options_.distribution) law.distribution = distribution(points, record);
  if (!options_.levels.empty()) law.quantiles = quantiles(record);
  return law;
}

Matrix Law::own_grid() const {
  constexpr std::size_t on_line = 25, in_plane = 15;
  constexpr double cut = 0.005;
  const std::size_t axes = snapshot().x().cols;
  const std::size_t chosen = axes == 1 ? on_line : in_plane;
  const std::size_t count = options_.grid > 0 ? options_.grid : chosen;
  Matrix points(axes == 1 ? count : count * count, axes);
  for (std::size_t c = 0; c < axes; ++c) {
    std::vector<double> x = snapshot().x().column(c);
    std::ranges::sort(x);
    const double low = order_statistic(x, cut), high = order_statistic(x, 1.0 - cut);
    for (std::size_t r = 0; r < points.rows; ++r) {
      const std::size_t k = c + 1 == axes ? r % count : r / count;
      const double u = count == 1 ? 0.5 : static_cast<double>(k) / static_cast<double>(count - 1);
      points(r, c) = low + u * (high - low);
    }
  }
  return points;
}

PointValues Law::density(const Matrix& points, RunRecord& record) const {
  PointValues values = zeros(points, {"the density"});
  Prediction& prediction = values.prediction;
  const Matrix at = coordinates_.of(points);
  const std::vector<LocalDensity> found = localised_.at(at, options_.answer.session.threads);
  for (std::size_t r = 0; r < points.rows; ++r) {
    const double unit = coordinates_.unit(points, r);
    prediction.value(r, 0) = unit * found[r].value;
    prediction.deviation(r, 0) = unit * std::hypot(found[r].deviation, found[r].unseen);
    prediction.bias(r, 0) = unit * found[r].bias;
    prediction.standard_error(r, 0) = unit * found[r].standard_error();
    prediction.effective_samples[r] = found[r].paths;
    prediction.tail_index(r, 0) = found[r].tail_index;
    prediction.outside[r] = found[r].outside();
  }
  if (sample_.pairs) {
    const std::vector<Estimate> gap = localised_.difference(
        found, at, coordinates_.of(sample_.pairs->first), coordinates_.of(sample_.pairs->second));
    StepBiases biases{Matrix(points.rows, 1), Matrix(points.rows, 1)};
    for (std::size_t r = 0; r < points.rows; ++r) {
      const double twice = 2.0 * coordinates_.unit(points, r);
      biases.value(r, 0) = twice * gap[r].value;
      biases.error(r, 0) = twice * gap[r].standard_error;
    }
    add_step_biases(values, biases, options_.answer.time_step, step_, record);
  }
  warn_of_tails("the density", prediction.tail_index.column(0), prediction.outside, record);
  return values;
}

PointValues Law::distribution(const Matrix& points, RunRecord& record) const {
  std::vector<std::string> names{"the distribution function"};
  for (const std::string& name : parameters_) names.push_back("its response to " + name);
  PointValues values = zeros(points, names);
  for (std::size_t r = 0; r < points.rows; ++r) fill_distribution(values, r);
  if (sample_.pairs) {
    StepBiases biases{Matrix(points.rows, names.size()), Matrix(points.rows, names.size())};
    for (std::size_t r = 0; r < points.rows; ++r) {
      const std::vector<StepBias> found = distribution_biases(points(r, 0));
      for (std::size_t c = 0; c < names.size(); ++c) {
        biases.value(r, c) = found[c].value;
        biases.error(r, c) = found[c].error;
      }
    }
    add_step_biases(values, biases, options_.answer.time_step, step_, record);
  }
  for (std::size_t p = 0; p < parameters_.size(); ++p) {
    warn_of_tails("the response of the distribution function to " + parameters_[p],
                  values.prediction.tail_index.column(1 + p), values.prediction.outside, record);
  }
  return values;
}

void Law::fill_distribution(PointValues& values, std::size_t r) const {
  Prediction& to = values.prediction;
  const std::vector<double> phi = below(snapshot(), values.points(r, 0));
  const auto count = static_cast<double>(paths());
  const Estimate share = estimate_of(path_means(phi, sample_.rows.of_path));
  const auto put = [&](std::size_t c, double value, double error) {
    to.value(r, c) = value;
    to.deviation(r, c) = to.standard_error(r, c) = error;
  };
  put(0, share.value, std::hypot(share.standard_error, unseen_paths / count));
  to.effective_samples[r] = count * std::min(share.value, 1.0 - share.value);
  to.outside[r] = to.effective_samples[r] < fewest_paths;
  if (parameters_.empty()) return;
  ResponseAccumulator sums(parameters_.size());
  sums.add(phi, snapshot().responses());
  const ObservableResponse found = sums.result();
  const std::vector<double> tails = sums.tail_indices();
  for (std::size_t p = 0; p < parameters_.size(); ++p) {
    put(1 + p, found.response[p].value, found.response[p].standard_error);
    // Of few paths on one side among many on the other, all tails look heavy.
    if (to.effective_samples[r] >= 6.0 * std::sqrt(count)) to.tail_index(r, 1 + p) = tails[p];
  }
}

std::vector<StepBias> Law::distribution_biases(double y) const {
  const auto& [coarse, fine] = *sample_.pairs;
  std::vector<double> at_dt = below(coarse.snapshot, y);
  const std::vector<double> at_half = below(fine.snapshot, y);
  if (!parameters_.empty()) {
    return step_biases({at_dt, coarse.snapshot.responses(), {}},
                       {at_half, fine.snapshot.responses(), {}});
  }
  for (std::size_t r = 0; r < at_dt.size(); ++r) at_dt[r] = 2.0 * (at_dt[r] - at_half[r]);
  const Estimate bias = estimate_of(path_means(at_dt, coarse.of_path));
  return {{bias.value, bias.standard_error}};
}

// By the distribution function there: q moves by -dF/h where F moves by dF.
PointValues Law::quantiles(RunRecord& record) const {
  std::vector<double> sorted = snapshot().x().column(0);
  std::ranges::sort(sorted);
  Matrix levels(options_.levels.size(), 1), at(options_.levels.size(), 1);
  for (std::size_t k = 0; k < levels.rows; ++k) {
    levels(k, 0) = options_.levels[k];
    require_paths_beyond(levels(k, 0), paths());
    at(k, 0) = order_statistic(sorted, levels(k, 0));
  }
  RunRecord aside = record;  // what is remarkable about the density is told where it is asked for
  const Prediction height = density(at, aside).prediction;
  const PointValues below_it = distribution(at, record);
  const Prediction& share = below_it.prediction;
  std::vector<std::string> names{"the quantile"};
  for (const std::string& name : parameters_) names.push_back("its response to " + name);
  PointValues values = zeros(levels, names);
  Prediction& to = values.prediction;
  if (below_it.time_step.rows > 0) values.time_step = Matrix(levels.rows, names.size());
  for (std::size_t k = 0; k < levels.rows; ++k) {
    const double h = height.value(k, 0);
    const bool is_told = h > 2.0 * height.standard_error(k, 0);
    for (std::size_t c = 0; c < names.size(); ++c) {
      const double moved = c == 0 ? levels(k, 0) - share.value(k, 0) : -share.value(k, c);
      const double of_height = c == 0 ? 0.0 : moved / h * (height.standard_error(k, 0) / h);
      to.value(k, c) = (c == 0 ? at(k, 0) : 0.0) + (is_told ? moved / h : c == 0 ? 0.0 : nan);
      to.deviation(k, c) = is_told ? std::hypot(share.deviation(k, c) / h, of_height) : nan;
      to.standard_error(k, c) =
          is_told ? std::hypot(share.standard_error(k, c) / h, of_height) : nan;
      to.tail_index(k, c) = share.tail_index(k, c);
      if (values.time_step.rows > 0) values.time_step(k, c) = below_it.time_step(k, c) / h;
    }
    to.effective_samples[k] = share.effective_samples[k];
    if (is_told) continue;
    record.warnings.push_back(
        {"quantile", fmt::format("the density at the quantile of the level {} is not above its "
                                 "bar: hardly a path is near it, and it has no error bar.",
                                 levels(k, 0))});
  }
  return values;
}

}  // namespace divker
