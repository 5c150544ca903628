#include "fit/series/companion.hpp"

#include <algorithm>

#include "derive/companion.hpp"
#include "divker/step.hpp"
#include "estimate/parallel.hpp"

namespace divker::fit {
namespace {

using RowMajorMap =
    Eigen::Map<const Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>>;

// All components of each of the first paths of a block, path after path.
void append_paths(const PathBlock& block, const double* array, std::size_t paths, std::size_t width,
                  std::vector<double>& out) {
  for (std::size_t p = 0; p < paths; ++p) {
    for (std::size_t c = 0; c < width; ++c) out.push_back(array[block.place(p, c, width)]);
  }
}

}  // namespace

Companion::Companion(const Model& model, const LegRules& rules)
    : rules_(rules),
      clock_(model),
      program_(derive::derive_companion(model, rules.beyond_boundaries)),
      dimension_(model.dimension()),
      noise_count_(model.noise_count()) {}

CompanionSteps Companion::follow(const std::vector<double>& parameters, const Legs& legs,
                                 std::size_t begin, std::size_t end) const {
  const std::size_t count = end - begin;
  const std::size_t steps = legs.substeps[begin];
  PathBlock block(count, program_.kernel().lanes());
  const PathBlock::Call call = block.prepare(program_, program_.bind(parameters));
  double* x = block.array(state_array, dimension_);
  for (std::size_t p = 0; p < block.paths(); ++p) {
    const auto leg = static_cast<Eigen::Index>(begin + std::min(p, count - 1));
    for (std::size_t i = 0; i < dimension_; ++i) {
      x[block.place(p, i, dimension_)] = legs.from(static_cast<Eigen::Index>(i), leg);
    }
    clock_.set(block, p, legs.time[leg], legs.interval[leg] / static_cast<double>(steps));
  }
  CompanionSteps result;
  for (std::size_t n = 0; n < steps; ++n) {
    block(call, nullptr);
    const std::size_t square = dimension_ * dimension_;
    const std::size_t noisy = dimension_ * noise_count_;
    append_paths(block, block.array(derive::jacobian_array, square), count, square,
                 result.jacobian);
    append_paths(block, block.array(derive::amplitude_array, noisy), count, noisy,
                 result.amplitude);
    if (n + 1 < steps) clock_.advance(block);
  }
  std::vector<double> ends;
  append_paths(block, block.array(state_array, dimension_), count, dimension_, ends);
  result.end = rules_.coordinates(Eigen::Map<const Eigen::MatrixXd>(
      ends.data(), static_cast<Eigen::Index>(dimension_), static_cast<Eigen::Index>(count)));
  return result;
}

NormalLegs Companion::law(const std::vector<double>& parameters, const Legs& legs,
                          std::size_t threads) const {
  constexpr std::size_t most_together = 128;
  const auto dimension = static_cast<Eigen::Index>(dimension_);
  const auto noises = static_cast<Eigen::Index>(noise_count_);
  NormalLegs law{Eigen::MatrixXd(dimension, static_cast<Eigen::Index>(legs.size())),
                 std::vector<Eigen::MatrixXd>(legs.size())};
  const auto pieces = legs.pieces(most_together);
  for_each_block(pieces.size(), 1, threads, [&](std::size_t piece, std::size_t) {
    const auto [begin, end] = pieces[piece];
    const CompanionSteps steps = follow(parameters, legs, begin, end);
    law.mean.middleCols(static_cast<Eigen::Index>(begin), static_cast<Eigen::Index>(end - begin)) =
        steps.end;
    for (std::size_t i = begin; i < end; ++i) {
      Eigen::MatrixXd covariance = Eigen::MatrixXd::Zero(dimension, dimension);
      for (std::size_t n = 0; n < legs.substeps[begin]; ++n) {
        const std::size_t at = n * (end - begin) + (i - begin);
        const RowMajorMap j(steps.jacobian.data() + at * dimension_ * dimension_, dimension,
                            dimension);
        const RowMajorMap s(steps.amplitude.data() + at * dimension_ * noise_count_, dimension,
                            noises);
        covariance = (j * covariance * j.transpose() + s * s.transpose()).eval();
      }
      law.covariance[i] = std::move(covariance);
    }
  });
  return law;
}

}  // namespace divker::fit
