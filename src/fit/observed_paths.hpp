// Paths as the data see them: through the observations, at the times of the snapshots.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "divker/fit_data.hpp"
#include "divker/model_function.hpp"
#include "divker/study.hpp"

namespace divker::fit {

// Half of the paths, as one block of the data sees them.
struct ObservedHalf {
  Matrix y;          // paths x observed
  Matrix responses;  // paths x parameters: d log (law of x and y) / d gamma along the path
  // The same over a longer time before the snapshot, which the derivative of psi is taken from;
  // empty: over the same.
  Matrix longer;
  [[nodiscard]] const Matrix& for_derivative() const {
    return longer.rows > 0 ? longer : responses;
  }
  void transfer(Archive& archive) { archive(y, responses); }
};

// Even and odd paths apart: what is learned from one half is used on the other.
struct ObservedPaths {
  std::vector<std::array<ObservedHalf, 2>> blocks;  // as the blocks of the data
  RunSummary summary;

  // Of an observer with several windows, `count` blocks each: the part of one, with the responses
  // of another as those over a longer time; and of the last, with those of the one before, if any.
  [[nodiscard]] ObservedPaths with_window(std::size_t window, std::size_t longer,
                                          std::size_t count) const;
  [[nodiscard]] ObservedPaths with_last_window(std::size_t count) &&;
};

// How the blocks of the data see a path. An observation with noise, y = g(x) + sd(x) z, adds
//   d log p(y | x) / d gamma = z dg/dgamma / sd + (z^2 - 1) d sd/dgamma / sd
// to the response of the path.
class Observer {
 public:
  // `parameters`: those whose responses the ensemble accumulates. `windows`: the times before a
  // snapshot over which they are accumulated, or since the start where that is less. The blocks of
  // the data are observed with the first window, then with the next.
  Observer(const Model& model, const FitData& data, std::vector<std::size_t> parameters,
           const std::vector<double>& windows);

  // The snapshot times that a run needs.
  [[nodiscard]] const std::vector<double>& times() const { return times_; }
  // Runs the study and observes. Memory: paths * (observed + parameters) doubles for each block.
  // Error(numerical) where an observation is not finite, or its noise not positive.
  [[nodiscard]] ObservedPaths run(Study& study) const;
  // What the blocks of the data see of paths of states alone, recorded at times(), at the model's
  // parameters: paths x observed for each.
  [[nodiscard]] std::vector<Matrix> see(const Model& model, const Paths& paths,
                                        std::uint64_t seed) const;
  // What they see of one group of paths with responses, by the observations at some parameters.
  [[nodiscard]] std::vector<ObservedHalf> see(const ModelFunction& observations,
                                              const PathGroup& group, std::uint64_t seed) const;
  [[nodiscard]] ModelFunction at(const Model& model) const;

 private:
  struct Part;
  class Halves;
  // The roots of one observation: value, deviation, and their derivatives.
  struct Roots {
    std::size_t value = 0;
    std::size_t deviation = 0;
    std::size_t derivatives = 0;  // of value and deviation in turn, parameter after parameter
    bool noisy = false;
  };
  struct BlockView {
    std::size_t snapshot = 0;
    std::optional<std::size_t> before;  // the snapshot where the window begins; none: the start
    std::size_t order = 0;              // of its time among those of the data
    double time = 0.0;
    std::vector<std::size_t> observed;
  };
  // Notes where the roots of each observation are.
  [[nodiscard]] ModelFunction function_of_observations(const Model& model);
  [[nodiscard]] ObservedHalf see(const ModelFunction& function, const BlockView& block,
                                 const PathGroup& group, std::uint64_t seed) const;

  std::vector<std::size_t> parameters_;
  std::vector<double> times_;
  std::vector<BlockView> blocks_;
  std::vector<Roots> observations_;
  std::vector<std::string> names_;
  ModelFunction function_;  // all roots of all observations
};

}  // namespace divker::fit
