#include "fit/influence.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <Eigen/Dense>
#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <utility>

#include "fit/spectrum.hpp"

namespace divker::fit {
namespace {

constexpr std::size_t most_told = 10;
// Rows beyond all paths are told where chance makes one in fewer fits than this.
constexpr double seldom = 0.05;

// Ihat of the rows of a block, less its mean: rows x parameters.
Eigen::MatrixXd learned_at(const LearnedBlock& learned, const DataBlock& block,
                           const Matching& matching) {
  const auto rows = static_cast<Eigen::Index>(block.values.rows);
  Eigen::MatrixXd sum = Eigen::MatrixXd::Zero(rows, matching.learned_covariance.rows());
  for (const Learned& half : learned.halves) {
    const Matrix values = half(block.values);
    sum += 0.5 * Eigen::Map<const RowMajor>(values.data.data(), rows, sum.cols());
  }
  sum.rowwise() -= sum.colwise().mean().eval();
  return matching.weights.size() > 0 ? sum * matching.weights.transpose() : sum;
}

// The smallest and the largest value of a column over all paths.
std::pair<double, double> range_of(const std::array<Matrix, 2>& halves, std::size_t column) {
  const std::vector<double> first = halves[0].column(column), second = halves[1].column(column);
  const auto [a, b] = std::ranges::minmax(first);
  const auto [c, d] = std::ranges::minmax(second);
  return {std::min(a, c), std::max(b, d)};
}

std::vector<std::vector<std::string>> beyond_paths(const Model& model, const DataBlock& block,
                                                   const std::array<Matrix, 2>& halves) {
  const std::vector<Observation> known = measurable(model);
  std::vector<std::vector<std::string>> beyond(block.values.rows);
  for (std::size_t c = 0; c < block.observed.size(); ++c) {
    const auto [low, high] = range_of(halves, c);
    for (std::size_t r = 0; r < block.values.rows; ++r) {
      const double y = block.values(r, c);
      if (y >= low && y <= high) continue;
      beyond[r].push_back(fmt::format("{} = {:.6g}", known[block.observed[c]].name, y));
    }
  }
  return beyond;
}

void add_remark(const FitData& data, const Evaluation& evaluation, FitResult& result) {
  constexpr std::size_t most_named = 5;
  std::vector<std::string> named;
  std::size_t count = 0;
  for (const RowInfluence& one : result.influence) {
    if (one.beyond.empty()) continue;
    if (++count > most_named) continue;
    named.push_back(
        fmt::format("row {} of {} ({})", one.row, one.source, fmt::join(one.beyond, ", ")));
  }
  if (count == 0) return;
  double chance = 0.0;  // of n paths and another number that is the largest: 1/(n + 1) each way
  for (std::size_t b = 0; b < data.blocks.size(); ++b) {
    const std::array<Matrix, 2>& halves = evaluation.samples[b];
    chance += 2.0 *
              static_cast<double>(data.blocks[b].observed.size() * data.blocks[b].values.rows) /
              static_cast<double>(halves[0].rows + halves[1].rows + 1);
  }
  if (chance > seldom) return;
  result.remarks.push_back(fmt::format(
      "Beyond all paths of the fitted model: {}{}. Of as many rows of its law one would be in a "
      "share of {:.2g} of all cases: outliers, or tails that the model lacks.",
      fmt::join(named, ", "),
      count > most_named ? fmt::format(" and {} more", count - most_named) : "", chance));
}

}  // namespace

void add_influence(const Model& model, const FitData& data, const Evaluation& evaluation,
                   FitResult& result) {
  const Matching& matching = evaluation.matching;
  const Eigen::MatrixXd inverse = spectrum_of(matching).inverse(0.5);
  std::vector<RowInfluence> all;
  for (std::size_t b = 0; b < data.blocks.size(); ++b) {
    const DataBlock& block = data.blocks[b];
    const Eigen::MatrixXd shifts =
        learned_at(matching.learned[b], block, matching) * inverse / static_cast<double>(data.rows);
    auto beyond = beyond_paths(model, block, evaluation.samples[b]);
    for (std::size_t r = 0; r < block.values.rows; ++r) {
      RowInfluence one{block.source, block.rows[r], block.time, "", 0.0, std::move(beyond[r])};
      for (std::size_t p = 0; p < result.names.size(); ++p) {
        const double shift = shifts(static_cast<Eigen::Index>(r), static_cast<Eigen::Index>(p)) /
                             result.standard_error[p];
        if (!(std::fabs(shift) > std::fabs(one.shift))) continue;
        one.shift = shift;
        one.parameter = result.names[p];
      }
      all.push_back(std::move(one));
    }
  }
  const auto before = [](const RowInfluence& a, const RowInfluence& b) {
    if (a.beyond.empty() != b.beyond.empty()) return b.beyond.empty();
    return std::fabs(a.shift) > std::fabs(b.shift);
  };
  const std::size_t told = std::min(most_told, all.size());
  std::ranges::partial_sort(all, all.begin() + static_cast<std::ptrdiff_t>(told), before);
  all.resize(told);
  result.influence = std::move(all);
  add_remark(data, evaluation, result);
}

}  // namespace divker::fit
