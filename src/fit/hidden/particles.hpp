// Guided paths of a record, weighted and sometimes chosen anew.
#pragma once

#include <Eigen/Dense>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "fit/hidden/guide.hpp"
#include "fit/hidden/guided_kernels.hpp"

namespace divker::fit {

// Which paths went on at each row, and with what: paths of other parameters follow the same ones,
// so that their likelihood is a smooth function of the parameters.
struct Choices {
  struct AtRow {
    std::vector<std::uint32_t> ancestors;  // empty: all went on
    std::vector<double> less;              // what the log weight of each one lost
  };
  std::vector<AtRow> rows;
};

// log of the likelihood of the rows up to each one, rows after the first given what is seen exactly
// in the first; the last is that of the record. -inf where all paths have failed.
struct ParticleLikelihood {
  Eigen::VectorXd up_to;
  double smallest_sample = 0.0;  // effective number of paths, with what they know of the rows ahead
  [[nodiscard]] double value() const { return up_to[up_to.size() - 1]; }
};

struct ParticleRun {
  std::size_t paths = 0;  // a multiple of the lanes
  std::uint64_t seed = 1;
  std::size_t record = 0;  // its number, for random numbers of its own
};

// Chooses paths where their effective number falls below a half, and notes it: `choices` empty;
// else follows them.
[[nodiscard]] ParticleLikelihood follow_guide(const GuidedKernels& kernels,
                                              const GuidedKernels::Bound& bound,
                                              const SeenRecord& record, const Guide& guide,
                                              const ParticleRun& run, Choices& choices);

}  // namespace divker::fit
