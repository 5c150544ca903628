#include "fit/training/feature_law.hpp"

#include <algorithm>
#include <cmath>

#include "divker/random.hpp"

namespace divker::fit {
namespace {

using Eigen::ArrayXd;
using Eigen::Index;
using Eigen::VectorXd;

constexpr double share_held_out = 0.2;
constexpr double relative_ridge = 1e-3;
constexpr std::uint64_t seed_of_held_out = 0xDA7A;

Matrix rows_of_matrix(const Matrix& m, const std::vector<std::size_t>& rows) {
  Matrix some(rows.size(), m.cols);
  for (std::size_t r = 0; r < rows.size(); ++r) {
    std::copy(m.row(rows[r]).begin(), m.row(rows[r]).end(), some.row(r).begin());
  }
  return some;
}

// Where there are too few of either, all rows are both.
std::array<Matrix, 2> parted(const DataBlock& block) {
  constexpr std::size_t fewest_rows = 10;
  const NormalSource random(seed_of_held_out, Stream::pick);
  std::array<std::vector<std::size_t>, 2> rows;
  for (std::size_t r = 0; r < block.values.rows; ++r) {
    const bool out = random.uniform(block.individuals[r], 0) < share_held_out;
    rows[out ? 1 : 0].push_back(r);
  }
  if (std::min(rows[0].size(), rows[1].size()) < fewest_rows) return {block.values, block.values};
  return {rows_of_matrix(block.values, rows[0]), rows_of_matrix(block.values, rows[1])};
}

// A mean with the square of its standard error.
struct Mean {
  double value, square;
};
Mean mean_of(const ArrayXd& values) {
  const double mean = values.mean();
  const auto n = static_cast<double>(values.size());
  return {mean, (values - mean).square().sum() / (n - 1.0) / n};
}

ArrayXd each(const VectorXd& log_ratios, double (*function)(double)) {
  return log_ratios.array().unaryExpr([function](double l) { return function(l); });
}

double share_of(const Eigen::Array<bool, Eigen::Dynamic, 1>& which) {
  return static_cast<double>(which.count()) / static_cast<double>(which.size());
}

VectorXd asked_of(const Divergence& divergence, const Target::Block& data, const RowMajor& model,
                  const VectorXd& mean, const DensityRatio& ratio) {
  const auto covariance = [&mean](const RowMajor& f, const ArrayXd& w) -> VectorXd {
    const auto n = static_cast<double>(f.rows());
    return f.transpose() * w.matrix() / n - w.mean() * mean;
  };
  if (divergence.over_data != nullptr) {
    const RowMajor& f = data.learned_from;
    return -covariance(f, each(ratio.log_at(f), divergence.over_data)) / divergence.curvature;
  }
  return -covariance(model, each(ratio.log_at(model), divergence.witness)) / divergence.curvature;
}

RowMajor every_second(const RowMajor& f, Index first) {
  return f(Eigen::seq(first, Eigen::last, 2), Eigen::all);
}

}  // namespace

Target::Target(const FitData& data, std::size_t count, std::size_t threads) {
  constexpr std::size_t fewest_features = 8;
  const std::size_t each_block = std::max(fewest_features, count / data.blocks.size());
  for (const DataBlock& block : data.blocks) {
    const auto [first, second] = parted(block);
    FeatureMap map(first, each_block);
    RowMajor learned_from = map.at(first, threads);
    RowMajor held_out = map.at(second, threads);
    FeatureMoments moments = moments_of(learned_from, threads);
    const double share = static_cast<double>(block.values.rows) / static_cast<double>(data.rows);
    blocks_.push_back(
        {std::move(map), std::move(learned_from), std::move(held_out), std::move(moments), share});
  }
}

std::size_t Target::features() const {
  std::size_t count = 0;
  for (const Block& block : blocks_) count += block.map.size();
  return count;
}

double Target::learned_share() const {
  double share = 0.0;
  for (const Block& block : blocks_) {
    const auto learned = static_cast<double>(block.learned_from.rows());
    const auto out = static_cast<double>(block.held_out.rows());
    const bool both = block.learned_from.rows() == block.held_out.rows();
    share += block.share * (both ? 1.0 : learned / (learned + out));
  }
  return share;
}

FeatureLaw law_of(const Target& target, const Divergence& divergence,
                  const std::vector<Matrix>& observed, std::size_t threads) {
  FeatureLaw law;
  double square = 0.0;
  double over_noise = 0.0;
  double chance = 0.0;
  law.apart = 1.0;
  for (std::size_t b = 0; b < observed.size(); ++b) {
    const Target::Block& data = target.blocks()[b];
    const RowMajor model = data.map.at(observed[b], threads);
    const FeatureMoments moments = moments_of(model, threads);
    const RowMajor teaching = every_second(model, 0);
    const RowMajor judging = every_second(model, 1);
    const DensityRatio ratio(data.learned_from, data.moments, teaching, moments, threads);
    const VectorXd at_data = ratio.log_at(data.held_out);
    const VectorXd at_model = ratio.log_at(judging);
    BlockLaw& block = law.blocks.emplace_back();
    block.terms = {each(at_data, divergence.slope), each(at_model, divergence.witness)};
    const Mean of_data = mean_of(block.terms[0]);
    const Mean of_model = mean_of(block.terms[1]);
    law.apart = std::min({law.apart, share_of(at_data.array() >= DensityRatio::most),
                          share_of(at_model.array() <= -DensityRatio::most)});
    law.divergence += data.share * (of_data.value + of_model.value);
    square += data.share * data.share * (of_data.square + of_model.square);

    block.mean = moments.mean;
    Eigen::MatrixXd metric = moments.covariance;
    metric.diagonal().array() += relative_ridge * std::max(metric.diagonal().mean(), 1e-12);
    block.metric.compute(metric);
    block.asked = asked_of(divergence, data, model, moments.mean, ratio);
    // Besides the scatter of the points: a distance of features' means below their noise is not
    // learned.
    const auto p = static_cast<double>(data.map.size());
    const auto n = static_cast<double>(data.learned_from.rows());
    const auto m = static_cast<double>(model.rows());
    const double unseen = 0.5 * divergence.curvature * std::sqrt(2.0 * p) * (1.0 / n + 2.0 / m);
    square += data.share * data.share * unseen * unseen;
    over_noise += data.share * block.asked.dot(block.metric.solve(block.asked));
    chance += data.share * p * (1.0 / n + 1.0 / m);
  }
  law.error = std::sqrt(square);
  law.asked_over_noise = std::sqrt(over_noise / chance);
  return law;
}

Estimate gain_between(const Target& target, const FeatureLaw& here, const FeatureLaw& there) {
  double gain = 0.0;
  double square = 0.0;
  for (std::size_t b = 0; b < here.blocks.size(); ++b) {
    const double share = target.blocks()[b].share;
    for (const std::size_t side : {0U, 1U}) {
      const ArrayXd& before = here.blocks[b].terms[side];
      const ArrayXd& after = there.blocks[b].terms[side];
      gain += share * (before.mean() - after.mean());
      // Where a path failed the others are no pairs.
      square += share * share *
                (before.size() == after.size() ? mean_of(before - after).square
                                               : mean_of(before).square + mean_of(after).square);
    }
  }
  return {gain, std::sqrt(square)};
}

}  // namespace divker::fit
