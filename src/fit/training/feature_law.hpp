// The law of a model beside that of the data, by features of what is observed.
#pragma once

#include <Eigen/Dense>
#include <array>
#include <cstddef>
#include <vector>

#include "divker/fit_data.hpp"
#include "divker/moments.hpp"
#include "fit/training/density_ratio.hpp"
#include "fit/training/divergence.hpp"
#include "fit/training/feature_map.hpp"

namespace divker::fit {

// The data in features. A fifth of the individuals is held out: no step sees them.
class Target {
 public:
  struct Block {
    FeatureMap map;
    RowMajor learned_from, held_out;  // rows x features
    FeatureMoments moments;           // of the former
    double share = 0.0;               // of all rows
  };
  // About `count` features in all. Cost: rows * features^2 / 2.
  Target(const FitData& data, std::size_t count, std::size_t threads);
  [[nodiscard]] const std::vector<Block>& blocks() const { return blocks_; }
  [[nodiscard]] std::size_t features() const;
  // Of the rows, that the steps see.
  [[nodiscard]] double learned_share() const;

 private:
  std::vector<Block> blocks_;
};

// How the data differ from the model in one block.
struct BlockLaw {
  Eigen::VectorXd mean;                // of the features over the model
  Eigen::LLT<Eigen::MatrixXd> metric;  // of their covariance there
  // What the means of the features should change by: minus their covariance with the witness of
  // the divergence, over its curvature. Of KL it is mean over data - mean over model.
  Eigen::VectorXd asked;
  // What each point adds to the divergence: data held out, and paths.
  std::array<Eigen::ArrayXd, 2> terms;
};

struct FeatureLaw {
  std::vector<BlockLaw> blocks;
  // Of the data held out: a lower bound in expectation, with its standard error.
  double divergence = 0.0;
  double error = 0.0;
  // |asked|, in the metric of each block, over the noise that samples of one law would leave.
  double asked_over_noise = 0.0;
  // The lesser of the shares, of the data held out and of the paths, that the ratio tells apart
  // with certainty; the least of the blocks.
  double apart = 0.0;
};

// `observed`: points of the model, paths x observed, for each block. Half of them teach the ratio.
// Cost: some ten times (rows + paths) * features^2 / 2.
[[nodiscard]] FeatureLaw law_of(const Target& target, const Divergence& divergence,
                                const std::vector<Matrix>& observed, std::size_t threads);

// How much less the divergence is there, on the same data and by paths with the same noise: its
// standard error is that of the differences.
[[nodiscard]] Estimate gain_between(const Target& target, const FeatureLaw& here,
                                    const FeatureLaw& there);

}  // namespace divker::fit
